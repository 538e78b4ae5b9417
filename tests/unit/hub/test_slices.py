"""Slices of the gallery for boxes that match faces themselves: who is in one, when it is sent, with a box."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hub.api.shapes import SliceHealth
from hub.app import slice_lines
from hub.config import SliceSection
from hub.health import HealthReport
from hub.incoming import Incoming
from hub.places import Spot
from hub.rules import parse_rule
from hub.slice_ids import SliceIds
from hub.slice_sync import SliceKeeper
from hub.slices import Box, SliceSource, Step, needed_at, next_step, subjects_for
from hub.store import slices, watchlists
from hub.store.register_tables import residents
from hub.watchlist import Category, EntryState, ListKind
from tests.unit.hub.kit import (
    CAMERA,
    EDGE,
    NOW,
    PACK_SHA,
    SITE,
    FakeEdge,
    HubBench,
    accept,
    at,
    entry,
    unit,
)
from tests.unit.hub.test_allow_list import FakeBroker, FakeIngest
from wire.codec import encode
from wire.keys import public_text
from wire.messages import (
    EdgeMatching,
    EdgeStatus,
    GalleryErase,
    GalleryReply,
    GallerySlice,
    HeldSlice,
    Message,
)
from wire.slices import Templates, open_part

LIFE = timedelta(hours=24)
GATE_IN = Spot(SITE, "north", CAMERA)
SENT = Box(
    edge=EDGE, site=SITE, cameras=(CAMERA,), sealing_key="key", pack_sha256=PACK_SHA,
    version=3, oldest_version=1, held_version=3, digest="d", expires_at=NOW + LIFE,
    state="active", sends=1, due_at=NOW,
)  # fmt: skip
ANN, BEA, CAT = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def rule(kind: str = "face_watchlist", **changes: object):
    document = {"id": "r", "title": "R", "owner": "o", "severity": "red", "kind": kind, **changes}
    return parse_rule(document, "test")


class TestWhoIsInIt:
    def test_only_whom_a_rule_watches_for_at_one_of_its_cameras(self) -> None:
        rules = [
            rule(categories=["missing_person"]),
            rule(categories=["banned_person"], cameras=["another"]),
            rule(categories=["protection_order"], gates=["south"]),
            rule(categories=["wanted_person"], enabled=False),
        ]
        found = needed_at([GATE_IN], rules)
        assert found.categories == {Category.MISSING_PERSON}
        assert not found.residents

    def test_a_rule_of_all_categories_needs_all_and_one_about_plates_none(self) -> None:
        assert needed_at([GATE_IN], [rule()]).categories == frozenset(Category)
        assert needed_at([GATE_IN], [rule("plate_watchlist")]).categories == frozenset()
        assert needed_at([], [rule()]).categories == frozenset()

    @pytest.mark.parametrize("kind", ["unregistered_person", "accompanied_entry", "absence"])
    def test_residents_are_needed_where_a_rule_asks_who_is_one(self, kind: str) -> None:
        assert needed_at([GATE_IN], [rule(kind)]).residents
        assert not needed_at([Spot("elsewhere", "", "x")], [rule(kind, sites=[SITE])]).residents

    def test_entries_that_are_not_approved_or_have_ended_give_nobody(self) -> None:
        needed = needed_at([GATE_IN], [rule(categories=["missing_person"]), rule("absence")])
        entries = [
            entry(ANN, ListKind.FACE),
            entry(BEA, ListKind.FACE, state=EntryState.PENDING),
            entry(CAT, ListKind.FACE, expires_at=NOW),
            entry("b4", ListKind.FACE, Category.BANNED_PERSON),
            entry(),
        ]
        assert subjects_for(needed, entries, ["resident"], NOW) == {ANN, "resident"}


def erase(why: str) -> Step:
    return Step(why, erase=True, send=False)


def send(why: str) -> Step:
    return Step(why, erase=False, send=True)


@pytest.mark.parametrize(
    ("changes", "digest", "forgets", "step"),
    [
        ({}, "d", True, None),
        ({}, "other", False, send("changed")),
        ({}, "other", True, Step("forget", erase=True, send=True)),
        ({"version": 0, "held_version": 0, "state": "none"}, "d", True, send("changed")),
        ({"version": 0, "held_version": 7}, "d", True, Step("forget", erase=True, send=True)),
        ({"state": "sent", "due_at": at(1)}, "d", False, None),
        ({"state": "sent", "due_at": at(0)}, "d", False, send("unanswered")),
        ({"state": "refused", "due_at": at(1)}, "d", False, None),
        ({"state": "refused", "due_at": at(0)}, "d", False, send("refused")),
        ({"held_version": 0}, "d", False, send("not_held")),
        ({"expires_at": NOW + LIFE / 2}, "d", False, None),
        ({"expires_at": NOW + LIFE / 2 - timedelta(seconds=1)}, "d", False, send("renewed")),
        ({"pack_sha256": "ee" * 32}, "other", True, erase("other_pack")),
        ({"pack_sha256": "ee" * 32, "held_version": 0}, "other", True, None),
        ({"pack_sha256": "ee" * 32, "due_at": at(1)}, "other", True, None),
    ],
)
def test_what_is_done_about_a_box(
    changes: dict, digest: str, forgets: bool, step: Step | None
) -> None:
    box = replace(SENT, **changes)
    assert next_step(box, PACK_SHA, digest, forgets=forgets, now=NOW, life=LIFE) == step


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_the_next_version_is_new_to_everybody(version: int, held: int, oldest: int) -> None:
    box = replace(SENT, version=version, held_version=held, oldest_version=oldest)
    assert box.next_version > max(version, held)
    assert box.next_version >= oldest


class TestPseudonyms:
    @given(st.uuids(), st.text(min_size=1, max_size=20))
    def test_the_hub_turns_back_what_it_gave(self, subject, edge: str) -> None:
        ids = SliceIds(bytes(32))
        known_as = ids.pseudonym(edge, str(subject))
        assert ids.subject_of(edge, known_as) == str(subject)
        assert known_as == ids.pseudonym(edge, str(subject))
        assert len(known_as) <= 64
        assert subject.hex not in known_as

    def test_another_box_another_hub_and_a_forger_mean_nobody(self) -> None:
        ids = SliceIds(bytes(32))
        known_as = ids.pseudonym(EDGE, ANN)
        assert ids.pseudonym("box-2", ANN) != known_as
        assert ids.subject_of("box-2", known_as) is None
        assert SliceIds(b"1" * 32).subject_of(EDGE, known_as) is None
        for forged in ("", ANN, known_as[:-1] + ("A" if known_as[-1] != "A" else "B"), "\u738b"):
            assert ids.subject_of(EDGE, forged) is None


@dataclass
class FakeBox:
    """The box's side: says what it holds, opens what it is sent, answers."""

    edge: FakeEdge
    key: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    pack_sha256: str = PACK_SHA
    held: HeldSlice = field(default_factory=lambda: HeldSlice(version=0))
    oldest: int = 1
    holds: Templates | None = None
    terms: GallerySlice | None = None

    def status(self, session: int = 1, *, online: bool = True, matches: bool = True) -> Incoming:
        matching = EdgeMatching(
            sealing_key=public_text(self.key.public_key()), pack="test-pack",
            pack_sha256=self.pack_sha256, oldest_version=self.oldest, held=self.held,
        )  # fmt: skip
        data = EdgeStatus(
            session_id=str(uuid.UUID(int=session)), online=online, version="1", cameras=(CAMERA,),
            matching=matching if matches else None,
        )  # fmt: skip
        event = self.edge.event(data, when=NOW, camera=None)
        return Incoming(self.edge.topics.status, encode(event, self.edge.key))

    def reply(self, data: GalleryReply) -> Incoming:
        event = self.edge.event(data, when=NOW, camera=None)
        return Incoming(self.edge.topics.reply("gallery"), encode(event, self.edge.key))

    def obey(self, command: Message) -> list[Incoming]:
        if isinstance(command, GalleryErase):
            self.oldest = max(self.oldest, command.up_to_version + 1)
            self.held, self.holds = HeldSlice(version=0), None
            reply = GalleryReply(version=command.up_to_version, state="erased")
        else:
            assert isinstance(command, GallerySlice)
            assert command.version >= self.oldest
            assert command.parts == 1
            self.holds, self.terms = open_part(command, SITE, self.edge.id, self.key), command
            self.held = HeldSlice(
                version=command.version, templates=command.templates, expires_at=command.expires_at
            )
            self.oldest = command.version
            reply = GalleryReply(
                version=command.version, state="active", templates=command.templates
            )
        return [self.reply(reply), self.status()]


