"""A hub process and an edge worker that matches faces itself, with the real networks, over a real broker.

A slice comes, a face raises an alert, also one that was seen while the broker was away; whoever is erased is
named no more; and of a face nothing but its candidates was ever on the wire.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from demo.clip import ENROLLED_BOX_PX, enrolment_photo, group_photo
from edge.config import EdgeConfig
from edge.worker import Parts, run, signing_key_path
from models.faces import load_face_pack
from models.photos import decode_photo
from tests.integration.test_hub_end_to_end import HubProcess, eventually
from tests.servers import Mosquitto, free_port
from tests.unit.edge.clips import write_clip
from tests.unit.edge.test_face_matching import _forms, traces
from tests.unit.hub.kit import CAMERA, FakeEdge, write_config
from wire.codec import decode
from wire.keys import load_or_create_signing_key
from wire.messages import FaceObservation

RATE_HZ, LONG_S = 10, 170
WHO_ELSE_PX = (480, 230, 660, 440)
"""Another face of the group photograph."""


def clip(folder: Path) -> Path:
    """Two people who are there for two seconds of every four: the one who is enrolled, and one who is not."""
    photo = group_photo()
    empty = np.full((360, 640, 3), 110, np.uint8)
    people = empty.copy()
    for left, (x1, y1, x2, y2) in ((40, ENROLLED_BOX_PX), (380, WHO_ELSE_PX)):
        people[70 : 70 + y2 - y1, left : left + x2 - x1] = photo[y1:y2, x1:x2]
    images = (people if n % (4 * RATE_HZ) < 2 * RATE_HZ else empty for n in range(LONG_S * RATE_HZ))
    return write_clip(folder / "gate.mp4", images, rate_hz=RATE_HZ)


class Ear:
    """Hears all that goes over the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes]] = []
        subscribed = threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self.client.on_message = lambda _c, _u, m: self.heard.append((m.topic, m.payload))
        self.client.on_connect = lambda c, *_: c.subscribe([("gatehouse/v1/#", 1)])
        self.client.on_subscribe = lambda *_: subscribed.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert subscribed.wait(10)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def faces(self) -> list[FaceObservation]:
        told = [decode(data).event.data for topic, data in self.heard if topic.endswith("/face")]
        return [data for data in told if isinstance(data, FaceObservation)]


