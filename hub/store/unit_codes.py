"""The code numbers of units: only the newest code of a unit works (`hub.visitors.codes`)."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from hub.store.register_tables import units


def number_of(tx: Connection, site: str, unit: str) -> int | None:
    """The code number of a unit; None when there is no such unit."""
    query = select(units.c.code_number).where(units.c.site == site, units.c.id == unit)
    return tx.execute(query).scalar_one_or_none()


def rotate(tx: Connection, site: str, unit: str) -> bool:
    """Count the number of a unit up; whether there is such a unit."""
    where = (units.c.site == site, units.c.id == unit)
    number = units.c.code_number + 1
    return bool(tx.execute(update(units).where(*where).values(code_number=number)).rowcount)


def numbers(tx: Connection, site: str, building: str | None = None) -> Sequence[tuple[str, int]]:
    """Each unit of a site, or of one of its buildings, with its code number."""
    query = select(units.c.id, units.c.code_number).where(units.c.site == site)
    if building is not None:
        query = query.where(units.c.building == building)
    return [(unit, number) for unit, number in tx.execute(query.order_by(units.c.id))]
