"""The publisher against a real broker and a stand-in for the hub."""

import hashlib
import itertools
import logging
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.clock import ClockOffset
from edge.config import BrokerSection
from edge.delivery import Delivery
from edge.emit import Origin
from edge.evidence import EvidencePicture, EvidenceRing
from edge.link import open_link
from edge.outbox import MemoryOutbox
from edge.publish import Identity, Publisher
from tests.integration.edge_hub import HubStub, wait_until
from tests.servers import Mosquitto, free_port, mosquitto_path, wait_for_port
from wire.errors import BrokerError, ConfigError
from wire.evidence import Exhibit
from wire.messages import (
    Ack,
    CameraHealth,
    CameraObservation,
    CommittedUpTo,
    EdgeStatus,
    EvidenceCommand,
    EvidenceReply,
    HubStatus,
)
from wire.topics import EdgeTopics

KEY = Ed25519PrivateKey.generate()
BOOT = "0123456789abcdef"
TOPICS = EdgeTopics("yard", "box")


class Edge:
    """An outbox, a ring and a publisher, as a worker puts them together."""

    def __init__(self, hub: HubStub, *, window: int = 256, timeout_s: float = 1.0) -> None:
        self.outbox, self.ring, self.offset = (
            MemoryOutbox(BOOT),
            EvidenceRing(1 << 20),
            ClockOffset(),
        )
        self.origin = Origin(TOPICS, KEY, lambda: self.offset.offset_ms)
        self.publisher = Publisher(
            BrokerSection(host="127.0.0.1", port=hub.port),
            self.origin,
            Identity("0.1.0", ("gate",)),
            self.outbox,
            self.ring,
            hub_key=hub.key.public_key(),
            offset=self.offset,
            new_id=lambda: str(uuid.uuid4()),
            delivery=Delivery(window=window, first_timeout_s=timeout_s, most_timeout_s=4.0),
        )

    def add(self, count: int) -> None:
        for number in range(count):
            data = CameraObservation(
                state="online", captured_at=datetime.now(UTC), reason=f"number {number}"
            )

            def encode_as(sequence: int, data: CameraObservation = data) -> bytes:
                return self.origin.sign(
                    data,
                    message_id=str(uuid.uuid4()),
                    time=datetime.now(UTC),
                    camera="gate",
                    boot_id=BOOT,
                    sequence=sequence,
                )

            self.outbox.append(TOPICS.observation("gate", "camera"), encode_as)
        self.publisher.wake()


@pytest.fixture
def hub(mosquitto: Mosquitto) -> Iterator[HubStub]:
    stub = HubStub(mosquitto.port).start()
    yield stub
    stub.stop()


@pytest.fixture
def edge(hub: HubStub) -> Iterator[Edge]:
    box = Edge(hub)
    yield box
    box.publisher.stop()


def test_all_goes_out_in_order_and_is_forgotten_once_committed(hub: HubStub, edge: Edge) -> None:
    edge.add(300)
    edge.publisher.start()
    edge.add(300)
    wait_until(lambda: edge.outbox.waiting() == 0)
    assert hub.sequences() == list(range(1, 601))
    assert edge.offset.offset_ms is not None
    assert abs(edge.offset.offset_ms) < 1000


def test_a_puback_is_not_enough(hub: HubStub) -> None:
    hub.acknowledges = False
    edge = Edge(hub, timeout_s=0.4)
    edge.add(3)
    edge.publisher.start()
    wait_until(lambda: len(hub.sequences()) >= 9)  # sent again and again
    assert edge.outbox.waiting() == 3
    assert hub.sequences()[:6] == [1, 2, 3, 1, 2, 3]
    first, again = hub.events()[0], hub.events()[3]
    assert first == again  # the very same message
    hub.acknowledges = True
    wait_until(lambda: edge.outbox.waiting() == 0)
    edge.publisher.stop()


def test_no_more_than_the_window_is_on_the_way(hub: HubStub) -> None:
    hub.acknowledges = False
    box = Edge(hub, window=10, timeout_s=60.0)
    box.add(50)
    box.publisher.start()
    wait_until(lambda: len(hub.sequences()) == 10)
    time.sleep(0.5)
    assert len(hub.sequences()) == 10
    hub.acknowledges = True
    for event in hub.events():
        hub.acknowledge(event)
    wait_until(lambda: box.outbox.waiting() == 0)
    assert hub.sequences() == list(range(1, 51))
    box.publisher.stop()


def test_a_new_session_of_the_hub_gets_all_at_once(hub: HubStub) -> None:
    hub.acknowledges = False
    box = Edge(hub, timeout_s=60.0)  # by time alone nothing would be sent again
    box.add(5)
    box.publisher.start()
    wait_until(lambda: len(hub.sequences()) == 5)
    hub.stop()
    hub.acknowledges = True
    hub.start()
    wait_until(lambda: box.outbox.waiting() == 0, 5.0)
    assert hub.sequences() == [1, 2, 3, 4, 5] * 2
    box.publisher.stop()


