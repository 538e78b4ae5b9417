"""Carries escalations out: alerts whose timer is due go to the next level, and to whoever is on duty there.

In: the store and the time. Out: changes, each in one transaction with what tells of it. The timers are
columns of the alerts, so they survive restarts; an alert is locked while it is decided on, and those that
another replica holds are left to it, so that none goes up twice.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from hub.alerts import Level, State
from hub.duty import Roster, on_duty
from hub.escalation import CLOCK, EscalationSection, escalate
from hub.store import Store, alerts, duty
from hub.tell import Change, Teller

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
_AT_ONCE: Final = 100


@dataclass(slots=True)
class Escalator:
    """Looks for what is due. `on_alerts` is called when there is something to tell."""

    store: Store
    policy: EscalationSection
    teller: Teller
    now: Callable[[], datetime]
    on_alerts: Callable[[], None]

    def round(self) -> int:
        """Escalate what is due; returns how many alerts that were."""
        now = self.now()
        with self.store.read() as tx:
            if not alerts.is_any_due(tx, now):
                return 0
        with self.store.write() as tx:
            roster = duty.roster(tx)
            due = alerts.lock_due(tx, now, _AT_ONCE)
            count = sum(self._escalate(tx, alert, roster, now) for alert in due)
        if count:
            self.on_alerts()
        return count

    def _escalate(self, tx: Connection, alert: RowMapping, roster: Roster, now: datetime) -> bool:
        policy = self.policy.of(alert["severity"], alert["escalation"])
        state, level = State(alert["state"]), Level(alert["level"])
        decided = escalate(policy, state, level, alert["level_due_at"], now)
        if decided is None:
            return False
        values: dict[str, Any] = {"level": decided.level.value, "level_due_at": decided.due_at}
        person = on_duty(roster, decided.level, alert["cell"], now).person
        if person is not None:
            values["assignee"] = person.id
        change = Change("escalated", CLOCK, now, decided.sentence, values)
        self.teller.changed(tx, alert, change)
        log.warning("alert %s goes to the %s: %s", alert["id"], decided.level, decided.sentence)
        return True
