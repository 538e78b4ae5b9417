"""A camera that takes up a face it lost never takes up somebody else's, however small they are to be seen."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.arrays import Image
from models.faces.load import load_face_pack
from models.faces.types import FacePack
from models.install import import_packs
from models.packs import PackStore
from tests.integration.labelled_faces import labelled

pytestmark = pytest.mark.material
LONGEST_PX = 900
TO_SPARE = 0.2
FACE_PX = (60, 45, 35)  # a camera recognises 40 and more


@pytest.mark.parametrize("name", ["dlib-resnet", "buffalo_sc-int8", "open-mbf"])
def test_no_two_people_are_as_alike_as_one_must_be_to_be_taken_up(
    name: str, material: Path, tmp_path: Path
) -> None:
    import_packs(PackStore(tmp_path), material / "models")
    pack = load_face_pack(name, threads=1, home=tmp_path)
    people, rows = [], []
    for path, who in labelled(material / "faces"):
        for row in embeddings(pack, path):
            people.append(who)
            rows.append(row)
    assert len(rows) > 300
    alike = np.stack(rows) @ np.stack(rows).T
    others = np.array(people)[:, None] != np.array(people)[None]
    most = float(alike[others].max())
    assert pack.threshold - pack.margin < most < pack.threshold + (1 - TO_SPARE) * pack.margin


def embeddings(pack: FacePack, path: Path) -> list[NDArray[np.float32]]:
    """The largest face of a picture as it is, and from afar: of `FACE_PX`, enlarged again."""
    picture = cv2.imread(str(path))
    assert picture is not None
    scale = min(1.0, LONGEST_PX / max(picture.shape[:2]))
    picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = pack.detector.detect(picture)
    if not len(found):
        return []
    face_px = float((found.boxes[0, 2:] - found.boxes[0, :2]).max())
    afar = [from_afar(picture, px / face_px) for px in FACE_PX if px < face_px]
    seen = [(picture, found), *((image, pack.detector.detect(image)) for image in afar)]
    crops = [pack.embedder.crop(image, faces.landmarks[0]) for image, faces in seen if len(faces)]
    return list(pack.embedder.embed(crops))


def from_afar(picture: Image, scale: float) -> Image:
    """`picture` as a camera far away sends it, enlarged to its size."""
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    sent = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(cv2.imdecode(sent, cv2.IMREAD_COLOR), size), np.uint8)
