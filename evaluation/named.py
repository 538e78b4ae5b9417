"""Who was named in a clip, when and how often: what the hub would say of what the edge told.

In: faces as the edge told of them, a gallery. Out: `Named` passages, one for each time that a listed person
came by, and what became of every track. The decision is the hub's own (`hub.identify`), revision by revision.
Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evaluation.play import ToldFace
from hub.gallery import FaceFinding, FaceReason, Gallery
from hub.identify import Watched, identify_face
from hub.plate_match import PlateIndex
from models.faces.decision import Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One telling of a track, and what the hub finds."""

    face: ToldFace
    finding: FaceFinding


@dataclass(frozen=True, slots=True)
class Named:
    """One passage of a listed person.

    `similarity`, `margin` and `quality` are of the answer that is most alike. `named_s` is when the name was
    first given, `answers` how many of the tellings gave it, over so many `tracks`.
    """

    name: str
    first_s: float
    last_s: float
    named_s: float
    similarity: float
    margin: float
    quality: float
    answers: int
    tracks: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of a clip: passages in their order, tracks that were named and that stayed unknown.

    `closest_unknown` is the best similarity of an answer that gave no name, None where each gave one.
    """

    passages: tuple[Named, ...]
    tracks: int
    unknown_tracks: int
    reasons: dict[str, int]
    closest_unknown: float | None


def answers_of(faces: Sequence[ToldFace], gallery: Gallery, now: datetime) -> tuple[Answer, ...]:
    """What the hub finds of each telling."""
    watched = Watched(gallery, PlateIndex(()))
    return tuple(
        Answer(face, identify_face(face.probe, _evidence(face), watched, now).finding)
        for face in faces
    )


def _evidence(face: ToldFace) -> Evidence:
    return Evidence(face.observation.quality, face.observation.crops or 1)


def outcome_of(answers: Sequence[Answer], passage_gap_s: float) -> Outcome:
    """Bring the answers of a clip together; the same person within `passage_gap_s` is one passage."""
    named = [answer for answer in answers if answer.finding.reason is FaceReason.MATCH]
    unknown = [answer for answer in answers if answer.finding.reason is not FaceReason.MATCH]
    tracks = {_track(answer) for answer in answers}
    reasons: dict[str, int] = {}
    for answer in answers:
        reasons[str(answer.finding.reason)] = reasons.get(str(answer.finding.reason), 0) + 1
    return Outcome(
        passages=_passages(named, passage_gap_s),
        tracks=len(tracks),
        unknown_tracks=len(tracks - {_track(answer) for answer in named}),
        reasons=dict(sorted(reasons.items())),
        closest_unknown=max((a.finding.similarity for a in unknown), default=None),
    )


def _track(answer: Answer) -> str:
    return answer.face.observation.track_id


def _passages(named: Sequence[Answer], gap_s: float) -> tuple[Named, ...]:
    groups: list[list[Answer]] = []
    latest: dict[str | None, list[Answer]] = {}
    for answer in sorted(named, key=lambda a: (a.face.first_s, a.face.at_s)):
        group = latest.get(answer.finding.subject_id)
        if group is None or answer.face.first_s - max(a.face.last_s for a in group) > gap_s:
            group = []
            groups.append(group)
            latest[answer.finding.subject_id] = group
        group.append(answer)
    return tuple(_named(group) for group in groups)


def _named(group: Sequence[Answer]) -> Named:
    best = max(group, key=lambda a: a.finding.similarity)
    return Named(
        name=str(best.finding.subject_id),
        first_s=round(min(a.face.first_s for a in group), 3),
        last_s=round(max(a.face.last_s for a in group), 3),
        named_s=round(min(a.face.last_s for a in group), 3),
        similarity=round(best.finding.similarity, 4),
        margin=round(best.finding.margin, 4),
        quality=round(best.face.observation.quality, 4),
        answers=len(group),
        tracks=len({_track(a) for a in group}),
    )


def as_dict(outcome: Outcome, names: Sequence[str]) -> dict[str, Any]:
    """For JSON: who was named and how often, each passage, and what stayed unknown."""
    people = []
    for name in names:
        mine = [passage for passage in outcome.passages if passage.name == name]
        if mine:
            people.append(
                {
                    "name": name,
                    "times": len(mine),
                    "first_s": min(passage.first_s for passage in mine),
                    "last_s": max(passage.last_s for passage in mine),
                    "similarity": max(passage.similarity for passage in mine),
                }
            )
    return {
        "named": people,
        "not_named": [name for name in names if name not in {p["name"] for p in people}],
        "passages": [
            {field: getattr(passage, field) for field in Named.__slots__}
            for passage in outcome.passages
        ],
        "tracks": outcome.tracks,
        "unknown_tracks": outcome.unknown_tracks,
        "answers": outcome.reasons,
        "closest_unknown": outcome.closest_unknown,
    }
