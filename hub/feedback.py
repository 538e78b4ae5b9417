"""What people's verdicts say of a rule: how often it is right, and what might make it better. Pure.

In: how many of its alerts were confirmed, a false match, or benign. Out: its precision with a 95 % interval
(Wilson's, which is honest for a few), and a suggestion in words; nothing is changed by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

from hub.rules.base import RuleDocument

_ENOUGH: Final = 10
_Z: Final = 1.96

#: What to turn for alerts that were about nothing or nobody: the parameter, and which way.
_STRICTER: Final[Mapping[str, str]] = {
    "face_watchlist": "raise min_similarity or min_quality",
    "plate_watchlist": "raise min_confidence, or set suspected = false",
    "unregistered_vehicle": "raise min_confidence or min_reads, and check the register for who is missing",
    "unregistered_person": "raise min_quality or clearly_below, and check who is not enrolled",
    "accompanied_entry": "raise companions, or set count_unseen = false",
    "restricted_zone": "raise min_stay_s, or draw the zone tighter",
    "line_crossing": "set direction, or move the line",
    "loitering": "raise min_stay_s",
    "crowding": "raise at_least",
    "vehicle_prowling": "raise vehicles, or set within_s",
    "blocked_lane": "raise min_stay_s",
    "ebike_indoors": "raise min_stay_s, or leave motorcycle out of labels",
    "overstay": "raise grace_s, and check exit_cameras",
    "cloned_plate": "raise min_confidence, or lower min_travel_s",
    "absence": "raise hours",
    "vacant_unit": "raise vacant_above, and check what the register says of the unit",
    "camera_fault": "raise for_s",
    "edge_fault": "raise offline_s, clock_off_ms or pending",
}


@dataclass(frozen=True, slots=True)
class Feedback:
    """`precision` is None before anybody has judged; `low` and `high` are its 95 % interval."""

    confirmed: int
    false_match: int
    benign: int
    unjudged: int
    precision: float | None
    low: float
    high: float
    suggestion: str


def feedback_of(rule: RuleDocument, verdicts: Mapping[str, int]) -> Feedback:
    """What the verdicts on its alerts say of a rule; "" counts those without one."""
    right, wrong, benign = (
        verdicts.get(name, 0) for name in ("confirmed", "false_match", "benign")
    )
    judged = right + wrong + benign
    low, high = interval(right, judged)
    return Feedback(
        right,
        wrong,
        benign,
        verdicts.get("", 0),
        right / judged if judged else None,
        low,
        high,
        _suggest(rule, right, wrong, benign),
    )


def interval(right: int, judged: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not judged:
        return 0.0, 1.0
    share, z2 = right / judged, _Z * _Z
    middle = (share + z2 / (2 * judged)) / (1 + z2 / judged)
    half = _Z * sqrt(share * (1 - share) / judged + z2 / (4 * judged**2)) / (1 + z2 / judged)
    return max(0.0, middle - half), min(1.0, middle + half)


def _suggest(rule: RuleDocument, right: int, wrong: int, benign: int) -> str:
    judged = right + wrong + benign
    if judged < _ENOUGH:
        return ""
    if rule.kind == "missing_person":
        return "" if right or not wrong else "every hit was somebody else: enrol a better photo"
    if wrong * 2 >= judged:
        turn = _STRICTER.get(rule.kind, "make it stricter")
        return f"{wrong} of {judged} were a false match: {turn}; back-test it first"
    if benign * 2 >= judged:
        return (
            f"{benign} of {judged} were right and harmless: narrow the schedule or the place,"
            " or lengthen dedup_window_s; back-test it first"
        )
    return ""
