"""From the register to the barrier and back: a real hub, a real worker, a real broker and controller."""

import re
import time
import uuid
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from edge.check import check_all
from edge.config import EdgeConfig, load_config
from edge.worker import Parts
from tests.integration.test_edge_access import Running
from tests.integration.test_hub_end_to_end import HubProcess, eventually
from tests.servers import Mosquitto, free_port
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import FakePlates, fake_networks, picture
from tests.unit.edge.test_relays import Controller
from tests.unit.hub.kit import FakeEdge, write_config
from wire.errors import GatehouseError
from wire.keys import load_or_create_signing_key

MINE, STRANGER = "京A88731", "沪B12345"


def two_cars(folder: Path) -> Path:
    """A resident's car at 12 s for a while, a stranger's at 20 s, then nothing for long."""
    cars = {300: (MINE, (200, 200, 330, 240)), 500: (STRANGER, (300, 200, 430, 240))}
    frames = (
        picture(*(car for start, car in cars.items() if start <= n < start + 75))
        for n in range(1500)
    )
    return write_clip(folder / "cars.mp4", frames)


def edge_file(folder: Path, port: int, keys: str, url: str) -> EdgeConfig:
    (folder / "relay.token").write_text("relay-token")
    path = folder / "edge.toml"
    path.write_text(
        f"""
[edge]
site = "rosegarden"
id = "box-1"
data_dir = "edge-data"
[broker]
host = "127.0.0.1"
port = {port}
{keys}
[[cameras]]
id = "gate-in"
source = "{two_cars(folder)}"
faces = false
health = false
motion_gate = false
[[devices]]
id = "north"
camera = "gate-in"
open_for = ["plate"]
relay = {{ kind = "http", url = "{url}", token_file = "relay.token" }}
[[devices]]
id = "lobby"
camera = "gate-in"
signal = {{ kind = "http" }}
[signals]
port = {free_port()}
token_file = "relay.token"
""",
        encoding="utf-8",
    )
    return load_config(path)


class Office:
    """Who enters vehicles, over the hub's API."""

    def __init__(self, hub: HubProcess) -> None:
        self.hub, self.token = hub, hub.add_token("office", "office")

    def call(self, method: str, path: str, **more) -> None:
        headers = {**self.hub.headers(self.token), "idempotency-key": str(uuid.uuid4())}
        httpx.request(
            method, f"{self.hub.url}/register/{path}", headers=headers, timeout=10, **more
        ).raise_for_status()

    def list_of_box(self) -> dict:
        (edge,) = self.hub.get("/health")["edges"]
        return edge["allow_list"] or {}

    def wait_for(self, plates: int) -> float:
        """How long it takes until the box holds a list of so many plates."""
        started_s = time.monotonic()
        eventually(
            lambda: (
                (held := self.list_of_box()).get("state") == "active"
                and held["held_plates"] == plates
            )
        )
        return time.monotonic() - started_s


def checked(config: EdgeConfig, folder: Path) -> str:
    """What `edge check` prints, whatever else may be wrong on this machine."""
    with (folder / "check.txt").open("w", encoding="utf-8") as file:
        try:
            check_all(config, Console(file=file, width=300))
        except GatehouseError as error:
            pytest.fail(str(error))
    return (folder / "check.txt").read_text(encoding="utf-8")


def test_a_registered_car_is_let_in_within_seconds_and_the_hub_knows(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    key = load_or_create_signing_key(_folder(tmp_path / "edge-data") / "signing.key")
    path, _ = write_config(
        tmp_path, FakeEdge(key=key), broker_port=mosquitto.port, api_port=(port := free_port())
    )
    hub, controller = HubProcess(path, port).start(), Controller([200])
    keys = re.search(r'\[hub\]\nverify_key = "\S+"\nsealing_key = "\S+"', hub.log.read_text())
    assert keys is not None
    config = edge_file(tmp_path, mosquitto.port, keys[0], controller.url)
    office = Office(hub)
    office.call("PUT", "sites", json={"id": "rosegarden", "title": "玫瑰园"})
    try:
        with Running(config, Parts(networks=fake_networks(FakePlates()))):
            office.wait_for(0)
            office.call("PUT", "vehicles", json={"site": "rosegarden", "plate": MINE})
            took_s = office.wait_for(1)
            assert took_s < 15
            told = eventually(
                lambda: (
                    len(found := hub.get("/observations", kind="access")["items"]) == 2 and found
                ),
                60,
            )
            office.call("DELETE", f"vehicles/rosegarden:{MINE}")
            office.wait_for(0)
        said = checked(config, tmp_path)
    finally:
        controller.close()
        hub.stop()
    refused, granted = (item["data"] for item in told)  # newest first
    assert (granted["decision"], granted["reference"]) == ("granted", MINE)
    assert (refused["decision"], refused["reference"]) == ("refused", STRANGER)
    assert refused["reason"] == f"{STRANGER} is on no list of allowed plates"
    assert len(controller.requests) == 1
    assert re.search(r"device +│ north +│ there is one at 127\.0\.0\.1:\d+; nothing was", said)
    assert re.search(r"device +│ lobby +│ is not opened by this box", said)
    assert re.search(r"controllers call +│ 127\.0\.0\.1:\d+ +│ with the token in", said)
    assert re.search(r"allowed plates +│ box-1 +│ version 3, 0 plates, made 0\.0 h ago", said)
    print(f"the box had the list {took_s:.1f} s after the car was entered;")
    print(f"released {granted['release_ms']:.0f} ms after the reading")


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
