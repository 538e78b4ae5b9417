"""The hub as a process, on a real broker and a real HTTP receiver: observation -> ack -> alert -> webhook."""

import hashlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from demo.centre import CommandCentre
from tests.servers import Mosquitto, free_port, wait_for_port
from tests.unit.hub.kit import CROP, PLATE, SCENE, FakeEdge, write_config
from wire.codec import decode
from wire.keys import verifying_key
from wire.messages import Ack, EvidenceCommand, EvidenceItem

T = TypeVar("T")
SCENE_ITEM = EvidenceItem(
    name="scene",
    media_type="image/jpeg",
    size_bytes=len(SCENE),
    sha256=hashlib.sha256(SCENE).hexdigest(),
)


def eventually(what: Callable[[], T], timeout_s: float = 20.0) -> T:
    deadline = time.monotonic() + timeout_s
    while not (result := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return result


class HubProcess:
    def __init__(self, config: Path, port: int) -> None:
        self.config, self.port = config, port
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.token = ""
        self.verify_key = ""
        self.log = config.parent / "hub.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "HubProcess":
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gatehouse", "hub", "serve", "-c",
                 str(self.config)], stdout=log, stderr=log,
            )  # fmt: skip
        wait_for_port(self.port, 30)
        said = eventually(lambda: self._said(before))
        if match := re.search(r"shown this once: (\S+)", said):
            self.token = match[1]
            self.verify_key = re.search(r'verify_key = "(\S+)"', said)[1]
        return self

    def _said(self, start: int) -> str:
        text = self.log.read_bytes()[start:].decode()
        return text if "The hub serves" in text else ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self.process = None
        return code

    def get(self, path: str, **params) -> dict:
        answer = httpx.get(self.url + path, params=params, headers=self.headers(), timeout=10)
        answer.raise_for_status()
        return answer.json()

    def headers(self, token: str = "") -> dict[str, str]:
        return {"authorization": f"Bearer {token or self.token}"}

    def add_token(self, name: str, role: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gatehouse", "hub", "token", "add", name,
             "--role", role, "-c", str(self.config)], capture_output=True, check=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()


class EdgeClient:
    """A fake edge on the real broker: sends, hears acks and commands, answers with the scene."""

    def __init__(self, edge: FakeEdge, port: int) -> None:
        self.edge, self.acks, self.commands, self.statuses = edge, [], [], []
        self.raw_acks: list[bytes] = []
        self.alerts: list[bytes] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self.client.on_message = self._message
        self.subscribed = threading.Event()
        self.client.on_connect = lambda c, *_: c.subscribe([("gatehouse/v1/#", 1)])
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(10)

    def _message(self, _client, _userdata, message) -> None:
        if message.topic == self.edge.topics.ack:
            self.raw_acks.append(message.payload)
            self.acks.append(decode(message.payload).event.data)
        elif message.topic == self.edge.topics.hub_status:
            self.statuses.append(decode(message.payload).event.data)
        elif message.topic == self.edge.topics.command("evidence"):
            self.commands.append(decode(message.payload).event.data)
        elif "/alert/" in message.topic:
            self.alerts.append(message.payload)

    def send(self, incoming) -> None:
        self.client.publish(incoming.topic, incoming.payload, qos=1)

    def committed(self) -> int:
        return max((c.sequence for ack in self.acks for c in ack.committed), default=0)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def hub(
    tmp_path: Path, mosquitto: Mosquitto
) -> Iterator[tuple[HubProcess, FakeEdge, CommandCentre]]:
    edge, port, centre_port = FakeEdge(), free_port(), free_port()
    config, secret = write_config(
        tmp_path, edge, broker_port=mosquitto.port, api_port=port,
        sink_url=f"http://127.0.0.1:{centre_port}/hook",
    )  # fmt: skip
    centre = CommandCentre(secret)
    centre.start(centre_port)
    process = HubProcess(config, port).start()
    yield process, edge, centre
    if process.process is not None:
        process.stop()
    centre.stop()


def list_plate(hub: HubProcess, plate: str = PLATE) -> str:
    wanted = {
        "plate": plate, "label": "stolen", "category": "stolen_vehicle", "basis": "case",
        "reference": "2026-118", "expires_at": "2027-01-01T00:00:00Z",
    }  # fmt: skip
    made = httpx.post(f"{hub.url}/watchlists/plates", json=wanted, headers=hub.headers())
    assert made.status_code == 201, made.text
    entry_id = made.json()["id"]
    path = f"{hub.url}/watchlists/plates/{entry_id}/approve"
    own = httpx.post(path, headers=hub.headers())
    assert (own.status_code, own.json()["reason"]) == (409, "same_person")
    approver = hub.add_token(f"approver-{uuid.uuid4().hex[:6]}", "approver")
    assert httpx.post(path, headers=hub.headers(approver)).status_code == 200
    return entry_id


def test_from_observation_to_webhook(
    hub: tuple[HubProcess, FakeEdge, CommandCentre], mosquitto: Mosquitto
) -> None:
    process, edge, centre = hub
    client = EdgeClient(edge, mosquitto.port)
    list_plate(process)
    client.send(edge.status())
    now = datetime.now(UTC)
    client.send(edge.plate("京B99999", now))
    client.send(edge.plate(PLATE, now, pictures=(SCENE_ITEM,)))
    client.send(edge.plate(PLATE, now))  # the same car again: joins

    eventually(lambda: client.committed() == 3)
    key = verifying_key(process.verify_key)
    assert isinstance(decode(client.raw_acks[-1]).verify(key).data, Ack)
    delivery = eventually(lambda: centre.deliveries)[0]
    alert = delivery.alert
    assert alert["match"] == {
        "kind": "plate", "entry_id": alert["match"]["entry_id"], "listed": PLATE, "read": PLATE,
        "how": "exact", "confidence": 0.96, "cost": 0,
    }  # fmt: skip
    assert (alert["gate"], alert["severity"], alert["certainty"]) == ("north", "red", "unverified")
    assert {e["name"]: e["state"] for e in alert["evidence"]} == {
        "crop": "stored", "scene": "pending",
    }  # fmt: skip
    signed = decode(json.dumps(delivery.event).encode())
    assert signed.verify(key).id == delivery.webhook_id
    assert (
        decode(eventually(lambda: client.alerts)[0]).verify(key).data.alert_id == alert["alert_id"]
    )

    command = eventually(lambda: client.commands)[0]
    assert isinstance(command, EvidenceCommand)
    assert command.names == ("scene",)
    topic = edge.topics.evidence(command.observation_id, "scene")
    client.client.publish(topic, b"another picture", qos=1)
    client.client.publish(topic, SCENE, qos=1)
    path = f"/alerts/{alert['alert_id']}"
    eventually(lambda: {e["state"] for e in process.get(path)["evidence"]} == {"stored"})
    shown = process.get(path)
    assert shown["observations"] == 2
    for name, data in (("crop", CROP), ("scene", SCENE)):
        url = f"{process.url}/evidence/{shown['observation_id']}/{name}"
        assert httpx.get(url, headers=process.headers()).content == data
    health = process.get("/health")
    assert health["status"] == "ok", health
    assert health["ingest"]["committed"] == 3
    assert [s["waiting"] for s in health["sinks"]] == [0, 0]
    assert len(centre.deliveries) == 1
    client.stop()
    assert process.stop() == 0
    assert "Traceback" not in process.log.read_text()
