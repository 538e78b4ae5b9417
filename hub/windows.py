"""What rules may ask of the past: queries on stored observations. A protocol and its values; no I/O here.

`hub.store.windows` answers from the store, on the transaction in which a rule decides: what is together, too
long, too soon or missing is right after a restart, and the same for every process on the store. All times are
when things were seen, by the hub's clock, so that answers do not hang on the order of arrival.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hub.places import Place, Spot


@dataclass(frozen=True, slots=True)
class Seen:
    """One stored observation: what, where and when. `subject_id` is who it was, where that is known."""

    observation_id: str
    edge: str
    spot: Spot
    at: datetime
    track_id: str = ""
    confidence: float = 0.0
    subject_id: str | None = None


@dataclass(frozen=True, slots=True)
class MeterUse:
    """How much went through a unit's meters between the first and the last of some readings."""

    amount: float
    readings: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class CameraFaultSeen:
    """A camera that said that something was wrong with it, and said nothing else until `until`."""

    seen: Seen
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class EdgeSeen:
    """One edge box, as it last said: `pending` is the most that any of its cameras had in the outbox."""

    edge: str
    site: str
    online: bool
    seen_at: datetime
    pending: int
    clock_offset_ms: int | None = None


class Windows(Protocol):
    """The past, as rules see it."""

    def plates_seen(self, plate: str, since: datetime, until: datetime) -> Sequence[Seen]:
        """Where a plate was read between the two times, both included, oldest first."""

    def plate_last_seen(self, plate: str, site: str, until: datetime) -> Seen | None:
        """Where a plate was last read on a site by `until`."""

    def recognised(self, observation_ids: Sequence[str]) -> Mapping[str, str]:
        """Of these faces, those that were recognised: observation -> subject."""

    def faces_at(self, spot: Spot, since: datetime, until: datetime) -> Sequence[Seen]:
        """Faces at the gate of `spot` (at its camera, where it has no gate), oldest first."""

    def person_last_seen(self, subject_id: str, site: str, until: datetime) -> Seen | None:
        """Where a subject was last recognised on a site by `until`."""

    def meter_use(
        self, site: str, unit: str, medium: str, since: datetime, until: datetime
    ) -> MeterUse | None:
        """What a unit used; None where there are not two readings of one meter."""

    def watched(self, place: Place, since: datetime, until: datetime) -> bool:
        """Whether any face or plate was seen in that place in that time: whether anybody was looking."""

    def camera_faults(self, since: datetime, until: datetime) -> Sequence[CameraFaultSeen]:
        """Camera states other than ``online`` that began in that span, oldest first."""

    def camera_changed(self, edge: str, camera: str, after: datetime, until: datetime) -> bool:
        """Whether a camera came to another state in that time."""

    def edges(self) -> Sequence[EdgeSeen]:
        """All edge boxes."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """The past as it was known at `moment`: for a rule that is asked about long ago."""

    windows: Windows
    moment: datetime

    def plates_seen(self, plate: str, since: datetime, until: datetime) -> Sequence[Seen]:
        """Where a plate was read by then."""
        return self.windows.plates_seen(plate, since, min(until, self.moment))

    def plate_last_seen(self, plate: str, site: str, until: datetime) -> Seen | None:
        """Where a plate was last read by then."""
        return self.windows.plate_last_seen(plate, site, min(until, self.moment))

    def recognised(self, observation_ids: Sequence[str]) -> Mapping[str, str]:
        """Who these faces were."""
        return self.windows.recognised(observation_ids)

    def faces_at(self, spot: Spot, since: datetime, until: datetime) -> Sequence[Seen]:
        """Faces at a gate by then."""
        return self.windows.faces_at(spot, since, min(until, self.moment))

    def person_last_seen(self, subject_id: str, site: str, until: datetime) -> Seen | None:
        """Where a subject was last recognised by then."""
        return self.windows.person_last_seen(subject_id, site, min(until, self.moment))

    def meter_use(
        self, site: str, unit: str, medium: str, since: datetime, until: datetime
    ) -> MeterUse | None:
        """What a unit had used by then."""
        return self.windows.meter_use(site, unit, medium, since, min(until, self.moment))

    def watched(self, place: Place, since: datetime, until: datetime) -> bool:
        """Whether anybody was looking."""
        return self.windows.watched(place, since, min(until, self.moment))

    def camera_faults(self, since: datetime, until: datetime) -> Sequence[CameraFaultSeen]:
        """Camera states that had begun by then."""
        return self.windows.camera_faults(since, min(until, self.moment))

    def camera_changed(self, edge: str, camera: str, after: datetime, until: datetime) -> bool:
        """Whether a camera came to another state: a timer asks that later, so all of the past is asked."""
        return self.windows.camera_changed(edge, camera, after, until)

    def edges(self) -> Sequence[EdgeSeen]:
        """All edge boxes, as they are now."""
        return self.windows.edges()
