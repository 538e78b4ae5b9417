"""Lists of allowed plates: who is on them, when a box is sent one anew, as timelines with a box."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hub.allow_list_sync
from hub.allow_list import (
    AT_ONCE,
    Allowed,
    AllowListSection,
    DeviceSection,
    Given,
    digest_of,
    entries_for,
    list_parts,
    why_send,
)
from hub.allow_list_sync import AllowListKeeper
from hub.app import allow_list_lines
from hub.config import load_config
from hub.health import HealthReport
from hub.inbox import Inbox
from hub.incoming import Incoming
from hub.ingest import Counters
from hub.passes import PassState
from hub.pauses import pause_after
from hub.register import Site, Vehicle
from hub.store import allow_lists, passes, register
from tests.unit.hub.kit import NOW, PLATE, SITE, FakeEdge, HubBench, at, write_config
from tests.unit.hub.test_api import Api
from wire.codec import MAX_MESSAGE_BYTES, encode
from wire.errors import ConfigError
from wire.messages import (
    AccessObservation,
    AllowedPlate,
    AllowList,
    AllowListReply,
    EdgeAccess,
    EdgeStatus,
    HeldAllowList,
)

LIFE = timedelta(hours=72)
GIVEN = Given(
    edge="box-1", site=SITE, devices=("north", "garage"),
    version=3, oldest_version=1, held_version=3, digest="d", expires_at=NOW + LIFE,
    state="active", sends=1, due_at=NOW,
)  # fmt: skip
MINE = Allowed("京A00001", "registered", None, None)
GUEST = Allowed("京A00002", "visitor", at(0), at(3600))


class TestEntries:
    def test_without_a_section_every_device_opens_for_both(self) -> None:
        found = entries_for(GIVEN, (GUEST, MINE, MINE), AllowListSection())
        assert found == (
            AllowedPlate(plate="京A00001"),
            AllowedPlate(plate="京A00002", valid_from=at(0), valid_until=at(3600)),
        )

    def test_a_device_opens_for_those_it_is_to_open_for(self) -> None:
        garage = DeviceSection(edge="box-1", device="garage", opens_for={"registered"})
        section = AllowListSection(devices=(garage,))
        mine, guest = entries_for(GIVEN, (MINE, GUEST), section)
        assert (mine.devices, guest.devices) == ((), ("north",))

    def test_who_opens_nothing_there_is_not_on_the_list(self) -> None:
        sections = [
            DeviceSection(edge="box-1", device=device, opens_for={"registered"})
            for device in GIVEN.devices
        ]
        assert len(entries_for(GIVEN, (MINE, GUEST), AllowListSection(devices=sections))) == 1

    @given(st.permutations([MINE, GUEST, Allowed("京A00001", "visitor", at(0), at(9))]))
    def test_the_order_in_which_they_come_makes_no_other_list(self, allowed) -> None:
        digest = digest_of(entries_for(GIVEN, allowed, AllowListSection()))
        assert digest == digest_of(entries_for(GIVEN, sorted(allowed, key=str), AllowListSection()))

    @pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1])
    def test_the_parts_have_every_entry_once_and_fit_in_messages(self, count: int) -> None:
        names = tuple(f"device-{n}" for n in range(4))
        entries = [
            AllowedPlate(plate=f"京A{n:05}", devices=names, valid_from=at(0), valid_until=at(1))
            for n in range(count)
        ]
        parts = list_parts(7, at(60), entries)
        assert [entry for part in parts for entry in part.entries] == entries
        assert [(p.part, p.parts, p.plates, p.version) for p in parts] == [
            (n, len(parts), count, 7) for n in range(1, len(parts) + 1)
        ]
        edge = FakeEdge()
        sizes = [len(encode(edge.event(part, when=NOW, camera=None), edge.key)) for part in parts]
        assert max(sizes) < MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    ("changes", "digest", "why"),
    [
        ({}, "d", None),
        ({}, "other", "changed"),
        ({"version": 0, "state": "none"}, "d", "changed"),
        ({"state": "sent", "due_at": at(1)}, "d", None),
        ({"state": "sent", "due_at": at(0)}, "d", "unanswered"),
        ({"state": "sent", "due_at": at(1)}, "other", "changed"),
        ({"state": "refused", "due_at": at(0)}, "d", "refused"),
        ({"state": "refused", "due_at": at(1)}, "d", None),
        ({"held_version": 0}, "d", "not_held"),
        ({"expires_at": NOW + LIFE / 2 - timedelta(seconds=1)}, "d", "renewed"),
        ({"expires_at": NOW + LIFE / 2}, "d", None),
    ],
)
def test_when_a_box_is_sent_its_list(changes: dict, digest: str, why: str | None) -> None:
    assert why_send(replace(GIVEN, **changes), digest, NOW, LIFE) == why


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_the_next_version_is_new_to_everybody(version: int, held: int, oldest: int) -> None:
    following = replace(
        GIVEN, version=version, held_version=held, oldest_version=oldest
    ).next_version
    assert following > max(version, held)
    assert following >= oldest


def test_pauses_grow_and_end() -> None:
    assert pause_after(1) == timedelta(seconds=6)
    assert pause_after(50) == timedelta(minutes=5)


def test_a_device_of_no_edge_is_refused_with_its_key(tmp_path, edge: FakeEdge) -> None:
    path, _ = write_config(
        tmp_path,
        edge,
        more='[[allow_list.devices]]\nedge = "box-9"\ndevice = "north"\nopens_for = ["visitor"]\n',
    )
    with pytest.raises(ConfigError, match=r"hub\.toml.*\n.*'box-9', which is not in \[\[edges\]\]"):
        load_config(path)


@dataclass
class Commands:
    """A downlink that keeps what it is given, while it is `there`."""

    edges: dict
    there: bool = True
    given: list[AllowList] = field(default_factory=list)

    def command(self, edge: str, name: str, command: AllowList) -> bool:
        assert (edge in self.edges, name) == (True, "allow-list")
        if self.there:
            self.given.append(command)
        return self.there


@dataclass(frozen=True)
class FakeBroker:
    connected: dict = field(default_factory=lambda: {SITE: True})
    problem: str = ""


class FakeIngest:
    """What health asks of the ingest worker."""

    def __init__(self, bench: HubBench) -> None:
        self.book, self.counters, self.inbox = bench.book, Counters(), Inbox()


class Gate:
    """A hub, and the box of one gate that answers as it is told to."""

    def __init__(self, bench: HubBench) -> None:
        self.bench, self.edge = bench, bench.edge
        self.down = Commands({bench.edge.id: bench.edge.known})
        self.keeper = AllowListKeeper(
            bench.store, self.down, bench.config.allow_list, lambda: bench.now
        )
        with bench.store.write() as tx:
            register.put(tx, "sites", [Site(id=SITE, title="玫瑰园")])

    def vehicle(self, plate: str, **more) -> None:
        with self.bench.store.write() as tx:
            register.put(tx, "vehicles", [Vehicle(site=SITE, plate=plate, **more)])

    def visit(self, plate: str, state: PassState, since: float, until: float) -> str:
        row = {
            "id": str(uuid.uuid4()), "site": SITE, "unit": "1-101", "kind": "visit",
            "state": state.value, "name": "Guest Zhao", "plate": plate, "valid_from": at(since),
            "valid_until": at(until), "requested_at": NOW, "consent": "zh-1", "decided_by": "",
            "decided_at": None,
        }  # fmt: skip
        with self.bench.store.write() as tx:
            passes.add(tx, row)
        return row["id"]

    def born(
        self, held: int = 0, oldest: int = 1, session: str = "", *, opens: bool = True
    ) -> None:
        access = EdgeAccess(
            devices=("north",), oldest_version=oldest, held=HeldAllowList(version=held)
        )
        data = EdgeStatus(
            session_id=session or str(uuid.uuid4()),
            online=True,
            access=access if opens else None,
        )
        event = self.edge.event(data, when=self.bench.now, camera=None)
        self.bench.run(Incoming(self.edge.topics.status, encode(event, self.edge.key)))

    def reply(self, version: int, state: str = "active", reason: str = "") -> None:
        data = AllowListReply(version=version, state=state, plates=1, reason=reason)
        event = self.edge.event(data, when=self.bench.now, camera=None)
        topic = self.edge.topics.reply("allow-list")
        self.bench.run(Incoming(topic, encode(event, self.edge.key)))

    def look(self, seconds: float = 0.0) -> list[AllowList]:
        """What is sent in one round at that time."""
        self.down.given.clear()
        self.bench.now = at(seconds)
        self.keeper.round()
        return list(self.down.given)


@pytest.fixture
def gate(bench: HubBench) -> Gate:
    return Gate(bench)


def test_a_box_that_opens_nothing_is_sent_nothing(gate: Gate) -> None:
    gate.vehicle(PLATE)
    gate.born(opens=False)
    assert gate.look() == []
    gate.born()
    assert len(gate.look()) == 1
    gate.born(opens=False)
    assert gate.look(60) == []
    assert gate.bench.rows("allow_lists") == []


def test_it_is_sent_as_soon_as_the_box_is_there_and_again_when_something_changes(
    gate: Gate,
) -> None:
    gate.vehicle(PLATE)
    gate.born()
    (first,) = gate.look()
    assert (first.version, first.expires_at) == (1, NOW + LIFE)
    assert first.entries == (AllowedPlate(plate=PLATE),)
    assert "Guest" not in first.model_dump_json()
    gate.reply(1)
    assert gate.look(1) == []
    name = gate.visit("京B00001", PassState.PENDING, 0, 3600)
    assert gate.look(2) == []  # does nothing until the office has approved it
    with gate.bench.store.write() as tx:
        passes.decide(tx, name, PassState.APPROVED, "office", at(2))
    (second,) = gate.look(3)
    assert (second.version, [e.plate for e in second.entries]) == (2, [PLATE, "京B00001"])
    assert (second.entries[1].valid_from, second.entries[1].valid_until) == (at(0), at(3600))
    gate.reply(2)
    with gate.bench.store.write() as tx:
        register.remove(tx, "vehicles", (SITE, PLATE))
    (third,) = gate.look(4)
    assert [e.plate for e in third.entries] == ["京B00001"]


def test_a_pass_that_ends_leaves_the_list_by_the_clock_alone(gate: Gate) -> None:
    gate.born()
    gate.visit(PLATE, PassState.APPROVED, 0, 100)
    (first,) = gate.look()
    gate.reply(first.version)
    assert gate.look(61) == []
    (second,) = gate.look(130)
    assert second.entries == ()


def test_a_pass_of_next_week_is_not_yet_on_it(gate: Gate) -> None:
    gate.born()
    gate.visit(PLATE, PassState.APPROVED, 5 * 86400, 6 * 86400)
    assert gate.look()[0].entries == ()
    gate.reply(1)
    sent = gate.look(2 * 86400 + 61)
    assert [e.plate for e in sent[0].entries] == [PLATE]


def test_it_is_renewed_half_way_through_its_life(gate: Gate) -> None:
    gate.vehicle(PLATE)
    gate.born()
    gate.look()
    gate.reply(1)
    assert gate.look(36 * 3600) == []
    (renewed,) = gate.look(36 * 3600 + 1)
    assert (renewed.version, renewed.expires_at) == (2, at(36 * 3600 + 1) + LIFE)


def test_what_is_not_answered_is_sent_again_with_pauses_as_the_same_version(gate: Gate) -> None:
    gate.vehicle(PLATE)
    gate.born()
    (first,) = gate.look()
    assert gate.look(5) == []
    assert gate.look(6) == [first]
    assert gate.look(12) == []
    assert gate.look(18) == [first]
    gate.born()  # it has come back: at once
    assert gate.look(19) == [first]


def test_a_broker_that_is_away_costs_no_version_for_ever(gate: Gate) -> None:
    gate.born()
    gate.down.there = False
    assert gate.look() == []
    assert gate.look(1) == []
    gate.down.there = True
    assert [part.version for part in gate.look(3)] == [1]


def test_a_hub_of_a_backup_goes_on_behind_what_the_box_has_seen(gate: Gate) -> None:
    gate.born(held=41, oldest=41)
    assert gate.look()[0].version == 42
    gate.reply(42, "refused", "version 42 is older than 50")
    gate.born(held=50, oldest=50)
    assert gate.look(7)[0].version == 51


def test_a_box_that_has_lost_its_list_gets_it_anew(gate: Gate) -> None:
    gate.born()
    gate.look()
    gate.reply(1)
    gate.born(held=1, oldest=1)
    assert gate.look(1) == []
    gate.born(held=0, oldest=1)
    assert [part.version for part in gate.look(2)] == [2]


def test_late_word_of_an_older_list_changes_nothing(gate: Gate) -> None:
    gate.born()
    gate.look()
    gate.vehicle(PLATE)
    gate.look(1)
    gate.reply(1, "refused", "late")
    (row,) = gate.bench.rows("allow_lists")
    assert (row["version"], row["state"], row["reason"]) == (2, "sent", "")
    with gate.bench.store.read() as tx:
        assert [box.version for box in allow_lists.boxes(tx)] == [2]


def test_the_hubs_health_says_which_list_a_box_holds(api: Api) -> None:
    gate = Gate(api.bench)
    report = HealthReport(
        api.bench.config,
        "0",
        api.bench.store,
        FakeBroker(),
        FakeIngest(api.bench),
        gallery=None,
        broken_rules=tuple,
        forwarders=(),
        pack=None,
    )
    assert report().edges[0].allow_list is None
    gate.born()
    gate.look()
    before = report()
    assert before.problems[-1].startswith("edge box-1: has no list of allowed plates")
    gate.reply(1)
    held = report().edges[0].allow_list
    assert held is not None
    assert (held.version, held.state, held.held_version, held.held_plates) == (1, "active", 1, 1)
    assert allow_list_lines(api.bench.store) == [
        "allowed plates of edge box-1: it holds version 1 (1 plates), was given version 1: active"
    ]
    gate.vehicle(PLATE)
    gate.look(1)
    gate.reply(2, "refused", "it has expired")
    assert report().problems[-1] == ("edge box-1: refuses list 2 of allowed plates: it has expired")


def test_grants_and_refusals_are_shown(api: Api) -> None:
    data = AccessObservation(
        device="north", decision="refused", method="plate", reference=PLATE, captured_at=NOW,
        reason="it is on no list",
    )  # fmt: skip
    api.bench.run(api.bench.edge.observation(data, when=NOW), api.bench.edge.plate())
    (shown,) = api.call("GET", "/observations?kind=access").json()["items"]
    assert (shown["kind"], shown["data"]["decision"]) == ("access", "refused")


def test_a_list_is_made_anew_only_when_its_site_was_read_anew(gate: Gate, monkeypatch) -> None:
    gate.vehicle(PLATE)
    gate.born()
    gate.look()
    gate.reply(1)
    made = []
    real = hub.allow_list_sync.entries_for
    monkeypatch.setattr(
        hub.allow_list_sync, "entries_for", lambda *given: made.append(1) or real(*given)
    )
    for seconds in range(1, 60):
        assert gate.look(seconds) == []
    assert made == []
    gate.look(60)
    assert made == [1]
