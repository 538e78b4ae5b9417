"""A barrier: the hub's list, a real video of plates, the relay, with the hub away; and MQTT controllers."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import httpx
import paho.mqtt.client as mqtt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.enums import CallbackAPIVersion

from edge.camera import Networks
from edge.config import BrokerSection, EdgeConfig, ModelsSection
from edge.local_broker import LocalBroker
from edge.networks import load_networks
from edge.outbox import MemoryOutbox
from edge.worker import Parts, Report, run
from tests.integration.edge_hub import HubStub, wait_until
from tests.servers import Mosquitto, free_port, wait_for_port
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import FakeObjects, FakePlates, fake_networks, picture
from tests.unit.edge.test_relays import Controller
from wire.codec import decode
from wire.errors import ModelError
from wire.messages import (
    AccessObservation,
    AllowedPlate,
    AllowList,
    AllowListReply,
    BehaviourObservation,
    EdgeStatus,
    PassageObservation,
    PlateObservation,
)

OF_VIDEO, LATER_OF_VIDEO = "京M76967", "京L87802"
STRANGER = "京B06498"


def until(hours: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=hours)


def a_list(version: int, *entries: AllowedPlate, hours: float = 24) -> AllowList:
    return AllowList(
        version=version, part=1, parts=1, expires_at=until(hours), plates=len(entries), entries=entries
    )  # fmt: skip


def still(folder: Path) -> Path:
    """A gate at which nothing happens, for two minutes."""
    return write_clip(folder / "still.mp4", (picture() for _ in range(600)), rate_hz=5)


def config(folder: Path, hub: HubStub, video: Path, relay: dict, **more) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": folder / "data"},
            "broker": {"host": "127.0.0.1", "port": hub.port},
            "hub": hub.keys,
            "cameras": [
                {"id": "gate", "source": str(video), "faces": False, "health": False, **more}
            ],
            "devices": [{"id": "north", "camera": "gate", "open_for": ["plate"], "relay": relay}],
        }
    )


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[HubStub]:
    stub = HubStub(mosquitto.port).start()
    yield stub
    stub.stop()


@dataclass
class Running:
    """A worker in a thread of this process."""

    config: EdgeConfig
    parts: Parts
    reports: list[Report] = field(default_factory=list)

    def __enter__(self) -> "Running":
        self.thread = Thread(target=lambda: self.reports.append(run(self.config, self.parts)))
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.stop.set()
        self.thread.join(30)


def replies(hub: HubStub) -> list[tuple[int, str]]:
    said = [event.data for event in hub.events("/reply/allow-list")]
    return [(one.version, one.state) for one in said if isinstance(one, AllowListReply)]


def held(hub: HubStub) -> int | None:
    """The version that the box's latest status says it holds."""
    found = [e.data for e in hub.events("/status") if isinstance(e.data, EdgeStatus)]
    access = found[-1].access if found else None
    return None if access is None else access.held.version


def give(hub: HubStub, offered: AllowList, **forged) -> None:
    hub.send(hub.topics.command("allow-list"), hub.sign(offered, **forged))


def words(outbox: MemoryOutbox) -> list[AccessObservation]:
    events = [decode(message.payload).event for message in outbox.after(0, 10_000)]
    return [event.data for event in events if isinstance(event.data, AccessObservation)]


def test_only_a_newer_list_that_the_hub_has_signed_and_that_counts_is_taken(
    hub: HubStub, tmp_path: Path
) -> None:
    mine, other = AllowedPlate(plate=OF_VIDEO), AllowedPlate(plate=STRANGER)
    box = config(tmp_path, hub, still(tmp_path), {"kind": "simulator"})
    with Running(box, Parts(networks=fake_networks(FakePlates()))):
        wait_until(lambda: held(hub) == 0)
        give(hub, a_list(9, other), key=Ed25519PrivateKey.generate())
        give(hub, a_list(9, other), origin="box")
        give(hub, a_list(4, mine))
        wait_until(lambda: held(hub) == 4)
        give(hub, a_list(3, other))
        give(hub, a_list(5, other, hours=-1))
        wait_until(lambda: len(replies(hub)) == 3)
        assert replies(hub) == [(4, "active"), (3, "refused"), (5, "refused")]
        assert held(hub) == 4
    with Running(box, Parts(networks=fake_networks(FakePlates()))):
        wait_until(lambda: len(hub.events("/status")) >= 5)  # started again: from the disk
        assert held(hub) == 4


@pytest.fixture
def plates() -> Networks:
    try:
        return load_networks(ModelsSection())
    except ModelError as error:
        pytest.skip(f"no plate networks: {error}")


