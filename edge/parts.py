"""Parts of a version that comes in several messages, until all of them are there.

In: parts in any order, each with its terms; the time, by the hub's clock. Out: the pieces of a version that
is whole, in their order. Only the newest version is collected: a part of an older one counts for nothing.
Pure; what is dropped is let go of as its owner wants it (templates are overwritten). Not for use by two
threads at once.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

Piece = TypeVar("Piece")


class Terms(Protocol):
    """What each part says of the whole: version, how many parts, which one this is, until when it holds."""

    @property
    def version(self) -> int:
        """Of the whole."""
        ...

    @property
    def parts(self) -> int:
        """How many there are."""
        ...

    @property
    def part(self) -> int:
        """Which of them this is."""
        ...

    @property
    def expires_at(self) -> datetime:
        """Until when the whole holds."""
        ...


class Parts(Generic[Piece]):
    """The parts of one version that have come so far."""

    def __init__(self, let_go: Callable[[Piece], None] = lambda _: None) -> None:
        """`let_go` is given each piece that is dropped before its version was whole."""
        self._let_go = let_go
        self._pieces: dict[int, Piece] = {}
        self._coming: Terms | None = None

    def add(self, terms: Terms, piece: Piece) -> list[Piece] | None:
        """All pieces in their order once none is missing, which are then the caller's; None before."""
        coming = self._coming
        if coming is not None and coming.version > terms.version:
            self._let_go(piece)
            return None
        if coming is None or (coming.version, coming.parts) != (terms.version, terms.parts):
            self.drop()
        if (old := self._pieces.get(terms.part)) is not None:
            self._let_go(old)
        self._coming = terms
        self._pieces[terms.part] = piece
        if len(self._pieces) < terms.parts:
            return None
        whole = [self._pieces[number] for number in sorted(self._pieces)]
        self._pieces, self._coming = {}, None
        return whole

    def drop(self) -> None:
        """Let go of everything that has come."""
        for piece in self._pieces.values():
            self._let_go(piece)
        self._pieces, self._coming = {}, None

    def drop_up_to(self, version: int) -> None:
        """Let go of a version that is no newer."""
        if self._coming is not None and self._coming.version <= version:
            self.drop()

    def drop_expired(self, now: datetime) -> None:
        """Let go of a version that has expired by `now`."""
        if self._coming is not None and now >= self._coming.expires_at:
            self.drop()
