"""What an operator should know of the face pack and the size of the gallery. Pure.

In: facts of the pack and its calibration, how many people are enrolled. Out: sentences, each with what to do.
A *problem* makes the hub's health degraded; a *note* is worth knowing and is no fault.
"""

from dataclasses import dataclass
from typing import Final

FILING_PEOPLE: Final = 100_000
"""Whoever keeps more people's faces than this has to file it (人脸识别技术应用安全管理办法)."""
_FILING_SOON: Final = 0.8


@dataclass(frozen=True, slots=True)
class PackFacts:
    """A face pack, as far as a person has to know.

    `calibrated_for` is the largest gallery, in people, that its threshold was measured for; None where
    there is no calibration and the pack's fixed threshold holds.
    """

    name: str
    note: str
    licence: str
    commercial: bool
    calibrated_for: int | None


def notes_on(pack: PackFacts) -> list[str]:
    """What to know of the pack, whoever is enrolled."""
    notes = [f"face pack {pack.name}: {pack.note}"] if pack.note else []
    if not pack.commercial:
        notes.append(
            f"face pack {pack.name}: not for commercial use without a licence: {pack.licence}"
        )
    if pack.calibrated_for is None:
        notes.append(
            f"face pack {pack.name}: no calibration, so one fixed threshold holds however many are enrolled:"
            f" gatehouse eval faces FOLDER --pack {pack.name} --calibrate FILE"
        )
    return notes


def problems_of_size(pack: PackFacts, searched: int, enrolled: int) -> list[str]:
    """What is wrong with so many people: `searched` are in the gallery, `enrolled` in the store."""
    problems = []
    if pack.calibrated_for is not None and searched > pack.calibrated_for:
        problems.append(
            f"{searched:,} people are searched, the threshold was measured for {pack.calibrated_for:,} at"
            f" most: calibrate anew: gatehouse eval faces FOLDER --pack {pack.name}"
            f" --calibrate FILE --gallery {_round_up(searched)}"
        )
    if enrolled >= FILING_PEOPLE * _FILING_SOON:
        over = "has" if enrolled > FILING_PEOPLE else "would have"
        problems.append(
            f"{enrolled:,} people are enrolled: who keeps more than {FILING_PEOPLE:,} {over} to file it"
            " with the authority"
        )
    return problems


def _round_up(people: int) -> int:
    """With room to grow: to the next 1, 2 or 5 times a power of ten."""
    step = 1
    while step < people:
        for factor in (1, 2, 5):
            if step * factor >= people:
                return step * factor
        step *= 10
    return step