@pytest.mark.material
def test_a_real_video_opens_for_its_listed_plate_alone_though_the_hub_is_away(
    hub: HubStub, tmp_path: Path, material: Path, plates: Networks
) -> None:
    controller = Controller([503, 200])
    (tmp_path / "token").write_text("gate-token")
    relay = {"kind": "http", "url": controller.url, "token_file": tmp_path / "token"}
    first = config(tmp_path, hub, still(tmp_path), relay)
    over = AllowedPlate(plate=LATER_OF_VIDEO, valid_until=until(-1))
    with Running(first, Parts(networks=fake_networks(FakePlates()))):
        wait_until(lambda: held(hub) == 0)
        give(hub, a_list(1, AllowedPlate(plate=OF_VIDEO), over))
        wait_until(lambda: held(hub) == 1)
    hub.stop()
    outbox = MemoryOutbox("0" * 16)
    video = material / "video" / "hamletlx_test.mp4"
    report = run(
        config(tmp_path, hub, video, relay, pace="asap", motion_gate=False),
        Parts(networks=plates, outbox=outbox),
        drain_timeout_s=0,
    )
    controller.close()
    assert {headers["authorization"] for headers, _ in controller.requests} == {"Bearer gate-token"}
    assert len({json.loads(body)["release"] for _, body in controller.requests}) == 1
    assert len(controller.requests) == 2  # 503 first, then asked again for the same release
    said = words(outbox)
    (granted,) = [word for word in said if word.decision == "granted"]
    assert (granted.reference, granted.device, granted.method) == (OF_VIDEO, "north", "plate")
    seen = {
        event.id: event.data
        for event in (decode(message.payload).event for message in outbox.after(0, 10_000))
        if isinstance(event.data, PlateObservation)
    }
    assert seen[granted.observation_id or ""].plate.text == OF_VIDEO
    assert granted.release_ms is not None
    refused = {word.reference: word.reason for word in said if word.decision == "refused"}
    assert refused[STRANGER] == f"{STRANGER} is on no list of allowed plates"
    assert refused[LATER_OF_VIDEO] == f"{LATER_OF_VIDEO} was allowed until before now"
    tracks = {data.track_id for data in seen.values()}
    assert len(said) <= len(tracks)
    assert report.access is not None
    assert (report.access.granted, report.access.failed) == (1, 0)
    print(f"released {granted.release_ms:.0f} ms after the reading, the 503 and its pause included")


