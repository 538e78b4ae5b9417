"""The one state that is told of a camera: away, one fault of its picture, or all well. Pure.

In: changes of its presence (`edge.online`) and of what its picture shows (`edge.picture_health`). Out: the
observation to tell, never two of one state in a row. While a camera is away nothing is known of its picture:

    presence    picture        told
    offline     any            offline
    online      a fault        that fault
    online      as usual       online
"""

from dataclasses import dataclass, field
from datetime import datetime

from edge.picture_faults import Fault
from edge.picture_health import Verdict
from wire.messages import CameraObservation, CameraStateName


@dataclass(slots=True)
class CameraState:
    """What was last told of one camera; its times never run backwards."""

    _online: bool = field(default=False, init=False)
    _fault: Fault | None = field(default=None, init=False)
    _told: CameraStateName | None = field(default=None, init=False)
    _told_at: datetime | None = field(default=None, init=False)
    _why: str = field(default="", init=False)

    def presence(self, *, online: bool, since: datetime, reason: str) -> CameraObservation | None:
        """Pictures come, or no longer come."""
        self._online = online
        why = self._why if online and self._fault is not None else reason
        return self._tell(since, why)

    def picture(self, verdict: Verdict) -> CameraObservation | None:
        """What the picture shows has changed."""
        self._fault, self._why = verdict.fault, verdict.reason
        return self._tell(verdict.since, verdict.reason) if self._online else None

    def _tell(self, since: datetime, reason: str) -> CameraObservation | None:
        state: CameraStateName = "offline"
        if self._online:
            state = "online" if self._fault is None else self._fault.value
        if state == self._told:
            return None
        self._told = state
        self._told_at = since if self._told_at is None else max(since, self._told_at)
        return CameraObservation(state=state, captured_at=self._told_at, reason=reason[:400])