def test_a_broker_that_is_killed_loses_nothing(
    mosquitto: Mosquitto, edge: Edge, hub: HubStub
) -> None:
    edge.publisher.start()
    for _ in range(3):
        edge.add(100)
        time.sleep(0.1)
        hub.stop()
        mosquitto.kill()
        edge.add(100)
        mosquitto.start()
        hub.start()
    wait_until(lambda: edge.outbox.waiting() == 0, 30.0)
    assert set(hub.sequences()) == set(range(1, 601))


def test_a_broker_that_is_away_is_said_to_be(caplog: pytest.LogCaptureFixture) -> None:
    late = HubStub(free_port())
    box = Edge(late)
    box.add(3)
    with caplog.at_level(logging.WARNING):
        box.publisher.start()
        wait_until(lambda: "Connection refused; 3 messages wait" in caplog.text)
    assert not box.publisher.connected
    box.publisher.stop()


def test_birth_goodbye_and_will_carry_the_session(mosquitto: Mosquitto, hub: HubStub) -> None:
    box = Edge(hub)
    box.add(2)
    box.publisher.start()
    wait_until(lambda: box.outbox.waiting() == 0)
    box.publisher.stop()
    wait_until(lambda: len(hub.statuses(KEY.public_key())) == 2)
    birth, goodbye = (event.data for event in hub.statuses(KEY.public_key()))
    assert isinstance(birth, EdgeStatus)
    assert isinstance(goodbye, EdgeStatus)
    assert (birth.online, goodbye.online) == (True, False)
    assert birth.session_id == goodbye.session_id
    assert birth.cameras == ("gate",)
    assert [p.first_sequence for p in birth.pending] == [1]
    assert [p.first_sequence for p in goodbye.pending] == [3]


def test_the_will_is_published_when_the_edge_dies(hub: HubStub, edge: Edge) -> None:
    edge.publisher.start()
    wait_until(lambda: hub.statuses(KEY.public_key()))
    link = edge.publisher._link
    assert link is not None
    link._client.socket().shutdown(socket.SHUT_RDWR)  # as a kill would: no DISCONNECT
    wait_until(lambda: len(hub.statuses(KEY.public_key())) >= 3)
    sessions = {}
    for event in hub.statuses(KEY.public_key()):
        assert isinstance(event.data, EdgeStatus)
        sessions.setdefault(event.data.session_id, []).append(event.data.online)
    assert sorted(sessions.values()) == [[True], [True, False]]


def test_only_what_the_hub_has_signed_is_believed(hub: HubStub, edge: Edge) -> None:
    hub.acknowledges = False
    edge.add(3)
    edge.publisher.start()
    wait_until(lambda: len(hub.sequences()) >= 3)
    ack = Ack(committed=(CommittedUpTo(boot_id=BOOT, sequence=3),))
    rogue = Ed25519PrivateKey.generate()
    hub.send(TOPICS.ack, hub.sign(ack, key=rogue))
    hub.send(TOPICS.ack, hub.sign(ack, origin="other"))
    hub.send(TOPICS.ack, b"nonsense")
    hub.send(
        TOPICS.hub_status,
        hub.sign(HubStatus(session_id=str(uuid.uuid4()), online=False), key=rogue),
    )
    hub.send(TOPICS.command("evidence"), hub.sign(ack))  # signed, but no command
    time.sleep(0.5)
    assert edge.outbox.waiting() == 3
    hub.send(TOPICS.ack, hub.sign(ack))
    wait_until(lambda: edge.outbox.waiting() == 0)


def test_evidence_is_given_or_said_to_be_gone(hub: HubStub, edge: Edge) -> None:
    observation_id = str(uuid.uuid4())
    edge.ring.put(observation_id, (EvidencePicture("scene", b"a picture"),))
    edge.publisher.start()
    wait_until(lambda: hub.statuses(KEY.public_key()))
    command = EvidenceCommand(observation_id=observation_id, names=("scene", "clip"))
    hub.send(TOPICS.command("evidence"), hub.sign(command))
    wait_until(lambda: len(hub.events("/reply/")) == 2 and hub.payloads("/evidence/"))
    replies = [event.data for event in hub.events("/reply/")]
    digest = hashlib.sha256(b"a picture").hexdigest()
    sent, gone = replies
    assert isinstance(sent, EvidenceReply)
    assert (sent.name, sent.state, sent.sha256, sent.size_bytes) == ("scene", "sent", digest, 9)
    exhibit = Exhibit(TOPICS.site, TOPICS.edge, observation_id, "scene", digest)
    assert exhibit.is_signed(sent.signature or "", KEY.public_key())
    assert isinstance(gone, EvidenceReply)
    assert (gone.name, gone.state, gone.sha256, gone.signature) == ("clip", "gone", None, None)
    assert gone.reason
    assert hub.payloads("/evidence/") == [(TOPICS.evidence(observation_id, "scene"), b"a picture")]


