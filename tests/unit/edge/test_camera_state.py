"""The one state of a camera, as a table of what happens and what is told."""

from datetime import timedelta
from typing import Any

import pytest

from edge.camera_state import CameraState
from edge.picture_faults import Fault
from edge.picture_health import Verdict
from tests.unit.edge.fakes import T0

COVERED, MOVED, WELL = Fault.COVERED, Fault.MOVED, None
HERE, AWAY = "here", "away"


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([HERE], ["online"]),
        ([HERE, HERE], ["online"]),
        ([AWAY, AWAY], ["offline"]),
        ([HERE, COVERED, WELL], ["online", "covered", "online"]),
        ([HERE, COVERED, MOVED, WELL], ["online", "covered", "moved", "online"]),
        ([HERE, COVERED, AWAY, HERE, WELL], ["online", "covered", "offline", "covered", "online"]),
        ([HERE, AWAY, WELL, HERE], ["online", "offline", "online"]),
        ([COVERED, HERE], ["covered"]),
    ],
)
def test_what_is_told(events: list[Any], told: list[str]) -> None:
    state, found = CameraState(), []
    for second, event in enumerate(events):
        at = T0 + timedelta(seconds=second)
        if event in (HERE, AWAY):
            found.append(state.presence(online=event == HERE, since=at, reason=f"it is {event}"))
        else:
            found.append(state.picture(Verdict(event, at, f"it is {event}")))
    assert [observation.state for observation in found if observation] == told


def test_times_never_run_backwards() -> None:
    """A hub takes what is older than what it knows for news of the past."""
    state = CameraState()
    state.presence(online=True, since=T0, reason="pictures come")
    state.picture(Verdict(Fault.COVERED, T0 + timedelta(seconds=60), "dark"))
    moved = state.picture(Verdict(Fault.MOVED, T0 + timedelta(seconds=30), "elsewhere"))
    assert moved is not None
    assert moved.captured_at == T0 + timedelta(seconds=60)


def test_back_with_a_fault_says_the_fault() -> None:
    state = CameraState()
    state.presence(online=True, since=T0, reason="pictures come")
    state.picture(Verdict(Fault.MOVED, T0, "another view"))
    state.presence(online=False, since=T0, reason="no data")
    back = state.presence(online=True, since=T0, reason="pictures come again")
    assert back is not None
    assert (back.state, back.reason) == ("moved", "another view")
