"""The shipped mosquitto configuration: no certificate, no way in; an edge is kept to its own topics."""

import contextlib
import datetime as dt
import subprocess
import threading
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conftest import ROOT
from tests.servers import free_port, mosquitto_path, wait_for_port
from wire.topics import EdgeTopics

CONFIGS = ROOT / "configs" / "mosquitto"
BOX_1, BOX_2 = EdgeTopics("rosegarden", "box-1"), EdgeTopics("rosegarden", "box-2")


class Authority:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name("Gatehouse test authority")
        self.certificate = self._sign(self.name, self.key, authority=True)
        _write(folder / "ca.crt", self.certificate)

    def issue(self, common_name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = (self.folder / f"{common_name}.{x}" for x in ("crt", "key"))
        _write(certificate, self._sign(_name(common_name), key))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, private

    def _sign(self, subject, key, *, authority=False):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256())


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
def broker(tmp_path):
    """The shipped configuration, with this test's own port, folder and certificates."""
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: run scripts/test_servers.sh")
    authority = Authority(tmp_path)
    certificate, key = authority.issue("broker")
    port = free_port()
    text = (CONFIGS / "gatehouse.conf").read_text(encoding="utf-8")
    for shipped, ours in {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/var/lib/mosquitto/": f"{tmp_path}/",
        "/etc/mosquitto/certs/ca.crt": str(tmp_path / "ca.crt"),
        "/etc/mosquitto/certs/broker.crt": str(certificate),
        "/etc/mosquitto/certs/broker.key": str(key),
        "/etc/mosquitto/gatehouse.acl": str(CONFIGS / "gatehouse.acl"),
    }.items():
        assert shipped in text
        text = text.replace(shipped, ours)
    (tmp_path / "mosquitto.conf").write_text(text + "user root\n", encoding="utf-8")
    process = subprocess.Popen([mosquitto_path(), "-c", str(tmp_path / "mosquitto.conf")])
    wait_for_port(port)
    yield authority, port
    process.terminate()
    process.wait(timeout=10)


class Client:
    """A client with the certificate of `name`."""

    def __init__(self, authority, port, name):
        self.messages = []
        self._told = threading.Event()
        self._mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        if name:
            certificate, key = authority.issue(name)
            self._mqtt.tls_set(str(authority.folder / "ca.crt"), str(certificate), str(key))
        else:
            self._mqtt.tls_set(str(authority.folder / "ca.crt"))
        self._mqtt.on_message = lambda _c, _u, m: self.messages.append((m.topic, m.payload))
        self._mqtt.on_subscribe = lambda *_: self._told.set()
        self._mqtt.connect("localhost", port)
        self._mqtt.loop_start()

    def subscribe(self, pattern):
        self._told.clear()
        self._mqtt.subscribe(pattern, 1)
        assert self._told.wait(5)

    def publish(self, topic, payload=b"x"):
        self._mqtt.publish(topic, payload, 1).wait_for_publish(5)

    def close(self):
        self._mqtt.disconnect()
        self._mqtt.loop_stop()


def _topics(client, until):
    for _ in range(100):
        if any(topic == until for topic, _ in client.messages):
            break
        threading.Event().wait(0.05)
    return [topic for topic, _ in client.messages]


def test_an_edge_writes_under_its_own_id_only(broker):
    hub, box = (Client(*broker, name) for name in ("hub", "box-1"))
    hub.subscribe("gatehouse/v1/#")
    box.publish(BOX_2.status)
    box.publish(BOX_1.hub_status)
    box.publish(BOX_1.observation("gate-in", "plate"))
    assert _topics(hub, BOX_1.observation("gate-in", "plate")) == [
        BOX_1.observation("gate-in", "plate")
    ]
    hub.close()
    box.close()


def test_an_edge_reads_its_own_commands_only(broker):
    hub, box = (Client(*broker, name) for name in ("hub", "box-1"))
    box.subscribe("gatehouse/v1/#")
    for topic in (
        BOX_2.command("evidence"),
        BOX_2.ack,
        BOX_2.observation("gate-in", "face"),
        BOX_1.command("evidence"),
        BOX_1.ack,
        BOX_1.hub_status,
    ):
        hub.publish(topic)
    assert _topics(box, BOX_1.hub_status) == [
        BOX_1.command("evidence"),
        BOX_1.ack,
        BOX_1.hub_status,
    ]
    hub.close()
    box.close()


@pytest.mark.parametrize("tls", [True, False])
def test_without_a_certificate_nobody_comes_in(broker, tls):
    authority, port = broker
    connected = threading.Event()
    stranger = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    if tls:
        stranger.tls_set(str(authority.folder / "ca.crt"))
    stranger.on_connect = lambda _c, _u, _f, code, _p: connected.set() if code == 0 else None
    with contextlib.suppress(OSError):
        stranger.connect("localhost", port)
    stranger.loop_start()
    assert not connected.wait(2)
    stranger.loop_stop()