@dataclass
class World:
    """A hub with its keeper, and one box on the other side of a broker that may be away."""

    bench: HubBench
    box: FakeBox
    commands: list[Message] = field(default_factory=list)
    connected: bool = True
    deaf: bool = False
    edges: dict = field(init=False)

    def __post_init__(self) -> None:
        self.edges = {self.box.edge.id: self.box.edge.known}
        self.start()

    def start(self, source: bool = True) -> None:
        self.keeper = SliceKeeper(
            self.bench.store, self, self.bench.rules, self.bench.vault, self.bench.slice_ids,
            SliceSource("test-pack", PACK_SHA, 128, accept) if source else None,
            self.bench.config.gate_of, SliceSection(), lambda: self.bench.now,
        )  # fmt: skip

    def command(self, edge: str, name: str, command: Message) -> bool:
        assert name == ("gallery" if isinstance(command, GallerySlice) else "gallery-erase")
        if self.connected:
            self.commands.append(command)
        return self.connected

    def round(self) -> list[str]:
        """One look of the keeper, and the box's answers; what was commanded."""
        self.commands.clear()
        self.keeper.round()
        told = [type(command).__name__ for command in self.commands]
        for command in [] if self.deaf else list(self.commands):
            self.bench.run(*self.box.obey(command))
        return told

    def who(self) -> set[str]:
        """The subjects that the box could name."""
        assert self.box.holds is not None
        found = {self.bench.slice_ids.subject_of(EDGE, p) for p in self.box.holds.subjects}
        return {subject for subject in found if subject is not None}

    def row(self) -> dict:
        (row,) = self.bench.rows("gallery_slices")
        return row


