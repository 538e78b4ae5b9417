"""Where a sink may connect to: checked addresses only, and to the one that was checked."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from hub.config import load_config
from hub.sinks.addresses import refusal
from hub.sinks.network import Guard, GuardedClient, Unreachable
from tests.unit.hub.kit import FakeEdge, write_config
from wire.errors import ConfigError


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.100.100.200",
        "168.63.129.16", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)  # fmt: skip
def test_the_inside_is_refused_unless_its_network_is_named(address: str) -> None:
    assert "allow_networks" in refusal(ip_address(address), [])
    assert refusal(ip_address(address), [ip_network(address)]) == ""


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_the_outside_is_not(address: str) -> None:
    assert refusal(ip_address(address), []) == ""


def test_an_allowed_network_allows_nothing_else() -> None:
    allowed = [ip_network("10.20.0.0/16")]
    assert refusal(ip_address("10.20.3.4"), allowed) == ""
    assert refusal(ip_address("10.21.3.4"), allowed) != ""
    assert refusal(ip_address("::1"), allowed) != ""


def test_one_bad_address_condemns_a_name() -> None:
    guard = Guard(resolve=lambda *_: ["1.1.1.1", "169.254.169.254"])
    with pytest.raises(Unreachable, match=r"169\.254\.169\.254"):
        guard.address_of("rebind.example", 443)


def unknown(host: str, port: int) -> list[str]:
    raise OSError("no such name")


@pytest.mark.parametrize("lookup", [unknown, lambda *_: []])
def test_a_name_without_address_is_unreachable(lookup) -> None:
    with pytest.raises(Unreachable, match="nowhere"):
        Guard(resolve=lookup).address_of("nowhere.example", 80)


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.hosts.append(self.headers["host"])
            size = int(self.path.removeprefix("/"))
            self.send_response(200)
            self.send_header("content-length", str(size))
            self.end_headers()
            self.wfile.write(b"x" * size)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.hosts = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_name_is_looked_up_once_and_the_connection_goes_to_what_was_checked(server) -> None:
    answers = [["127.0.0.1"], ["10.9.9.9"]]  # the second look-up would lead elsewhere
    guard = Guard([ip_network("127.0.0.1")], lambda *_: answers.pop(0))
    client = GuardedClient(guard, 5)
    url = f"http://centre.example:{server.server_port}"
    answer = client.send("GET", f"{url}/5", headers={})
    assert (answer.status, answer.body) == (200, b"xxxxx")
    assert server.hosts == [f"centre.example:{server.server_port}"]
    with pytest.raises(Unreachable, match=r"10\.9\.9\.9"):
        client.send("GET", f"{url}/5", headers={})
    client.close()


def test_an_endless_answer_is_not_read_to_its_end(server) -> None:
    client = GuardedClient(Guard([ip_network("127.0.0.1")]), 5)
    with pytest.raises(Unreachable, match="longer than"):
        client.send("GET", f"http://127.0.0.1:{server.server_port}/9000000", headers={})
    client.close()


def test_a_refused_address_in_the_file_is_an_error_that_names_the_key(tmp_path: Path) -> None:
    path, _ = write_config(tmp_path, FakeEdge(), sink_url="http://169.254.169.254/latest")
    with pytest.raises(ConfigError, match=r"sinks\[0\]: 169\.254\.169\.254.*allow_networks"):
        load_config(path)


def test_certificates_that_are_none_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("x")
    with pytest.raises(ConfigError, match="ca_file"):
        GuardedClient(Guard(), 5, tmp_path / "ca")
