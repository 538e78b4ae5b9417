"""Watchlist entries, subjects, and their templates; each change tells all who match by the version."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, delete, insert, select, update

from hub.store.pages import Page, fetch
from hub.store.register_tables import residents
from hub.store.tables import subjects, templates, watch_version, watchlist_entries
from hub.watchlist import Category, Entry, EntryState, ListKind

_ENTRY = watchlist_entries


def version(tx: Connection) -> int:
    """A number that grows whenever what is watched for changes."""
    return int(tx.execute(select(watch_version.c.version)).scalar_one())


def changed(tx: Connection) -> None:
    """Let everyone who matches look again."""
    tx.execute(update(watch_version).values(version=watch_version.c.version + 1))


def touch(tx: Connection) -> None:
    """Write what is there already: fails when the database takes no writes."""
    tx.execute(update(watch_version).values(version=watch_version.c.version))


def add_entry(tx: Connection, entry: Entry) -> None:
    """Store an entry; a pending one changes nothing yet."""
    tx.execute(insert(_ENTRY), [asdict(entry)])


def get_entry(tx: Connection, kind: ListKind, entry_id: str) -> Entry | None:
    """One entry."""
    query = select(_ENTRY).where(_ENTRY.c.id == entry_id, _ENTRY.c.kind == kind)
    row = tx.execute(query).one_or_none()
    return None if row is None else _entry(row)


def set_state(tx: Connection, entry: Entry, state: EntryState, **values: Any) -> None:
    """Move an entry to another state."""
    tx.execute(update(_ENTRY).where(_ENTRY.c.id == entry.id).values(state=state, **values))
    changed(tx)


def find_entries(
    tx: Connection, kind: ListKind, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[Entry]:
    """Entries of one kind, newest first. `filters` are columns and the values that they must have."""
    query = select(_ENTRY).where(_ENTRY.c.kind == kind)
    for name, value in filters.items():
        query = query.where(_ENTRY.c[name] == value)
    order = (_ENTRY.c.requested_at, _ENTRY.c.id)
    return fetch(tx, query, order, cursor, limit, _entry)


def active_entries(tx: Connection, now: datetime) -> list[Entry]:
    """All entries that may match at `now`."""
    query = select(_ENTRY).where(_ENTRY.c.state == EntryState.APPROVED, _ENTRY.c.expires_at > now)
    return [_entry(row) for row in tx.execute(query)]


def lapsed_entries(tx: Connection, now: datetime) -> list[Entry]:
    """Entries whose end has come, and which are not marked so yet."""
    query = select(_ENTRY).where(
        _ENTRY.c.state.in_((EntryState.PENDING, EntryState.APPROVED)), _ENTRY.c.expires_at <= now
    )
    return [_entry(row) for row in tx.execute(query)]


def is_needed(tx: Connection, subject_id: str) -> bool:
    """Whether some entry that is pending or approved, or a resident in the register, names this subject."""
    query = select(_ENTRY.c.id).where(
        _ENTRY.c.kind == ListKind.FACE,
        _ENTRY.c.target == subject_id,
        _ENTRY.c.state.in_((EntryState.PENDING, EntryState.APPROVED)),
    )
    resident = select(residents.c.id).where(residents.c.subject_id == subject_id)
    return any(tx.execute(one.limit(1)).first() is not None for one in (query, resident))


def remove_entries_of(tx: Connection, subject_id: str) -> None:
    """Remove all live entries that name this subject."""
    tx.execute(
        update(_ENTRY)
        .where(
            _ENTRY.c.kind == ListKind.FACE,
            _ENTRY.c.target == subject_id,
            _ENTRY.c.state.in_((EntryState.PENDING, EntryState.APPROVED)),
        )
        .values(state=EntryState.REMOVED)
    )


def add_subject(
    tx: Connection, row: Mapping[str, Any], template_rows: Sequence[Mapping[str, Any]]
) -> None:
    """Store a subject with its templates."""
    tx.execute(insert(subjects), [dict(row)])
    tx.execute(insert(templates), [dict(t) for t in template_rows])


def get_subject(tx: Connection, subject_id: str) -> RowMapping | None:
    """One subject, without its templates."""
    query = select(subjects).where(subjects.c.id == subject_id)
    return tx.execute(query).mappings().one_or_none()


def find_subjects(tx: Connection, cursor: str | None, limit: int) -> Page[RowMapping]:
    """Subjects, newest first."""
    order = (subjects.c.enrolled_at, subjects.c.id)
    return fetch(tx, select(subjects), order, cursor, limit, lambda row: row._mapping)


def lapsed_subjects(tx: Connection, now: datetime) -> Sequence[str]:
    """The ids of subjects whose end has come."""
    return tx.scalars(select(subjects.c.id).where(subjects.c.expires_at <= now)).all()


def erase_subject(tx: Connection, subject_id: str) -> int:
    """Erase a subject and its templates for good; returns how many templates there were."""
    count = erase_templates(tx, subject_id)
    tx.execute(delete(subjects).where(subjects.c.id == subject_id))
    return count


def erase_templates(tx: Connection, subject_id: str) -> int:
    """Erase the templates of a subject for good; returns how many there were."""
    count = tx.execute(delete(templates).where(templates.c.subject_id == subject_id)).rowcount
    changed(tx)
    return count


def templates_of(tx: Connection, subject_id: str) -> Sequence[RowMapping]:
    """What there is of a subject's templates, without the templates."""
    query = select(
        templates.c.id, templates.c.pack, templates.c.pack_sha256, templates.c.quality
    ).where(templates.c.subject_id == subject_id)
    return tx.execute(query).mappings().all()


def template_ids(tx: Connection, pack_sha256: str) -> dict[str, str]:
    """The subject of each template of one pack."""
    query = select(templates.c.id, templates.c.subject_id).where(
        templates.c.pack_sha256 == pack_sha256
    )
    return dict(tx.execute(query).all())


def sealed_templates(tx: Connection, ids: Sequence[str]) -> Sequence[RowMapping]:
    """Some templates, as they are stored."""
    query = select(templates).where(templates.c.id.in_(ids))
    return tx.execute(query).mappings().all()


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)
    values["kind"] = ListKind(values["kind"])
    values["category"] = Category(values["category"])
    values["state"] = EntryState(values["state"])
    return Entry(**values)