class Site:
    """The hub, and the box on its way."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.data = folder, folder / "box"
        self.hub_port = free_port()
        edge = FakeEdge(key=load_or_create_signing_key(self.data / "signing.key"))
        config, _ = write_config(
            folder, edge, broker_port=broker.port, api_port=self.hub_port, face_pack="dlib-resnet"
        )
        self.hub = HubProcess(config, self.hub_port).start()
        self.edge_config = EdgeConfig.model_validate(
            {
                "edge": {"site": edge.site, "id": edge.id, "data_dir": self.data},
                "broker": {"host": "127.0.0.1", "port": broker.port},
                "hub": self._keys(),
                "models": {"face_matching": "edge", "plates": False},
                "cameras": [
                    {"id": CAMERA, "source": str(clip(folder)), "plates": False, "health": False}
                ],
            }
        )
        assert signing_key_path(self.edge_config) == self.data / "signing.key"
        self.parts = Parts()
        self.worker = Thread(target=run, args=(self.edge_config, self.parts), daemon=True)

    def _keys(self) -> dict[str, str]:
        text = self.hub.log.read_text()
        return {
            name: text.split(f'{name} = "')[1].split('"')[0]
            for name in ("verify_key", "sealing_key")
        }

    def stop(self) -> None:
        self.parts.stop.set()
        if self.worker.ident is not None:
            self.worker.join(30)
        if self.hub.process is not None:
            self.hub.stop()

    def post(self, path: str, *, token: str = "", **sent: object) -> dict:
        answer = httpx.post(
            self.hub.url + path, headers=self.hub.headers(token), timeout=60, **sent
        )
        assert answer.is_success, answer.text
        return answer.json()

    def enrol_and_list(self) -> str:
        until = {"expires_at": "2027-06-01T00:00:00Z", "basis": "b", "reference": "r"}
        said = {"label": "Wang", "purpose": "lost", **until}
        files = [("photo", ("a.jpg", enrolment_photo()))]
        subject = self.post("/subjects", data=said, files=files)["id"]
        wanted = {"label": "Wang", "subject_id": subject, "category": "missing_person", **until}
        entry = self.post("/watchlists/faces", json=wanted)["id"]
        approver = self.hub.add_token("bob", "approver")
        self.post(f"/watchlists/faces/{entry}/approve", token=approver)
        return subject

    def slice(self) -> dict:
        """What the hub's health says of the box's slice."""
        (edge,) = self.hub.get("/health")["edges"]
        return edge["gallery_slice"] or {"held_version": 0, "held_templates": 0}

    def reasons(self) -> dict[str, int]:
        return self.hub.get("/health")["ingest"]["reasons"]

    def matched(self) -> list[datetime]:
        """When faces were seen that raised or joined an alert."""
        found = self.hub.get("/observations", kind="face", limit=200)["items"]
        return [datetime.fromisoformat(item["captured_at"]) for item in found if item["matched"]]


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Site]:
    made = Site(tmp_path, mosquitto)
    yield made
    made.stop()


@pytest.mark.timeout(300)
def test_a_slice_comes_works_through_an_outage_and_is_erased(
    site: Site, mosquitto: Mosquitto
) -> None:
    ear = Ear(mosquitto.port)
    try:
        subject = site.enrol_and_list()
        site.worker.start()
        held = eventually(lambda: (s := site.slice())["held_version"] and s, 60)
        assert (held["state"], held["held_templates"], held["people"]) == ("active", 1, 1)
        assert held["age_s"] >= 0

        eventually(lambda: site.reasons().get("face.match"), 60)
        eventually(lambda: site.reasons().get("face.below_threshold"), 60)  # the stranger
        (alert,) = site.hub.get("/alerts")["items"]
        assert alert["match"]["subject_id"] == subject
        assert "nobody else to compare with" in alert["reason"]
        assert "crop" in {picture["name"] for picture in alert["evidence"]}

        mosquitto.kill()
        away_from = datetime.now(UTC)
        eventually(lambda: (datetime.now(UTC) - away_from).total_seconds() > 9)
        away_until = datetime.now(UTC)
        mosquitto.start()
        eventually(lambda: [t for t in site.matched() if away_from < t < away_until], 60)

        erased = httpx.delete(
            f"{site.hub.url}/subjects/{subject}", headers=site.hub.headers(), timeout=30
        )
        assert erased.is_success
        empty = eventually(
            lambda: (s := site.slice())["held_version"] > held["held_version"] and s, 60
        )
        assert (empty["held_templates"], empty["state"]) == (0, "active")
        matches = site.reasons()["face.match"]
        eventually(lambda: site.reasons().get("face.empty_gallery"), 60)
        assert site.reasons()["face.match"] <= matches + 1  # one may have been on its way
        assert any(topic.endswith("/command/gallery-erase") for topic, _ in ear.heard)
    finally:
        ear.stop()
        site.stop()

    told = ear.faces()
    assert told
    assert all(face.probe is None and face.candidates is not None for face in told)
    assert all(face.crop is None for face in told if not face.candidates.candidates)  # type: ignore[union-attr]
    assert subject.encode() not in b"".join(
        data for topic, data in ear.heard if "/alert/" not in topic
    )
    needles = [form for needle in embeddings() for form in _forms(needle)]
    assert not [topic for topic, data in ear.heard if any(n in data for n in needles)]
    assert traces(site.data, *embeddings()) == []


def embeddings() -> list[bytes]:
    """Runs of the template that was enrolled, as it would lie in memory, on a disk or on the wire."""
    pack = load_face_pack(threads=1)
    photo = decode_photo(enrolment_photo())
    found = pack.detector.detect(photo)
    (row,) = pack.embedder.embed([pack.embedder.crop(photo, found.landmarks[0])])
    plain = row.astype("<f4").tobytes()
    return [plain[:48], plain[200:248]]
