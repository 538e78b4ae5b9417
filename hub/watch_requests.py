"""Where watchlist entries are requested and removed: by a person, or for a command centre's disposition.

In: a transaction, what is wished for, by whom. Out: the stored entry, which does nothing until somebody else
has approved it; or `Refused`. Each request and removal is in the audit log.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from hub.audit import Act
from hub.store import audit, watchlists
from hub.watchlist import Category, Entry, EntryState, ListKind, check_move, check_request


@dataclass(frozen=True, slots=True)
class Wish:
    """What to watch for, why, by which right, on whose word, until when."""

    kind: ListKind
    target: str
    label: str
    category: Category
    basis: str
    reference: str
    expires_at: datetime


def request(tx: Connection, wish: Wish, requester: str, now: datetime) -> Entry:
    """Store a request. Refused when there can be no such entry."""
    check_request(wish.kind, wish.category, wish.expires_at, now)
    entry = Entry(
        id=str(uuid.uuid4()),
        kind=wish.kind,
        target=wish.target,
        label=wish.label,
        category=wish.category,
        basis=wish.basis,
        reference=wish.reference,
        state=EntryState.PENDING,
        requester=requester,
        requested_at=now,
        expires_at=wish.expires_at,
    )
    watchlists.add_entry(tx, entry)
    details = {
        "kind": wish.kind.value,
        "category": wish.category.value,
        "reference": wish.reference,
    }
    audit.add(tx, Act(requester, "entry.requested", entry.id, details=details), now)
    return entry


def remove(tx: Connection, entry: Entry, actor: str, now: datetime) -> None:
    """Remove an entry, and the templates of a subject whom no other entry names. Refused when it is over."""
    check_move(entry, EntryState.REMOVED)
    watchlists.set_state(tx, entry, EntryState.REMOVED)
    audit.add(tx, Act(actor, "entry.removed", entry.id), now)
    if entry.kind is ListKind.FACE and not watchlists.is_needed(tx, entry.target):
        watchlists.erase_templates(tx, entry.target)
        audit.add(tx, Act(actor, "templates.erased", entry.target), now)
