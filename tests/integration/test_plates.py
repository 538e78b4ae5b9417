"""The shipped plate networks on real pictures that training never saw, and on broken ones."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.plates import weights
from models.plates.evaluate import Outcome, read_folder, score
from models.plates.recogniser import PlateRecogniser
from models.training.real import is_train
from wire.errors import ModelError

# A little under what docs/plates.md reports: a worse network must not slip in unseen.
FLOOR_CROPS, FLOOR_TINY, FLOOR_PHOTOGRAPHS = 0.95, 0.95, 0.90


@pytest.fixture(scope="module")
def recogniser() -> PlateRecogniser:
    return PlateRecogniser.load(threads=1)


def some(folder: Path, to: Path, every: int) -> Path:
    """A link to every n-th picture of ``folder`` that training never saw."""
    to.mkdir()
    left_out = [p for p in sorted(folder.iterdir()) if not is_train(folder.name, p.name)]
    for path in left_out[::every]:
        (to / path.name).symlink_to(path)
    return to


def right(outcomes: list[Outcome]) -> float:
    return score(outcomes, 0.9).exact / len(outcomes)


def test_crops_of_a_source_never_trained_on(
    recogniser: PlateRecogniser, material: Path, tmp_path: Path
) -> None:
    folder = some(material / "plates" / "crops_chenweijiang", tmp_path / "crops", 5)
    assert right(read_folder(recogniser, folder, crops=True)) >= FLOOR_CROPS


def test_tiny_unrectified_crops_left_out(
    recogniser: PlateRecogniser, material: Path, tmp_path: Path
) -> None:
    folder = some(material / "plates" / "crops_lprnet_test", tmp_path / "crops", 2)
    assert right(read_folder(recogniser, folder, crops=True)) >= FLOOR_TINY


def test_photographs_end_to_end(
    recogniser: PlateRecogniser, material: Path, tmp_path: Path
) -> None:
    folder = some(material / "plates" / "cars_easypr", tmp_path / "cars", 2)
    assert right(read_folder(recogniser, folder, crops=False)) >= FLOOR_PHOTOGRAPHS


def test_nothing_is_read_where_there_is_no_plate(
    recogniser: PlateRecogniser, material: Path
) -> None:
    threshold = recogniser.calibration.threshold
    paths = sorted((material / "faces" / "lfw10").rglob("*.jpg"))
    sure = []
    for path in paths:
        frame = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        (found,) = recogniser.detect([frame])
        sure += [r.text for r in recogniser.read(frame, found) if r.confidence >= threshold]
    assert len(paths) >= 50
    assert sure == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 3), (31, 33), (40, 2000)])
def test_pictures_of_any_size_are_read_or_not_but_never_raise(
    recogniser: PlateRecogniser, size: tuple[int, int]
) -> None:
    for fill in (0, 127, 255):
        picture = np.full((*size, 3), fill, np.uint8)
        (found,) = recogniser.detect([picture])
        recogniser.read(picture, found)
        (reading,) = recogniser.read_crops([picture])
        assert reading.confidence < recogniser.calibration.threshold


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 300))
@settings(max_examples=15, deadline=None)
def test_noise_is_no_plate(seed: int, height: int, width: int) -> None:
    recogniser = PlateRecogniser.load(threads=1)
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    (found,) = recogniser.detect([noise])
    readings = recogniser.read(noise, found) + recogniser.read_crops([noise])
    assert all(r.confidence < recogniser.calibration.threshold for r in readings)


def test_no_crops_no_readings(recogniser: PlateRecogniser) -> None:
    assert recogniser.read_crops([]) == []
    assert recogniser.detect([]) == []


def test_readings_carry_what_fusion_needs(recogniser: PlateRecogniser) -> None:
    (reading,) = recogniser.read_crops([np.full((40, 120, 3), 90, np.uint8)])
    assert reading.distribution.shape[0] == 8
    assert reading.distribution.sum(1) == pytest.approx(np.ones(8), abs=1e-3)
    assert reading.colour_distribution.sum() == pytest.approx(1, abs=1e-3)
    assert len(reading.char_confidences) == len(reading.text)


@pytest.mark.parametrize("harm", ["missing", "altered", "no manifest", "manifest is no JSON"])
def test_a_harmed_installation_says_what_to_do(
    harm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(weights.FOLDER, folder)
    name = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]["reader_int8"]["name"]
    if harm == "missing":
        (folder / name).unlink()
    elif harm == "altered":
        (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"x")
    elif harm == "no manifest":
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_text("{", "utf-8")
    monkeypatch.setattr(weights, "FOLDER", folder)
    with pytest.raises(ModelError, match="reinstall gatehouse"):
        PlateRecogniser.load(threads=1)
