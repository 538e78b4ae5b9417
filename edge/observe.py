"""When a track is told of, and why: the decision that makes a track into an observation.

In: what is known of a track now, what was told of it before, the time. Out: a named reason to tell it,
or None. It is told as soon as recognition is good enough, not when the track ends: seconds count at a
gate. It is told again, as the next revision, once several crops agree (a face fused of three is found
where its first crop was not), for a clearly better crop, and when a plate reads differently. A face that
stays is told of again now and then, and at its end once more if it stayed clearly longer than was told: who
asks when somebody was last seen is not left with the moment they were first recognised. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

PlateState = Literal["provisional", "confirmed", "revised"]


class Reason(StrEnum):
    """Why a track is told of now."""

    HIGH_QUALITY = "one crop of high quality"
    AGREEING_CROPS = "several crops agree"
    WAITED = "it has waited for better crops long enough"
    TRACK_ENDED = "the track ended"
    SURE_ENOUGH = "it is read surely enough to open by"
    BETTER_CROP = "a clearly better crop"
    READING_CHANGED = "the plate reads differently"
    STILL_THERE = "it is still there"
    STAYED = "it stayed longer than was told"


@dataclass(frozen=True, slots=True)
class Policy:
    """When enough is known. Qualities are 0 to 1.

    A track is told of at one face of `sure_quality`, when its crops agree, `wait_s` after its first
    recognised crop, or at its end; again when the quality gained `better_by`, at most every `pause_s`. What
    agrees and has come to one of `levels` is told again at once: something opens from there on. Where
    `still_s` is set, what stays is told again so long after it last was, and at its end if it was seen for
    `stayed_s` longer than was told.
    """

    sure_quality: float = 0.7
    wait_s: float = 1.5
    better_by: float = 0.15
    pause_s: float = 1.0
    levels: tuple[float, ...] = ()
    still_s: float | None = None
    stayed_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one track.

    `quality` is that of its best crop; for a plate the confidence of the fused reading. `agrees` says
    that several crops say the same. `text` and `state` are a plate's, "" and None for a face.
    """

    quality: float
    agrees: bool
    first_crop_at: datetime
    text: str = ""
    state: PlateState | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the last revision said, and when."""

    revision: int
    known: Known
    at: datetime


def reason_to_tell(
    known: Known, told: Told | None, policy: Policy, now: datetime, *, ended: bool
) -> Reason | None:
    """Why this track is to be told of now; None to wait."""
    if told is None:
        return _first(known, policy, now, ended=ended)
    return _again(known, told, policy, now, ended=ended)


def _first(known: Known, policy: Policy, now: datetime, *, ended: bool) -> Reason | None:
    if known.state is None and known.quality >= policy.sure_quality:
        return Reason.HIGH_QUALITY
    if known.agrees:
        return Reason.AGREEING_CROPS
    if ended:
        return Reason.TRACK_ENDED
    if (now - known.first_crop_at).total_seconds() >= policy.wait_s:
        return Reason.WAITED
    return None


def _again(
    known: Known, told: Told, policy: Policy, now: datetime, *, ended: bool
) -> Reason | None:
    if known.agrees and _has_reached(known, told, policy):
        return Reason.SURE_ENOUGH
    if not ended and (now - told.at).total_seconds() < policy.pause_s:
        return None
    if known.text != told.known.text:
        return Reason.READING_CHANGED
    if known.agrees and not told.known.agrees:
        return Reason.AGREEING_CROPS
    if known.quality >= told.known.quality + policy.better_by:
        return Reason.BETTER_CROP
    if policy.still_s is not None and (now - told.at).total_seconds() >= policy.still_s:
        return Reason.STILL_THERE
    return None


def reason_at_end(told: Told | None, seen_until: datetime, policy: Policy) -> Reason | None:
    """Why a track that ended with nothing new to show is to be told of all the same; None if it is not."""
    if told is None or policy.still_s is None:
        return None
    unsaid_s = (seen_until - told.at).total_seconds()
    return Reason.STAYED if unsaid_s >= policy.stayed_s else None


def _has_reached(known: Known, told: Told, policy: Policy) -> bool:
    """Whether what is known now is behind a level that what was told is before."""
    before = told.known.quality if told.known.agrees else 0.0
    return any(before < level <= known.quality for level in policy.levels)


def worth_keeping(known: Known, told: Told | None, policy: Policy) -> bool:
    """Whether the track's best crop may yet be told of: not when it says no more than was told."""
    return told is None or _again(known, told, policy, told.at, ended=True) is not None
