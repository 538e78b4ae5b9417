"""Which listed plates a reading is: exactly, or 疑似 (suspected) where the reading was uncertain.

In: an index of listed plates and a reading's text with the confidence of each character. Out: matches,
each with its kind, cost and a reason that can be shown to a person. Pure: no I/O, no clock.

A plate is suspected only where every character that differs was itself uncertain in the reading,
and is one that cameras confuse with what was read; same length, at most two such characters. That
keeps strangers out: of any two plates of one city most differ in characters that were read surely.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from wire.plates import ALPHABET, MAX_LENGTH, PROVINCES, confusion_cost, normalise

_CODES = {character: code for code, character in enumerate(ALPHABET, start=1)}


class MatchKind(StrEnum):
    """How a listed plate was matched; suspected ones raise under their own severity."""

    EXACT = "exact"
    SUSPECTED = "suspected"


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """How far a suspicion may reach."""

    certain: float = 0.97
    """A character read with at least this confidence (0 to 1) is taken as read."""
    most_differing: int = 2
    most_cost: float = 0.8
    """Largest sum of ``confusion_cost`` over the characters that differ."""
    any_below: float = 0.5
    """A character read with less than this may have been any other, at its least cost."""
    any_cost: float = 0.6


@dataclass(frozen=True, slots=True)
class Difference:
    """One position where reading and listed plate differ."""

    position: int
    read: str
    listed: str
    confidence: float
    cost: float


@dataclass(frozen=True, slots=True)
class PlateMatch:
    """A listed plate that the reading may be. ``cost`` is 0 for exact, below 1 for suspected."""

    plate: str
    kind: MatchKind
    cost: float
    differences: tuple[Difference, ...]

    @property
    def reason(self) -> str:
        """Why, for a person: what was read, what is listed, how sure the character was."""
        if self.kind is MatchKind.EXACT:
            return f"read exactly as listed: {self.plate}"
        parts = ", ".join(
            f"{d.read} for {d.listed} at {d.position + 1} (read with {d.confidence:.0%})"
            for d in self.differences
        )
        return f"suspected {self.plate}: {parts}"


class PlateIndex:
    """Listed plates, ready to be matched. Immutable: build another when the list changes."""

    def __init__(self, plates: Iterable[str]) -> None:
        self._plates = sorted({normalise(plate) for plate in plates} - {""})
        self._exact = frozenset(self._plates)
        self._by_length: dict[int, tuple[list[str], NDArray[np.uint64]]] = {}
        for length in range(1, MAX_LENGTH + 1):
            same = [p for p in self._plates if len(p) == length]
            if same:
                self._by_length[length] = (same, np.array([_packed(p) for p in same], np.uint64))

    def __len__(self) -> int:
        return len(self._plates)

    def __contains__(self, plate: str) -> bool:
        return normalise(plate) in self._exact

    def match(
        self,
        text: str,
        char_confidences: Sequence[float],
        policy: MatchPolicy | None = None,
    ) -> list[PlateMatch]:
        """Listed plates that the reading may be, likeliest first.

        An exact match ends the search: what was read is on the list. ``char_confidences`` holds
        one value, 0 to 1, per character of the normalised ``text``; where their number differs
        only an exact match is possible, since nobody can say which character was uncertain.
        """
        plain = normalise(text)
        if plain in self._exact:
            return [PlateMatch(plain, MatchKind.EXACT, 0.0, ())]
        if len(char_confidences) != len(plain) or len(plain) not in self._by_length:
            return []
        policy = policy or MatchPolicy()
        certain = [confidence >= policy.certain for confidence in char_confidences]
        if all(certain):
            return []
        plates, codes = self._by_length[len(plain)]
        # One word per plate: only those equal to the reading wherever it was certain are looked at.
        near = ((codes ^ _packed(plain)) & _mask(certain)) == 0
        found = []
        for row in np.flatnonzero(near):
            match = _suspect(plain, plates[int(row)], char_confidences, policy)
            if match is not None:
                found.append(match)
        return sorted(found, key=lambda m: (m.cost, m.plate))


def _packed(text: str) -> np.uint64:
    """At most 8 characters as one word, one byte each; characters of no plate share a code."""
    word = 0
    for character in text:
        word = word << 8 | _CODES.get(character, 0)
    return np.uint64(word)


def _mask(positions: Sequence[bool]) -> np.uint64:
    """All bits of the bytes at these positions, as `_packed` places them."""
    word = 0
    for wanted in positions:
        word = word << 8 | (0xFF if wanted else 0)
    return np.uint64(word)


def _suspect(
    read: str, listed: str, confidences: Sequence[float], policy: MatchPolicy
) -> PlateMatch | None:
    differences = []
    for position, (a, b) in enumerate(zip(read, listed, strict=True)):
        if a == b:
            continue
        if confidences[position] >= policy.certain:
            return None
        cost = confusion_cost(a, b)
        same_script = (a in PROVINCES) == (b in PROVINCES)
        if confidences[position] < policy.any_below and same_script:
            cost = min(cost, policy.any_cost)
        differences.append(Difference(position, a, b, float(confidences[position]), cost))
    total = sum(d.cost for d in differences)
    if len(differences) > policy.most_differing or total > policy.most_cost:
        return None
    return PlateMatch(listed, MatchKind.SUSPECTED, total, tuple(differences))
