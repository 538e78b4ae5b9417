"""The pipeline on a real database, as a timeline: what comes, what is stored, what is said."""

import hashlib
import json
import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.incoming import Incoming
from hub.watchlist import Category, EntryState, ListKind
from tests.unit.hub.kit import (
    CROP,
    NOW,
    PLATE,
    SCENE,
    FakeEdge,
    HubBench,
    at,
    entry,
    near,
    unit,
)
from tests.unit.hub.test_incoming import changed, resigned
from wire.codec import decode
from wire.errors import StoreError
from wire.messages import CommittedUpTo, EvidenceItem

SCENE_ITEM = EvidenceItem(
    name="scene",
    media_type="image/jpeg",
    size_bytes=len(SCENE),
    sha256=hashlib.sha256(SCENE).hexdigest(),
)


def acked(outcome, edge: FakeEdge, boot: str | None = None) -> int:
    boots = {c.boot_id: c.sequence for c in outcome.acks.get(edge.id, ())}
    return boots.get(boot or edge.boot, 0)


def test_an_unlisted_plate_is_stored_without_its_picture(bench: HubBench, edge: FakeEdge) -> None:
    outcome = bench.run(edge.plate("京B99999", at(-2)))
    assert (outcome.committed, outcome.raised, acked(outcome, edge)) == (1, 0, 1)
    (row,) = bench.rows("observations")
    assert (row["plate"], row["matched"], row["gate"]) == ("京B99999", False, "north")
    assert row["data"]["plate"]["confidence"] == 0.96
    assert "crop" not in row["data"]
    assert bench.rows("evidence") == bench.rows("alerts") == []


def test_a_listed_plate_raises_one_alert_with_pictures_and_outbox_rows(
    bench: HubBench, edge: FakeEdge
) -> None:
    bench.watch(entry())
    outcome = bench.run(edge.plate(pictures=(SCENE_ITEM,)))
    assert (outcome.committed, outcome.raised) == (1, 1)
    (alert,) = bench.rows("alerts")
    assert (alert["state"], alert["certainty"], alert["gate"]) == ("open", "unverified", "north")
    assert (alert["category"], alert["basis"]) == ("stolen_vehicle", "case: 2026-118")
    pictures = {row["name"]: row for row in bench.rows("evidence")}
    assert (pictures["crop"]["state"], pictures["crop"]["data"]) == ("stored", CROP)
    assert (pictures["scene"]["state"], pictures["scene"]["sha256"]) == (
        "pending",
        SCENE_ITEM.sha256,
    )
    (event,) = bench.rows("events")
    message = decode(event["body"]).verify(bench.signing.public_key())
    assert message.data.alert_id == alert["id"]
    assert message.id == event["id"]
    assert {row["sink"] for row in bench.rows("deliveries")} == {"mqtt", "centre"}


@pytest.mark.parametrize(
    "timeline",
    [
        # (seconds, plate, "raises" or "joins" or "-") under a rule of 600 s
        [(0, PLATE, "raises"), (300, PLATE, "joins"), (899, PLATE, "joins"), (1600, PLATE, "raises")],
        [(0, PLATE, "raises"), (-500, PLATE, "joins"), (-1099, PLATE, "joins")],  # late news
        [(0, PLATE, "raises"), (1201, PLATE, "raises"), (600, PLATE, "joins")],
        [(0, PLATE, "raises"), (0, "京B00000", "-"), (1, "京C00000", "raises")],
        [(0, PLATE, "raises"), (1, " 京a·12345", "joins")],
    ],
)  # fmt: skip
@pytest.mark.parametrize("restart", [False, True])
def test_timelines(bench: HubBench, edge: FakeEdge, timeline: list, restart: bool) -> None:
    bench.watch(entry())
    bench.watch(entry("京C00000"))
    for seconds, plate, expected in timeline:
        outcome = bench.run(edge.plate(plate, at(seconds)))
        got = {(1, 0): "raises", (0, 1): "joins", (0, 0): "-"}[outcome.raised, outcome.joined]
        assert got == expected, (seconds, plate)
        if restart:
            bench.restart()


def test_two_of_one_car_in_one_batch_are_one_alert(bench: HubBench, edge: FakeEdge) -> None:
    bench.watch(entry())
    outcome = bench.run(*(edge.plate(PLATE, at(n)) for n in range(5)))
    assert (outcome.committed, outcome.raised, outcome.joined) == (5, 1, 4)
    (alert,) = bench.rows("alerts")
    assert (alert["observations"], alert["first_seen_at"], alert["last_seen_at"]) == (
        5,
        at(-1),
        at(4),
    )


def test_the_hubs_clock_counts(bench: HubBench, edge: FakeEdge) -> None:
    edge.clock_offset_ms = 3_600_000  # the box is an hour slow
    bench.run(edge.plate("京B99999", at(-3600)))
    assert bench.rows("observations")[0]["captured_at"] == NOW


