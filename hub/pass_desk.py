"""Where passes are entered: by the property office, by a guard, from a file, by a visitor.

In: a transaction, what is asked for, by whom. Out: the stored row, pending or approved; or `Refused` for a
time that no pass can have or a unit with too many requests, `InputError` for a unit that is not there.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.audit import Act
from hub.passes import PassKind, PassState, check_span, check_waiting
from hub.register import Reference
from hub.store import audit, passes, register
from wire.errors import InputError


@dataclass(frozen=True, slots=True)
class Wanted:
    """A visit, or a tenant's car, for a while. `plate` is normalised, None where there is no car; `phone` is
    None where nobody asked for it."""

    site: str
    unit: str
    kind: PassKind
    name: str
    plate: str | None
    valid_from: datetime
    valid_until: datetime
    consent: str
    phone: str | None = None


def enter(
    tx: Connection, wanted: Wanted, actor: str, now: datetime, *, granted: bool
) -> Mapping[str, Any]:
    """Check and store a pass. It counts at once where `granted`; else the office has to approve it first."""
    check(tx, wanted, now, granted=granted)
    return add(tx, wanted, actor, now, granted=granted)


def check(tx: Connection, wanted: Wanted, now: datetime, *, granted: bool) -> None:
    """Refused or InputError when there can be no such pass."""
    check_span(wanted.kind, wanted.valid_from, wanted.valid_until, now)
    if not register.is_there(tx, Reference("unit", "units", (wanted.site, wanted.unit))):
        raise InputError(f"unit: units has no {wanted.site}:{wanted.unit}")
    if not granted:
        check_waiting(passes.pending_of(tx, wanted.site, wanted.unit))


def add(
    tx: Connection,
    wanted: Wanted,
    actor: str,
    now: datetime,
    *,
    granted: bool,
    pass_id: str | None = None,
) -> Mapping[str, Any]:
    """Store a pass that was checked, by this id or a new one."""
    row: dict[str, Any] = {
        "id": pass_id or str(uuid.uuid4()),
        "site": wanted.site,
        "unit": wanted.unit,
        "kind": wanted.kind.value,
        "name": wanted.name,
        "plate": wanted.plate,
        "valid_from": wanted.valid_from,
        "valid_until": wanted.valid_until,
        "consent": wanted.consent,
        "phone": wanted.phone,
        "state": (PassState.APPROVED if granted else PassState.PENDING).value,
        "requested_at": now,
        "decided_by": actor if granted else "",
        "decided_at": now if granted else None,
    }
    passes.add(tx, row)
    details = {"unit": f"{wanted.site}:{wanted.unit}", "kind": wanted.kind.value}
    audit.add(tx, Act(actor, "pass.requested", row["id"], details=details), now)
    return row


def decide(tx: Connection, pass_id: str, to: PassState, actor: str, now: datetime) -> None:
    """Store what the office decided; the lifecycle was asked before."""
    passes.decide(tx, pass_id, to, actor, now)
    audit.add(tx, Act(actor, f"pass.{to}", pass_id), now)
