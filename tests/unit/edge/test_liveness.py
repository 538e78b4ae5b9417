"""Liveness through a camera's lane: judged, brought together, told; and what a spoof is in the box."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.config import EdgeConfig
from edge.face_lane import FaceLane, Liveliness
from edge.findings import FaceFinding
from edge.lane import View
from edge.liveness import LivenessFusion
from tests.unit.edge.fakes import FakeFaceDetector, fake_pack, frame, picture, side_quality
from tests.unit.edge.test_config import SEAL, VERIFY
from tests.unit.edge.test_emit import FACE
from tests.unit.edge.test_face_matching import Box, emit, somebody
from wire.messages import Liveness, is_spoof
from wire.slices import Templates

SPOOF = Liveness(score=0.1, state="spoof", mode="enforce", crops=2, pack_sha256="1" * 64)


class Judge:
    """As live as it is told to find them."""

    pack, pack_sha256 = "stub", "1" * 64

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)
        self.judged = 0

    def score(self, image, boxes):
        self.judged += len(boxes)
        return np.full(len(boxes), self.scores[min(self.judged, len(self.scores)) - 1], np.float32)


def play(liveness: Liveliness | None, frames: int = 4) -> list[FaceFinding]:
    names = iter(range(100))
    lane = FaceLane(
        fake_pack(),
        side_quality,
        new_id=lambda: f"t{next(names)}",
        rate_hz=5.0,
        lost_after_s=1.0,
        liveness=liveness,
    )
    told = []
    for number in range(frames):
        seen = frame(picture(("ann", (60, 60, 120, 120))), 0.2 * number, sequence=number)
        faces = FakeFaceDetector().detect(seen.image)
        view = View(seen, faces.boxes)
        told += lane.process(faces.boxes, faces, seen.captured_at, view)
    told += lane.end_all()
    assert all(isinstance(finding, FaceFinding) for finding in told)
    return told


def test_without_a_judge_nothing_is_said() -> None:
    assert {finding.liveness for finding in play(None)} == {None}


@pytest.mark.parametrize(
    ("scores", "state"), [((0.9,), "live"), ((0.05,), "spoof"), ((0.9, 0.1, 0.6), "unsure")]
)
def test_the_crops_of_a_track_are_judged_together(scores, state: str) -> None:
    judge = Judge(*scores)
    told = play(Liveliness(judge, "observe"))
    verdict = told[-1].liveness
    assert verdict is not None
    assert (verdict.state, verdict.mode, verdict.pack_sha256) == (state, "observe", "1" * 64)
    assert verdict.crops == told[-1].crops <= judge.judged


def test_better_crops_weigh_more() -> None:
    fusion = LivenessFusion()
    assert fusion.verdict("observe", "1" * 64) is None
    fusion.add(0.0, 0.2)
    fusion.add(1.0, 0.8)
    verdict = fusion.verdict("enforce", "1" * 64)
    assert verdict is not None
    assert (verdict.score, verdict.crops, verdict.mode) == (0.8, 2, "enforce")


def test_only_an_enforced_spoof_is_nobody() -> None:
    assert is_spoof(SPOOF)
    assert not is_spoof(None)
    assert not is_spoof(SPOOF.model_copy(update={"mode": "observe"}))
    assert not is_spoof(SPOOF.model_copy(update={"state": "unsure"}))


@pytest.mark.parametrize(("mode", "reason"), [("enforce", "spoof"), ("observe", "match")])
def test_a_box_does_not_search_for_a_spoof(tmp_path: Path, mode: str, reason: str) -> None:
    box = Box(tmp_path / "gallery")
    (part,) = box.parts(1, Templates(("id-of-somebody",), somebody(1)[None]))
    box.command(part)
    face = replace(FACE, liveness=SPOOF.model_copy(update={"mode": mode}))
    told = emit(box, tmp_path, somebody(1), face)
    assert told.candidates is not None
    assert told.candidates.reason == reason
    assert (told.crop is None) is (reason == "spoof")
    assert told.liveness == face.liveness


def test_a_camera_that_wants_liveness_needs_a_pack_for_it() -> None:
    table = {
        "edge": {"site": "yard", "id": "box", "data_dir": "data"},
        "broker": {"host": "127.0.0.1"},
        "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
        "cameras": [{"id": "gate", "source": "0", "liveness": "enforce"}],
    }
    with pytest.raises(ValueError, match="camera 'gate' wants liveness"):
        EdgeConfig.model_validate(table)
    EdgeConfig.model_validate({**table, "models": {"liveness": "minifasnet"}})
