"""Whether a door or barrier opens for a plate: the decision alone. Pure; time is an argument.

In: a reading of one track, the device's settings, the list of allowed plates, when it was last released for
that plate. Out: a `Decision` with a named reason. Only what was read surely and exactly as the list has it
opens: what merely looks like an allowed plate (疑似) raises alerts elsewhere, and opens nothing here. No face
is ever asked.

    in this order                                   reason
    several crops do not agree yet                  not_confirmed
    it was read less surely than the device asks    not_sure
    the box has no list                             no_list
    its list has expired                            list_expired
    no entry has this text                          not_listed
    its entries are for other devices               other_device
    its entries have ended                          over
    its entries begin later                         too_early
    the device's schedule says no                   closed
    it was released for this plate just now         held_off
    none of these                                   allowed
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from edge.config_devices import DeviceSection
from edge.observe import PlateState
from wire.messages import AllowedPlate
from wire.plates import normalise


class Reason(StrEnum):
    """Why a device opens for a plate, or does not; the value says it to a person behind the plate."""

    ALLOWED = "is on the list of allowed plates"
    NOT_CONFIRMED = "was not confirmed by several readings"
    NOT_SURE = "was not read surely enough to open by"
    NO_LIST = "cannot be looked up: the hub has given this box no list of allowed plates"
    LIST_EXPIRED = "cannot be looked up: the list of allowed plates has expired"
    NOT_LISTED = "is on no list of allowed plates"
    OTHER_DEVICE = "is allowed elsewhere, not here"
    TOO_EARLY = "is allowed only later"
    OVER = "was allowed until before now"
    CLOSED = "is allowed, but the device opens for nobody at this time"
    HELD_OFF = "was let in just now"
    RELAY_FAILED = "is allowed, but the device was not released"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a track's plate reads as now."""

    text: str
    confidence: float
    state: PlateState


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it opens, and why, for the plate that was read as `text`."""

    opens: bool
    reason: Reason
    text: str

    @property
    def sentence(self) -> str:
        """The reason as a person reads it."""
        return f"{self.text} {self.reason}"


class AllowedPlates:
    """The entries of a list by plate. Immutable."""

    def __init__(self, entries: Iterable[AllowedPlate]) -> None:
        self._entries: dict[str, list[AllowedPlate]] = {}
        for entry in entries:
            self._entries.setdefault(normalise(entry.plate), []).append(entry)

    def of(self, text: str) -> Sequence[AllowedPlate]:
        """The entries of exactly this plate."""
        return self._entries.get(normalise(text), ())


@dataclass(frozen=True, slots=True)
class Grounds:
    """What is known when a reading comes: the list, or why there is none, and the latest releases.

    `released_at` maps a plate to when the device was last released for it; `now` is by the hub's clock.
    """

    plates: AllowedPlates | None
    expired: bool
    released_at: Mapping[str, datetime]
    now: datetime


def decide(reading: Reading, device: DeviceSection, grounds: Grounds) -> Decision:
    """Say whether the device opens for what was read."""
    reason = (
        _of_reading(reading, device)
        or _of_list(reading.text, device, grounds)
        or _of_device(reading.text, device, grounds)
        or Reason.ALLOWED
    )
    return Decision(reason is Reason.ALLOWED, reason, reading.text)


def _of_reading(reading: Reading, device: DeviceSection) -> Reason | None:
    if reading.state == "provisional":
        return Reason.NOT_CONFIRMED
    return Reason.NOT_SURE if reading.confidence < device.min_confidence else None


def _of_list(text: str, device: DeviceSection, grounds: Grounds) -> Reason | None:
    if grounds.plates is None:
        return Reason.LIST_EXPIRED if grounds.expired else Reason.NO_LIST
    entries = grounds.plates.of(text)
    if not entries:
        return Reason.NOT_LISTED
    here = [entry for entry in entries if not entry.devices or device.id in entry.devices]
    if not here:
        return Reason.OTHER_DEVICE
    not_over = [e for e in here if e.valid_until is None or grounds.now < e.valid_until]
    if not not_over:
        return Reason.OVER
    if all(e.valid_from is not None and grounds.now < e.valid_from for e in not_over):
        return Reason.TOO_EARLY
    return None


def _of_device(text: str, device: DeviceSection, grounds: Grounds) -> Reason | None:
    if not device.schedule.holds(grounds.now):
        return Reason.CLOSED
    last = grounds.released_at.get(normalise(text))
    if last is not None and grounds.now - last < timedelta(seconds=device.hold_off_s):
        return Reason.HELD_OFF
    return None
