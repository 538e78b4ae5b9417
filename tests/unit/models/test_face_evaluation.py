from pathlib import Path

import cv2
import numpy as np
import pytest

from models.arrays import Floats, Image
from models.faces.evaluate import (
    Embedded,
    Rate,
    auc,
    comparisons,
    embed_folder,
    fnmr_at,
    labelled_faces,
    not_named,
    report,
)
from models.faces.types import FaceDetections, FacePack
from wire.errors import InputError


class Stub:
    """A detector and embedder that read the person off a picture's colour; black has no face."""

    pack = "stub"
    pack_sha256 = "0" * 64
    dimension = 3
    crop_size = 4

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        if not image.any():
            return FaceDetections.empty()
        box = np.array([[0, 0, 4, 4]], np.float32)
        return FaceDetections(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))

    def crop(self, image: Image, landmarks: Floats) -> Image:
        return image[:4, :4]

    def embed(self, crops: list[Image]) -> Floats:
        rows = np.array([crop[0, 0] for crop in crops], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


STUB = Stub()
PACK = FacePack("stub", STUB, STUB, 0.9, 0.05, "none", True)


def embedded(vectors: list[list[float]], names: list[str]) -> Embedded:
    rows = np.array(vectors, np.float32).reshape(-1, 2)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return Embedded(rows, tuple(names), (), 1.0, 2.0)


def test_no_pictures_are_no_report() -> None:
    with pytest.raises(InputError, match="two people or more"):
        report(PACK, embedded([], []))
    with pytest.raises(InputError, match="two people or more"):
        report(PACK, embedded([[1, 0], [0, 1]], ["a", "b"]))


def test_intervals_are_the_rule_of_three_and_wilsons() -> None:
    assert Rate(0, 0).upper == 1.0
    assert Rate(0, 300).upper == pytest.approx(0.01)
    assert Rate(10, 100).upper == pytest.approx(0.1744, abs=1e-4)
    assert Rate(0, 1).upper == 1.0


def test_scores_are_those_of_the_pairs() -> None:
    data = embedded([[1, 0], [1, 0.1], [0, 1]], ["a", "a", "b"])
    genuine, impostor = comparisons(data)
    assert (len(genuine), len(impostor)) == (1, 2)
    assert genuine[0] > 0.99
    assert auc(genuine, impostor) == 1.0
    assert auc(np.array([0.5]), np.array([0.5])) == 0.5
    assert fnmr_at(np.array([0.1, 0.9]), np.array([0.5, 0.2]), 1e-3) == 0.5


def test_a_name_needs_threshold_and_margin() -> None:
    close = embedded([[1, 0], [1, 0.02], [1, 0.03], [1, 0.04]], ["a", "a", "b", "b"])
    assert not_named(close, 0.9, 0.0).errors < 4
    assert not_named(close, 0.9, 0.05).errors == 4
    stranger = embedded([[1, 0], [1, 0.02], [1, 0.03]], ["a", "a", "lone"])
    assert not_named(stranger, 0.9, 0.0).errors >= 1  # the stranger is named


def write(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), colour, np.uint8))


def test_reads_folders_and_counts_what_has_no_face(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.png", (255, 0, 0))
    write(tmp_path / "a" / "2.png", (255, 10, 0))
    write(tmp_path / "b" / "1.png", (0, 255, 0))
    write(tmp_path / "b" / "2.png", (0, 0, 0))
    (tmp_path / "b" / "3.jpg").write_text("no picture")
    (tmp_path / "b" / "notes.txt").write_text("ignored")
    result = report(PACK, embed_folder(PACK, labelled_faces(tmp_path)))
    assert (result.people, result.pictures) == (2, 5)
    assert (result.failure_to_acquire.errors, result.fnmr.errors, result.fmr.errors) == (2, 0, 0)
    figures = result.as_dict()
    assert {"fnmr_at_fmr_1e-3", "auc", "failure_to_acquire", "ms_per_face"} <= set(figures)
    assert figures["fmr"]["n"] == 2


def test_reads_a_table(tmp_path: Path) -> None:
    write(tmp_path / "x.png", (255, 0, 0))
    (tmp_path / "labels.csv").write_text("file,identity\nx.png,a\n")
    assert labelled_faces(tmp_path) == ((tmp_path / "x.png", "a"),)
    (tmp_path / "labels.csv").write_text("path,who\nx.png,a\n")
    with pytest.raises(InputError, match="file and identity"):
        labelled_faces(tmp_path)


@pytest.mark.parametrize("name", ["none", "."])
def test_what_is_not_labelled_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no such folder|no sub-folders"):  # noqa: RUF043
        labelled_faces(tmp_path / name)
