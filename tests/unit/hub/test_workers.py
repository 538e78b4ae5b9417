"""The threads around the pipeline: ingest that survives faults, evidence, housekeeping, states of edges."""

from dataclasses import dataclass, field

import pytest

from hub.broker import MqttBroker, make_client
from hub.config import BrokerSection, RetentionSection
from hub.edges import EdgeBook
from hub.evidence import EvidenceKeeper
from hub.housekeeping import Housekeeper
from hub.inbox import Inbox
from hub.incoming import Incoming
from hub.ingest import IngestWorker
from hub.pauses import pause_after
from hub.watchlist import ListKind
from tests.unit.hub.kit import NOW, SCENE, FakeEdge, HubBench, at, entry, unit
from tests.unit.hub.test_pipeline import SCENE_ITEM
from wire.codec import decode
from wire.errors import ConfigError, StoreError
from wire.messages import EdgeStatus
from wire.topics import parse


@dataclass
class FakeDownlink:
    acks: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    there: bool = True

    def ack(self, edge, committed) -> None:
        self.acks.append((edge, committed[-1].sequence))

    def ask_for_evidence(self, edge, observation_id, names) -> bool:
        if self.there:
            self.asked.append((edge, observation_id, tuple(names)))
        return self.there


@pytest.fixture
def down() -> FakeDownlink:
    return FakeDownlink()


class TestInbox:
    def test_it_never_waits_for_room(self) -> None:
        inbox = Inbox(room=2)
        assert [inbox.put(Incoming("t", b"%d" % n)) for n in range(3)] == [True, True, False]
        assert (len(inbox), inbox.dropped) == (2, 1)
        assert [m.payload for m in inbox.take(10, 0.1, 0.01)] == [b"0", b"1"]
        assert inbox.take(10, 0.01, 0.01) == []

    def test_a_batch_is_bounded(self) -> None:
        inbox = Inbox()
        for n in range(5):
            inbox.put(Incoming("t", b"%d" % n))
        assert len(inbox.take(3, 0.1, 0.01)) == 3
        assert len(inbox.take(3, 0.1, 0.0)) == 2


class TestIngest:
    @pytest.fixture
    def worker(self, bench: HubBench, down: FakeDownlink) -> IngestWorker:
        return IngestWorker(
            Inbox(), bench.pipeline, bench.store, down, EdgeBook({}, {}), lambda: NOW, lambda: None
        )

    def test_acknowledged_is_only_what_is_committed(
        self, worker: IngestWorker, bench: HubBench, edge: FakeEdge, down: FakeDownlink, monkeypatch
    ) -> None:
        order = []
        monkeypatch.setattr(down, "ack", lambda *_: order.append(len(bench.rows("observations"))))
        worker._commit([edge.plate(), edge.plate()])
        assert order == [2]

    def test_a_store_that_does_not_answer_is_waited_for(
        self, worker: IngestWorker, bench: HubBench, edge: FakeEdge, down: FakeDownlink, monkeypatch
    ) -> None:
        monkeypatch.setattr("hub.ingest._PAUSE_S", 0.01)
        tries = []
        real = bench.store.write

        def fails_twice():
            tries.append(1)
            if len(tries) <= 4:  # each try writes, then asks whether the store answers
                raise StoreError("the disk is full")
            return real()

        monkeypatch.setattr(bench.store, "write", fails_twice)
        worker._commit([edge.plate()])
        assert down.acks == [(edge.id, 1)]
        assert len(bench.rows("observations")) == 1

    def test_one_message_that_breaks_the_pipeline_holds_up_no_other(
        self, worker: IngestWorker, bench: HubBench, edge: FakeEdge, down: FakeDownlink, monkeypatch
    ) -> None:
        bench.watch(entry("京A66666"))
        monkeypatch.setattr("hub.tell.alert_raised", lambda *_: 1 / 0)
        worker._commit([edge.plate("京B00001"), edge.plate("京A66666"), edge.plate("京B00002")])
        assert [row["plate"] for row in bench.rows("observations")] == ["京B00001", "京B00002"]
        (letter,) = bench.rows("dead_letters")
        assert (letter["reason"], letter["detail"]) == ("internal_error", "ZeroDivisionError")
        assert down.acks[-1] == (edge.id, 3)
        assert worker.counters.committed == 2

    def test_it_runs_and_stops(
        self, worker: IngestWorker, edge: FakeEdge, down: FakeDownlink
    ) -> None:
        worker.start()
        for _ in range(20):
            worker.inbox.put(edge.plate())
        for _ in range(500):
            if worker.counters.committed == 20:
                break
            worker._stopping.wait(0.01)
        worker.stop()
        assert worker.counters.committed == 20
        assert down.acks[-1] == (edge.id, 20)


