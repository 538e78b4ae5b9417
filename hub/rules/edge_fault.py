"""Raises when an edge box is offline, its clock is off, or its outbox fills. Pure.

The clock is looked at with every observation; the rest a timer asks.
"""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.identify import Sighting
from hub.rules.base import Context, Decision, Fact, Finding, Seconds, TimedRule, Why, finding_id
from hub.rules.zones import span
from hub.windows import EdgeSeen
from wire.codec import format_time


class EdgeFault(TimedRule):
    """The document. `sites` narrows which boxes.

    Attributes:
        offline_s: a box that is offline, or from which nothing came, for this long; None not to look.
        clock_off_ms: a clock that is off by more, either way; None not to look.
        pending: more messages than this in its outbox; None not to look.
    """

    BACKTEST_LIMIT: ClassVar[str] = (
        "only clocks can be asked of the past: when boxes were offline, and what was in their outboxes, is"
        " not kept"
    )

    kind: Literal["edge_fault"]
    offline_s: Seconds | None = 120.0
    clock_off_ms: Annotated[int, Field(gt=0)] | None = 2000
    pending: Annotated[int, Field(gt=0)] | None = 5000
    dedup_window_s: float = 3600.0

    def topics(self) -> frozenset[str]:
        """Every observation: each tells how far its box's clock is off."""
        return frozenset({"any"}) if self.clock_off_ms is not None else frozenset()

    def decide(self, seen: Sighting, context: Context) -> Decision:  # noqa: ARG002 - rests on the observation
        """Say whether the clock of the box is off."""
        off_ms = seen.clock_offset_ms or 0
        if self.clock_off_ms is None or abs(off_ms) <= self.clock_off_ms:
            return Decision(Why.CLOCK_RIGHT)
        way = "slow" if off_ms > 0 else "fast"
        return self.condition(
            f"the clock of edge box {seen.edge} is {abs(off_ms) / 1000:.1f} s {way}",
            f"clock:{seen.edge}",
            {"edge": seen.edge, "offset_ms": off_ms},
        )

    def due(self, context: Context) -> Iterator[Finding]:
        """Boxes that are offline, and outboxes that fill."""
        if not self.schedule.holds(context.now):
            return
        for box in context.windows.edges():
            if self.sites and box.site not in self.sites:
                continue
            silent_s = (context.now - box.seen_at).total_seconds()
            if self.offline_s is not None and silent_s >= self.offline_s:
                said = "has gone offline" if not box.online else "says nothing"
                sentence = f"edge box {box.edge} {said}, {span(silent_s)} ago last heard of"
                yield self._finding(
                    box, context, "offline", sentence, {"silent_s": round(silent_s)}
                )
            if self.pending is not None and box.pending > self.pending:
                sentence = f"the outbox of edge box {box.edge} fills: {box.pending} messages wait"
                yield self._finding(box, context, "outbox", sentence, {"pending": box.pending})

    def _finding(
        self, box: EdgeSeen, context: Context, fault: str, sentence: str, facts: dict[str, Fact]
    ) -> Finding:
        """Once for each time that it went away; once an hour while its outbox is full."""
        hour = context.now.replace(minute=0, second=0, microsecond=0)
        period = box.seen_at if fault == "offline" else hour
        decision = self.condition(sentence, f"{fault}:{box.edge}", {"edge": box.edge, **facts})
        sighting = Sighting(
            observation_id=finding_id(self.id, f"{fault}:{box.edge}", format_time(period)),
            site=box.site,
            gate="",
            edge=box.edge,
            camera=box.edge,
            first_seen_at=min(box.seen_at, context.now),
            captured_at=context.now,
            last_seen_at=context.now,
            quality=1.0,
            what=None,
        )
        return Finding(sighting, decision)
