"""Tells of alerts: each one raised, and each change of one, is an event with a row in every sink's outbox.

In: what has happened, on the open transaction in which it happens. Out: rows, all in that transaction.
The caller has locked the alert (`hub.store.alerts.lock`), so that the changes of one alert are numbered, and
leave, in the order in which they were made. Of a muted alert there are events, and nobody is told of them;
once it is muted no more, all of them go out. Decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hub.alert_message import alert_changed, alert_raised
from hub.alerts import event_id
from hub.store import alerts, evidence
from wire.codec import Signer, encode
from wire.messages import AlertChanged, AlertRaised, Event
from wire.topics import HUB


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to an alert, by whom. `values` are the columns of the alert that it sets."""

    kind: Literal["moved", "escalated", "assigned", "noted", "joined"]
    actor: str
    at: datetime
    note: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Teller:
    """Writes the events. `sinks` are told of each."""

    sinks: Sequence[str]
    signer: Signer

    def raised(
        self,
        tx: Connection,
        alert: Mapping[str, Any],
        pictures: Sequence[Mapping[str, Any]],
        crop_jpeg: bytes | None,
    ) -> None:
        """Tell of a new alert that has just been stored."""
        message = alert_raised(alert, pictures, crop_jpeg)
        name, muted = event_id(alert["id"], message.TYPE), bool(alert["muted_by"])
        self._tell(tx, message, name, alert["raised_at"], muted=muted)

    def changed(self, tx: Connection, before: Mapping[Any, Any], change: Change) -> None:
        """Carry out a change of an alert, which is as `before` and locked, keep it and tell of it."""
        row = {
            "alert_id": before["id"],
            "number": before["change_count"] + 1,
            "kind": change.kind,
            "at": change.at,
            "actor": change.actor,
            "note": change.note,
            "from_state": before["state"],
            "to_state": change.values.get("state", before["state"]),
            "level": change.values.get("level", before["level"]),
        }
        after = {**before, **change.values, "change_count": row["number"]}
        alerts.change(tx, row, change.values)
        if before["muted_by"] and not after["muted_by"]:
            alerts.queue_all(tx, before["id"], self.sinks, change.at)
        pictures = evidence.of(tx, [before["observation_id"], before["id"]])
        message = alert_changed(before, after, row, pictures)
        name, muted = event_id(before["id"], message.TYPE, row["number"]), bool(after["muted_by"])
        self._tell(tx, message, name, change.at, muted=muted)

    def _tell(
        self,
        tx: Connection,
        data: AlertRaised | AlertChanged,
        name: str,
        at: datetime,
        *,
        muted: bool,
    ) -> None:
        event = Event(id=name, site=data.site, origin=HUB, time=at, data=data)
        row = {
            "id": name,
            "alert_id": data.alert_id,
            "site": data.site,
            "type": data.TYPE,
            "at": at,
            "body": encode(event, self.signer),
        }
        alerts.add_event(tx, row, () if muted else self.sinks, at)