class TestEvidence:
    @pytest.fixture
    def keeper(self, bench: HubBench, down: FakeDownlink) -> EvidenceKeeper:
        return EvidenceKeeper(bench.store, bench.files, down, lambda: bench.now)

    @pytest.fixture
    def observation(self, bench: HubBench, edge: FakeEdge) -> str:
        bench.watch(entry())
        bench.run(edge.plate(pictures=(SCENE_ITEM,)))
        return bench.rows("observations")[0]["id"]

    def state(self, bench: HubBench) -> str:
        return next(r["state"] for r in bench.rows("evidence") if r["name"] == "scene")

    def test_it_asks_until_it_is_answered(
        self, keeper: EvidenceKeeper, bench: HubBench, down: FakeDownlink, observation: str
    ) -> None:
        times = []
        for second in range(60):
            bench.now = at(second)
            keeper.ask()
            if len(down.asked) > len(times):
                times.append(second)
        assert times == [0, 3, 9, 21, 45]
        assert set(down.asked) == {("box-1", observation, ("scene",))}
        topic = parse(f"gatehouse/v1/rosegarden/box-1/evidence/{observation}/scene")
        assert keeper.keep(topic, SCENE)
        assert bench.files.read(observation, "scene", "image/jpeg") == SCENE
        assert self.state(bench) == "stored"
        bench.now = at(10_000)
        keeper.ask()
        assert len(down.asked) == 5

    def test_it_keeps_only_what_was_asked_for_and_is_as_announced(
        self, keeper: EvidenceKeeper, bench: HubBench, observation: str
    ) -> None:
        other = SCENE[:-1] + b"x"
        base = "gatehouse/v1/rosegarden"
        for topic, data in (
            (f"{base}/box-1/evidence/{observation}/scene", other),
            (f"{base}/box-2/evidence/{observation}/scene", SCENE),
            (f"gatehouse/v1/elsewhere/box-1/evidence/{observation}/scene", SCENE),
            (f"{base}/box-1/evidence/{observation}/clip", SCENE),
            (f"{base}/box-1/evidence/none/scene", SCENE),
        ):
            assert not keeper.keep(parse(topic), data), topic
        assert self.state(bench) == "pending"
        assert not list(bench.folder.rglob("*.sealed"))

    def test_a_late_repetition_is_no_fault(
        self, keeper: EvidenceKeeper, bench: HubBench, observation: str
    ) -> None:
        topic = parse(f"gatehouse/v1/rosegarden/box-1/evidence/{observation}/scene")
        assert keeper.keep(topic, SCENE)
        assert keeper.keep(topic, SCENE)

    def test_an_edge_that_has_come_back_is_asked_at_once(
        self, keeper: EvidenceKeeper, bench: HubBench, edge: FakeEdge, down: FakeDownlink,
        observation: str,
    ) -> None:  # fmt: skip
        for second in (0, 3, 9, 21):
            bench.now = at(second)
            keeper.ask()
        bench.now = at(30)
        status = edge.status()
        bench.run(status)
        keeper.ask()
        assert len(down.asked) == 5
        bench.now = at(31)
        bench.run(status)  # the same birth again is no news
        keeper.ask()
        assert len(down.asked) == 5

    def test_without_a_broker_it_does_not_count_as_asked(
        self, keeper: EvidenceKeeper, bench: HubBench, down: FakeDownlink, observation: str
    ) -> None:
        down.there = False
        for second in range(0, 30, 3):
            bench.now = at(second)
            keeper.ask()
        assert next(r["asked"] for r in bench.rows("evidence") if r["name"] == "scene") == 0

    def test_what_no_ring_can_still_hold_is_gone(
        self, keeper: EvidenceKeeper, bench: HubBench, observation: str
    ) -> None:
        bench.now = at(86400)
        keeper.ask()
        assert self.state(bench) == "gone"

    def test_pauses_grow_to_five_minutes(self) -> None:
        assert [pause_after(n).seconds for n in (0, 1, 2, 20)] == [3, 6, 12, 300]


