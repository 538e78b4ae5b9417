"""What the lane of people and vehicles tells, as the wire has it.

In: a finding, the fields that all observations share, its pictures. Out: the observation. Pure.
"""

from collections.abc import Mapping

from edge.findings import Finding, ObjectFinding
from wire.messages import EvidenceItem, ObjectObservation

PlaceObservation = ObjectObservation


def observe_place(
    finding: Finding, common: Mapping[str, object], evidence: tuple[EvidenceItem, ...]
) -> PlaceObservation:
    """The observation of one finding of that lane."""
    match finding:
        case ObjectFinding():
            return _object(finding, {**common, "evidence": evidence})
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
