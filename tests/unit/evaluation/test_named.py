"""Passages, from what the edge told of a clip."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from evaluation.named import answers_of, as_dict, outcome_of
from evaluation.play import ToldFace
from hub.gallery import Gallery
from models.faces.calibration import Acceptance
from wire.messages import FaceObservation, Sealed
from wire.sealing import FaceProbe

START = datetime(2026, 1, 1, tzinfo=UTC)
PACK = "ab" * 32


def gallery(*names: str) -> Gallery:
    made = Gallery("p", PACK, 4, lambda people: Acceptance(0.5, 0.1))
    for number, name in enumerate(names):
        made.add(name, name, np.eye(4, dtype=np.float32)[number])
    return made


def told(
    track: str, first_s: float, last_s: float, embedding: tuple[float, ...], quality: float = 0.8
) -> ToldFace:
    row = np.array(embedding, np.float32)
    observation = FaceObservation(
        track_id=track,
        first_seen_at=START + timedelta(seconds=first_s),
        captured_at=START + timedelta(seconds=last_s),
        last_seen_at=START + timedelta(seconds=last_s),
        frames=1,
        box_px=(0, 0, 9, 9),
        frame_size_px=(100, 100),
        quality=quality,
        detector_score=0.9,
        probe=Sealed(key_id="0" * 16, ciphertext=""),
    )
    return ToldFace(observation, FaceProbe(row / np.linalg.norm(row), "p", PACK, b""))


ANN, BOB, NOBODY = (1.0, 0.0, 0.0, 0.1), (0.0, 1.0, 0.0, 0.1), (0.1, 0.1, 0.0, 1.0)


def outcome(*faces: ToldFace, gap_s: float = 10.0):
    return outcome_of(answers_of(faces, gallery("ann", "bob"), START), gap_s)


def test_a_clip_with_nobody_names_nobody() -> None:
    empty = outcome()
    assert (empty.passages, empty.tracks, empty.closest_unknown) == ((), 0, None)
    assert as_dict(empty, ("ann", "bob"))["not_named"] == ["ann", "bob"]


def test_a_stranger_is_unknown_and_it_is_said_how_close_that_was() -> None:
    found = outcome(told("t1", 0, 1, NOBODY))
    assert found.passages == ()
    assert (found.tracks, found.unknown_tracks) == (1, 1)
    assert found.reasons == {"below_threshold": 1}
    assert found.closest_unknown == pytest.approx(0.099, abs=0.001)


def test_a_person_is_named_once_over_tracks_that_break_off() -> None:
    found = outcome(
        told("t1", 0, 1, ANN),
        told("t1", 0, 3, ANN, 0.9),
        told("t2", 5, 6, ANN),
        told("t3", 4, 5, BOB),
    )
    ann, bob = found.passages
    assert (ann.name, ann.first_s, ann.last_s, ann.named_s) == ("ann", 0.0, 6.0, 1.0)
    assert (ann.answers, ann.tracks) == (3, 2)
    assert (bob.name, bob.first_s, bob.tracks) == ("bob", 4.0, 1)


def test_who_comes_again_later_has_another_passage() -> None:
    first, second = outcome(told("t1", 0, 1, ANN), told("t2", 11.5, 12, ANN)).passages
    assert (first.last_s, second.first_s) == (1.0, 11.5)
    assert len(outcome(told("t1", 0, 1, ANN), told("t2", 11.5, 12, ANN), gap_s=11).passages) == 1


def test_a_track_that_was_unknown_at_first_counts_as_named() -> None:
    found = outcome(told("t1", 0, 1, NOBODY), told("t1", 0, 2, ANN))
    assert (len(found.passages), found.unknown_tracks) == (1, 0)


def test_the_file_says_who_when_and_how_often() -> None:
    answer = as_dict(outcome(told("t1", 0, 1, ANN), told("t2", 20, 21, ANN)), ("ann", "bob"))
    assert answer["named"] == [
        {
            "name": "ann",
            "times": 2,
            "first_s": 0.0,
            "last_s": 21.0,
            "similarity": pytest.approx(0.995, abs=0.001),
        }
    ]
    assert answer["not_named"] == ["bob"]
    assert [(p["name"], p["first_s"], p["last_s"]) for p in answer["passages"]] == [
        ("ann", 0.0, 1.0),
        ("ann", 20.0, 21.0),
    ]
