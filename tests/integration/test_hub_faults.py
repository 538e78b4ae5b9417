"""The hub as a process when things go wrong: killed, without broker, misconfigured. And its command line."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from demo.centre import CommandCentre
from models.faces import load_face_pack
from tests.integration.test_hub_end_to_end import (
    EdgeClient,
    HubProcess,
    eventually,
    list_plate,
)
from tests.integration.test_hub_end_to_end import hub as hub  # the fixture
from tests.servers import Mosquitto, free_port
from tests.unit.hub.kit import PLATE, FakeEdge, write_config
from wire.keys import sealing_key

Parts = tuple[HubProcess, FakeEdge, CommandCentre]


def gatehouse(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatehouse", *arguments],
        capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
    )  # fmt: skip


def fails(code: int, words: str, *arguments: str, **environment: str) -> None:
    done = gatehouse(*arguments, **environment)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_killed_at_any_moment_it_loses_and_doubles_nothing(
    hub: Parts, mosquitto: Mosquitto
) -> None:
    process, edge, centre = hub
    client = EdgeClient(edge, mosquitto.port)
    list_plate(process)
    client.send(edge.status())
    now = datetime.now(UTC)
    waiting = [edge.plate(PLATE if n % 10 == 0 else f"京C{n:05d}", now) for n in range(200)]
    for message in waiting[:120]:
        client.send(message)
    eventually(lambda: client.committed() > 0)
    process.stop(signal.SIGKILL)
    will = eventually(lambda: [s for s in client.statuses if not s.online])[0]
    for message in waiting[120:]:
        client.send(message)  # nobody hears these
    process.start()
    birth = eventually(
        lambda: [s for s in client.statuses if s.online and s.session_id != will.session_id]
    )
    assert birth  # which asks for all that is not acknowledged:
    for message in waiting[client.committed() :]:
        client.send(message)
    eventually(lambda: client.committed() == 200)
    eventually(lambda: centre.deliveries)
    (alert,) = process.get("/alerts")["items"]
    assert alert["observations"] == 20
    assert len({d.webhook_id for d in centre.deliveries}) == len(centre.deliveries) == 1
    seen = [i["id"] for i in process.get("/observations", limit=500)["items"]]
    assert len(seen) == len(set(seen)) == 200
    client.stop()


def test_a_sink_that_is_away_gets_its_alerts_when_it_is_back(
    hub: Parts, mosquitto: Mosquitto
) -> None:
    process, edge, centre = hub
    client = EdgeClient(edge, mosquitto.port)
    list_plate(process)
    port = int(re.search(r"http://127.0.0.1:(\d+)/hook", process.config.read_text())[1])
    centre.stop()
    client.send(edge.plate(PLATE, datetime.now(UTC)))
    eventually(lambda: [s["waiting"] for s in process.get("/health")["sinks"]] == [0, 1])
    process.stop()
    process.start()
    centre.start(port)
    delivery = eventually(lambda: centre.deliveries)[0]
    assert delivery.alert["match"]["listed"] == PLATE
    client.stop()


def test_without_a_broker_it_stays_up_and_says_so(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "mosquitto")
    edge = FakeEdge()
    port = free_port()
    config, _ = write_config(tmp_path, edge, broker_port=broker.port, api_port=port)
    process = HubProcess(config, port).start()
    try:
        health = eventually(lambda: process.get("/health"))
        eventually(lambda: process.get("/health")["broker"]["problem"])
        health = process.get("/health")
        assert health["status"] == "degraded"
        assert f"no broker answers at 127.0.0.1:{broker.port}" in health["broker"]["problem"]
        broker.start()
        eventually(lambda: process.get("/health")["status"] == "ok")
        client = EdgeClient(edge, broker.port)
        first = eventually(lambda: client.statuses)[0]
        assert first.online
        broker.kill()
        eventually(lambda: process.get("/health")["status"] == "degraded")
        broker.start()
        eventually(lambda: process.get("/health")["status"] == "ok")
        sessions = eventually(
            lambda: {s.session_id for s in client.statuses if s.online} - {first.session_id}
        )
        assert sessions  # a new one, which asks the edges for all that may have been lost
        client.stop()
    finally:
        process.stop()
        broker.stop()
    assert "Traceback" not in process.log.read_text()


@pytest.mark.timeout(480)  # twelve processes, one after another
def test_every_mistake_is_one_message_and_its_exit_code(tmp_path: Path) -> None:
    edge = FakeEdge()
    config, _ = write_config(tmp_path, edge, broker_port=free_port())
    file = str(config)
    fails(3, "there is no file", "hub", "serve", "-c", str(tmp_path / "none.toml"))
    fails(6, "no broker answers", "hub", "check", "-c", file)
    text = config.read_text()

    def with_more(more: str) -> None:
        config.write_text(text + more)

    with_more("[weather]\n")
    fails(3, "weather: there is no such key", "hub", "serve", "-c", file)
    config.write_text(text.replace('face_pack = ""', 'face_pack = "none-such"'))
    fails(4, "none-such", "hub", "serve", "-c", file)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(text.replace("[api]\nport = 0", f"[api]\nport = {port}"))
        fails(8, f"cannot listen on 127.0.0.1:{port}", "hub", "serve", "-c", file)
    with_more("")
    rule = tmp_path / "rules" / "bad.toml"
    rule.write_text('id = "bad"\nkind = "plate_watchlist"\n')
    fails(3, "title: Field required", "hub", "check", "-c", file)
    rule.unlink()
    with sqlite3.connect(tmp_path / "data" / "hub.sqlite") as db:
        db.execute("UPDATE alembic_version SET version_num = '0099'")
    db.close()
    fails(7, "newer version of Gatehouse", "hub", "serve", "-c", file)
    fails(7, "newer version of Gatehouse", "hub", "check", "-c", file)
    fails(8, "no token", "watch", "list", "plate", GATEHOUSE_TOKEN="")
    fails(
        8,
        "does not answer",
        "watch",
        "list",
        "plate",
        "--url",
        "http://127.0.0.1:1",
        GATEHOUSE_TOKEN="x",
    )
    fails(9, "say plate or face", "watch", "list", "voice", GATEHOUSE_TOKEN="x")


def photos_of_two() -> tuple[bytes, bytes, np.ndarray]:
    """Two persons cut out of the group photo that insightface brings, and the second's whole picture."""
    import insightface

    picture = cv2.imread(str(Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"))
    pack = load_face_pack(threads=1)
    found = pack.detector.detect(picture)
    crops = []
    for box in found.boxes[:2]:
        x1, y1, x2, y2 = (int(v) for v in box)
        margin = (x2 - x1) // 3
        crop = picture[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin]
        crops.append(cv2.imencode(".png", cv2.resize(crop, None, fx=2, fy=2))[1].tobytes())
    embeddings = pack.embedder.embed(
        [pack.embedder.crop(picture, points) for points in found.landmarks[:2]]
    )
    return crops[0], crops[1], embeddings


@pytest.mark.timeout(240)
def test_enrol_and_watch_by_command_line_with_real_networks(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    edge, port = FakeEdge(), free_port()
    config, _ = write_config(
        tmp_path, edge, broker_port=mosquitto.port, api_port=port, face_pack="dlib-resnet"
    )
    process = HubProcess(config, port).start()
    client = EdgeClient(edge, mosquitto.port)
    try:
        known, _, embeddings = photos_of_two()
        (tmp_path / "known.png").write_bytes(known)
        (tmp_path / "text.jpg").write_text("hello")
        access = {"GATEHOUSE_URL": f"http://127.0.0.1:{port}", "GATEHOUSE_TOKEN": process.token}
        why = ("--basis", "request of the family", "--reference", "7")
        person = ("--purpose", "lost person", *why)
        fails(
            9, "cannot be read", "enrol", "add", "Wang", str(tmp_path / "no.jpg"), *person, **access
        )
        fails(
            9,
            "photo 1: the file is no picture",
            "enrol",
            "add",
            "Wang",
            str(tmp_path / "text.jpg"),
            *person,
            **access,
        )
        subject = gatehouse("enrol", "add", "Wang", str(tmp_path / "known.png"), *person, **access)
        assert subject.returncode == 0, subject.stderr
        subject_id = subject.stdout.strip()
        added = gatehouse(
            "watch", "add", "face", subject_id, "--category", "missing_person", *why, **access
        )
        entry_id = added.stdout.strip()
        fails(8, "somebody else must approve", "watch", "approve", entry_id, **access)
        approver = process.add_token("bob", "approver")
        (tmp_path / "token").write_text(approver)
        other = {**access, "GATEHOUSE_TOKEN": ""}
        approved = gatehouse(
            "watch", "approve", entry_id, "--token-file", str(tmp_path / "token"), **other
        )
        assert approved.stdout == "approved: Wang\n", approved.stderr
        listed = gatehouse("watch", "list", "face", **access)
        assert "missing_person" in listed.stdout
        assert entry_id in listed.stdout

        pack = load_face_pack(threads=1)
        key = sealing_key(re.search(r'sealing_key = "(\S+)"', process.log.read_text())[1])
        for embedding in embeddings:
            client.send(
                edge.face(embedding, key, datetime.now(UTC), pack_sha256=pack.embedder.pack_sha256)
            )
        eventually(lambda: client.committed() == 2)
        (alert,) = process.get("/alerts")["items"]
        assert alert["match"]["subject_id"] == subject_id
        assert alert["match"]["similarity"] > pack.threshold
        assert [i["matched"] for i in process.get("/observations", kind="face")["items"]].count(
            True
        ) == 1
        removed = gatehouse("watch", "remove", entry_id, **access)
        assert removed.stdout == "removed: Wang\n"
        got = httpx.get(f"{process.url}/subjects/{subject_id}", headers=process.headers()).json()
        assert got["templates"] == []
    finally:
        client.stop()
        process.stop()


def test_the_description_is_printed() -> None:
    done = gatehouse("hub", "openapi")
    assert '"/api/v1/alerts"' in done.stdout
