from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.arrays import ShapeError
from models.objects import ObjectDetections, ObjectDetector, decode, letterbox
from models.sessions import open_session
from wire.errors import ModelError

NAMES = "{0: 'person', 1: 'car'}"


def fixed_network(
    path: Path,
    output: np.ndarray,
    *,
    names: str = NAMES,
    task: str = "detect",
    side: int | None = 64,
) -> Path:
    """A network that says `output` whatever it sees."""
    shape = [1, 3, side or "height", side or "width"]
    nodes = [
        helper.make_node("Constant", [], ["rows"], value=numpy_helper.from_array(output)),
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fixed",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, output.shape)],
        [numpy_helper.from_array(np.array(0, np.float32), "zero")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    helper.set_model_props(model, {"task": task, "names": names})
    onnx.save(model, path)
    return path


def head(*rows: tuple[float, ...], anchors: int = 8) -> np.ndarray:
    """A ``(1, 6, anchors)`` head of centre, size and two class scores."""
    output = np.zeros((1, 6, anchors), np.float32)
    for index, row in enumerate(rows):
        output[0, :, index] = row
    return output


def detector(path: Path) -> ObjectDetector:
    return ObjectDetector(open_session(path, threads=1), path.name)


def test_nothing_has_the_shapes_of_nothing() -> None:
    none = ObjectDetections.empty()
    assert (len(none), none.boxes.shape, none.label_ids.shape, none.names) == (0, (0, 4), (0,), ())
    for output in (head(), np.zeros((1, 300, 6), np.float32)):
        boxes, score, ids = decode(output, 0.25)
        assert (boxes.shape, score.shape, ids.shape) == ((0, 4), (0,), (0,))


def test_decodes_centres_and_suppresses_within_a_class_only() -> None:
    output = head(
        (30, 30, 20, 20, 0.6, 0.0),
        (31, 30, 20, 20, 0.9, 0.0),  # the same person, better
        (30, 30, 20, 20, 0.0, 0.7),  # a car in the same place
        (50, 50, 4, 4, 0.2, 0.1),
    )
    boxes, score, ids = decode(output, 0.25)
    assert score.tolist() == pytest.approx([0.9, 0.7])
    assert ids.tolist() == [0, 1]
    assert boxes[0].tolist() == [21, 20, 41, 40]


def test_decodes_the_end_to_end_head_without_suppression() -> None:
    output = np.zeros((1, 300, 6), np.float32)
    output[0, :3] = [[1, 2, 3, 4, 0.5, 1], [5, 6, 7, 8, 0.9, 0], [5, 6, 7, 8, 0.1, 0]]
    boxes, score, ids = decode(output, 0.25)
    assert boxes.tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert score.tolist() == pytest.approx([0.9, 0.5])
    assert ids.tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(1, 4, 8400), (2, 84, 8400), (84, 8400)])
def test_an_unknown_head_is_told(shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match="is not known: export it with ultralytics"):
        decode(np.zeros(shape, np.float32), 0.25)


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128), (33, 97), (1, 1), (64, 64)])
def test_letterbox_keeps_the_shape_of_things(width: int, height: int) -> None:
    image = np.full((height, width, 3), (255, 0, 0), np.uint8)
    blob, scale, offset = letterbox(image, 64, pad_to_square=True)
    assert blob.shape == (1, 3, 64, 64)
    x, y = (offset + np.array([width, height]) * scale / 2).astype(int)
    assert blob[0, :, y, x].tolist() == [0, 0, 1]  # RGB
    assert blob.max() <= 1
    if width != height:
        assert blob[0, :, 0, 0].tolist() == pytest.approx([114 / 255] * 3)


def test_letterbox_of_a_dynamic_network_pads_to_multiples_of_32() -> None:
    blob, scale, _ = letterbox(np.zeros((1080, 1920, 3), np.uint8), 640, pad_to_square=False)
    assert blob.shape == (1, 3, 384, 640)
    assert scale == pytest.approx(1 / 3)


@pytest.mark.parametrize("side", [64, None])
def test_boxes_come_back_in_pixels_of_the_picture(tmp_path: Path, side: int | None) -> None:
    size = side or 640
    quarter = size / 4  # the network says: a box a quarter of its input wide, in the middle
    path = fixed_network(
        tmp_path / "a.onnx", head((size / 2, size / 2, quarter, quarter, 0, 0.8)), side=side
    )
    found = detector(path).detect(np.zeros((size * 2, size * 2, 3), np.uint8))
    assert found.names == ("car",)
    assert found.boxes[0].tolist() == [size * 0.75, size * 0.75, size * 1.25, size * 1.25]


def test_boxes_stay_inside_the_picture(tmp_path: Path) -> None:
    path = fixed_network(tmp_path / "a.onnx", head((0, 0, 100, 100, 0.9, 0)))
    found = detector(path).detect(np.zeros((32, 64, 3), np.uint8))
    assert found.boxes[0].tolist() == [0, 0, 50, 32]


def test_only_the_classes_and_scores_that_matter(tmp_path: Path) -> None:
    path = fixed_network(
        tmp_path / "a.onnx",
        head((9, 9, 4, 4, 0.9, 0), (30, 30, 4, 4, 0, 0.5), (50, 50, 4, 4, 0, 0.1)),
    )
    image = np.zeros((64, 64, 3), np.uint8)
    assert detector(path).detect(image, only={"car"}).names == ("car",)
    assert detector(path).detect(image, only=set()).names == ()
    assert detector(path).detect(image, min_score=0.6).names == ("person",)
    assert len(detector(path).detect(image, min_score=0.05)) == 3


@pytest.mark.parametrize("task", ["segment", "classify", ""])
def test_what_is_no_detector_is_refused(tmp_path: Path, task: str) -> None:
    path = fixed_network(tmp_path / "a.onnx", head(), task=task)
    with pytest.raises(ModelError, match="is no detector"):
        detector(path)


@pytest.mark.parametrize("names", ["", "{0: ", "__import__('os').abort()", "[1]", "{'a': 'b'}"])
def test_unreadable_class_names_are_told_and_never_run(tmp_path: Path, names: str) -> None:
    with pytest.raises(ModelError, match="does not name its classes"):
        detector(fixed_network(tmp_path / "a.onnx", head(), names=names))


def test_a_detector_of_traits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'woman': no network that infers"):
        detector(fixed_network(tmp_path / "a.onnx", head(), names="{0: 'car', 1: 'woman'}"))


def test_an_image_is_checked(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="image"):
        detector(fixed_network(tmp_path / "a.onnx", head())).detect(np.zeros((9, 9), np.uint8))


@pytest.mark.material
@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        ("bus", {"person": 3, "bus": 1}),
        ("zidane", {"person": 2}),
        ("dog", {"dog": 1, "bicycle": 1}),
        ("coco000004", {"car": 6}),
    ],
)
@pytest.mark.parametrize("network", ["yolov8n_int8_640", "yolo11n_int8_320"])
def test_finds_what_stills_show(
    material: Path, network: str, picture: str, wanted: dict[str, Any]
) -> None:
    path = material / "models" / "object" / f"{network}.onnx"
    if not path.is_file():
        pytest.skip("not in this material")
    yolo = ObjectDetector(open_session(path, threads=2), network)
    found = yolo.detect(cv2.imread(str(material / "objects" / f"{picture}.jpg")))
    for name, count in wanted.items():
        assert found.names.count(name) >= count, found.names
