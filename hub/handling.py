"""What becomes of a new alert: whose it is, what it belongs with, whether it is muted, when it escalates.

In: the alert, on the open transaction in which it is raised. Out: the alert with all of that, and, where it
belongs with one that was alone so far, the change that tells so. Decided in `hub.duty`, `hub.incidents`,
`hub.silences`, `hub.inhibition` and `hub.escalation`; this only asks the store for what they decide on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.alerts import State
from hub.duty import on_duty
from hub.escalation import CLOCK, EscalationSection, due_after
from hub.incidents import WITHIN, Belonging, belongs_with
from hub.inhibition import MUTED_BY, inhibited_by
from hub.silences import silenced_by
from hub.store import alerts, duty, incidents, silences
from hub.tell import Change, Teller

_WHY = {
    "same_target": "the same person or vehicle was seen again",
    "same_camera": "another rule saw something at the same camera",
}


@dataclass(frozen=True, slots=True)
class Handler:
    """Prepares new alerts."""

    policy: EscalationSection
    teller: Teller

    def prepare(self, tx: Connection, alert: Mapping[str, Any], now: datetime) -> dict[str, Any]:
        """The alert as it is stored, before it is."""
        policy = self.policy.of(alert["severity"], alert["escalation"])
        cell = duty.cell_of(tx, alert["site"], alert["camera"])
        person = on_duty(duty.roster(tx), policy.first_level, cell, now).person
        muted_by, why = self._muted_by(tx, alert, now)
        due_at = due_after(policy, State.OPEN, policy.first_level, now)
        ready = {
            **alert,
            "cell": cell,
            "level": policy.first_level.value,
            "assignee": person.id if person else "",
            "level_due_at": None if muted_by else due_at,
            "muted_by": muted_by,
            "muted_why": why,
        }
        return {**ready, "incident_id": self._incident_of(tx, ready, now)}

    def _muted_by(
        self, tx: Connection, alert: Mapping[str, Any], now: datetime
    ) -> tuple[str | None, str]:
        silence = silenced_by(silences.active(tx, now), alert, now)
        if silence is not None:
            return silence.id, "silence"
        if alert["rule_kind"] in MUTED_BY:
            other = inhibited_by(alert, alerts.unclosed(tx, alert["site"], None))
            if other is not None:
                return other["id"], "inhibition"
        return None, ""

    def _incident_of(self, tx: Connection, alert: Mapping[str, Any], now: datetime) -> str | None:
        if alert["muted_by"]:
            return None
        unclosed = alerts.unclosed(tx, alert["site"], alert["first_seen_at"] - WITHIN)
        found = belongs_with(alert, (other for other in unclosed if not other["muted_by"]))
        if found is None:
            return None
        self._join(tx, found, now)
        return found.incident_id

    def _join(self, tx: Connection, found: Belonging, now: datetime) -> None:
        """The alert that was alone so far begins the incident."""
        other = alerts.lock(tx, found.alert_id)
        if other is not None and other["incident_id"] is None:
            row = {"id": found.incident_id, "site": other["site"], "opened_at": now}
            incidents.add(tx, row)
            values = {"incident_id": found.incident_id}
            change = Change("joined", CLOCK, now, _WHY[found.reason], values)
            self.teller.changed(tx, other, change)
