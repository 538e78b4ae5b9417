"""The desk at a barrier, as timelines: one release and one word for each track, and refusals that wait."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.access_desk import SETTLE_S, AccessDesk, DeskOutlets
from edge.allow_list_box import BoxAllowList
from edge.config_devices import DeviceSection
from edge.grants import Grant
from edge.relays import Order, RelayFailed
from edge.releaser import Releaser
from tests.unit.edge.fakes import T0, frame
from tests.unit.edge.test_access import device
from tests.unit.edge.test_allow_list import HUB, PLATE, a_list
from tests.unit.edge.test_emit import PLATE as FINDING
from tests.unit.edge.test_emit import SCENE
from wire.messages import AccessObservation
from wire.topics import EdgeTopics

ID = "0192f7a0-1111-4222-8333-444455556666"


@dataclass
class FakeRelay:
    """Releases, or fails with what it was told to."""

    orders: list[Order] = field(default_factory=list)
    fails: str = ""
    gate: threading.Event | None = None
    asked: threading.Event = field(default_factory=threading.Event)

    def release(self, order: Order) -> None:
        self.asked.set()
        if self.gate is not None:
            self.gate.wait(10)
        self.orders.append(order)
        if self.fails:
            raise RelayFailed(self.fails)

    def check(self) -> str:
        return ""

    def close(self) -> None: ...


class Desk:
    """A desk with one barrier, a clock that is set by hand, and what it tells."""

    def __init__(self, folder: Path, *devices: DeviceSection) -> None:
        self.now_s, self.relay = 0.0, FakeRelay()
        self.told: list[tuple[str, AccessObservation]] = []
        self.grants: list[Grant] = []
        self.changed = threading.Condition()
        self.plates = BoxAllowList(
            folder,
            EdgeTopics("yard", "box-1"),
            ["north"],
            hub_key=HUB.public_key(),
            now=lambda: T0 + timedelta(seconds=self.now_s),
        )
        self.plates.command(a_list(1, PLATE, "京B00001"), b"")
        devices = devices or (device(),)
        self.desk = AccessDesk(
            devices,
            {one.id: self.relay for one in devices},
            self.plates,
            DeskOutlets(self._tell, lambda grant, _: self.grants.append(grant)),
            new_id=iter(f"order-{n}" for n in range(99)).__next__,
            monotonic_s=lambda: self.now_s,
        )
        self.desk.start()

    def _tell(self, camera: str, observation: AccessObservation) -> None:
        with self.changed:
            self.told.append((camera, observation))
            self.changed.notify_all()

    def read(
        self, text: str = PLATE, track: str = "t1", *, state: str = "confirmed", confidence: float = 0.99,
        camera: str = "gate", told: int | None = None,
    ) -> None:  # fmt: skip
        """A reading comes; wait until so much has been told in all."""
        plate = FINDING.plate.model_copy(update={"text": text, "confidence": confidence})
        finding = replace(
            FINDING, track_id=track, plate=plate, state=state,
            frame=frame(SCENE, self.now_s, camera=camera),
        )  # fmt: skip
        self.desk.read(finding, ID, self.now_s)
        if told is not None:
            with self.changed:
                assert self.changed.wait_for(lambda: len(self.told) >= told, 10)

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.desk.settle()

    @property
    def words(self) -> list[tuple[str, str]]:
        return [(one.decision, one.reason) for _, one in self.told]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "allowed")
    yield desk
    desk.desk.stop(5)


def test_an_allowed_plate_is_let_in_once_and_told_once(desk: Desk) -> None:
    desk.read(told=1)
    for _ in range(3):
        desk.wait(1)
        desk.read()
    desk.wait(SETTLE_S)
    assert [order.device for order in desk.relay.orders] == ["north"]
    ((camera, word),) = desk.told
    assert camera == "gate"
    assert (word.device, word.decision, word.method) == ("north", "granted", "plate")
    assert (word.reference, word.observation_id, word.captured_at) == (PLATE, ID, T0)
    assert word.release_ms == 0
    assert word.reason == f"{PLATE} is on the list of allowed plates"
    assert desk.grants == [Grant("north", T0, "plate", PLATE)]


def test_a_refusal_is_told_once_and_only_when_nothing_better_follows(desk: Desk) -> None:
    desk.read("京Z99999")
    desk.wait(SETTLE_S - 0.1)
    assert desk.told == []
    desk.read("京Z99999")
    desk.wait(0.1)
    desk.read("京Z99999")
    desk.wait(60)
    assert desk.words == [("refused", "京Z99999 is on no list of allowed plates")]
    assert desk.relay.orders == []


def test_a_car_that_is_read_better_in_time_is_told_of_once(desk: Desk) -> None:
    desk.read("京AD1234S", state="provisional", confidence=0.6)
    desk.wait(1)
    desk.read(confidence=0.93)
    desk.wait(1)
    desk.read(told=1)
    desk.wait(60)
    assert [decision for decision, _ in desk.words] == ["granted"]


def test_one_that_is_read_better_too_late_is_let_in_all_the_same(desk: Desk) -> None:
    desk.read(state="provisional")
    desk.wait(SETTLE_S)
    assert desk.words == [("refused", f"{PLATE} was not confirmed by several readings")]
    desk.read(told=2)
    assert desk.words[1][0] == "granted"


def test_the_reason_that_is_told_is_the_latest(desk: Desk) -> None:
    desk.read("京Z9999", state="provisional", confidence=0.5)
    desk.wait(1)
    desk.read("京Z99999")
    desk.wait(SETTLE_S)
    assert desk.words == [("refused", "京Z99999 is on no list of allowed plates")]


def test_a_new_track_of_the_same_car_is_held_off_and_the_next_car_is_not(desk: Desk) -> None:
    desk.read(told=1)
    desk.wait(2)
    desk.read(track="t2")
    desk.read("京B00001", track="t3", told=2)
    desk.wait(SETTLE_S)
    assert [w for _, w in desk.words][1:] == [
        "京B00001 is on the list of allowed plates",
        f"{PLATE} was let in just now",
    ]
    desk.wait(20)
    desk.read(track="t4", told=4)
    assert desk.words[3][0] == "granted"


def test_a_relay_that_fails_is_told_with_its_reason_and_may_be_tried_again(desk: Desk) -> None:
    desk.relay.fails = "given up: HTTP 503"
    desk.read(told=1)
    assert desk.words == [
        ("refused", f"{PLATE} is allowed, but the device was not released: given up: HTTP 503")
    ]
    assert desk.grants == []
    desk.relay.fails = ""
    desk.read(told=2)
    assert desk.words[1][0] == "granted"
    assert (desk.desk.counts.granted, desk.desk.counts.failed) == (1, 1)


def test_nobody_waits_for_a_slow_controller_and_nothing_is_opened_late(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "allowed")
    desk.relay.gate = threading.Event()
    desk.read()
    assert desk.relay.asked.wait(10)
    desk.read("京B00001", track="t2")
    assert desk.told == []
    desk.now_s = 6.0  # the second has waited behind the first for longer than it may
    desk.relay.gate.set()
    desk.desk.stop(5)
    assert len(desk.relay.orders) == 1
    assert desk.words[1] == (
        "refused",
        "京B00001 is allowed, but the device was not released: given up: its controller was busy for too"
        " long",
    )
    assert desk.desk.counts.release_ms == [6000.0]


def test_only_the_devices_of_the_camera_are_asked(tmp_path: Path) -> None:
    south = device(id="south", camera="back")
    desk = Desk(tmp_path / "allowed", device(), south)
    desk.read(camera="back", told=1)
    desk.read(camera="side")
    desk.desk.stop(5)
    assert [order.device for order in desk.relay.orders] == ["south"]


def test_what_is_yet_to_be_told_is_told_at_the_end(desk: Desk) -> None:
    desk.read("京Z99999")
    desk.desk.stop(5)
    assert [decision for decision, _ in desk.words] == ["refused"]


def test_after_ten_minutes_nothing_of_a_track_or_a_release_is_left(desk: Desk) -> None:
    desk.read(told=1)
    desk.wait(601)
    assert desk.desk._tracks == {}
    assert desk.desk._released["north"] == {}


def test_an_order_says_nothing_of_the_plate() -> None:
    assert json.loads(Order("o-1", "north", 1.0).body()) == {
        "release": "o-1",
        "device": "north",
        "action": "release",
    }


def test_orders_that_find_no_room_fail_at_once() -> None:
    relay, done = FakeRelay(), list[str | None]()
    releaser = Releaser("north", relay, lambda _, why: done.append(why), lambda: 0.0)
    for number in range(9):
        releaser.release(Order(str(number), "north", 5.0))
    assert done == ["too many orders wait for its controller"]


def test_a_fault_of_a_relay_ends_no_thread() -> None:
    class Broken(FakeRelay):
        def release(self, order: Order) -> None:
            raise ZeroDivisionError

    done: list[str | None] = []
    releaser = Releaser("north", Broken(), lambda _, why: done.append(why), lambda: 0.0)
    releaser.start()
    releaser.release(Order("1", "north", 5.0))
    releaser.release(Order("2", "north", 5.0))
    releaser.stop(5)
    assert done == ["a fault of the relay: ZeroDivisionError"] * 2