class MqttController:
    """A barrier's controller on the local broker."""

    def __init__(self, port: int) -> None:
        self.orders: list[dict] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._ordered
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("barriers/north/set", 1)
        self.client.loop_start()

    def _ordered(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        order = json.loads(message.payload)
        self.orders.append(order)
        answer = {"release": order["release"], "released": True}
        client.publish("barriers/north/done", json.dumps(answer), 1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_a_controller_on_mqtt_releases_and_confirms(hub: HubStub, tmp_path: Path) -> None:
    controller = MqttController(hub.port)
    car = ("京A88731", (200, 200, 330, 240))
    frames = [picture(car) if n >= 150 else picture() for n in range(400)]
    video = write_clip(tmp_path / "car.mp4", frames)
    relay = {
        "kind": "mqtt",
        "topic": "barriers/north/set",
        "confirm_topic": "barriers/north/done",
    }
    box = config(tmp_path, hub, video, relay, motion_gate=False)
    running = Running(box, Parts(networks=fake_networks(FakePlates())))
    with running:
        wait_until(lambda: held(hub) == 0)
        give(hub, a_list(1, AllowedPlate(plate="京A88731")))
        wait_until(lambda: controller.orders)
        wait_until(lambda: hub.events("/observation/access"))
        time.sleep(0.5)
    controller.close()
    (order,) = controller.orders
    assert order["device"] == "north"
    (event,) = hub.events("/observation/access")
    assert isinstance(event.data, AccessObservation)
    assert (event.data.decision, event.camera) == ("granted", "gate")
    print(f"released {event.data.release_ms:.0f} ms after the reading")


LINE = {"id": "door", "start": [0.5, 0.0], "end": [0.5, 1.0]}


def two_people(folder: Path) -> Path:
    """One after the other from right to left over the middle, from twenty seconds on; then nobody."""

    def frame(n: int):
        walk = [
            (600 - 8 * (n - start), n - start) for start in (500, 540) if start <= n < start + 65
        ]
        return picture(*(("person", (x, 150, x + 40, 300)) for x, _ in walk))

    return write_clip(folder / "people.mp4", [frame(n) for n in range(760)])


def door(folder: Path, hub: HubStub, signal: dict, **more) -> EdgeConfig:
    at_door = {"line": "door", "direction": "in", "device": "lobby"}
    camera = {
        "id": "hall", "source": str(two_people(folder)), "faces": False, "plates": False,
        "objects": True, "health": False, "motion_gate": False, "analysis_fps": 10,
        "lines": [LINE],
        "behaviours": [
            {"kind": "tailgating", **at_door, "open_s": 10},
            {"kind": "barrier_run", **at_door, "open_s": 10, "labels": ["person"]},
        ],
        "passages": [{"line": "door", "device": "lobby", "open_s": 10}],
    }  # fmt: skip
    return EdgeConfig.model_validate(
        {
            "edge": {"site": "yard", "id": "box", "data_dir": folder / "data"},
            "broker": {"host": "127.0.0.1", "port": hub.port},
            "hub": hub.keys,
            "models": {"objects": "those of `networks`"},
            "cameras": [camera],
            "devices": [{"id": "lobby", "camera": "hall", "signal": signal}],
            **more,
        }
    )


def behaviours(hub: HubStub) -> list[str]:
    said = [event.data for event in hub.events("/observation/behaviour")]
    return [one.behaviour for one in said if isinstance(one, BehaviourObservation)]


def grants_of_passage(hub: HubStub) -> list[int | None]:
    said = [event.data for event in hub.events("/observation/passage")]
    return [one.grants for one in said if isinstance(one, PassageObservation)]


def test_one_card_and_two_people_is_tailgating_in_the_product(hub: HubStub, tmp_path: Path) -> None:
    signal = {"kind": "mqtt", "topic": "doors/lobby", "status_topic": "doors/lobby/state"}
    controller = mqtt.Client(CallbackAPIVersion.VERSION2)
    controller.connect("127.0.0.1", hub.port)
    controller.loop_start()
    controller.publish("doors/lobby/state", b"online", 1, retain=True).wait_for_publish(5)
    objects = fake_networks(objects=FakeObjects())
    with Running(door(tmp_path, hub, signal), Parts(networks=objects)):
        wait_until(lambda: hub.events("/status"))
        time.sleep(15)  # ten seconds before anybody comes it must be heard already
        card = {"id": "e1", "method": "card", "reference": "0042"}
        for _ in range(2):  # a controller that is not sure says it twice
            controller.publish("doors/lobby", json.dumps(card), 1).wait_for_publish(5)
        wait_until(lambda: behaviours(hub), 40)
        wait_until(lambda: grants_of_passage(hub), 20)
    controller.disconnect()
    controller.loop_stop()
    assert behaviours(hub) == ["tailgating"]
    assert grants_of_passage(hub) == [1]
    (event,) = hub.events("/observation/access")
    assert isinstance(event.data, AccessObservation)
    assert (event.camera, event.data.device, event.data.decision) == ("hall", "lobby", "granted")
    assert (event.data.method, event.data.reference) == ("card", "0042")


def test_a_controller_that_calls_and_releases_for_nobody_makes_both_run_the_door(
    hub: HubStub, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("door-token")
    port = free_port()
    signals = {"signals": {"port": port, "token_file": tmp_path / "token"}}
    box = door(tmp_path, hub, {"kind": "http", "alive_s": 60}, **signals)
    objects = fake_networks(objects=FakeObjects())
    with Running(box, Parts(networks=objects)) as running:
        wait_for_port(port)
        called = httpx.post(
            f"http://127.0.0.1:{port}/devices/lobby/alive",
            headers={"authorization": "Bearer door-token"},
            trust_env=False,
        )
        assert called.status_code == 200
        running.thread.join(60)
    assert behaviours(hub) == ["barrier_run", "barrier_run"]
    assert grants_of_passage(hub) == [0]


def test_the_doors_broker_may_go_and_come_back(mosquitto: Mosquitto) -> None:
    there, heard = list[bool](), list[bytes]()
    broker = LocalBroker(BrokerSection(host="127.0.0.1", port=mosquitto.port), "box-devices")
    broker.watch(there.append)
    broker.hear("doors/lobby", heard.append)
    assert not broker.publish("doors/lobby", b"too early", 1.0)
    broker.start()
    wait_until(lambda: there == [True])
    assert broker.publish("doors/lobby", b"one", 5.0)
    mosquitto.kill()
    wait_until(lambda: there == [True, False])
    assert not broker.publish("doors/lobby", b"lost", 0.2)
    mosquitto.start()
    wait_until(lambda: there == [True, False, True])
    assert broker.publish("doors/lobby", b"two", 5.0)
    assert broker.publish("doors/lobby", b"x" * 8193, 5.0)  # no controller has so much to say
    assert broker.publish("doors/lobby", b"three", 5.0)
    wait_until(lambda: heard == [b"one", b"two", b"three"])
    broker.stop(5)
    assert there[-1] is False
