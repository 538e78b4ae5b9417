"""Real video through the real parts: the command centre gets the right alerts, once each, and no others."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.processes import command
from demo.site import CameraPlan
from models.faces import load_face_pack
from models.plates.recogniser import PlateRecogniser
from tests.e2e.sites import Site, wait_until

FACE_PACK = "buffalo_sc-int8"
LISTED_PLATES = ("京M76967", "京J27373")
STRANGER_PLATE = "京A00001"


@pytest.fixture
def home(tmp_path, material, monkeypatch) -> Path:
    """A home of networks of this test's own, with the face pack of the material."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GATEHOUSE_HOME", str(folder))
    command(["models", "import", str(material / "models" / "face")])
    return folder


def _run(site: Site) -> None:
    """Play the cameras to their end; the edge leaves when the hub has taken everything."""
    site.start("edge", "gatehouse", "edge", "run", "-v", "-c", str(site.plan.edge_file))
    code = site.processes["edge"].wait(timeout=150)
    assert code == 0, site.log("edge")


def _settled(site: Site, alerts: int) -> list[dict]:
    """The alerts, once the command centre has as many and every picture has come."""
    wait_until(lambda: len(site.centre.deliveries) >= alerts, 20, f"fewer than {alerts} alerts")
    wait_until(
        lambda: all(
            picture["state"] == "stored"
            for alert in site.all("/alerts")
            for picture in alert["evidence"]
        ),
        20,
        "pictures are missing",
    )
    return site.all("/alerts")


def _picture(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def _evidence(site: Site, alert: dict, name: str) -> np.ndarray:
    item = next(item for item in alert["evidence"] if item["name"] == name)
    path = item["path"].removeprefix("/api/v1")
    return _picture(site.api("GET", path, params={"purpose": "test"}))


@pytest.mark.slow
@pytest.mark.material
@pytest.mark.timeout(300)
def test_the_listed_cars_of_a_road_and_no_others(tmp_path, material):
    video = material / "video" / "hamletlx_test.mp4"
    camera = CameraPlan("road", str(video), analysis_fps=10.0, pace="asap", faces=False)
    with Site(tmp_path / "site", [camera], face_pack="") as site:
        for plate in (*LISTED_PLATES, STRANGER_PLATE):
            site.list_plate(plate)
        _run(site)
        alerts = _settled(site, len(LISTED_PLATES))
        assert sorted(a["match"]["listed"] for a in alerts) == sorted(LISTED_PLATES)
        delivered = [d.alert["alert_id"] for d in site.centre.deliveries]
        assert sorted(delivered) == sorted(a["id"] for a in alerts)
        reader = PlateRecogniser.load(threads=1)
        for alert in alerts:
            scene = _evidence(site, alert, "scene")
            assert scene.shape[:2] == (360, 640)
            read = [r.text for r in reader.read(scene, reader.detect([scene])[0])]
            assert alert["match"]["listed"] in read
        # What is on no list is an observation, and no picture of it was kept.
        seen = {o["data"]["plate"]["text"] for o in site.all("/observations", kind="plate")}
        assert len(seen) >= 8
        kept = list((site.folder / "hub" / "evidence").rglob("*.sealed"))
        assert len(kept) <= 3 * len(LISTED_PLATES)  # crop, scene, clip


@pytest.mark.slow
@pytest.mark.material
@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["Chandler", "Monica"])
def test_the_enrolled_person_of_a_film_and_no_other(tmp_path, material, home, who):
    video = material / "video" / "yakhyo_in_video.mp4"
    references = {
        path.stem.split("_")[0].capitalize(): path.read_bytes()
        for path in sorted((material / "faces" / "friends_refs").glob("*.*"))
    }
    camera = CameraPlan("lobby", str(video), analysis_fps=8.0, pace="asap", plates=False)
    with Site(tmp_path / "site", [camera], face_pack=FACE_PACK) as site:
        subject = site.list_person(who, [references[who]])
        _run(site)
        alerts = _settled(site, 1)
        assert {a["match"]["subject_id"] for a in alerts} == {subject}
        assert len(site.centre.deliveries) == len(alerts)
        pack = load_face_pack(FACE_PACK, threads=1)
        gallery = {name: _embed(pack, _picture(photo)) for name, photo in references.items()}
        for delivery in site.centre.deliveries:
            crop = _picture(base64.b64decode(delivery.alert["crop"]["data"]))
            probe = _embed(pack, crop)
            likeness = {name: float(known @ probe) for name, known in gallery.items()}
            assert max(likeness, key=likeness.__getitem__) == who
        for alert in alerts:
            scene = _evidence(site, alert, "scene")
            assert scene.shape[:2] == (720, 1280)


@pytest.mark.slow
@pytest.mark.material
@pytest.mark.timeout(300)
def test_nothing_for_people_who_are_on_no_list(tmp_path, material, home):
    """Somebody else is enrolled; six people walk by; nothing is raised and nothing of them remains."""
    stranger = next((material / "faces" / "lfw10" / "Colin_Powell").glob("*.jpg")).read_bytes()
    video = material / "video" / "yakhyo_in_video.mp4"
    camera = CameraPlan("lobby", str(video), analysis_fps=5.0, pace="asap", plates=False)
    with Site(tmp_path / "site", [camera], face_pack=FACE_PACK) as site:
        site.list_person("somebody else", [stranger])
        _run(site)
        assert len(site.all("/observations", kind="face")) >= 6
        assert site.all("/alerts") == []
        assert site.centre.deliveries == []
        assert not list((site.folder / "hub" / "evidence").rglob("*.*"))
        for path in site.folder.rglob("*"):
            if path.is_file() and path.suffix not in {".log", ".toml"}:
                assert b"\xff\xd8\xff" not in path.read_bytes(), f"a JPEG is in {path}"


def _embed(pack, picture: np.ndarray) -> np.ndarray:
    found = pack.detector.detect(picture)
    assert len(found) >= 1
    crop = pack.embedder.crop(picture, found.landmarks[0])
    return pack.embedder.embed([crop])[0]
