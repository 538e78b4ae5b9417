"""Clips through the real worker, with networks that know coloured rectangles."""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.named import answers_of, outcome_of
from evaluation.people import enrol_folder
from evaluation.play import play
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import T0, fake_networks, picture
from wire.errors import InputError, ModelError, SourceError


def walk(folder: Path) -> Path:
    """Ann for two seconds, nobody for twelve, then Bob and Ann."""
    images = [picture(("ann", (100 + n, 60, 200 + n, 160))) for n in range(50)]
    images += [picture()] * 300
    images += [
        picture(("bob", (50, 60 + n, 150, 160 + n)), ("ann", (400, 60, 500, 160)))
        for n in range(50)
    ]
    return write_clip(folder / "walk.mp4", images)


def people(folder: Path, *names: str) -> Path:
    (folder / "people").mkdir()
    for name in names:
        image = picture((name, (20, 20, 140, 140)), size=(160, 160))
        cv2.imwrite(str(folder / "people" / f"{name}.png"), image)
    return folder / "people"


def test_who_is_listed_is_named_once_a_passage_and_nobody_else(tmp_path: Path) -> None:
    clip, networks = walk(tmp_path), fake_networks()
    listed = enrol_folder(people(tmp_path, "ann", "eve"), networks.faces, None, 1)
    answers = []
    for _ in range(2):
        playback = play(clip, networks, {"motion_gate": False})
        found = outcome_of(answers_of(playback.faces, listed.gallery, T0), 10.0)
        answers.append(found)
    assert answers[0] == answers[1]  # over repeated runs
    assert [p.name for p in answers[0].passages] == ["ann", "ann"]
    first, second = answers[0].passages
    assert first.first_s == pytest.approx(0.0, abs=0.25)
    assert second.first_s == pytest.approx(14.0, abs=0.25)
    assert answers[0].unknown_tracks == 1  # Bob
    assert playback.frames == 80


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    play(walk(tmp_path), fake_networks(), {})
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_is_no_clip_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        play(broken, fake_networks(), {})


def test_pictures_without_a_face_are_named_and_nobody_at_all_is_an_error(tmp_path: Path) -> None:
    folder, pack = people(tmp_path, "ann"), fake_networks().faces
    cv2.imwrite(str(folder / "zoe.png"), np.full((160, 160, 3), 100, np.uint8))
    listed = enrol_folder(folder, pack, None, 1)
    assert (listed.names, listed.templates) == (("ann",), 1)
    assert [Path(path).name for path in listed.unused] == ["zoe.png"]
    (folder / "ann.png").unlink()
    with pytest.raises(InputError, match="no face was found in any"):
        enrol_folder(folder, pack, None, 1)


def test_a_calibration_of_another_pack_is_refused(tmp_path: Path) -> None:
    import models.faces.calibration as shipped

    file = Path(shipped.__file__).parent / "calibrations" / "dlib-resnet.json"
    with pytest.raises(ModelError, match="other networks"):
        enrol_folder(people(tmp_path, "ann"), fake_networks().faces, file, 1)
