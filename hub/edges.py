"""What is known of the edges and their cameras, decided purely from what they say.

In: `EdgeStatus`, `CameraHealth` and camera observations, with the time they came. Out: states to show and to
remember. A last will of an older session is ignored: it can overtake the birth of the next one. Nothing
here is lost when the hub restarts: the states are stored, and read back at start.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from wire.messages import CameraHealth, CameraObservation, EdgeStatus, Event


@dataclass(frozen=True, slots=True)
class EdgeState:
    """One edge box, as it last said."""

    edge: str
    site: str
    online: bool
    session_id: str
    version: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class CameraState:
    """One camera. `state` is ``unknown`` until its edge has said ``online`` or ``offline``."""

    edge: str
    camera: str
    site: str
    state: str
    reason: str
    state_at: datetime | None
    health: Mapping[str, Any] | None
    seen_at: datetime


Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EdgeBook:
    """All edges, and all cameras by edge and id. Immutable: `after` gives the next one."""

    edges: Mapping[str, EdgeState]
    cameras: Mapping[Key, CameraState]

    def after(self, events: Iterable[Event], now: datetime) -> "EdgeBook":
        """The book once these messages have come, in this order, at `now`."""
        edges, cameras = dict(self.edges), dict(self.cameras)
        for event in events:
            if isinstance(event.data, EdgeStatus):
                edges[event.origin] = _edge(edges.get(event.origin), event, event.data, now)
                continue
            known = edges.get(event.origin)
            if known is not None:
                edges[event.origin] = replace(known, seen_at=now)
            if event.camera is not None and isinstance(
                event.data, CameraHealth | CameraObservation
            ):
                key = (event.origin, event.camera)
                cameras[key] = _camera(cameras.get(key), event, event.data, now)
        return EdgeBook(edges, cameras)


def is_stale(known: EdgeState | None, status: EdgeStatus) -> bool:
    """Whether this is the last will of a session that another one has followed."""
    return not status.online and known is not None and known.session_id != status.session_id


def _edge(known: EdgeState | None, event: Event, status: EdgeStatus, now: datetime) -> EdgeState:
    if known is not None and is_stale(known, status):
        return known
    version = status.version or (known.version if known else "")
    return EdgeState(event.origin, event.site, status.online, status.session_id, version, now)


def _camera(
    known: CameraState | None,
    event: Event,
    data: CameraHealth | CameraObservation,
    now: datetime,
) -> CameraState:
    assert event.camera is not None
    state = known or CameraState(
        event.origin, event.camera, event.site, "unknown", "", None, None, now
    )
    if isinstance(data, CameraHealth):
        return replace(state, health=data.model_dump(mode="json"), seen_at=now)
    if state.state_at is not None and data.captured_at < state.state_at:
        return state
    return replace(
        state, state=data.state, reason=data.reason, state_at=data.captured_at, seen_at=now
    )
