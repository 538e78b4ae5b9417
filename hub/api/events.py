"""The event stream: what happens to alerts, as it happens, with nothing lost across a reconnect.

Server-sent events: `id` is the event's position in the store, `event` its CloudEvents type, `data` the same
signed CloudEvent that the webhooks deliver. A client that comes back with Last-Event-ID gets all it missed.
The stream reads the store, so it shows the same whichever process raised the alert.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from hub.access import Actor, Scope
from hub.api.access import allowed
from hub.api.problems import documented
from hub.api.services import Hub, Services
from hub.store import alerts

router = APIRouter(tags=["events"], responses=documented())

_POLL_S: Final = 0.25
_AT_ONCE: Final = 200
Position = Annotated[int | None, Query(ge=0, lt=1 << 62, alias="last_event_id")]


@router.get("/events", response_class=EventSourceResponse)
async def stream(
    hub: Hub,
    _: Annotated[Actor, allowed(Scope.ALERTS_READ)],
    last_event_id: Annotated[int | None, Header(ge=0, lt=1 << 62)] = None,
    last_event_id_query: Position = None,
) -> AsyncIterator[ServerSentEvent]:
    """Events from now on, or behind `Last-Event-ID` (or, for clients that cannot set it, the parameter)."""
    position = last_event_id if last_event_id is not None else last_event_id_query
    if position is None:
        position = await run_in_threadpool(_newest, hub)
    yield ServerSentEvent(comment="connected", retry=2000)
    while not hub.stopping():
        rows = await run_in_threadpool(_after, hub, position)
        for row in rows:
            position = row["position"]
            yield ServerSentEvent(
                id=str(position), event=row["type"], raw_data=row["body"].decode()
            )
        if not rows:
            await asyncio.sleep(_POLL_S)


def _newest(hub: Services) -> int:
    with hub.store.read() as tx:
        return alerts.last_event(tx)


def _after(hub: Services, position: int) -> Sequence[Any]:
    with hub.store.read() as tx:
        return alerts.events_after(tx, position, _AT_ONCE)
