"""Every example of docs/api.md, run as it is written, against a real hub."""

import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.integration.test_hub_end_to_end import EdgeClient, HubProcess, eventually, list_plate
from tests.integration.test_hub_faults import photos_of_two
from tests.servers import Mosquitto, free_port
from tests.unit.hub.kit import CROP, PLATE, FakeEdge, write_config


def examples() -> str:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.timeout(240)
def test_the_examples_work(tmp_path: Path, mosquitto: Mosquitto) -> None:
    edge, port = FakeEdge(), free_port()
    config, _ = write_config(
        tmp_path, edge, broker_port=mosquitto.port, api_port=port, face_pack="dlib-resnet"
    )
    hub = HubProcess(config, port).start()
    client = EdgeClient(edge, mosquitto.port)
    try:
        list_plate(hub)
        client.send(edge.plate(PLATE, datetime.now(UTC)))
        eventually(lambda: hub.get("/alerts")["items"])
        (tmp_path / "photo.png").write_bytes(photos_of_two()[0])
        (tmp_path / "run.sh").write_text("set -euo pipefail\n" + examples(), encoding="utf-8")
        environment = {
            "GATEHOUSE_URL": f"http://127.0.0.1:{port}",
            "GATEHOUSE_TOKEN": hub.token,
            "APPROVER_TOKEN": hub.add_token("bob", "approver"),
            "PHOTO": str(tmp_path / "photo.png"),
        }
        done = subprocess.run(
            ["bash", "-x", "run.sh"], cwd=tmp_path, env={**os.environ, **environment},
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    finally:
        client.stop()
        hub.stop()
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    assert (tmp_path / "crop.jpg").read_bytes() == CROP
    assert "event: gatehouse.alert.raised.v1" in done.stdout
    assert '"first_break":null' in done.stdout
