"""Raises when a camera is offline, covered, moved, defocused, or otherwise shows no picture of its scene.
Pure.

One that is well again within `for_s` raises nothing: a timer asks once that has passed.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Finding, Seconds, TimedRule, Why
from hub.rules.zones import span
from hub.windows import CameraFaultSeen
from wire.messages import CameraObservation, CameraStateName

_LOOK_BACK = timedelta(days=1)


class CameraFault(TimedRule):
    """The document.

    Attributes:
        states: which faults.
        for_s: how long one must last; 0 raises at once.
    """

    kind: Literal["camera_fault"]
    states: Annotated[frozenset[CameraStateName], Field(min_length=1)] = frozenset(
        {"offline", "frozen", "covered", "moved", "defocused"}
    )
    for_s: Seconds = 30.0
    dedup_window_s: float = 3600.0

    def topics(self) -> frozenset[str]:
        """What cameras say of themselves."""
        return frozenset({"camera"})

    def needs(self) -> dict[str, float | frozenset[str]]:
        """See `RuleDocument.needs`."""
        return {"event": self.states}

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether the camera has had the fault for long enough."""
        what = seen.what
        if not isinstance(what, CameraObservation):
            return Decision(Why.OTHER)
        return self._lasted(seen, what.state, what.reason, context)

    def due(self, context: Context) -> Iterator[Finding]:
        """Faults that have lasted long enough by now."""
        if self.for_s == 0:
            return
        until = context.now - timedelta(seconds=self.for_s)
        for fault in context.windows.camera_faults(until - _LOOK_BACK, until):
            sighting = _sighting(fault)
            if self.holds(sighting.spot) and self.schedule.holds(sighting.captured_at):
                decision = self._lasted(sighting, fault.state, fault.reason, context)
                if decision.why is Why.MATCH:
                    yield Finding(sighting, decision)

    def _lasted(self, seen: Sighting, state: str, reason: str, context: Context) -> Decision:
        if state not in self.states:
            return Decision(Why.OTHER)
        end = seen.captured_at + timedelta(seconds=self.for_s)
        if end > context.now:
            return Decision(Why.NOT_YET)
        if self.for_s and context.windows.camera_changed(
            seen.edge, seen.camera, seen.captured_at, end
        ):
            return Decision(Why.TOO_SHORT)
        lasted = f" for {span(self.for_s)}" if self.for_s else ""
        return self.condition(
            f"camera {seen.camera} is {state.replace('_', ' ')}{lasted}: {reason}",
            f"camera:{seen.edge}:{seen.camera}",
            {"state": state, "for_s": self.for_s, "reason": reason},
        )


def _sighting(fault: CameraFaultSeen) -> Sighting:
    seen = fault.seen
    return Sighting(
        observation_id=seen.observation_id,
        site=seen.spot.site,
        gate=seen.spot.gate,
        edge=seen.edge,
        camera=seen.spot.camera,
        first_seen_at=seen.at,
        captured_at=seen.at,
        last_seen_at=seen.at,
        quality=1.0,
        what=None,
    )
