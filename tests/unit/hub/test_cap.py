"""CAP 1.2: the message by the order and the values of its schema, and where it goes."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pytest

from hub.config import load_config
from hub.sinks.base import Attempt
from hub.sinks.cap import CapSink
from hub.sinks.cap_message import NAMESPACE, CapSource, cap_message, write_moment
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.notice import Notice, Told
from tests.unit.hub.kit import NOW, FakeEdge, at, write_config
from tests.unit.hub.notices import PLATE_MATCH, a_change, a_notice
from wire.errors import ConfigError

SOURCE = CapSource(
    sender="gatehouse@rosegarden.example", sender_name="玫瑰园", addresses=("centre", "police post"),
    status="Exercise", language="zh-CN", zone=ZoneInfo("Asia/Shanghai"), valid_for=timedelta(hours=24),
)  # fmt: skip
# The schema's sequences (CAP-v1.2.xsd): in this order, and nothing else.
_ALERT = (
    "identifier sender sent status msgType source scope restriction addresses code note references"
    " incidents info"
)
_INFO = (
    "language category event responseType urgency severity certainty audience eventCode effective"
    " onset expires senderName headline description instruction web contact parameter resource area"
)
_ORDER = {
    "alert": _ALERT.split(),
    "info": _INFO.split(),
    "area": ["areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling"],
    "parameter": ["valueName", "value"],
}
_REQUIRED = {
    "alert": {"identifier", "sender", "sent", "status", "msgType", "scope"},
    "info": {"category", "event", "urgency", "severity", "certainty"},
    "area": {"areaDesc"},
    "parameter": {"valueName", "value"},
}
_VALUES = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


def check(node: Element, name: str = "alert") -> None:
    """Hold a message against the schema."""
    names = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in node]
    places = [_ORDER[name].index(child) for child in names]  # ValueError: no such element
    assert places == sorted(places)
    assert set(names) >= _REQUIRED[name]
    for child, child_name in zip(node, names, strict=True):
        if child_name in _ORDER:
            check(child, child_name)
        if child_name in _VALUES:
            assert child.text in _VALUES[child_name].split()
        if child_name in ("sent", "effective", "onset", "expires"):
            assert _MOMENT.fullmatch(child.text)
    if name == "alert" and node.findtext(f"{{{NAMESPACE}}}scope") == "Private":
        assert node.findtext(f"{{{NAMESPACE}}}addresses")


def read(notice: Notice) -> dict[str, str]:
    message = cap_message(notice, SOURCE)
    assert message is not None
    root = ElementTree.fromstring(message)
    assert root.tag == f"{{{NAMESPACE}}}alert"
    check(root)
    return {n.tag.removeprefix(f"{{{NAMESPACE}}}"): n.text for n in root.iter() if n.text}


def told(*notices: Notice) -> tuple[Told, ...]:
    return tuple(Told(n.due.event_id, n.alert.TYPE, n.due.at) for n in notices)


def test_a_new_alert() -> None:
    notice = a_notice()
    said = read(notice)
    assert said["identifier"] == notice.due.event_id
    assert (said["msgType"], said["status"], said["category"]) == ("Alert", "Exercise", "Security")
    assert said["sent"] == "2026-11-06T01:25:00+08:00"
    assert said["addresses"] == 'centre "police post"'
    assert (said["urgency"], said["severity"], said["certainty"]) == (
        "Immediate",
        "Severe",
        "Likely",
    )
    assert said["event"] == "Plates <listed>"
    assert "references" not in said


def test_later_messages_refer_to_all_before_them() -> None:
    raised, verified = a_notice(), a_change("verified", 1)
    said = read(a_change("dispatched", 2, told=told(raised, verified)))
    assert said["msgType"] == "Update"
    assert said["certainty"] == "Observed"
    first, second = said["references"].split()
    assert first == f"{SOURCE.sender},{raised.due.event_id},2026-11-06T01:25:00+08:00"
    assert second.split(",")[1] == verified.due.event_id


def test_who_was_not_told_before_gets_an_alert_and_not_an_update() -> None:
    assert read(a_change("verified"))["msgType"] == "Alert"


def test_a_false_alarm_is_cancelled_and_that_is_the_end() -> None:
    before = told(a_notice())
    said = read(a_change("false_alarm", told=before))
    assert (said["msgType"], said["note"]) == ("Cancel", "false alarm")
    assert "certainty" not in said
    assert cap_message(a_change("closed", 2, told=before, certainty="unverified"), SOURCE) is None
    assert cap_message(a_change("false_alarm"), SOURCE) is None  # nobody was told


def test_a_close_is_all_clear() -> None:
    said = read(a_change("closed", told=told(a_notice())))
    assert (said["responseType"], said["urgency"]) == ("AllClear", "Past")


def test_notes_and_assignments_are_no_news() -> None:
    assert cap_message(a_change("noted", told=told(a_notice())), SOURCE) is None


@pytest.mark.parametrize(
    ("certainty", "how", "said"),
    [
        ("unverified", "suspected", "Possible"),
        ("unverified", "exact", "Likely"),
        ("confirmed", "suspected", "Observed"),
    ],
)
def test_certainty_is_at_most_likely_until_a_person_has_confirmed(certainty, how, said) -> None:
    match = PLATE_MATCH.model_copy(update={"how": how})
    assert read(a_notice(certainty=certainty, match=match))["certainty"] == said


def test_what_xml_has_no_place_for_does_not_break_it() -> None:
    assert read(a_notice(reason="a\x00b <&> 京\x1f"))["description"] == "a\ufffdb <&> 京\ufffd"


def test_moments_as_cap_has_them() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert write_moment(moment, UTC) == "2026-01-02T03:04:05-00:00"
    assert write_moment(moment, ZoneInfo("America/New_York")) == "2026-01-01T22:04:05-05:00"


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.server.got.append((self.headers["content-type"], body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_to_a_url_and_into_a_folder(tmp_path: Path, receiver: ThreadingHTTPServer) -> None:
    client = GuardedClient(Guard([ip_network("127.0.0.1")]), 5)
    url = f"http://127.0.0.1:{receiver.server_port}/cap"
    sink = CapSink("cap", SOURCE, url, tmp_path / "out", client)
    notice = a_notice(when=at(5))
    assert sink.deliver(notice) == sink.deliver(notice) == Attempt("delivered")
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == f"{notice.due.event_id}.xml"
    assert receiver.got == [("application/cap+xml", file.read_bytes())] * 2
    assert sink.deliver(a_change("noted")).result == "skipped"
    sink.stop()


def test_a_folder_that_takes_nothing_is_worth_another_try(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sink = CapSink("cap", SOURCE, None, tmp_path / "file", GuardedClient(Guard(), 5))
    assert sink.deliver(a_notice(when=NOW)).result == "retry"
    sink.stop()


CAP = '[[sinks]]\nid = "cap"\nkind = "cap"\nsender = "a@b"\nsender_name = "n"\naddresses = ["c"]\n'


def test_its_section_of_the_file(tmp_path: Path, edge: FakeEdge) -> None:
    path, _ = write_config(tmp_path, edge, more=CAP + 'folder = "out"\n')
    (section,) = load_config(path).sinks
    assert section.folder == tmp_path / "out"
    assert section.made_filter().unverified == "urgent"


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("", "name a url, a folder, or both"),
        ('folder = "f"\ntime_zone = "Mars/Olympus"\n', "no time zone"),
        ('url = "http://10.0.0.1/"\n', "allow_networks"),
        ('folder = "f"\nstatus = "Draft"\n', r"sinks\[0\]\.status"),
    ],
)
def test_its_section_is_checked(tmp_path: Path, edge: FakeEdge, more: str, complaint: str) -> None:
    path, _ = write_config(tmp_path, edge, more=CAP + more)
    with pytest.raises(ConfigError, match=complaint):
        load_config(path)