def test_sent_again_is_acknowledged_again_and_changes_nothing(
    bench: HubBench, edge: FakeEdge
) -> None:
    bench.watch(entry())
    messages = [edge.plate(PLATE, at(n)) for n in range(3)]
    bench.run(*messages)
    before = {t: bench.rows(t) for t in ("observations", "alerts", "rule_matches", "events")}
    bench.restart()
    outcome = bench.run(*messages, *messages)
    assert (outcome.committed, outcome.repeated, acked(outcome, edge)) == (0, 6, 3)
    assert {t: bench.rows(t) for t in before} == before


def test_twice_in_one_batch_counts_once(bench: HubBench, edge: FakeEdge) -> None:
    message = edge.plate()
    outcome = bench.run(message, message)
    assert (outcome.committed, outcome.repeated) == (1, 1)


def test_an_id_that_is_known_is_not_stored_again_under_another_place(
    bench: HubBench, edge: FakeEdge
) -> None:
    event_id = str(uuid.uuid4())
    bench.run(edge.plate(event_id=event_id))
    outcome = bench.run(edge.plate(event_id=event_id))
    assert (outcome.committed, outcome.repeated, acked(outcome, edge)) == (0, 1, 2)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_in_any_order_and_repetition_each_is_stored_once(
    bench: HubBench, data: st.DataObject
) -> None:
    edge = replace(bench.edge, boot=uuid.uuid4().hex[:16], sequence=0)
    messages = [edge.plate("京B99999", at(n)) for n in range(6)]
    order = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=18))
    seen: set[int] = set()
    for chunk in [order[i : i + 4] for i in range(0, len(order), 4)]:
        outcome = bench.run(*(messages[n] for n in chunk))
        assert outcome.committed == len(set(chunk) - seen)
        seen |= set(chunk)
        run = next(n for n in range(7) if n not in seen)
        assert acked(outcome, edge) == run


def test_a_gap_is_waited_for_until_the_edge_gives_it_up(bench: HubBench, edge: FakeEdge) -> None:
    first, _lost, third = edge.plate(), edge.plate(), edge.plate()
    assert acked(bench.run(first, third), edge) == 1
    # The edge had no room for the second: all below 3 is done with, it says.
    assert acked(bench.run(edge.status(pending={edge.boot: 3})), edge) == 3
    bench.restart()
    assert acked(bench.run(third), edge) == 3


def test_a_hub_restored_from_an_old_backup_does_not_wait_for_ever(
    bench: HubBench, edge: FakeEdge
) -> None:
    for _ in range(40):
        edge.plate()  # committed long ago, and lost with the newer database
    outcome = bench.run(edge.status(pending={edge.boot: 41}), edge.plate())
    assert acked(outcome, edge) == 41


def test_boots_are_apart(bench: HubBench, edge: FakeEdge) -> None:
    older = replace(edge, boot="ffffffffffffffff", sequence=0)
    edge.plate()
    outcome = bench.run(edge.plate(), older.plate())
    assert outcome.acks[edge.id] == (CommittedUpTo(boot_id=older.boot, sequence=1),)


def test_what_is_rejected_is_a_dead_letter_and_lets_its_edge_go_on(
    bench: HubBench, edge: FakeEdge
) -> None:
    newer = resigned(edge, edge.plate(), type="gatehouse.observation.plate.v2")
    forged = changed(edge.plate(), time="2026-11-05T17:25:01.000000Z")
    outcome = bench.run(newer, forged, forged)
    assert (outcome.rejected, acked(outcome, edge)) == (3, 1)  # the forged one is waited for
    letters = {row["reason"]: row for row in bench.rows("dead_letters")}
    assert set(letters) == {"unknown_major", "bad_signature"}
    assert letters["bad_signature"]["count"] == 2
    assert "update it" in letters["unknown_major"]["detail"]


def test_dead_letters_are_bounded(bench: HubBench, edge: FakeEdge, monkeypatch) -> None:
    monkeypatch.setattr("hub.store.dead_letters.MOST", 5)
    for n in range(12):
        bench.run(Incoming(edge.topics.observation("gate-in", "plate"), b"%d" % n))
    assert len(bench.rows("dead_letters")) == 5


