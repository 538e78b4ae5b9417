"""What controllers tell, as timelines: grants, refusals, and from when to when they are heard."""

import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config_devices import DeviceSection
from edge.door_mqtt import hear_doors
from edge.door_signals import DoorEvent, DoorSignals, parse_event, parse_status
from edge.grants import Grant, GrantBook
from tests.unit.edge.fakes import T0
from wire.errors import InvalidMessage
from wire.messages import AccessObservation


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def door(name: str = "lobby", **signal) -> DeviceSection:
    fields: dict = {"id": name, "camera": "hall", "signal": signal}
    if signal["kind"] == "relay":
        fields |= {"open_for": ["plate"], "relay": {"kind": "simulator"}}
    return DeviceSection.model_validate(fields)


MQTT = door(kind="mqtt", topic="doors/lobby")
WATCHED = door(kind="mqtt", topic="doors/lobby", status_topic="doors/lobby/state")
HTTP = door(kind="http", alive_s=30)
OWN = door(kind="relay")


class Hall:
    """Signals of one door, the book, and what is told."""

    def __init__(self, device: DeviceSection) -> None:
        self.book, self.told = GrantBook(), list[tuple[str, AccessObservation]]()
        self.signals = DoorSignals([device], self.book, lambda *told: self.told.append(told))

    def heard(self, since: float, until: float) -> int | None:
        """How many grants there were; None where nobody can say."""
        found = self.book.since("lobby", at(since), at(until))
        return None if found is None else len(found)

    def granted(self, seconds: float, **event) -> str:
        return self.signals.event("lobby", DoorEvent.model_validate(event), at(seconds))


@pytest.fixture
def hall() -> Hall:
    hall = Hall(MQTT)
    hall.signals.linked(at(0), there=True)
    return hall


def test_a_release_is_a_grant_and_an_observation(hall: Hall) -> None:
    assert hall.granted(5, method="card", reference="0042", id="e1", reason="valid") == "taken"
    assert hall.book.since("lobby", at(0), at(9)) == (Grant("lobby", at(5), "card", "0042"),)
    ((camera, word),) = hall.told
    assert camera == "hall"
    assert (word.device, word.decision, word.method) == ("lobby", "granted", "card")
    assert (word.reference, word.captured_at) == ("0042", at(5))
    assert word.reason == "its own controller released it, by card: valid"


def test_a_refusal_is_an_observation_and_no_grant(hall: Hall) -> None:
    hall.granted(5, decision="refused", method="card", reason="unknown card")
    assert hall.heard(0, 9) == 0
    assert hall.told[0][1].reason == "its own controller refused it, by card: unknown card"


def test_what_comes_again_counts_once(hall: Hall) -> None:
    assert hall.granted(5, id="e1") == "taken"
    assert hall.granted(6, id="e1") == "repeated"
    assert hall.granted(6, id="e2") == "taken"
    assert hall.granted(6) == hall.granted(6) == "taken"  # without an id nobody can tell
    assert hall.heard(0, 9) == 4


def test_a_release_that_this_box_asked_for_counts_once(hall: Hall) -> None:
    mine = Grant("lobby", at(5), "plate", "京A12345")
    hall.signals.own(mine, "order-1")
    assert hall.granted(5.1, id="order-1") == "repeated"
    assert hall.book.since("lobby", at(0), at(9)) == (mine,)
    hall.granted(6, id="order-2")
    hall.signals.own(mine, "order-2")  # the controller was quicker than its answer
    assert hall.heard(0, 9) == 2
    assert len(hall.told) == 1  # the desk tells of its own


def test_the_time_is_believed_when_it_is_about_now(hall: Hall) -> None:
    hall.granted(100, at=at(97))
    hall.granted(100, at=at(20))
    hall.granted(100, at=at(200))
    found = hall.book.since("lobby", at(0), at(300))
    assert found is not None
    assert [grant.at for grant in found] == [at(97), at(100), at(100)]


def test_more_than_any_door_has_is_ignored(hall: Hall) -> None:
    said = [hall.granted(n / 100) for n in range(70)]
    assert (said.count("taken"), said.count("too_many")) == (60, 10)
    assert len(hall.told) == 60
    assert hall.granted(61) == "taken"


