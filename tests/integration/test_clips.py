"""A clip on its whole way: camera, edge, broker, hub, a rule that matches, and a browser that plays it."""

import hashlib
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from demo.clip import write_gate_clip
from demo.site import CameraPlan
from hub.evidence_cli import evidence_app
from tests.chromium import chromium, play
from tests.e2e.sites import Site, wait_until
from tests.integration.test_rtsp import RtspServer, has_gst
from tests.servers import mosquitto_path
from wire.errors import InputError
from wire.evidence import Exhibit
from wire.keys import load_or_create_signing_key, public_text

PLATE = "京A12345"

pytestmark = [
    pytest.mark.skipif(
        mosquitto_path() is None, reason="no mosquitto: run scripts/test_servers.sh"
    ),
    pytest.mark.skipif(not has_gst(), reason="no RTSP server: run scripts/test_servers.sh"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def pulled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A car with a listed plate drives up before an RTSP camera; its clip, as the hub has it."""
    folder = tmp_path_factory.mktemp("clips")
    video = folder / "gate.mp4"
    write_gate_clip(video, PLATE)
    server = RtspServer(video).start()
    camera = CameraPlan("gate-in", server.url, faces=False)
    try:
        with Site(folder / "site", [camera], face_pack="") as site:
            site.list_plate(PLATE)
            site.start("edge", "gatehouse", "edge", "run", "-v", "-c", str(site.plan.edge_file))
            alert = wait_until(lambda: next(iter(site.all("/alerts")), None), 120, "no alert")
            wait_until(lambda: _clip_of(site, alert["id"])["state"] != "pending", 60, "no clip")
            item, path = _clip_of(site, alert["id"]), "/evidence/{}/{}"
            name = alert["observation_id"]
            yield {
                "site": site,
                "alert": alert,
                "item": item,
                "clip": site.api("GET", path.format(name, "clip")),
                "scene": site.api("GET", path.format(name, "scene")),
            }
    finally:
        server.kill()


def _clip_of(site: Site, alert_id: str) -> dict[str, Any]:
    evidence = site.api("GET", f"/alerts/{alert_id}")["evidence"]
    return next(item for item in evidence if item["name"] == "clip")


def test_it_starts_at_a_key_picture_before_the_event(pulled: dict[str, Any]) -> None:
    assert pulled["item"]["state"] == "stored"
    assert hashlib.sha256(pulled["clip"]).hexdigest() == pulled["item"]["sha256"]
    with av.open(io.BytesIO(pulled["clip"])) as clip:
        packets = [packet for packet in clip.demux(video=0) if packet.size]
        assert packets[0].is_keyframe
    with av.open(io.BytesIO(pulled["clip"])) as clip:
        frames = [(frame.time, frame.to_ndarray(format="bgr24")) for frame in clip.decode(video=0)]
    scene = cv2.imdecode(np.frombuffer(pulled["scene"], np.uint8), cv2.IMREAD_COLOR)
    assert frames[0][1].shape == scene.shape
    unlike = [float(np.abs(image.astype(int) - scene).mean()) for _, image in frames]
    place = int(np.argmin(unlike))
    assert unlike[place] < 3.0  # the very frame of the observation is in it, but for the drawn box
    assert frames[place][0] > 1.0
    assert frames[-1][0] > frames[place][0] + 1.0


def test_its_signature_is_that_of_the_edge(pulled: dict[str, Any]) -> None:
    site: Site = pulled["site"]
    key = load_or_create_signing_key(site.folder / "edge" / "signing.key").public_key()
    with sqlite3.connect(site.folder / "hub" / "hub.sqlite") as database:
        facts = "observation_id, sha256, signature, starts_at, ends_at"
        query = f"SELECT {facts} FROM evidence WHERE name = 'clip'"
        name, sha256, signature, starts_at, ends_at = database.execute(query).fetchone()
    assert Exhibit("rosegarden", "box-1", name, "clip", sha256).is_signed(signature, key)
    assert not Exhibit("rosegarden", "box-1", name, "clip", "0" * 64).is_signed(signature, key)
    captured_us = datetime.fromisoformat(pulled["alert"]["captured_at"]).timestamp() * 1e6
    assert starts_at < captured_us - 1e6
    assert ends_at > captured_us + 1e6


def test_it_verifies_in_an_exported_case_and_no_longer_after_one_flipped_byte(
    pulled: dict[str, Any], tmp_path: Path
) -> None:
    site: Site = pulled["site"]
    why = {"purpose": "police case 2026-118"}
    case, folder = tmp_path / "case.zip", tmp_path / "case"
    case.write_bytes(site.api("GET", f"/alerts/{pulled['alert']['id']}/export", params=why))
    with zipfile.ZipFile(case) as archive:
        archive.extractall(folder)
    (clip,) = folder.rglob("clip.mp4")
    assert clip.read_bytes() == pulled["clip"]
    hub = load_or_create_signing_key(site.folder / "hub" / "signing.key").public_key()
    arguments = ["verify", str(folder), "--hub-key", public_text(hub)]
    sound = CliRunner().invoke(evidence_app, arguments)
    assert sound.exit_code == 0, sound.output
    assert "clip.mp4" in sound.output.replace("\n", "")
    data = bytearray(pulled["clip"])
    data[len(data) // 2] ^= 0x01
    clip.write_bytes(bytes(data))
    damaged = CliRunner().invoke(evidence_app, arguments)
    assert isinstance(damaged.exception, InputError)
    assert damaged.exception.exit_code == 9
    assert "clip.mp4" in str(damaged.exception)


@pytest.mark.skipif(chromium() is None, reason="no Chromium: run scripts/test_servers.sh")
def test_it_plays_in_chromium(pulled: dict[str, Any], tmp_path: Path) -> None:
    told = play(pulled["clip"], tmp_path)
    assert "error" not in told, told
    assert (told["width"], told["height"]) == (1280, 720)
    assert told["duration_s"] > 5.0
    assert told["ended_s"] == pytest.approx(told["duration_s"], abs=0.1)
    assert told["pictures"] > 20