def test_health_is_sent_while_there_is_a_connection(hub: HubStub, edge: Edge) -> None:
    health = CameraHealth(
        window_s=10.0,
        online=True,
        decoded_frames=250,
        analysed_frames=50,
        dropped_frames=1,
        corrupt_frames=0,
        reconnects=0,
        lag_ms=40.0,
        outbox_pending=0,
    )
    edge.publisher.publish_health("gate", health)  # nobody there: not kept
    edge.publisher.start()
    wait_until(lambda: edge.publisher.connected)
    edge.publisher.publish_health("gate", health)
    wait_until(lambda: hub.events("/health"))
    assert [event.data for event in hub.events("/health")] == [health]


def test_what_the_outbox_had_to_drop_is_told(hub: HubStub) -> None:
    hub.acknowledges = False
    box = Edge(hub, timeout_s=60.0)
    box.outbox._capacity = 20_000
    box.publisher.start()
    wait_until(lambda: hub.statuses(KEY.public_key()))
    box.add(60)
    wait_until(lambda: len(hub.statuses(KEY.public_key())) >= 2)
    last = hub.statuses(KEY.public_key())[-1].data
    assert isinstance(last, EdgeStatus)
    assert last.online
    assert last.pending[0].first_sequence > 1
    box.publisher.stop()


def test_the_pipeline_never_waits_for_the_broker(edge: Edge, mosquitto: Mosquitto) -> None:
    edge.publisher.start()
    wait_until(lambda: edge.publisher.connected)
    mosquitto.kill()
    started = time.perf_counter()
    for _ in itertools.repeat(None, 200):
        edge.add(1)
    assert time.perf_counter() - started < 2.0


def test_a_broker_of_mqtt_3_only_is_spoken_to_in_that(caplog: pytest.LogCaptureFixture) -> None:
    port, stop = free_port(), threading.Event()
    thread = threading.Thread(target=_old_broker, args=(port, stop), daemon=True)
    thread.start()
    broker = BrokerSection(host="127.0.0.1", port=port)
    wait_until(lambda: _opens(broker))
    advice = [record for record in caplog.records if record.name == "edge.link"]
    assert 'protocol = "3.1.1"' in advice[-1].getMessage()  # which saves asking for 5
    caplog.clear()
    assert _opens(broker.model_copy(update={"protocol": "3.1.1"}))
    assert not _opens(broker.model_copy(update={"protocol": "5"}))
    assert not [record for record in caplog.records if record.name == "edge.link"]
    stop.set()
    thread.join(10)


def _opens(broker: BrokerSection) -> bool:
    try:
        open_link(broker, "test").close()
    except BrokerError:
        return False
    return True


def _old_broker(port: int, stop: threading.Event) -> None:
    """amqtt speaks 3.1.1 only."""
    import asyncio

    from amqtt.broker import Broker

    async def serve() -> None:
        plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
                "plugins": {plugin: {"allow_anonymous": True}},
            }
        )
        await broker.start()
        while not stop.is_set():
            await asyncio.sleep(0.05)
        await broker.shutdown()

    asyncio.run(serve())


def test_no_broker_is_said_to_be_none() -> None:
    with pytest.raises(BrokerError, match="Connection refused"):
        open_link(BrokerSection(host="127.0.0.1", port=free_port()), "test")


def test_user_and_password_are_read_from_a_file_and_a_wrong_one_is_said(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    users = tmp_path / "users"
    subprocess.run([tool, "-b", "-c", str(users), "box", "secret"], check=True)
    users.chmod(0o644)
    mosquitto.stop()
    configuration = mosquitto.folder / "mosquitto.conf"
    text = configuration.read_text().replace("allow_anonymous true", "allow_anonymous false")
    configuration.write_text(f"{text}password_file {users}\n")
    process = subprocess.Popen([str(mosquitto_path()), "-c", str(configuration)])
    try:
        wait_for_port(mosquitto.port)
        right, wrong = tmp_path / "right", tmp_path / "wrong"
        right.write_text("secret\n")
        wrong.write_text("guess")
        broker = BrokerSection(
            host="127.0.0.1", port=mosquitto.port, username="box", password_file=right
        )
        open_link(broker, "test").close()
        with pytest.raises(BrokerError, match=r"refuses the connection: Not authorized"):
            open_link(broker.model_copy(update={"password_file": wrong}), "test")
        with pytest.raises(ConfigError, match="credentials cannot be used"):
            open_link(broker.model_copy(update={"password_file": tmp_path / "none"}), "test")
    finally:
        process.terminate()
        process.wait(timeout=10)
