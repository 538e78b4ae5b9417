"""How long the hub waits for a box's answer before it asks again. Pure."""

from datetime import timedelta
from typing import Final

_FIRST_S: Final = 3
_LONGEST: Final = timedelta(minutes=5)


def pause_after(asked: int) -> timedelta:
    """How long to wait for an answer before asking again, after having asked so often."""
    return min(_LONGEST, timedelta(seconds=_FIRST_S * 2 ** min(asked, 10)))
