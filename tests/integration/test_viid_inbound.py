"""A command centre's dispositions over real HTTP, sent by the client that the hub itself uses elsewhere."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from hub.sinks.network import Guard, GuardedClient
from hub.viid.ids import write_time
from hub.viid.replies import read_statuses
from hub.viid.session import Library, Session
from tests.integration.test_hub_end_to_end import HubProcess
from tests.servers import free_port
from tests.unit.hub.kit import FakeEdge, write_config
from tests.unit.hub.test_viid_dispositions import ID, item

ME = "33078200005030000009"
SECTION = f"""[viid]
device_id = "33078200005030000001"
operate_types = "1/2"
[[viid.peers]]
id = "city"
device_id = "{ME}"
username = "city"
password_file = "centre-password"
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    port = free_port()
    config, _ = write_config(tmp_path, FakeEdge(), api_port=port, more=SECTION)
    (tmp_path / "centre-password").write_text("secret-of-city\n")
    made = HubProcess(config, port).start()
    yield made
    if made.process is not None:
        made.stop()


def now() -> datetime:
    return datetime.now(UTC)


def test_a_session_dispositions_and_a_restart(hub: HubProcess) -> None:
    client = GuardedClient(Guard([ip_network("127.0.0.0/8")]), 10)
    library = Library(f"http://127.0.0.1:{hub.port}", ME, "city", "secret-of-city")
    session = Session(library, client, now)
    session.keep_alive()
    assert session.problem == ""  # registered with Digest, kept alive, and the clocks agree
    times = {"BeginTime": write_time(now()), "EndTime": write_time(now() + timedelta(days=2))}
    body = {"DispositionListObject": {"DispositionObject": [item(**times, OperateType=1)]}}
    answer = session.call("POST", "/VIID/Dispositions", body)
    assert [status.code for status in read_statuses(answer.body)] == [0]
    (entry,) = hub.get("/watchlists/plates")["items"]
    assert (entry["state"], entry["requester"], entry["reference"]) == ("pending", "viid:city", ID)
    token = hub.add_token("bob", "approver")
    path = f"{hub.url}/watchlists/plates/{entry['id']}/approve"
    assert httpx.post(path, headers=hub.headers(token), timeout=10).status_code == 200
    hub.stop()
    hub.start()  # knows nobody any more: the client registers again by itself
    answer = session.call("POST", "/VIID/Dispositions", body)
    assert [status.text for status in read_statuses(answer.body)] == ["known"]
    gone = session.call("DELETE", f"/VIID/Dispositions?IDList={ID}")
    assert [status.text for status in read_statuses(gone.body)] == ["withdrawn"]
    (entry,) = hub.get("/watchlists/plates")["items"]
    assert entry["state"] == "removed"
    (kept,) = hub.get("/dispositions")["items"]
    assert (kept["state"], kept["target"], kept["title"]) == ("withdrawn", "", "")
    session.close()
    client.close()
    assert "secret-of-city" not in hub.log.read_text() + json.dumps(hub.get("/audit"))
