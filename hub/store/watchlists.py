"""Watchlist entries, subjects, and their templates; each change tells all who match by the version."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, delete, func, insert, select, update

from hub.store import consents
from hub.store.enrolment_tables import reference_pictures, watch_changes
from hub.store.pages import Page, fetch
from hub.store.register_tables import residents
from hub.store.tables import subjects, templates, watch_version, watchlist_entries
from hub.watchlist import Category, Entry, EntryState, ListKind

_ENTRY = watchlist_entries
_CHANGES_KEPT = 10_000
_AT_ONCE = 500


def version(tx: Connection) -> int:
    """A number that grows whenever what is watched for changes."""
    return int(tx.execute(select(watch_version.c.version)).scalar_one())


def changed(tx: Connection, target: str | None = None) -> None:
    """Let everyone who matches look again: at `target`, a plate or the id of a subject, or at all."""
    tx.execute(update(watch_version).values(version=watch_version.c.version + 1))
    now = version(tx)
    tx.execute(insert(watch_changes), [{"version": now, "target": target}])
    tx.execute(delete(watch_changes).where(watch_changes.c.version <= now - _CHANGES_KEPT))


def changes(tx: Connection, since: int | None, until: int) -> frozenset[str] | None:
    """The targets that changed after version `since`; None when it can be any."""
    if since is None or until < since:
        return None
    query = select(watch_changes.c.target).where(
        watch_changes.c.version > since, watch_changes.c.version <= until
    )
    targets = tx.scalars(query).all()
    if len(targets) != until - since or None in targets:
        return None
    return frozenset(target for target in targets if target is not None)


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
    changed(tx, entry.target)


def find_entries(
    tx: Connection, kind: ListKind, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[Entry]:
    """Entries of one kind, newest first. `filters` are columns and the values that they must have."""
    query = select(_ENTRY).where(_ENTRY.c.kind == kind)
    for name, value in filters.items():
        query = query.where(_ENTRY.c[name] == value)
    order = (_ENTRY.c.requested_at, _ENTRY.c.id)
    return fetch(tx, query, order, cursor, limit, _entry)


def active_entries(
    tx: Connection, now: datetime, targets: Collection[str] | None = None
) -> list[Entry]:
    """All entries that may match at `now`, or those of some targets."""
    query = select(_ENTRY).where(_ENTRY.c.state == EntryState.APPROVED, _ENTRY.c.expires_at > now)
    return [
        _entry(row)
        for part in _parts(targets)
        for row in tx.execute(query if part is None else query.where(_ENTRY.c.target.in_(part)))
    ]


def _parts(values: Collection[str] | None) -> Iterator[list[str] | None]:
    """The values, as many at a time as a query takes; None for no condition."""
    if values is None:
        yield None
        return
    ordered = sorted(values)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


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
    changed(tx, subject_id)


def add_subject(
    tx: Connection, row: Mapping[str, Any], template_rows: Sequence[Mapping[str, Any]]
) -> None:
    """Store a subject with its templates."""
    tx.execute(insert(subjects), [dict(row)])
    tx.execute(insert(templates), [dict(t) for t in template_rows])
    changed(tx, row["id"])


def by_external_id(tx: Connection, external_id: str) -> str | None:
    """The id of the subject whom the site knows by this id of its own."""
    query = select(subjects.c.id).where(subjects.c.external_id == external_id)
    return tx.execute(query).scalar_one_or_none()


def get_subject(tx: Connection, subject_id: str) -> RowMapping | None:
    """One subject, without its templates."""
    query = select(subjects).where(subjects.c.id == subject_id)
    return tx.execute(query).mappings().one_or_none()


def find_subjects(
    tx: Connection, cursor: str | None, limit: int, outdated_for: str | None = None
) -> Page[RowMapping]:
    """Subjects, newest first; with `outdated_for`, a pack's digest, those with templates of others only."""
    query = select(subjects)
    if outdated_for is not None:
        query = query.where(_has_templates(), ~_has_templates(outdated_for))
    order = (subjects.c.enrolled_at, subjects.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def count_subjects(tx: Connection, outdated_for: str | None = None) -> int:
    """How many subjects there are; with `outdated_for` as in `find_subjects`."""
    query = select(func.count()).select_from(subjects)
    if outdated_for is not None:
        query = query.where(_has_templates(), ~_has_templates(outdated_for))
    return int(tx.execute(query).scalar_one())


def packs(tx: Connection) -> Sequence[RowMapping]:
    """Which packs made the templates that there are: name, digest, how many subjects and templates."""
    query = select(
        templates.c.pack,
        templates.c.pack_sha256,
        func.count(func.distinct(templates.c.subject_id)).label("subjects"),
        func.count().label("templates"),
    ).group_by(templates.c.pack, templates.c.pack_sha256)
    return tx.execute(query.order_by(templates.c.pack)).mappings().all()


def _has_templates(pack_sha256: str | None = None) -> Any:
    query = select(templates.c.id).where(templates.c.subject_id == subjects.c.id)
    if pack_sha256 is not None:
        query = query.where(templates.c.pack_sha256 == pack_sha256)
    return query.exists()


def replace_templates(
    tx: Connection, subject_id: str, template_rows: Sequence[Mapping[str, Any]]
) -> None:
    """Erase the templates of a subject and its picture, and store others."""
    erase_templates(tx, subject_id)
    tx.execute(insert(templates), [dict(t) for t in template_rows])


def keep_reference(tx: Connection, subject_id: str, sealed: bytes, now: datetime) -> None:
    """Store the reference picture of a subject that has none."""
    row = {"subject_id": subject_id, "sealed": sealed, "created_at": now}
    tx.execute(insert(reference_pictures), [row])


def reference_of(tx: Connection, subject_id: str) -> bytes | None:
    """The reference picture of a subject, sealed; None where none is kept."""
    query = select(reference_pictures.c.sealed)
    where = reference_pictures.c.subject_id == subject_id
    return tx.execute(query.where(where)).scalar_one_or_none()


def lapsed_subjects(tx: Connection, now: datetime) -> Sequence[str]:
    """The ids of subjects whose end has come."""
    return tx.scalars(select(subjects.c.id).where(subjects.c.expires_at <= now)).all()


def erase_subject(tx: Connection, subject_id: str, now: datetime) -> int:
    """Erase a subject, its picture and templates for good; returns how many templates there were."""
    count = erase_templates(tx, subject_id)
    tx.execute(delete(subjects).where(subjects.c.id == subject_id))
    consents.subject_erased(tx, subject_id, now)
    return count


def erase_templates(tx: Connection, subject_id: str) -> int:
    """Erase the templates of a subject and its picture for good; returns how many templates there were."""
    count = tx.execute(delete(templates).where(templates.c.subject_id == subject_id)).rowcount
    tx.execute(delete(reference_pictures).where(reference_pictures.c.subject_id == subject_id))
    changed(tx, subject_id)
    return count


def templates_of(tx: Connection, subject_id: str) -> Sequence[RowMapping]:
    """What there is of a subject's templates, without the templates."""
    query = select(
        templates.c.id, templates.c.pack, templates.c.pack_sha256, templates.c.quality
    ).where(templates.c.subject_id == subject_id)
    return tx.execute(query).mappings().all()


def template_ids(
    tx: Connection, pack_sha256: str, subject_ids: Collection[str] | None = None
) -> dict[str, str]:
    """The subject of each template of one pack, or of those of some subjects."""
    query = select(templates.c.id, templates.c.subject_id).where(
        templates.c.pack_sha256 == pack_sha256
    )
    return {
        template: subject
        for part in _parts(subject_ids)
        for template, subject in tx.execute(
            query if part is None else query.where(templates.c.subject_id.in_(part))
        )
    }


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