@pytest.fixture
def world(bench: HubBench, edge: FakeEdge) -> World:
    made = World(bench, FakeBox(edge))
    bench.run(made.box.status())
    return made


def set_to(world: World, moment: datetime) -> None:
    world.bench.now = moment


class TestWithABox:
    def test_it_gets_who_is_watched_for_sealed_by_pseudonyms_and_is_left_in_peace(
        self, world: World
    ) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        assert world.round() == ["GallerySlice"]
        box = world.box
        assert world.who() == {wang}
        assert box.holds is not None
        assert np.allclose(box.holds.rows, unit(1), atol=1e-6)
        assert wang not in box.holds.subjects
        assert box.terms is not None
        assert (box.terms.threshold, box.terms.margin) == (0.5, 0.05)
        assert box.terms.expires_at == NOW + LIFE
        row = world.row()
        assert (row["state"], row["held_version"], row["held_templates"]) == ("active", 1, 1)
        assert world.round() == []

    def test_a_box_with_nobody_to_watch_for_gets_an_empty_slice(self, world: World) -> None:
        assert world.round() == ["GallerySlice"]
        assert world.who() == set()
        assert world.round() == []

    def test_who_is_added_is_in_the_next_slice_without_an_interruption(self, world: World) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        world.round()
        li = world.bench.enrol(unit(2), "Li")
        assert world.round() == ["GallerySlice"]
        assert world.who() == {wang, li}

    def test_who_is_erased_is_erased_in_the_box_first(self, world: World) -> None:
        wang, li = world.bench.enrol(unit(1), "Wang"), world.bench.enrol(unit(2), "Li")
        world.round()
        with world.bench.store.write() as tx:
            watchlists.remove_entries_of(tx, wang)
            watchlists.erase_subject(tx, wang, NOW)
        assert world.round() == ["GalleryErase", "GallerySlice"]
        assert world.who() == {li}
        assert world.round() == []

    def test_an_entry_that_ends_is_forgotten_without_anybodys_doing(self, world: World) -> None:
        world.bench.enrol(unit(1), "Wang", expires_at=at(100))
        world.round()
        set_to(world, at(100))
        assert world.round() == ["GalleryErase", "GallerySlice"]
        assert world.who() == set()

    def test_a_rule_that_changes_changes_what_the_box_holds(self, world: World) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        world.round()
        path = world.bench.config.rules_dir / "faces.toml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text + 'cameras = ["another"]\n', encoding="utf-8")
        world.bench.rules._looked_at = float("-inf")
        assert world.round() == ["GalleryErase", "GallerySlice"]
        assert world.who() == set()
        path.write_text(text, encoding="utf-8")
        world.bench.rules._looked_at = float("-inf")
        world.round()
        assert world.who() == {wang}

    def test_it_is_given_a_new_one_before_the_old_one_expires(self, world: World) -> None:
        world.round()
        set_to(world, NOW + LIFE / 2)
        assert world.round() == []
        set_to(world, NOW + LIFE / 2 + timedelta(minutes=1))
        assert world.round() == ["GallerySlice"]
        assert world.box.held.expires_at == world.bench.now + LIFE

    def test_without_an_answer_it_is_sent_again_and_not_in_a_hurry(self, world: World) -> None:
        world.deaf = True
        assert world.round() == ["GallerySlice"]
        assert world.round() == []
        set_to(world, at(7))
        assert world.round() == ["GallerySlice"]
        set_to(world, at(14))
        assert world.round() == []

    def test_a_box_that_is_away_is_sent_nothing_and_all_of_it_when_it_is_back(
        self, world: World
    ) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        world.round()
        world.bench.run(world.box.status(online=False))
        with world.bench.store.write() as tx:
            watchlists.remove_entries_of(tx, wang)
            watchlists.erase_subject(tx, wang, NOW)
        assert world.round() == []
        world.bench.run(world.box.status(2))
        assert world.round() == ["GalleryErase", "GallerySlice"]
        assert world.who() == set()

    def test_a_broker_that_is_away_is_waited_for(self, world: World) -> None:
        world.connected = False
        world.round()
        set_to(world, at(3))
        world.connected = True
        assert world.round() == ["GallerySlice"]
        assert world.row()["state"] == "active"

    def test_a_hub_that_was_restarted_sends_nothing_unless_something_changed(
        self, world: World
    ) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        world.round()
        world.bench.restart()
        world.start()
        assert world.round() == []
        with world.bench.store.write() as tx:
            watchlists.remove_entries_of(tx, wang)
        assert world.round() == ["GalleryErase", "GallerySlice"]

    def test_a_box_that_was_set_up_anew_gets_one_sealed_to_its_new_key(self, world: World) -> None:
        wang = world.bench.enrol(unit(1), "Wang")
        world.round()
        world.box = FakeBox(world.box.edge)
        world.bench.run(world.box.status(2))
        assert world.round()[-1] == "GallerySlice"
        assert world.who() == {wang}

    @pytest.mark.parametrize("hub_has_faces", [True, False])
    def test_a_box_with_other_networks_is_given_nothing_and_made_to_forget(
        self, world: World, hub_has_faces: bool
    ) -> None:
        world.bench.enrol(unit(1), "Wang")
        world.round()
        if hub_has_faces:
            world.box.pack_sha256 = "ee" * 32
        world.start(source=hub_has_faces)
        world.bench.run(world.box.status(2))
        assert world.round() == ["GalleryErase"]
        assert world.box.holds is None
        assert world.round() == []

    def test_a_refusal_is_kept_with_its_reason(self, world: World) -> None:
        world.deaf = True
        world.round()
        refused = GalleryReply(version=1, state="refused", reason="made with another")
        world.bench.run(world.box.reply(refused))
        assert (world.row()["state"], world.row()["reason"]) == ("refused", "made with another")
        late = GalleryReply(version=9, state="active")
        world.bench.run(world.box.reply(late))
        assert world.row()["state"] == "refused"

    def test_a_box_that_sends_its_faces_to_the_hub_has_no_row(self, world: World) -> None:
        world.bench.run(world.box.status(2, matches=False))
        assert world.bench.rows("gallery_slices") == []
        assert world.round() == []

    def test_hub_check_says_what_each_box_holds(self, world: World) -> None:
        world.bench.enrol(unit(1), "Wang")
        world.round()
        (line,) = slice_lines(world.bench.store)
        assert line == (
            "gallery of edge box-1: it holds version 1 (1 templates), was given version 1: active"
        )


