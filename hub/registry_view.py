"""What rules may ask the register: who and what belongs to a site, and until when. A protocol; no I/O here.

`hub.store.registry` answers it from the store. A register that knows nothing of a site is not the same as one
that says no: a rule asks `knows_vehicles` or `knows_residents` first, and raises for nobody where it does
not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Occupancy = Literal["occupied", "vacant", "unknown"]


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody enrolled who belongs to a unit of a site; `unit` is as meters and passes name it."""

    subject_id: str
    site: str
    unit: str


@dataclass(frozen=True, slots=True)
class VisitorPass:
    """A vehicle that may be on a site for a while."""

    id: str
    plate: str
    site: str
    valid_from: datetime
    valid_until: datetime
    unit: str = ""


@dataclass(frozen=True, slots=True)
class LivesAlone:
    """Somebody who lives alone and asked to be looked after since `since`."""

    subject_id: str
    site: str
    unit: str
    since: datetime


class Registry(Protocol):
    """The register, as rules see it. Plates are normalised; times are aware UTC."""

    def knows_vehicles(self, site: str) -> bool:
        """Whether any vehicle of the site is registered."""

    def is_registered(self, plate: str, site: str, at: datetime) -> bool:
        """Whether the vehicle belongs to the site, or has a pass that is valid at `at`."""

    def passes_ended(self, since: datetime, until: datetime) -> Sequence[VisitorPass]:
        """Passes whose time ran out in that span, and that no later pass of the same vehicle prolongs."""

    def knows_residents(self, site: str) -> bool:
        """Whether any resident of the site is enrolled."""

    def enrolled_residents(self) -> frozenset[str]:
        """The subjects whose templates are in the gallery because they are residents and consented."""

    def resident(self, subject_id: str, site: str, at: datetime) -> Resident | None:
        """The resident of the site that a subject is."""

    def occupancy(self, site: str, unit: str) -> Occupancy:
        """What the register says of a unit; ``unknown`` too of one that it does not have."""

    def living_alone(self) -> Sequence[LivesAlone]:
        """Those who live alone and asked to be looked after."""
