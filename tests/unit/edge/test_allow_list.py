"""The list of allowed plates in a box, as a timeline; on the disk; and what is never believed."""

import stat
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.allow_list import HeldList
from edge.allow_list_box import BoxAllowList, kept_list
from tests.unit.edge.fakes import T0
from wire.codec import encode
from wire.messages import AllowedPlate, AllowList, AllowListReply, Event
from wire.topics import EdgeTopics

HUB = Ed25519PrivateKey.generate()
PLATE = "京AD12345"


def hours(count: float) -> datetime:
    return T0 + timedelta(hours=count)


def a_list(version: int, *plates: str, part: int = 1, parts: int = 1, **more) -> AllowList:
    entries = tuple(AllowedPlate(plate=plate) for plate in plates)
    fields = {"expires_at": hours(24), "plates": len(plates) if parts == 1 else 3, **more}
    return AllowList(version=version, part=part, parts=parts, entries=entries, **fields)


@dataclass
class Box:
    folder: Path
    now: datetime = T0
    hub: Ed25519PrivateKey = HUB

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.box = BoxAllowList(
            self.folder,
            EdgeTopics("yard", "box-1"),
            ["north"],
            hub_key=self.hub.public_key(),
            now=lambda: self.now,
        )

    def give(self, part: AllowList, key: Ed25519PrivateKey = HUB) -> AllowListReply | None:
        event = Event(
            id="0192f7a0-1111-4222-8333-444455556666",
            site="yard",
            origin="hub",
            time=self.now,
            data=part,
        )
        return self.box.command(part, encode(event, key))

    def allows(self, plate: str = PLATE) -> bool:
        plates, _ = self.box.plates()
        return plates is not None and bool(plates.of(plate))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "allowed")


def test_without_a_list_nobody_is_allowed(box: Box) -> None:
    assert box.box.plates() == (None, False)
    status = box.box.status
    assert (status.devices, status.oldest_version, status.held.version) == (("north",), 1, 0)


def test_a_list_counts_until_the_next_one_or_its_end(box: Box) -> None:
    reply = box.give(a_list(3, PLATE, "京B00001"))
    assert reply == AllowListReply(version=3, state="active", plates=2)
    assert box.allows("京b·00001")
    assert box.box.status.held.expires_at == hours(24)
    box.give(a_list(4, "京B00001"))
    assert not box.allows()
    box.now = hours(24)
    assert box.box.plates() == (None, True)
    erased = box.box.tick()
    assert erased == AllowListReply(version=4, state="erased", reason="it expired")
    assert list(box.folder.glob("*.part")) == []
    assert box.box.plates() == (None, True)


def test_an_empty_list_allows_nobody_any_more(box: Box) -> None:
    box.give(a_list(1, PLATE))
    assert box.give(a_list(2)).state == "active"
    assert not box.allows()


def test_an_older_list_is_refused_now_and_after_a_restart(box: Box) -> None:
    box.give(a_list(7))
    for _ in range(2):
        reply = box.give(a_list(6, PLATE))
        assert (reply.state, reply.reason) == (
            "refused", "version 6 is older than 7, the least that is taken",
        )  # fmt: skip
        assert not box.allows()
        box.start()


def test_an_expired_list_is_refused_and_a_clock_that_is_set_back_helps_nobody(box: Box) -> None:
    assert box.give(a_list(1, PLATE, expires_at=T0)).reason == "it has expired"
    box.give(a_list(2, PLATE))
    box.now = hours(25)
    box.box.tick()
    box.now = hours(1)
    assert box.give(a_list(2, PLATE)).reason == "it has expired"
    assert not box.allows()


def test_it_counts_once_all_parts_are_there_in_whatever_order(box: Box) -> None:
    assert box.give(a_list(1, "京A00002", "京A00003", part=2, parts=2)) is None
    assert not box.allows("京A00002")
    assert box.give(a_list(1, "京A00001", part=1, parts=2)).plates == 3
    assert all(box.allows(f"京A0000{n}") for n in (1, 2, 3))
    assert box.give(a_list(1, "京A00001", part=1, parts=2)).state == "active"


def test_a_late_part_of_an_older_list_spoils_none_that_is_on_its_way(box: Box) -> None:
    assert box.give(a_list(5, "京AD00001", part=1, parts=3)) is None
    assert box.give(a_list(5, "京AD00002", part=2, parts=3)) is None
    assert box.give(a_list(4, "京AD00009", part=2, parts=2)) is None
    reply = box.give(a_list(5, PLATE, part=3, parts=3))
    assert reply is not None
    assert (reply.state, reply.version) == ("active", 5)
    assert box.allows()


def test_parts_that_are_fewer_plates_than_announced_are_refused(box: Box) -> None:
    box.give(a_list(1, PLATE))
    assert box.give(a_list(2, "京A00001", plates=5)).reason == "1 plates came, 5 were announced"
    assert box.allows()


def test_it_outlives_a_restart_in_files_that_nobody_else_may_read(box: Box) -> None:
    box.give(a_list(1, PLATE))
    box.start()
    assert box.allows()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in box.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(box.folder.stat().st_mode) == 0o700
    held, made_at = kept_list(box.folder, HUB.public_key(), "yard", hours(1))
    assert (held.version, held.plates, made_at) == (1, 1, T0)
    assert kept_list(box.folder, HUB.public_key(), "yard", hours(24)) is None
    box.start()
    assert box.allows()


def test_what_was_altered_or_forged_on_the_disk_is_not_believed(box: Box) -> None:
    box.give(a_list(1, PLATE))
    (file,) = box.folder.glob("*.part")
    file.write_bytes(file.read_bytes().replace(PLATE.encode(), "京AD12346".encode()))
    box.start()
    assert not box.allows("京AD12346")
    box.give(a_list(2, PLATE))
    box.hub = Ed25519PrivateKey.generate()
    box.start()
    assert not box.allows()
    assert list(box.folder.glob("*.part")) == []


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 2)), max_size=12))
def test_versions_only_grow(parts: list[tuple[int, int]]) -> None:
    held, seen = HeldList(), 0
    for version, part in parts:
        held.take(a_list(version, f"京A{version}", part=part, parts=2, plates=2), T0)
        assert held.held.version >= seen
        seen = held.held.version
        plates, _ = held.plates(T0)
        assert plates is None or plates.of(f"京A{seen}")
