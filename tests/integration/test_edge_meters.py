"""Household meters on their whole way: gateway, edge, broker, hub, and the rule that they are for."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from demo.site import CameraPlan
from tests.e2e.sites import Site, wait_until
from tests.servers import Mosquitto, mosquitto_path
from tests.unit.edge.clips import write_clip

pytestmark = [
    pytest.mark.skipif(
        mosquitto_path() is None, reason="no mosquitto: run scripts/test_servers.sh"
    ),
    pytest.mark.timeout(300),
]
RULE = """
id = "empty-flats"
title = "Empty flat uses water"
kind = "vacant_unit"
owner = "grid"
severity = "blue"
medium = "water"
over_h = 72
vacant_above = 0.5
"""
METERS = """
[local_broker]
host = "127.0.0.1"
port = {port}

[[meters]]
id = "water-3-1502"
unit = "3-1502"
medium = "water"
topic = "wmbusmeters/water-3-1502"
value = "total_m3"
counts = "m3"
time = "timestamp"

[[meters]]
id = "power-3-1502"
unit = "3-1502"
medium = "electricity"
topic = "zigbee2mqtt/power-3-1502"
value = "energy"
counts = "kWh"
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Mosquitto]:
    """The broker of the household meters: not the hub's."""
    broker = Mosquitto(tmp_path / "gateway").start()
    yield broker
    broker.stop()


class Gateway:
    def __init__(self, port: int) -> None:
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def say(self, topic: str, content: Any, *, retain: bool = False) -> None:
        self.client.publish(topic, json.dumps(content), 1, retain).wait_for_publish(10)

    def water(self, total_m3: Any, hours_ago: float) -> None:
        at = datetime.now(UTC) - timedelta(hours=hours_ago)
        reading = {"total_m3": total_m3, "timestamp": at.isoformat(), "meter": "multical21"}
        self.say("wmbusmeters/water-3-1502", reading)


def test_an_empty_flat_that_uses_water_is_an_alert(tmp_path: Path, gateway: Mosquitto) -> None:
    still = np.full((240, 320, 3), 90, np.uint8)
    video = write_clip(tmp_path / "yard.mp4", itertools.repeat(still, 5 * 280), rate_hz=5)
    with Site(
        tmp_path / "site", [CameraPlan("gate-in", str(video), plates=False)], face_pack=""
    ) as site:
        (site.plan.folder / "rules" / "empty-flats.toml").write_text(RULE, encoding="utf-8")
        site.api("PUT", "/register/sites", json={"id": "rosegarden", "title": "Rose Garden"})
        unit = {"site": "rosegarden", "id": "3-1502", "occupancy": "vacant"}
        site.api("PUT", "/register/units", json=unit)
        edge = site.plan.edge_file
        with edge.open("a", encoding="utf-8") as file:
            file.write(METERS.format(port=gateway.port))
        meters = Gateway(gateway.port)
        meters.say("zigbee2mqtt/power-3-1502", {"energy": 1.0}, retain=True)
        site.start("edge", "gatehouse", "edge", "run", "-v", "-c", str(edge))
        wait_until(lambda: "is online" in site.log("edge"), 90, "no camera")
        wait_until(lambda: "meters: connected" in site.log("edge"), 30, "no gateway")

        meters.water("much", 48)
        meters.water(100.0, 48)
        meters.water(100.2, 24)
        wait_until(lambda: len(readings(site)) == 2, 30, "no readings")
        assert site.all("/alerts") == []
        meters.water(101.3, 0)
        alert = wait_until(lambda: next(iter(site.all("/alerts")), None), 30, "no alert")
        assert alert["rule_id"] == "empty-flats"
        assert alert["reason"] == "3-1502 is said to be empty and used 1.30 m³ of water in 2 days"
        assert alert["camera"] == "meters"

        # What the gateway's broker had kept has no time: it says nothing. A new one does.
        assert all(reading["data"]["medium"] == "water" for reading in readings(site))
        meters.say("zigbee2mqtt/power-3-1502", {"energy": 2.5})
        wait_until(lambda: len(readings(site)) == 4, 30, "no electricity")
        log = site.log("edge")
        assert log.count("what is at `value` is no number") == 1
        assert "water-3-1502 can be read again" in log
        meters.client.disconnect()


def readings(site: Site) -> list[dict[str, Any]]:
    return site.all("/observations", kind="meter")
