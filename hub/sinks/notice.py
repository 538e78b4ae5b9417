"""What a sink is told: one event of one alert, and what it was told of that alert before. Pure.

In: a row of the outbox. Out: a `Notice`, or `InvalidMessage` for a body that is no event of an alert.
"""

from dataclasses import dataclass
from datetime import datetime

from wire.codec import decode
from wire.errors import InvalidMessage
from wire.messages import AlertEvent, AlertRaised

RAISED = "raised"
"""The first step of every alert; the others are called after the state that the alert is in."""


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
    """One event, read. `actor` and `note` are the person's who moved the alert, "" where nobody did."""

    due: Due
    step: str
    alert: AlertEvent
    actor: str = ""
    note: str = ""


def read_notice(due: Due) -> Notice:
    """The event in `due`. InvalidMessage when it is none of an alert."""
    data = decode(due.body).event.data
    if not isinstance(data, AlertEvent):
        raise InvalidMessage("unknown_type", f"{data.TYPE} is no event of an alert")
    step = RAISED if isinstance(data, AlertRaised) else data.state
    return Notice(due, step, data)
