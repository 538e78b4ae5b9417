"""`gatehouse enrol import` as a process, against a hub with the real default networks."""

import csv
import json
from pathlib import Path

import pytest

from tests.integration.test_hub_end_to_end import HubProcess
from tests.integration.test_hub_faults import gatehouse, photos_of_two
from tests.servers import Mosquitto, free_port
from tests.unit.hub.kit import FakeEdge, write_config

SAID = ("--purpose", "visits", "--basis", "consent", "--reference", "7", "--days", "20")


@pytest.mark.timeout(240)
def test_a_folder_is_enrolled_mended_and_taken_up_again(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    port = free_port()
    config, _ = write_config(
        tmp_path, FakeEdge(), broker_port=mosquitto.port, api_port=port, face_pack="dlib-resnet"
    )
    hub = HubProcess(config, port).start()
    access = {"GATEHOUSE_URL": f"http://127.0.0.1:{port}", "GATEHOUSE_TOKEN": hub.token}
    one, two, _ = photos_of_two()
    people = tmp_path / "people"
    (people / "r-1").mkdir(parents=True)
    (people / "r-1" / "front.png").write_bytes(one)
    (people / "r-2.jpg").write_text("hello")
    (people / "people.csv").write_text(
        "external_id,label,consent_text\nr-1,王小明,2026-03\nr-2,Li,2026-03\n", encoding="gb18030"
    )
    try:
        first = gatehouse(
            "enrol", "import", str(people), *SAID, "--json", str(people / "r.json"), **access
        )
        assert first.returncode == 9, first.stderr
        assert "1 enrolled, 0 enrolled anew, 0 skipped, 1 refused" in first.stdout
        assert "row 3 r-2 Li: refused: r-2.jpg: the file is no picture" in first.stderr
        assert "1 of 2 rows were refused: mend them in" in first.stderr
        made, bad = json.loads((people / "r.json").read_text())["rows"]
        assert (made["what"], made["label"], made["photos"][0]["name"]) == (
            "enrolled", "王小明", "r-1/front.png",
        )  # fmt: skip
        assert bad["problem"].startswith("r-2.jpg: the file is no picture")

        (people / "r-2.jpg").write_bytes(one)  # somebody took the wrong picture
        wrong = gatehouse("enrol", "import", str(people / "refused.csv"), *SAID, **access)
        assert wrong.returncode == 9
        assert f"already subject {made['subject_id']} (王小明, r-1, similarity" in wrong.stderr
        (people / "r-2.jpg").write_bytes(two)
        mended = gatehouse("enrol", "import", str(people / "refused-2.csv"), *SAID, **access)
        assert mended.returncode == 0, mended.stderr
        again = gatehouse("enrol", "import", str(people), *SAID, **access)
        assert again.returncode == 0, again.stderr
        assert "0 enrolled, 0 enrolled anew, 2 skipped, 0 refused" in again.stdout
        status = gatehouse("enrol", "status", **access)
        assert "enrolled: 2" in status.stdout
        assert "dlib-resnet" in status.stdout
        for name in ("refused.csv", "refused-2.csv"):
            with (people / name).open(encoding="utf-8-sig", newline="") as file:
                assert [row["external_id"] for row in csv.DictReader(file)] == ["r-2"]
    finally:
        hub.stop()
