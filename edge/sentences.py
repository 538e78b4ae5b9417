"""What happened at zones and lines, in words for a person. Pure."""

from collections import Counter

from edge.passages import Passage
from edge.zones import PlaceEvent


def place_sentence(event: PlaceEvent) -> str:
    """One object at one place."""
    what, where = event.object.label, f"{event.place_kind} {event.place}"
    match event.event:
        case "crossed":
            return f"a {what} crossed {where}, {event.direction}"
        case "dwelt":
            return f"a {what} has been in {where} for {event.stay_s or 0:.0f} s"
        case _:
            return f"a {what} {event.event} {where}"


def passage_sentence(passage: Passage) -> str:
    """Those who crossed together."""
    counts = Counter(member.thing.label for member in passage.members)
    who = " and ".join(f"{count} x {label}" for label, count in sorted(counts.items()))
    how = "" if passage.grants is None else f", on {passage.grants} grants"
    return f"{who} crossed line {passage.line} together, {passage.direction}{how}"