def test_over_mqtt_it_is_heard_while_the_broker_is_there() -> None:
    hall = Hall(MQTT)
    assert hall.heard(0, 1) is None
    hall.signals.linked(at(2), there=True)
    assert hall.heard(1, 9) is None  # what was before, nobody heard
    assert hall.heard(3, 9) == 0
    hall.signals.linked(at(10), there=False)
    assert hall.heard(3, 9) is None
    hall.signals.own(Grant("lobby", at(11), "plate"), "order-1")
    assert hall.heard(11, 12) is None  # our own release is no word of the others


def test_with_a_status_it_is_heard_while_that_is_online_too() -> None:
    hall = Hall(WATCHED)
    hall.signals.linked(at(0), there=True)
    assert hall.heard(1, 2) is None
    hall.signals.status("lobby", at(3), online=True)
    assert hall.heard(4, 5) == 0
    hall.signals.status("lobby", at(6), online=False)
    assert hall.heard(4, 5) is None
    hall.signals.status("lobby", at(7), online=True)
    hall.signals.linked(at(8), there=False)
    assert hall.heard(7, 8) is None


def test_over_http_it_is_heard_while_it_calls() -> None:
    hall = Hall(HTTP)
    hall.signals.alive("lobby", at(0))
    for seconds in (20, 40, 60):
        hall.signals.tick(at(seconds))
        hall.signals.alive("lobby", at(seconds))
    assert hall.heard(1, 60) == 0
    hall.signals.tick(at(90))
    assert hall.heard(1, 60) == 0
    hall.signals.tick(at(90.1))
    assert hall.heard(1, 60) is None


def test_what_only_this_box_releases_is_always_heard() -> None:
    hall = Hall(OWN)
    assert hall.heard(1, 9) is None
    hall.signals.begin(at(0))
    assert hall.heard(1, 9) == 0
    hall.signals.own(Grant("lobby", at(5), "plate"), "order-1")
    assert hall.heard(1, 9) == 1


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"ON", "not_json"),
        (b"[1]", "a JSON list"),
        (b"\xff", "not_json"),
        (b'{"decision": "maybe"}', "decision: "),
        (b'{"reference": "' + b"0" * 65 + b'"}', "reference: "),
        (b'{"at": "2026-01-01"}', "at: "),
        (b" " * 8193, "too_large"),
    ],
)
def test_what_is_no_event(payload: bytes, says: str) -> None:
    with pytest.raises(InvalidMessage, match=says):
        parse_event(payload)


def test_an_event_may_say_little_and_more_than_we_know() -> None:
    assert parse_event(b"{}") == DoorEvent(decision="granted", method="signal")
    other = parse_event(
        b'{"method": "face", "colour": "red"}'
    )  # another system's: a release is a release
    assert other.method == "signal"


@given(st.binary(max_size=200))
def test_nothing_that_comes_breaks_the_reading(payload: bytes) -> None:
    for parse in (parse_event, parse_status):
        try:
            parse(payload)
        except InvalidMessage:
            continue


@pytest.mark.parametrize(
    ("payload", "online"),
    [(b"online", True), (b" offline\n", False), (b'{"state": "online"}', True)],
)
def test_a_status_is_a_word(payload: bytes, online: bool) -> None:
    assert parse_status(payload) is online
    with pytest.raises(InvalidMessage, match="neither online nor offline"):
        parse_status(b"maybe")


class FakeBroker:
    def __init__(self) -> None:
        self.handlers: dict = {}
        self.watchers: list = []

    def hear(self, topic, handler, *, retained=False) -> None:
        self.handlers[topic] = (handler, retained)

    def watch(self, watcher) -> None:
        self.watchers.append(watcher)


def test_topics_become_events_and_what_is_broken_changes_nothing(caplog) -> None:
    broker, hall = FakeBroker(), Hall(WATCHED)
    hear_doors(broker, [WATCHED, HTTP], hall.signals, lambda: at(5))
    assert {topic: retained for topic, (_, retained) in broker.handlers.items()} == {
        "doors/lobby": False,  # a release that the broker kept is long over
        "doors/lobby/state": True,
    }
    event, status = (broker.handlers[t][0] for t in ("doors/lobby", "doors/lobby/state"))
    broker.watchers[0](True)
    status(b"online")
    event(json.dumps({"method": "code"}).encode())
    for handler in (event, status):
        handler(b"rubbish")
    assert caplog.text.count("device lobby: ignored what came on") == 2
    assert hall.heard(5, 6) == 1
    assert len(hall.told) == 1
    for _ in range(60):
        event(b"{}")
    assert "more events than any door has" in caplog.text
