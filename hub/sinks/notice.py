"""What a sink is told: one event of one alert, and what it was told of that alert before. Pure.

In: a row of the outbox. Out: a `Notice`, or `InvalidMessage` for a body that is no event of an alert.
"""

from dataclasses import dataclass
from datetime import datetime

from wire.codec import decode
from wire.errors import InvalidMessage
from wire.messages import AlertChanged, AlertEvent

RAISED = "raised"
"""The first step of every alert. A move is called after the state that it leads to, another change after
itself."""


@dataclass(frozen=True, slots=True)
class Told:
    """An earlier event of the same alert that the sink has taken."""

    event_id: str
    type: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """One event that a sink is to deliver now. `body` is the signed message.

    `position` is the event's number and `alert_number` that of the alert's first event: both are the same
    over all attempts, sinks and restarts. `told` is in the order in which it was taken.
    """

    sink: str
    position: int
    event_id: str
    alert_id: str
    site: str
    at: datetime
    body: bytes
    attempts: int
    since: datetime
    alert_number: int
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One event, read: which step of which alert, and the alert as it is after it."""

    due: Due
    step: str
    alert: AlertEvent


def read_notice(due: Due) -> Notice:
    """The event in `due`. InvalidMessage when it is none of an alert."""
    data = decode(due.body).event.data
    if not isinstance(data, AlertEvent):
        raise InvalidMessage("unknown_type", f"{data.TYPE} is no event of an alert")
    if isinstance(data, AlertChanged):
        return Notice(due, data.state if data.change == "moved" else data.change, data)
    return Notice(due, RAISED, data)
