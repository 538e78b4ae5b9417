"""The register as rules see it (`hub.registry_view.Registry`), on an open transaction."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from hub.passes import PassState
from hub.registry_view import LivesAlone, Occupancy, Resident, VisitorPass
from hub.store.asked_once import asked_once
from hub.store.register_tables import passes, residents, units, vehicles


class StoredRegister:
    """See `hub.registry_view.Registry`. Made once all that the transaction stores is stored."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self.answers: dict[Hashable, Any] = {}

    @asked_once
    def knows_vehicles(self, site: str) -> bool:
        """Whether any vehicle of the site is registered."""
        return self._any(vehicles.c.site == site)

    @asked_once
    def is_registered(self, plate: str, site: str, at: datetime) -> bool:
        """Whether the vehicle belongs to the site, or has a pass that is valid at `at`."""
        return self._any(
            and_(
                vehicles.c.site == site,
                vehicles.c.plate == plate,
                or_(vehicles.c.valid_from.is_(None), vehicles.c.valid_from <= at),
                or_(vehicles.c.valid_until.is_(None), vehicles.c.valid_until > at),
            )
        ) or self._any(
            and_(
                passes.c.site == site,
                passes.c.plate == plate,
                passes.c.state.in_((PassState.APPROVED, PassState.EXPIRED)),
                passes.c.valid_from <= at,
                passes.c.valid_until > at,
            )
        )

    @asked_once
    def passes_ended(self, since: datetime, until: datetime) -> Sequence[VisitorPass]:
        """Passes whose time ran out in that span, and that no later pass of the same vehicle prolongs."""
        later = passes.alias()
        granted = (PassState.APPROVED, PassState.EXPIRED)
        prolonged = select(later.c.id).where(
            later.c.site == passes.c.site,
            later.c.plate == passes.c.plate,
            later.c.state.in_(granted),
            later.c.valid_from <= passes.c.valid_until,
            later.c.valid_until > passes.c.valid_until,
        )
        query = select(passes).where(
            passes.c.plate.is_not(None),
            passes.c.state.in_(granted),
            passes.c.valid_until > since,
            passes.c.valid_until <= until,
            ~prolonged.exists(),
        )
        return [
            VisitorPass(row.id, row.plate, row.site, row.valid_from, row.valid_until, row.unit)
            for row in self._tx.execute(query.order_by(passes.c.valid_until))
            if not self.is_registered(row.plate, row.site, until)
        ]

    @asked_once
    def knows_residents(self, site: str) -> bool:
        """Whether any resident of the site is enrolled."""
        return self._any(and_(residents.c.site == site, residents.c.subject_id.is_not(None)))

    @asked_once
    def enrolled_residents(self) -> frozenset[str]:
        """The subjects whose templates are in the gallery because they are residents and consented."""
        query = select(residents.c.subject_id).where(residents.c.subject_id.is_not(None))
        return frozenset(self._tx.scalars(query))

    @asked_once
    def resident(self, subject_id: str, site: str, at: datetime) -> Resident | None:  # noqa: ARG002
        """The resident of the site that a subject is."""
        query = select(residents.c.unit).where(
            residents.c.subject_id == subject_id, residents.c.site == site
        )
        unit = self._tx.scalar(query.limit(1))
        return None if unit is None else Resident(subject_id, site, unit)

    @asked_once
    def occupancy(self, site: str, unit: str) -> Occupancy:
        """What the register says of a unit; ``unknown`` too of one that it does not have."""
        query = select(units.c.occupancy).where(units.c.site == site, units.c.id == unit)
        said: Occupancy | None = self._tx.scalar(query)
        return said or "unknown"

    @asked_once
    def living_alone(self) -> Sequence[LivesAlone]:
        """Those who live alone and asked to be looked after."""
        query = select(residents).where(
            residents.c.subject_id.is_not(None), residents.c.welfare_since.is_not(None)
        )
        return [
            LivesAlone(row.subject_id, row.site, row.unit, row.welfare_since)
            for row in self._tx.execute(query)
        ]

    def _any(self, condition: ColumnElement[bool]) -> bool:
        return self._tx.execute(select(1).where(condition).limit(1)).first() is not None