class TestFaces:
    def test_a_watched_face_raises_and_keeps_its_crop(
        self, bench: HubBench, edge: FakeEdge
    ) -> None:
        wang = unit(1)
        subject = bench.enrol(wang)
        key = bench.opening.public_key()
        outcome = bench.run(edge.face(near(wang, 0.8), key, pictures=(SCENE_ITEM,)))
        assert outcome.raised == 1
        (alert,) = bench.rows("alerts")
        assert (alert["match"]["subject_id"], alert["target"]) == (subject, f"subject:{subject}")
        assert alert["match"]["similarity"] == pytest.approx(0.8, abs=1e-4)
        assert {row["name"]: row["state"] for row in bench.rows("evidence")} == {
            "crop": "stored", "scene": "pending",
        }  # fmt: skip
        body = json.loads(bench.rows("events")[0]["body"])
        assert body["data"]["crop"]["media_type"] == "image/jpeg"

    def test_a_stranger_is_a_time_and_a_place(self, bench: HubBench, edge: FakeEdge) -> None:
        bench.enrol(unit(1))
        outcome = bench.run(edge.face(unit(2), bench.opening.public_key(), pictures=(SCENE_ITEM,)))
        assert (outcome.committed, outcome.raised) == (1, 0)
        (row,) = bench.rows("observations")
        assert row["data"]["box_px"] == [812.5, 440.0, 934.25, 478.0]
        assert "probe" not in row["data"]
        assert bench.rows("evidence") == bench.rows("rule_matches") == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"state": EntryState.PENDING, "approver": None, "approved_at": None},
            {"state": EntryState.REMOVED},
            {"state": EntryState.EXPIRED},
            {"expires_at": NOW},
        ],
    )
    def test_an_entry_that_is_not_active_does_nothing(
        self, bench: HubBench, edge: FakeEdge, changes: dict
    ) -> None:
        bench.enrol(unit(1), **changes)
        outcome = bench.run(edge.face(unit(1), bench.opening.public_key()))
        assert outcome.raised == 0
        assert len(bench.gallery) == 0  # nor does its template stand in anybody's way

    def test_an_entry_that_expires_is_inert_from_that_second(
        self, bench: HubBench, edge: FakeEdge
    ) -> None:
        bench.enrol(unit(1), expires_at=at(60))
        key = bench.opening.public_key()
        bench.now = at(59)
        assert bench.run(edge.face(unit(1), key, at(59))).raised == 1
        bench.now = at(60)
        outcome = bench.run(edge.face(unit(1), key, at(60)))
        assert (outcome.raised, outcome.joined, len(bench.gallery)) == (0, 0, 0)

    def test_a_probe_of_another_pack_matches_nobody(self, bench: HubBench, edge: FakeEdge) -> None:
        bench.enrol(unit(1))
        message = edge.face(unit(1), bench.opening.public_key(), pack_sha256="cd" * 32)
        outcome = bench.run(message)
        assert (outcome.raised, outcome.reasons) == (0, {"face.other_pack": 1})  # and it is shown

    def test_a_probe_that_cannot_be_opened_is_a_dead_letter_without_it(
        self, bench: HubBench, edge: FakeEdge, hub_key
    ) -> None:
        outcome = bench.run(edge.face(unit(1), hub_key))
        assert (outcome.rejected, outcome.committed, acked(outcome, edge)) == (1, 0, 1)
        (letter,) = bench.rows("dead_letters")
        assert letter["reason"] == "wrong_key"
        assert b"data" not in json.loads(letter["payload"])

    def test_a_category_is_for_its_own_rule(self, bench: HubBench, edge: FakeEdge) -> None:
        subject = bench.enrol(unit(1))
        bench.watch(entry(subject, ListKind.FACE, Category.BANNED_PERSON, label="again"))
        assert bench.run(edge.face(unit(1), bench.opening.public_key())).raised == 1


def test_a_camera_that_goes_away_is_stored_and_known(bench: HubBench, edge: FakeEdge) -> None:
    outcome = bench.run(edge.camera_state("offline"))
    assert outcome.committed == 1
    state = outcome.book.cameras[edge.id, "gate-in"]
    assert (state.state, state.reason) == ("offline", "no frame for 10 s")
    assert bench.rows("cameras")[0]["state"] == "offline"


def test_evidence_that_is_gone_is_said_to_be_gone(bench: HubBench, edge: FakeEdge) -> None:
    bench.watch(entry())
    bench.run(edge.plate(pictures=(SCENE_ITEM,)))
    observation = bench.rows("observations")[0]["id"]
    other = FakeEdge(id="box-2")
    bench.pipeline.known_edges["box-2"] = other.known
    bench.run(other.gone(observation, "scene"))  # not its to say
    assert {r["name"]: r["state"] for r in bench.rows("evidence")}["scene"] == "pending"
    bench.run(edge.gone(observation, "scene"), edge.gone(observation, "crop"))
    assert {r["name"]: r["state"] for r in bench.rows("evidence")} == {
        "scene": "gone", "crop": "stored",
    }  # fmt: skip


def test_a_batch_that_fails_leaves_nothing(bench: HubBench, edge: FakeEdge, monkeypatch) -> None:
    bench.watch(entry())
    message = edge.plate()
    with monkeypatch.context() as patch:
        patch.setattr("hub.pipeline._save_edges", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bench.run(message)
    tables = ("observations", "alerts", "rule_matches", "events", "deliveries", "sequences")
    assert [bench.rows(table) for table in tables] == [[]] * len(tables)
    assert bench.run(message).raised == 1


def test_a_wrong_templates_key_is_found_at_once(bench: HubBench) -> None:
    from hub.vault import Vault
    from hub.watch import WatchKeeper

    bench.enrol(unit(1))
    keeper = WatchKeeper(Vault(bytes([1]) * 32), bench.gallery)
    with bench.store.read() as tx, pytest.raises(StoreError, match=r"templates\.key"):
        keeper.current(tx, NOW)