class TestHealth:
    def report(self, world: World, *, faces: bool = True) -> tuple[SliceHealth | None, list[str]]:
        bench = world.bench
        ingest = FakeIngest(bench)
        ingest.now = lambda: bench.now
        made = HealthReport(
            bench.config, "0", bench.store, FakeBroker(), ingest,
            gallery=bench.gallery if faces else None, broken_rules=tuple, forwarders=(), pack=None,
        )()  # fmt: skip
        return made.edges[0].gallery_slice, made.problems

    def test_it_says_version_age_and_how_much_a_box_holds(self, world: World) -> None:
        world.bench.enrol(unit(1), "Wang")
        _, problems = self.report(world)
        assert problems == ["edge box-1: has no slice of the gallery: it names nobody"]
        world.round()
        set_to(world, at(90))
        held, problems = self.report(world)
        assert held is not None
        assert (held.version, held.held_version, held.state) == (1, 1, "active")
        assert (held.people, held.held_templates, held.age_s) == (1, 1, 90.0)
        assert problems == []

    def test_what_keeps_a_box_from_naming_anybody_is_a_problem(self, world: World) -> None:
        world.box.pack_sha256 = "ee" * 32
        world.bench.run(world.box.status(2))
        _, problems = self.report(world)
        assert "matches faces with test-pack, the hub enrols with test-pack" in problems[0]
        _, problems = self.report(world, faces=False)
        assert "this hub has no face pack to give it any" in problems[0]
        world.box.pack_sha256 = PACK_SHA
        world.bench.run(world.box.status(3))
        world.deaf = True
        world.round()
        refused = GalleryReply(version=1, state="refused", reason="it has expired")
        world.bench.run(world.box.reply(refused))
        _, problems = self.report(world)
        assert problems == ["edge box-1: refuses slice 1 of the gallery: it has expired"]


def test_residents_are_those_of_the_boxs_site(bench: HubBench) -> None:
    wang, li = bench.enrol(unit(1)), bench.enrol(unit(2))
    with bench.store.write() as tx:
        for subject, site in ((wang, SITE), (li, "elsewhere")):
            tx.execute(
                residents.insert().values(
                    id=subject[:8],
                    site=site,
                    subject_id=subject,
                    name="",
                    lives_alone=False,
                    unit="1",
                    consent_reference="",
                )
            )
    with bench.store.read() as tx:
        assert slices.enrolled_residents(tx, SITE) == {wang}
