"""Rules and their versions. Whoever changes one says who they are; each change is a version that stays."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, RowMapping, and_, func, insert, or_, select, update

from hub.store.pages import Page, fetch
from hub.store.rule_tables import rule_versions, rules, rules_version
from hub.store.tables import alerts, rule_matches

Document = Mapping[str, Any]
Source = Literal["file", "store"]
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Saved:
    """A document to keep as a version, and whose it is."""

    id: str
    kind: str
    title: str
    source: Source
    document: Document
    actor: str
    note: str = ""


def version(tx: Connection) -> int:
    """A number that grows whenever a rule of the store changes."""
    return tx.scalar(select(rules_version.c.version)) or 0


def changed(tx: Connection) -> None:
    """Let everybody read the rules anew."""
    tx.execute(update(rules_version).values(version=rules_version.c.version + 1))


def get(tx: Connection, rule_id: str) -> RowMapping | None:
    """One rule, without its documents."""
    return tx.execute(select(rules).where(rules.c.id == rule_id)).mappings().one_or_none()


def find(
    tx: Connection, filters: Mapping[str, str], cursor: str | None, limit: int
) -> Page[RowMapping]:
    """Rules, last changed first. `filters` are columns and the values that they must have."""
    query = select(rules)
    for name, value in filters.items():
        query = query.where(rules.c[name] == value)
    return fetch(
        tx, query, (rules.c.updated_at, rules.c.id), cursor, limit, lambda row: row._mapping
    )


def document(tx: Connection, rule_id: str, number: int) -> RowMapping | None:
    """One version of a rule."""
    query = select(rule_versions).where(
        rule_versions.c.rule_id == rule_id, rule_versions.c.version == number
    )
    return tx.execute(query).mappings().one_or_none()


def history(tx: Connection, rule_id: str, cursor: str | None, limit: int) -> Page[RowMapping]:
    """The versions of a rule, newest first."""
    query = select(rule_versions).where(rule_versions.c.rule_id == rule_id)
    order = (rule_versions.c.version, rule_versions.c.rule_id)
    return fetch(tx, query, order, cursor, limit, lambda row: row._mapping)


def in_force(tx: Connection) -> Mapping[str, int]:
    """Every enabled rule that is made through the API, by id, and the version that is in force."""
    query = select(rules.c.id, rules.c.enabled_version).where(
        rules.c.source == "store", rules.c.enabled_version.is_not(None)
    )
    return {row.id: row.enabled_version for row in tx.execute(query.order_by(rules.c.id))}


def documents(tx: Connection, wanted: Mapping[str, int]) -> Mapping[str, Document]:
    """The documents of these versions, by rule."""
    found: dict[str, Document] = {}
    ids = sorted(wanted)
    for start in range(0, len(ids), _AT_ONCE):
        query = select(rule_versions.c.rule_id, rule_versions.c.version, rule_versions.c.document)
        rows = tx.execute(query.where(rule_versions.c.rule_id.in_(ids[start : start + _AT_ONCE])))
        found |= {row.rule_id: row.document for row in rows if row.version == wanted[row.rule_id]}
    return found


def save(tx: Connection, saved: Saved, at: datetime) -> int:
    """Keep a document as the newest version of its rule; returns its number. What is enabled stays so."""
    number = 1 + (tx.scalar(select(rules.c.latest_version).where(rules.c.id == saved.id)) or 0)
    row = {
        "kind": saved.kind, "title": saved.title, "source": saved.source,
        "latest_version": number, "updated_at": at, "updated_by": saved.actor,
    }  # fmt: skip
    if number == 1:
        tx.execute(insert(rules), [{"id": saved.id, "enabled_version": None, **row}])
    else:
        tx.execute(update(rules).where(rules.c.id == saved.id).values(**row))
    tx.execute(
        insert(rule_versions),
        [
            {
                "rule_id": saved.id, "version": number, "document": dict(saved.document),
                "at": at, "actor": saved.actor, "note": saved.note,
            }
        ],
    )  # fmt: skip
    return number


def enable(tx: Connection, rule_id: str, number: int | None, actor: str, at: datetime) -> None:
    """Put a version in force; None for none."""
    values = {"enabled_version": number, "updated_at": at, "updated_by": actor}
    tx.execute(update(rules).where(rules.c.id == rule_id).values(**values))
    changed(tx)


def record_files(
    tx: Connection, found: Sequence[Saved], enabled: Collection[str], at: datetime
) -> int:
    """Keep what the files say now: a version of each that is new or changed; returns how many changed.

    A rule whose file has gone is no longer in force; its history stays. A rule of the store is left alone.
    """
    latest = {
        row.id: row
        for row in tx.execute(
            select(rules, rule_versions.c.document)
            .join_from(
                rules,
                rule_versions,
                and_(
                    rule_versions.c.rule_id == rules.c.id,
                    rule_versions.c.version == rules.c.latest_version,
                ),
            )
            .where(or_(rules.c.source == "file", rules.c.id.in_([saved.id for saved in found])))
        )
    }
    count = 0
    for saved in found:
        row = latest.pop(saved.id, None)
        if row is not None and row.source != saved.source:
            continue
        number = None if row is None else row.latest_version
        if row is None or row.document != saved.document:
            number, count = save(tx, saved, at), count + 1
        wanted = number if saved.id in enabled else None
        if row is None or row.enabled_version != wanted:
            tx.execute(update(rules).where(rules.c.id == saved.id).values(enabled_version=wanted))
    for row in latest.values():
        if row.source == "file" and row.enabled_version is not None:
            values = {"enabled_version": None, "updated_at": at, "updated_by": "file"}
            tx.execute(update(rules).where(rules.c.id == row.id).values(**values))
            count += 1
    return count


def known_matches(tx: Connection, pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of `pairs`, each a rule and an observation, that are stored as a match already."""
    ids = sorted({observation for _, observation in pairs})
    known: set[tuple[str, str]] = set()
    for start in range(0, len(ids), _AT_ONCE):
        query = select(rule_matches.c.rule_id, rule_matches.c.observation_id).where(
            rule_matches.c.observation_id.in_(ids[start : start + _AT_ONCE])
        )
        known |= {(row.rule_id, row.observation_id) for row in tx.execute(query)}
    return known & set(pairs)


def verdicts(tx: Connection, since: datetime) -> Mapping[str, Mapping[str, int]]:
    """Of each rule, how many alerts raised since then got which verdict; "" for those without one."""
    query = (
        select(alerts.c.rule_id, alerts.c.disposition, func.count())
        .where(alerts.c.raised_at >= since)
        .group_by(alerts.c.rule_id, alerts.c.disposition)
    )
    counts: dict[str, dict[str, int]] = {}
    for rule_id, disposition, count in tx.execute(query):
        counts.setdefault(rule_id, {})[disposition or ""] = count
    return counts
