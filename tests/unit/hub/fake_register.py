"""A register for tests: what a site knows of its vehicles, residents and units, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.registry_view import LivesAlone, Occupancy, Resident, VisitorPass


@dataclass
class FakeRegister:
    vehicles: set[str] = field(default_factory=set)
    passes: list[VisitorPass] = field(default_factory=list)
    residents: dict[str, Resident] = field(default_factory=dict)
    units: dict[str, Occupancy] = field(default_factory=dict)
    alone: list[LivesAlone] = field(default_factory=list)

    def knows_vehicles(self, site: str) -> bool:
        return bool(self.vehicles)

    def is_registered(self, plate: str, site: str, at: datetime) -> bool:
        return plate in self.vehicles or any(
            p.plate == plate and p.site == site and p.valid_from <= at < p.valid_until
            for p in self.passes
        )

    def passes_ended(self, since: datetime, until: datetime) -> Sequence[VisitorPass]:
        return [
            p
            for p in self.passes
            if since < p.valid_until <= until and not self.is_registered(p.plate, p.site, until)
        ]

    def knows_residents(self, site: str) -> bool:
        return bool(self.residents)

    def enrolled_residents(self) -> frozenset[str]:
        return frozenset(self.residents)

    def resident(self, subject_id: str, site: str, at: datetime) -> Resident | None:
        return self.residents.get(subject_id)

    def occupancy(self, site: str, unit: str) -> Occupancy:
        return self.units.get(unit, "unknown")

    def living_alone(self) -> Sequence[LivesAlone]:
        return self.alone