class TestHousekeeping:
    @pytest.fixture
    def keeper(self, bench: HubBench) -> Housekeeper:
        days = RetentionSection(observations_days=10, evidence_days=5, alerts_days=20)
        return Housekeeper(bench.store, bench.files, days, lambda: bench.now)

    def test_what_was_kept_long_enough_is_deleted(
        self, keeper: Housekeeper, bench: HubBench, edge: FakeEdge, down: FakeDownlink
    ) -> None:
        bench.watch(entry())
        bench.run(edge.plate(pictures=(SCENE_ITEM,)))
        observation = bench.rows("observations")[0]["id"]
        topic = parse(f"gatehouse/v1/rosegarden/box-1/evidence/{observation}/scene")
        EvidenceKeeper(bench.store, bench.files, down, lambda: bench.now).keep(topic, SCENE)
        left = {}
        for day in (4.9, 5.1, 10.1, 20.1):
            bench.now = at(day * 86400)
            keeper.round()
            left[day] = tuple(
                len(bench.rows(t)) for t in ("evidence", "events", "observations", "alerts")
            )
        assert left == {
            4.9: (2, 1, 1, 1), 5.1: (0, 0, 1, 1), 10.1: (0, 0, 0, 1), 20.1: (0, 0, 0, 0),
        }  # fmt: skip
        assert not list(bench.folder.rglob("*.sealed"))
        assert bench.rows("rule_matches") == bench.rows("deliveries") == []
        assert len(bench.rows("sequences")) == 1  # or what the edge sends again would be new

    def test_an_entry_that_ends_takes_its_templates_along(
        self, keeper: Housekeeper, bench: HubBench
    ) -> None:
        subject = bench.enrol(unit(1), expires_at=at(100))
        bench.watch(entry(subject, ListKind.FACE, expires_at=at(200)))
        bench.watch(entry(expires_at=at(100)))
        bench.now = at(100)
        keeper.round()
        assert len(bench.rows("templates")) == 1  # the other entry still needs them
        bench.now = at(200)
        keeper.round()
        keeper.round()
        assert bench.rows("templates") == []
        assert {row["state"] for row in bench.rows("watchlist_entries")} == {"expired"}
        acts = [(row["actor"], row["action"]) for row in bench.rows("audit")]
        assert acts == [("clock", "entry.expired")] * 3 + [("clock", "templates.erased")]

    def test_a_subject_that_ends_is_erased_with_its_entries(
        self, keeper: Housekeeper, bench: HubBench
    ) -> None:
        bench.enrol(unit(1))
        bench.now = at(86400 * 90)
        keeper.round()
        assert bench.rows("subjects") == bench.rows("templates") == []
        assert bench.rows("watchlist_entries")[0]["state"] == "removed"


class TestEdges:
    def test_a_stale_will_is_ignored(self, bench: HubBench, edge: FakeEdge) -> None:
        first, second = (
            "11111111-1111-4111-8111-111111111111",
            "22222222-2222-4222-8222-222222222222",
        )
        bench.run(edge.status(session=first))
        assert bench.book.edges[edge.id].online
        bench.run(edge.status(session=second), edge.status(session=first, online=False))
        assert bench.book.edges[edge.id].online
        bench.run(edge.status(session=second, online=False))
        state = bench.book.edges[edge.id]
        assert (state.online, state.version) == (False, "0.1.0")

    def test_states_are_known_after_a_restart(self, bench: HubBench, edge: FakeEdge) -> None:
        from hub.app import load_book

        bench.run(edge.status(), edge.camera_state("offline", at(5)))
        bench.run(edge.camera_state("online", at(1)))  # late news does not undo newer
        book = bench.book
        assert book.cameras[edge.id, "gate-in"].state == "offline"
        assert load_book(bench.store) == book

    def test_a_word_from_an_edge_is_a_sign_of_life(self, bench: HubBench, edge: FakeEdge) -> None:
        bench.run(edge.status())
        bench.now = at(50)
        bench.run(edge.plate())
        assert bench.book.edges[edge.id].seen_at == at(50)
        assert isinstance(decode(edge.status().payload).event.data, EdgeStatus)


class TestBroker:
    def test_a_site_without_a_connection_cannot_be_told(self, bench: HubBench) -> None:
        config = BrokerSection(host="127.0.0.1", port=1)
        broker = MqttBroker(config, ["rosegarden"], bench.signing, "0", lambda: NOW, lambda _: None)
        assert broker.connected == {"rosegarden": False}
        assert not broker.publish("rosegarden", "t", b"")
        assert not broker.publish("elsewhere", "t", b"")
        assert not broker.publish_and_wait("rosegarden", "t", b"", 0.1)

    def test_unusable_tls_files_are_said(self, tmp_path) -> None:
        missing = BrokerSection(host="h", tls=True, ca_file=tmp_path / "none.crt")
        with pytest.raises(ConfigError, match="TLS files"):
            make_client(missing)
        (tmp_path / "password").write_text("secret\n")
        secured = BrokerSection(host="h", username="hub", password_file=tmp_path / "password")
        assert make_client(secured).username == "hub"
