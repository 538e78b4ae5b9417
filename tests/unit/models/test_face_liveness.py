"""What the networks are shown, what their scores mean, and the rates that follow."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from gatehouse import app
from models.arrays import Floats, Image
from models.faces.liveness import MiniFasNet, grown, load_liveness_pack
from models.faces.liveness_types import state_of
from models.faces.presentations import judge_pictures, live_pictures, presentations, report_of
from models.install import import_packs
from models.packs import PackStore
from tests.unit.models.face_stub import PACK
from wire.errors import InputError, ModelError


class Named:
    def __init__(self, name: str) -> None:
        self.name = name


class Network:
    """Says how bright the crop is: white is live."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def get_inputs(self) -> list[Named]:
        return [Named("input")]

    def run(self, names: object, feeds: dict[str, Floats]) -> list[Floats]:
        crops = feeds["input"]
        self.shapes.append(crops.shape)
        bright = crops.mean(axis=(1, 2, 3)) / 255.0
        logits = np.stack(
            [np.zeros_like(bright), 20 * (bright - 0.5), np.zeros_like(bright)], axis=1
        )
        return [logits.astype(np.float32)]


def judge(*scales: float) -> tuple[MiniFasNet, Network]:
    network = Network()
    return MiniFasNet("stub", "0" * 64, tuple((scale, network) for scale in scales)), network  # type: ignore[misc]


def test_no_face_is_not_judged() -> None:
    made, network = judge(2.7)
    assert made.score(np.zeros((10, 10, 3), np.uint8), np.zeros((0, 4), np.float32)).shape == (0,)
    assert network.shapes == []


def test_each_face_is_judged_with_its_surroundings_and_the_networks_are_averaged() -> None:
    image = np.zeros((100, 400, 3), np.uint8)
    image[:, 200:] = 255
    boxes = np.array([[40, 40, 60, 60], [300, 40, 320, 60]], np.float32)
    made, network = judge(2.7, 4.0)
    dark, light = made.score(image, boxes)
    assert network.shapes == [(2, 3, 80, 80)] * 2
    assert dark < 0.01
    assert light > 0.99


@pytest.mark.parametrize(
    ("box", "scale", "size", "expected"),
    [
        ((40, 40, 60, 60), 2.0, (200, 200), (30, 30, 70, 70)),
        ((0, 0, 20, 20), 2.0, (200, 200), (0, 0, 40, 40)),  # moved into the picture
        ((180, 180, 200, 200), 2.0, (200, 200), (159, 159, 199, 199)),
        ((0, 0, 100, 100), 4.0, (200, 150), (0, 0, 149, 149)),  # grown less
        ((-20, -20, 400, 400), 2.7, (100, 100), (0, 0, 99, 99)),
        ((50, 50, 50, 50), 4.0, (100, 100), (48, 48, 52, 52)),
    ],
)
def test_the_box_grows_within_the_picture(box, scale, size, expected) -> None:
    assert grown(np.array(box, np.float32), scale, *size) == expected


@pytest.mark.parametrize(
    ("score", "state"),
    [
        (0.0, "spoof"),
        (0.39, "spoof"),
        (0.4, "unsure"),
        (0.69, "unsure"),
        (0.7, "live"),
        (1.0, "live"),
    ],
)
def test_between_the_limits_nobody_should_rely_on_it(score: float, state: str) -> None:
    assert state_of(score) == state


class ByRed:
    pack, pack_sha256 = "red", "1" * 64

    def score(self, image: Image, boxes: Floats) -> Floats:
        return np.full(len(boxes), image[0, 0, 2] / 255.0, np.float32)


def write(path: Path, red: int, blue: int = 255) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), (blue, 0, red), np.uint8))


def test_rates_are_told_for_each_kind_of_attack_and_the_worst_counts(tmp_path: Path) -> None:
    for number, red in enumerate((255, 250, 20, 140)):
        write(tmp_path / "live" / f"{number}.png", red)
    write(tmp_path / "print" / "1.png", 10)
    write(tmp_path / "screen" / "1.png", 10)
    write(tmp_path / "screen" / "2.png", 255)
    write(tmp_path / "screen" / "black.png", 0, 0)
    made = ByRed()
    found = report_of(judge_pictures(presentations(tmp_path), PACK.detector, made), made)
    assert {kind: (rate.errors, rate.n) for kind, rate in found.apcer.items()} == {
        "print": (0, 1),
        "screen": (1, 2),
    }
    assert (found.bpcer.errors, found.bpcer.n, found.unsure, found.no_face) == (1, 4, 1, 1)
    assert found.worst is found.apcer["screen"]
    answer = found.as_dict()
    assert (answer["apcer_worst"], answer["bpcer"]) == (0.5, 0.25)
    assert answer["intervals_95"]["bpcer"][1] > 0.25


def test_without_attacks_nothing_is_said_of_them(tmp_path: Path) -> None:
    write(tmp_path / "live" / "1.png", 255)
    made = ByRed()
    found = report_of(judge_pictures(live_pictures(tmp_path), PACK.detector, made), made)
    assert (found.apcer, found.worst, found.as_dict()["apcer_worst"]) == ({}, None, None)
    assert report_of((), made).as_dict()["bpcer"] is None


def test_what_a_picture_is_comes_from_a_table_a_folder_or_a_name(tmp_path: Path) -> None:
    write(tmp_path / "a_T1.png", 255)
    write(tmp_path / "fake_F.png", 255)
    write(tmp_path / "other.png", 255)
    named = {path.name: kind for path, kind in presentations(tmp_path)}
    assert named == {"a_T1.png": "live", "fake_F.png": "attack"}
    (tmp_path / "labels.csv").write_text("file,kind\nother.png,mask\n")
    assert presentations(tmp_path) == ((tmp_path / "other.png", "mask"),)
    (tmp_path / "labels.csv").write_text("file,identity\nother.png,a\n")
    with pytest.raises(InputError, match="file and kind"):
        presentations(tmp_path)


def test_what_is_not_labelled_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        presentations(tmp_path / "none")
    with pytest.raises(InputError, match=r"labels\.csv"):
        presentations(tmp_path)
    with pytest.raises(InputError, match="no pictures"):
        live_pictures(tmp_path)


def test_a_pack_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="models"):
        load_liveness_pack(threads=1, home=tmp_path)


@pytest.mark.material
def test_the_real_networks_are_right_on_the_samples_of_their_makers(
    tmp_path: Path, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_packs(PackStore(tmp_path), material / "models", only="minifasnet")
    monkeypatch.setenv("GATEHOUSE_HOME", str(tmp_path))
    file = tmp_path / "liveness.json"
    samples = str(material / "faces" / "antispoof")
    result = CliRunner().invoke(
        app, ["eval", "liveness", samples, "--json", str(file)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert "0 of 3" in result.output
    assert '"bpcer": 0.0' in file.read_text()
