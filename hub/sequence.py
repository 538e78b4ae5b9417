"""Which messages of one edge and boot are committed: contiguous up to a number, and islands beyond it.

In: sequences as they are committed, in any order, and the floor that an edge tells of. Out: the number up
to which the edge may forget. Pure; never goes back, never skips a gap that the edge has not given up.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

Island = tuple[int, int]
"""First and last sequence, both inside."""


@dataclass(frozen=True, slots=True)
class Window:
    """All of ``1..committed`` is committed, and the `ahead` islands: apart, ascending, beyond a gap."""

    committed: int = 0
    ahead: tuple[Island, ...] = ()

    def __contains__(self, sequence: int) -> bool:
        if sequence <= self.committed:
            return True
        at = bisect_right(self.ahead, sequence, key=lambda island: island[0]) - 1
        return at >= 0 and sequence <= self.ahead[at][1]

    def add(self, sequences: Iterable[int]) -> "Window":
        """Return the window with these committed too."""
        return _joined(self.committed, (*self.ahead, *((s, s) for s in sequences)))

    def raise_floor(self, first_sequence: int) -> "Window":
        """Return the window of an edge that holds nothing below `first_sequence`: none will come."""
        return _joined(max(self.committed, first_sequence - 1), self.ahead)


def _joined(committed: int, islands: tuple[Island, ...]) -> Window:
    apart: list[Island] = []
    for first, last in sorted(islands):
        if first <= committed + 1:
            committed = max(committed, last)
        elif apart and first <= apart[-1][1] + 1:
            apart[-1] = (apart[-1][0], max(apart[-1][1], last))
        else:
            apart.append((first, last))
    return Window(committed, tuple(apart))
