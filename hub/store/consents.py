"""The ledger of why people were enrolled. Rows end; they are deleted years after their subject."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from hub.consent import Consent, ReasonKind
from hub.store.enrolment_tables import consents
from hub.store.pages import Page, fetch


def add(tx: Connection, consent: Consent) -> None:
    """Store an entry."""
    tx.execute(insert(consents), [asdict(consent)])


def of(tx: Connection, subject_id: str) -> list[Consent]:
    """All entries of a subject, oldest first, also of one that was erased."""
    query = select(consents).where(consents.c.subject_id == subject_id)
    rows = tx.execute(query.order_by(consents.c.recorded_at, consents.c.id)).mappings()
    return [_read(row) for row in rows]


def find(tx: Connection, subject_id: str, cursor: str | None, limit: int) -> Page[Consent]:
    """A page of the entries of a subject, newest first."""
    query = select(consents).where(consents.c.subject_id == subject_id)
    order = (consents.c.recorded_at, consents.c.id)
    return fetch(tx, query, order, cursor, limit, lambda row: _read(row._mapping))


def _read(row: RowMapping) -> Consent:
    return Consent(**{**row, "kind": ReasonKind(row["kind"])})


def withdraw(tx: Connection, subject_id: str, by: str, now: datetime) -> None:
    """Mark every consent of a subject as withdrawn."""
    tx.execute(
        update(consents)
        .where(
            consents.c.subject_id == subject_id,
            consents.c.kind == ReasonKind.CONSENT,
            consents.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now, withdrawn_by=by)
    )


def subject_erased(tx: Connection, subject_id: str, now: datetime) -> None:
    """Mark that the subject is no more; the name of a guardian goes with it."""
    tx.execute(
        update(consents)
        .where(consents.c.subject_id == subject_id)
        .values(erased_at=now, guardian="")
    )


def delete_erased_before(tx: Connection, moment: datetime) -> None:
    """Delete entries of subjects who were erased before `moment`."""
    tx.execute(delete(consents).where(consents.c.erased_at < moment))
