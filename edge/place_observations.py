"""What the lane of people and vehicles tells, as the wire has it.

In: a finding, the fields that all observations share, its pictures. Out: the observation. Pure.
"""

from collections.abc import Mapping

from edge.findings import BehaviourFinding, Finding, ObjectFinding, PassageFinding
from wire.messages import (
    BehaviourObservation,
    EvidenceItem,
    ObjectObservation,
    PassageObservation,
)

PlaceObservation = ObjectObservation | BehaviourObservation | PassageObservation


def observe_place(
    finding: Finding, common: Mapping[str, object], evidence: tuple[EvidenceItem, ...]
) -> PlaceObservation:
    """The observation of one finding of that lane."""
    match finding:
        case ObjectFinding():
            return _object(finding, {**common, "evidence": evidence})
        case BehaviourFinding():
            return _behaviour(finding, {**common, "evidence": evidence})
        case PassageFinding():
            return _passage(finding, {**common, "evidence": evidence})
    raise TypeError(f"no observation is made of a {type(finding).__name__}")


def _object(finding: ObjectFinding, fields: dict[str, object]) -> ObjectObservation:
    event = finding.event
    return ObjectObservation.model_validate(
        {
            **fields,
            "label": event.object.label,
            "event": event.event,
            event.place_kind: event.place,
            "direction": event.direction,
            "stay_s": None if event.stay_s is None else round(event.stay_s, 1),
            "count": event.count,
            "parked": event.object.parked,
        }
    )


def _behaviour(finding: BehaviourFinding, fields: dict[str, object]) -> BehaviourObservation:
    event = finding.event
    return BehaviourObservation.model_validate(
        {
            **fields,
            "behaviour": event.behaviour,
            "label": event.object.label,
            "zone": event.zone,
            "line": event.line,
            "tracks": event.tracks,
            "count": event.count,
            "since_at": event.since,
            "stay_s": round(event.stay_s, 1),
            "reason": event.reason,
        }
    )


def _passage(finding: PassageFinding, fields: dict[str, object]) -> PassageObservation:
    passage = finding.passage
    return PassageObservation.model_validate(
        {
            **fields,
            "line": passage.line,
            "direction": passage.direction,
            "members": finding.members,
            "grants": passage.grants,
        }
    )
