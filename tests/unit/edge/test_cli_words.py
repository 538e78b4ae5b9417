"""What `edge run` says at its end."""

import pytest

from edge.access_desk import AccessCounts
from edge.cli import _released


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (AccessCounts(), "0 plates let in, 0 refused, 0 failed releases"),
        (
            AccessCounts(2, 1, 3, [90.0, 10.4, 20.0]),
            "2 plates let in, 1 refused, 3 failed releases; released 20 ms after the reading (median)",
        ),
    ],
)
def test_what_became_of_plates_at_barriers(counts: AccessCounts, says: str) -> None:
    assert _released(counts) == says
