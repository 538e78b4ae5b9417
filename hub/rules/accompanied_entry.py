"""Raises when a resident comes through with people who are not residents, or more come than were let in.
Pure.

The 罗马庄园 case: a resident who is brought home by several strangers. Who came through together is either a
passage, which the edge reports where a line is drawn at the gate, or, with `together_s`, faces at one gate
within that time. Who a face was is asked of the store, so that it holds for faces seen before a restart.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.identify import FaceSighting, Sighting
from hub.registry_view import Resident
from hub.rules.base import Context, Decision, Facts, RuleDocument, Why
from hub.windows import Seen
from wire.messages import BehaviourObservation, Direction, PassageObservation


@dataclass(frozen=True, slots=True)
class _Company:
    """Who came together: residents, and how many who are not, or of whom no face was seen."""

    residents: tuple[Resident, ...]
    strangers: int
    unseen: int
    observations: tuple[str, ...]


class AccompaniedEntry(RuleDocument):
    """The document.

    Attributes:
        companions: how many who are no residents make it an alert.
        direction: which way; None for both.
        count_unseen: whether somebody whose face was not seen counts as no resident.
        together_s: faces at one gate within this came together; None where passages are reported.
        tailgating: whether more persons than releases of the door raise too.
    """

    KNOWS_RESIDENTS: ClassVar[bool] = True
    SEES_ZONES: ClassVar[bool] = True

    kind: Literal["accompanied_entry"]
    companions: Annotated[int, Field(ge=1, le=32)] = 1
    direction: Direction | None = "in"
    count_unseen: bool = True
    together_s: Annotated[float, Field(gt=0, le=120)] | None = None
    tailgating: bool = False

    def topics(self) -> frozenset[str]:
        """Passages; tailgating that the edge has seen; every face, to look for others with it."""
        topics = {"passage"}
        if self.tailgating:
            topics.add("behaviour.tailgating")
        if self.together_s is not None:
            topics.add("face")
        return frozenset(topics)

    def decide(self, seen: Sighting, context: Context) -> Decision:
        """Say whether those who came together should be looked after."""
        match seen.what:
            case PassageObservation() as passage:
                return self._passage(seen, passage, context)
            case BehaviourObservation() as behaviour:
                sentence = f"somebody followed through the gate: {behaviour.reason}"
                facts: Facts = {"people": behaviour.count, "zone": seen.spot.zone}
                return self.condition(sentence, _gate(seen, "tailgating"), facts)
            case FaceSighting():
                return self._faces(seen, context)
        return Decision(Why.OTHER)

    def _passage(self, seen: Sighting, passage: PassageObservation, context: Context) -> Decision:
        if self.direction is not None and passage.direction != self.direction:
            return Decision(Why.OTHER_DIRECTION)
        people = [member for member in passage.members if member.label == "person"]
        known = context.windows.recognised([face for member in people for face in member.faces])
        found = _company(
            [
                (member.faces, next((known[f] for f in member.faces if f in known), None))
                for member in people
            ],
            seen,
            context,
        )
        decision = self._judge(found)
        grants = passage.grants
        if decision.why is Why.MATCH or not self.tailgating or grants is None:
            return decision
        if len(people) <= max(grants, 1):
            return Decision(Why.ALONE)
        sentence = f"{len(people)} people came through on {grants} release of the door"
        facts: Facts = {"people": len(people), "grants": grants}
        return self.condition(sentence, _gate(seen, "tailgating"), facts, found.observations)

    def _faces(self, seen: Sighting, context: Context) -> Decision:
        span = timedelta(seconds=self.together_s or 0)
        faces = context.windows.faces_at(
            seen.spot, seen.captured_at - span, seen.captured_at + span
        )
        found = _company(_by_track(faces), seen, context)
        return self._judge(found)

    def _judge(self, found: _Company) -> Decision:
        if not found.residents:
            return Decision(Why.NO_RESIDENT)
        others = found.strangers + (found.unseen if self.count_unseen else 0)
        if others < self.companions:
            return Decision(Why.ALONE if not others else Why.TOO_FEW)
        units = ", ".join(sorted({resident.unit for resident in found.residents if resident.unit}))
        whose = f"a resident of {units}" if units else "a resident"
        facts: Facts = {
            "residents": len(found.residents),
            "others": found.strangers,
            "not_seen": found.unseen,
            "units": units,
        }
        first = min(resident.subject_id for resident in found.residents)
        return self.condition(
            f"{whose} came through with {others} who {'is' if others == 1 else 'are'} no resident",
            f"subject:{first}",
            facts,
            found.observations,
        )


def _by_track(faces: Sequence[Seen]) -> list[tuple[tuple[str, ...], str | None]]:
    """The faces of each track, and who it was."""
    tracks: dict[tuple[str, str], list[Seen]] = {}
    for face in faces:
        tracks.setdefault((face.edge, face.track_id), []).append(face)
    return [
        (
            tuple(face.observation_id for face in track),
            next((face.subject_id for face in track if face.subject_id), None),
        )
        for track in tracks.values()
    ]


def _company(
    people: Sequence[tuple[tuple[str, ...], str | None]], seen: Sighting, context: Context
) -> _Company:
    residents: dict[str, Resident] = {}
    strangers = unseen = 0
    observations: list[str] = []
    for faces, subject in people:
        observations += faces
        resident = (
            context.registry.resident(subject, seen.site, seen.captured_at) if subject else None
        )
        if resident is not None:
            residents[resident.subject_id] = resident
        elif faces:
            strangers += 1
        else:
            unseen += 1
    return _Company(tuple(residents.values()), strangers, unseen, tuple(observations))


def _gate(seen: Sighting, what: str) -> str:
    return f"{what}:{seen.site}:{seen.gate or seen.camera}"
