"""Slices of the gallery: which boxes match faces themselves, what each was given, what it says of that."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Update, delete, select, update

from hub.slices import Box
from hub.store.register_tables import residents
from hub.store.slice_tables import gallery_slices
from hub.store.tables import edges
from hub.store.upsert import upsert
from wire.messages import EdgeStatus, GalleryReply

_SAID = (
    *("site", "cameras", "sealing_key", "pack", "pack_sha256"),
    *("oldest_version", "held_version", "held_templates", "held_expires_at"),
)


def boxes_online(tx: Connection) -> list[Box]:
    """Every box that matches faces itself and can be told something now."""
    query = select(gallery_slices).join(edges, edges.c.edge == gallery_slices.c.edge)
    return [
        Box(
            edge=row.edge,
            site=row.site,
            cameras=tuple(row.cameras),
            sealing_key=row.sealing_key,
            pack_sha256=row.pack_sha256,
            oldest_version=row.oldest_version,
            held_version=row.held_version,
            version=row.version,
            digest=row.digest,
            expires_at=row.expires_at,
            state=row.state,
            sends=row.sends,
            due_at=row.due_at,
        )
        for row in tx.execute(query.where(edges.c.online).order_by(gallery_slices.c.edge))
    ]


def shown(tx: Connection) -> Sequence[RowMapping]:
    """All rows, for those who look after the boxes."""
    return tx.execute(select(gallery_slices).order_by(gallery_slices.c.edge)).mappings().all()


def enrolled_residents(tx: Connection, site: str) -> frozenset[str]:
    """The subjects that are residents of a site."""
    query = select(residents.c.subject_id).where(
        residents.c.subject_id.is_not(None), residents.c.site == site
    )
    return frozenset(tx.scalars(query))


def announce(
    tx: Connection, edge: str, site: str, status: EdgeStatus, now: datetime, *, is_new: bool
) -> None:
    """A box says what it has and holds. In a new session (`is_new`) it is sent at once what it lacks."""
    matching = status.matching
    assert matching is not None
    row = {
        "edge": edge,
        "site": site,
        "cameras": sorted(status.cameras),
        "sealing_key": matching.sealing_key,
        "pack": matching.pack,
        "pack_sha256": matching.pack_sha256,
        "oldest_version": matching.oldest_version,
        "held_version": matching.held.version,
        "held_templates": matching.held.templates,
        "held_expires_at": matching.held.expires_at,
        "version": 0,
        "digest": "",
        "people": 0,
        "templates": 0,
        "state": "none",
        "reason": "",
        "sends": 0,
        "due_at": now,
    }
    upsert(tx, gallery_slices, [row], _SAID)
    if is_new:
        tx.execute(_mine(edge).values(due_at=now))


def forget(tx: Connection, edge: str) -> None:
    """The box does not match faces itself any more."""
    tx.execute(delete(gallery_slices).where(gallery_slices.c.edge == edge))


def answered(tx: Connection, edge: str, reply: GalleryReply) -> None:
    """What became of the version that the box was sent last; word of others is late."""
    values: dict[str, object] = {"state": reply.state, "reason": reply.reason}
    if reply.state == "active":
        values |= {
            "held_version": reply.version,
            "held_templates": reply.templates,
            "held_expires_at": gallery_slices.c.expires_at,
            "oldest_version": reply.version,
        }
    tx.execute(_mine(edge).where(gallery_slices.c.version == reply.version).values(**values))


def sent(
    tx: Connection,
    edge: str,
    *,
    version: int,
    digest: str,
    people: int,
    templates: int,
    expires_at: datetime,
    sends: int,
    due_at: datetime,
    now: datetime,
) -> None:
    """A version is about to be sent; unanswered it is due again at `due_at`."""
    tx.execute(
        _mine(edge).values(
            version=version,
            digest=digest,
            people=people,
            templates=templates,
            expires_at=expires_at,
            sends=sends,
            due_at=due_at,
            sent_at=now,
            state="sent",
            reason="",
        )
    )


def put_off(tx: Connection, edge: str, due_at: datetime) -> None:
    """Nothing more is said to the box before `due_at`."""
    tx.execute(_mine(edge).values(due_at=due_at))


def _mine(edge: str) -> Update:
    return update(gallery_slices).where(gallery_slices.c.edge == edge)
