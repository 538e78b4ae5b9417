from pathlib import Path

import cv2
import numpy as np
import pytest

from models.faces.labelled import embed_folder, labelled_faces, largest
from models.faces.types import FaceDetections
from tests.unit.models.face_stub import PACK
from wire.errors import InputError


def write(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), colour, np.uint8))


def test_no_pictures_are_no_embeddings() -> None:
    nobody = embed_folder(PACK, [])
    assert nobody.embeddings.shape == (0, 3)
    assert (nobody.identities, nobody.failed, nobody.detect_ms) == ((), (), 0.0)


def test_reads_folders_and_counts_what_has_no_face(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.png", (255, 0, 0))
    write(tmp_path / "b" / "1.png", (0, 255, 0))
    write(tmp_path / "b" / "2.png", (0, 0, 0))
    (tmp_path / "b" / "3.jpg").write_text("no picture")
    (tmp_path / "b" / "notes.txt").write_text("ignored")
    data = embed_folder(PACK, labelled_faces(tmp_path))
    assert data.identities == ("a", "b")
    assert [Path(path).name for path in data.failed] == ["2.png", "3.jpg"]
    assert np.allclose(data.embeddings, [[1, 0, 0], [0, 1, 0]], atol=0.01)


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


def test_the_largest_face_counts() -> None:
    boxes = np.array([[0, 0, 4, 4], [10, 0, 20, 30]], np.float32)
    found = FaceDetections(boxes, np.ones(2, np.float32), np.zeros((2, 5, 2), np.float32))
    assert largest(found) == 1


def test_pictures_without_sub_folders_are_named_after_their_person(tmp_path: Path) -> None:
    for name in ("Ross.png", "Ross_2.png", "Ariel_Sharon_0001.jpg", "img2.png", "notes.txt"):
        write(tmp_path / name, (255, 0, 0)) if name != "notes.txt" else None
    names = {path.name: name for path, name in labelled_faces(tmp_path)}
    assert names == {
        "Ross.png": "Ross",
        "Ross_2.png": "Ross",
        "Ariel_Sharon_0001.jpg": "Ariel_Sharon",
        "img2.png": "img2",
    }
