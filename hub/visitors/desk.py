"""What the visitors' page does: finds the unit of a code, takes a request, shows and withdraws it.

In: codes, tickets and forms. Out: what to show, or None for what is not (or no longer) there. What a
visitor does is in the audit log, by the pass's id alone. A request does nothing until the office approves it.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from hub import pass_desk
from hub.audit import Act
from hub.passes import PassKind, PassState
from hub.register import Site
from hub.store import Store, audit, passes, register, unit_codes
from hub.throttle import Throttle
from hub.visitors.codes import Codes, unit_named
from hub.visitors.form import Filled
from hub.visitors.pages import Place, Shown
from hub.visitors.section import VisitorsSection
from hub.visitors.words import CONSENT, Language

VISITOR: Final = "visitor"
"""Who did it, in the audit log."""


@dataclass(frozen=True, slots=True)
class Door:
    """The unit that a code leads to."""

    code: str
    site: str
    unit: str
    place: Place


@dataclass(frozen=True, slots=True)
class VisitorDesk:
    """Serves the visitors' page. `looks`, `sends` and `unit_sends` bound how often an address may look and
    send, and how often the page of one unit may be sent."""

    section: VisitorsSection
    codes: Codes
    store: Store
    now: Callable[[], datetime]
    kept_days: int
    looks: Throttle = field(default_factory=lambda: Throttle(60, timedelta(minutes=1)))
    sends: Throttle = field(default_factory=lambda: Throttle(30, timedelta(hours=1)))
    unit_sends: Throttle = field(default_factory=lambda: Throttle(20, timedelta(hours=1)))

    @property
    def zone(self) -> ZoneInfo:
        """Where the visitors' clocks are."""
        return ZoneInfo(self.section.time_zone)

    def url(self, site: str, unit: str, number: int) -> str:
        """Where the QR code of a unit leads."""
        return f"{self.section.base_url}/v/{self.codes.of_unit(site, unit, number)}"

    def door(self, code: str) -> Door | None:
        """The unit of a code; None for one that was rotated, or is not ours."""
        named = unit_named(code)
        if named is None:
            return None
        site, unit = named
        with self.store.read() as tx:
            number = unit_codes.number_of(tx, site, unit)
            found = register.get(tx, "sites", (site,))
        if number is None or not self.codes.is_of_unit(code, site, unit, number):
            return None
        title = found.title if isinstance(found, Site) else site
        return Door(code, site, unit, self._place(title, unit))

    def new_form(self, door: Door) -> str:
        """The token of a form that is shown now."""
        return self.codes.form_token(door.code, str(uuid.uuid4()), self.now())

    def submit(self, door: Door, filled: Filled, pass_id: str, language: Language) -> str:
        """Take a request and return its ticket. A form sent again is taken once. Refused says why not."""
        assert filled.valid_from is not None
        assert filled.valid_until is not None
        wanted = pass_desk.Wanted(
            site=door.site,
            unit=door.unit,
            kind=filled.kind,
            name=filled.name,
            plate=filled.plate,
            valid_from=filled.valid_from,
            valid_until=filled.valid_until,
            consent=f"{CONSENT}-{language}",
            phone=filled.phone,
        )
        now = self.now()
        with self.store.write() as tx:
            if passes.lock(tx, pass_id) is None:
                pass_desk.check(tx, wanted, now, granted=False)
                pass_desk.add(tx, wanted, VISITOR, now, granted=False, pass_id=pass_id)
        return self.codes.ticket(pass_id)

    def look(self, ticket: str) -> tuple[Place, Shown] | None:
        """The request of a ticket, as it is now."""
        pass_id = self.codes.read_ticket(ticket)
        if pass_id is None:
            return None
        with self.store.read() as tx:
            row = passes.get(tx, pass_id)
            found = None if row is None else register.get(tx, "sites", (row["site"],))
        if row is None:
            return None
        title = found.title if isinstance(found, Site) else row["site"]
        shown = Shown(
            reference=reference(pass_id),
            kind=PassKind(row["kind"]),
            state=PassState(row["state"]),
            name=row["name"],
            plate=row["plate"],
            valid_from=row["valid_from"],
            valid_until=row["valid_until"],
        )
        return self._place(title, row["unit"]), shown

    def withdraw(self, ticket: str) -> None:
        """Erase the request of a ticket, whatever became of it."""
        pass_id = self.codes.read_ticket(ticket)
        if pass_id is None:
            return
        with self.store.write() as tx:
            if passes.erase(tx, pass_id):
                audit.add(tx, Act(VISITOR, "pass.withdrawn", pass_id), self.now())
        self.store.forget_erased()

    def _place(self, title: str, unit: str) -> Place:
        section = self.section
        return Place(title, unit, section.controller, section.contact, self.kept_days)


def reference(pass_id: str) -> str:
    """What a visitor and the office call a request: how its id begins."""
    return pass_id.partition("-")[0].upper()
