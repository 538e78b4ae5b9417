"""Lists of allowed plates: who may drive in, what each box was given, what it says of that."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, or_, select, update

from hub.allow_list import Allowed, Given
from hub.passes import PassState
from hub.store.allow_list_tables import allow_changes, allow_lists
from hub.store.register_tables import passes, vehicles
from hub.store.upsert import upsert
from wire.messages import AllowListReply, EdgeAccess

_SAID = ("site", "devices", "oldest_version", "held_version", "held_plates", "held_expires_at")


def changes(tx: Connection) -> int:
    """A number that grows whenever a registered vehicle or a pass changes."""
    return int(tx.scalar(select(allow_changes.c.number)) or 0)


def changed(tx: Connection) -> None:
    """A registered vehicle or a pass has changed: let the boxes' lists be made anew."""
    tx.execute(update(allow_changes).values(number=allow_changes.c.number + 1))


def allowed(tx: Connection, site: str, now: datetime, until: datetime) -> tuple[Allowed, ...]:
    """Every vehicle that may drive onto a site at some time from `now` to `until`."""
    mine = select(vehicles).where(
        vehicles.c.site == site,
        or_(vehicles.c.valid_until.is_(None), vehicles.c.valid_until > now),
        or_(vehicles.c.valid_from.is_(None), vehicles.c.valid_from < until),
    )
    guests = select(passes).where(
        passes.c.site == site,
        passes.c.plate.is_not(None),
        passes.c.state == PassState.APPROVED,
        passes.c.valid_until > now,
        passes.c.valid_from < until,
    )
    return (
        *(Allowed(r.plate, "registered", r.valid_from, r.valid_until) for r in tx.execute(mine)),
        *(Allowed(r.plate, "visitor", r.valid_from, r.valid_until) for r in tx.execute(guests)),
    )


def boxes(tx: Connection) -> list[Given]:
    """Every box that opens something by plate."""
    return [
        Given(
            edge=row.edge,
            site=row.site,
            devices=tuple(row.devices),
            oldest_version=row.oldest_version,
            held_version=row.held_version,
            version=row.version,
            digest=row.digest,
            expires_at=row.expires_at,
            state=row.state,
            sends=row.sends,
            due_at=row.due_at,
        )
        for row in tx.execute(select(allow_lists).order_by(allow_lists.c.edge))
    ]


def shown(tx: Connection) -> Sequence[RowMapping]:
    """All rows, for those who look after the boxes."""
    return tx.execute(select(allow_lists)).mappings().all()


def announce(
    tx: Connection, edge: str, site: str, access: EdgeAccess, now: datetime, *, is_new: bool
) -> None:
    """A box says what it has and holds. In a new session (`is_new`) it is sent at once what it lacks."""
    held = access.held
    row = {
        "edge": edge,
        "site": site,
        "devices": list(access.devices),
        "oldest_version": access.oldest_version,
        "held_version": held.version,
        "held_plates": held.plates,
        "held_expires_at": held.expires_at,
        "version": 0,
        "digest": "",
        "plates": 0,
        "state": "none",
        "reason": "",
        "sends": 0,
        "due_at": now,
    }
    upsert(tx, allow_lists, [row], _SAID)
    if is_new:
        tx.execute(update(allow_lists).where(allow_lists.c.edge == edge).values(due_at=now))


def forget(tx: Connection, edge: str) -> None:
    """The box opens nothing by plate any more."""
    tx.execute(delete(allow_lists).where(allow_lists.c.edge == edge))


def answered(tx: Connection, edge: str, reply: AllowListReply) -> None:
    """What became of the version that the box was sent last; word of others is late."""
    mine = (allow_lists.c.edge == edge, allow_lists.c.version == reply.version)
    values: dict[str, object] = {"state": reply.state, "reason": reply.reason}
    if reply.state == "active":
        values |= {
            "held_version": reply.version,
            "held_plates": reply.plates,
            "held_expires_at": allow_lists.c.expires_at,
            "oldest_version": reply.version,
        }
    tx.execute(update(allow_lists).where(*mine).values(**values))


def sent(
    tx: Connection,
    edge: str,
    *,
    version: int,
    digest: str,
    plates: int,
    expires_at: datetime,
    sends: int,
    due_at: datetime,
    now: datetime,
) -> None:
    """A version is about to be sent; unanswered it is due again at `due_at`."""
    tx.execute(
        update(allow_lists)
        .where(allow_lists.c.edge == edge)
        .values(
            version=version,
            digest=digest,
            plates=plates,
            expires_at=expires_at,
            sends=sends,
            due_at=due_at,
            sent_at=now,
            state="sent",
            reason="",
        )
    )


def put_off(tx: Connection, edge: str, version: int, due_at: datetime) -> None:
    """It could not be sent: the broker is away."""
    mine = (allow_lists.c.edge == edge, allow_lists.c.version == version)
    tx.execute(update(allow_lists).where(*mine).values(due_at=due_at))
