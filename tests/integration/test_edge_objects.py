"""People and vehicles on real video of the material, and what the installer sees of it."""

from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from edge.config import ModelsSection
from edge.findings import ObjectFinding
from edge.networks import load_networks
from gatehouse import app
from models.install import import_packs
from models.packs import PackStore
from tests.integration.test_edge_material import findings, play
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.errors import ExitCode, ModelError

pytestmark = pytest.mark.material

PACK = "yolo11n-int8-320"
PEOPLE = "intel_one-by-one-person-detection.mp4"  # six, who come from below and leave to the right
ONLY_OBJECTS = {"faces": False, "plates": False, "objects": True}
DOOR = {"id": "door", "start": [0.8, 1.0], "end": [0.8, 0.0]}
ROOM = {"id": "room", "polygon": [[0, 0.5], [0.75, 0.5], [0.75, 1], [0, 1]], "dwell_s": 5}


@pytest.fixture
def home(tmp_path: Path, material: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import_packs(PackStore(tmp_path / "home"), material / "models" / "object")
    monkeypatch.setenv("GATEHOUSE_HOME", str(tmp_path / "home"))
    return tmp_path


def test_each_of_six_people_enters_stays_and_crosses_once(
    home: Path, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = load_networks(ModelsSection(plates=False, objects=PACK))
    with findings(monkeypatch) as told:
        places = {"zones": [ROOM], "lines": [DOOR], "analysis_fps": 4}
        play(home, material / "video" / PEOPLE, networks, **ONLY_OBJECTS, **places)
    events = [finding.event for finding in told if isinstance(finding, ObjectFinding)]
    assert {event.object.label for event in events} == {"person"}
    crossed = [event for event in events if event.event == "crossed"]
    assert [(event.direction, event.count) for event in crossed] == [
        ("in", n + 1) for n in range(6)
    ]
    assert len({event.object.id for event in crossed}) == 6
    for kind in ("entered", "left"):
        assert sum(event.event == kind for event in events) == 6
    assert all(event.count <= 1 for event in events if event.place == "room")


def write_config(folder: Path, video: Path, pack: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(
        f"""
[edge]
site = "yard"
id = "box"
data_dir = "data"
[broker]
host = "127.0.0.1"
port = 1
[hub]
verify_key = "{VERIFY}"
sealing_key = "{SEAL}"
[models]
plates = false
objects = "{pack}"
[[cameras]]
id = "door"
source = "{video}"
faces = false
plates = false
objects = true
privacy = [[[0.5, 0], [1, 0], [1, 0.4], [0.5, 0.4]]]
[[cameras.zones]]
id = "room"
polygon = [[0, 0.5], [0.45, 0.5], [0.45, 1], [0, 1]]
""",
        encoding="utf-8",
    )
    return path


def test_edge_check_draws_what_is_watched(home: Path, material: Path) -> None:
    config = write_config(home, material / "video" / PEOPLE, PACK)
    arguments = ["edge", "check", "--config", str(config), "--draw", str(home / "drawn")]
    result = CliRunner().invoke(app, arguments)
    assert f"objects by {PACK}" in result.output.replace("\n", " ")
    drawn = cv2.imread(str(home / "drawn" / "door.jpg"))
    assert drawn.shape == (432, 768, 3)
    assert drawn[10:160, 400:760].mean() < 40  # hatched black
    green = drawn[300:400, :, 1].astype(int) - drawn[300:400, :, 2]
    assert green[:, 20:330].mean() > green[:, 400:700].mean() + 10
    assert (
        result.exit_code != 0
    )  # there is no broker at port 1: every other part was tried all the same


def test_a_pack_that_is_missing_names_the_command_that_mends_it(home: Path, material: Path) -> None:
    with pytest.raises(ModelError, match=r"gatehouse models export yolo11n\.pt") as caught:
        load_networks(ModelsSection(plates=False, objects="yolo11n"))
    assert caught.value.exit_code is ExitCode.MODEL
