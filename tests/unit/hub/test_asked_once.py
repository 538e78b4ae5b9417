"""What several rules ask alike is asked of the database once, within one transaction."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from hub.register import Vehicle
from hub.store import register
from hub.store.registry import StoredRegister
from hub.store.windows import StoredWindows
from tests.unit.hub.kit import NOW, PLATE, SITE, FakeEdge, HubBench

SPAN = timedelta(minutes=1)


class Counter:
    """How many queries of a table have been carried out."""

    def __init__(self, bench: HubBench, about: str) -> None:
        self.asked, self._about = 0, about
        event.listen(bench.store._engine, "before_cursor_execute", self._count)

    def _count(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.asked += self._about in statement


def test_the_same_question_is_asked_once(bench: HubBench, edge: FakeEdge) -> None:
    bench.run(edge.plate())
    counter = Counter(bench, "FROM observations")
    with bench.store.read() as tx:
        past = StoredWindows(tx)
        first = past.plates_seen(PLATE, NOW - SPAN, NOW + SPAN)
        assert [seen.confidence for seen in first] == [0.96]
        assert past.plates_seen(PLATE, NOW - SPAN, NOW + SPAN) is first
        assert counter.asked == 1
        assert past.plates_seen("京B00001", NOW - SPAN, NOW + SPAN) == []
        assert past.plate_last_seen(PLATE, SITE, NOW) is not None
        assert counter.asked == 3


def test_the_next_transaction_sees_what_was_stored_since(bench: HubBench) -> None:
    with bench.store.read() as tx:
        assert not StoredRegister(tx).knows_vehicles(SITE)
    with bench.store.write() as tx:
        register.put(tx, "vehicles", [Vehicle(site=SITE, plate=PLATE)])
    with bench.store.read() as tx:
        assert StoredRegister(tx).knows_vehicles(SITE)


def test_answers_are_bounded(bench: HubBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.store.asked_once._MOST", 2)
    with bench.store.read() as tx:
        asked = StoredRegister(tx)
        for number in range(5):
            assert not asked.is_registered(f"京B0000{number}", SITE, NOW)
            assert len(asked.answers) <= 2


def test_many_rules_of_a_site_cost_one_question(bench: HubBench, edge: FakeEdge) -> None:
    """Thirty rules ask where the plate was: one of them asks the database."""
    for number in range(30):
        (bench.config.rules_dir / f"clone-{number}.toml").write_text(
            f'id = "clone-{number}"\ntitle = "C"\nkind = "cloned_plate"\nowner = "o"\n'
            'severity = "blue"\n',
            encoding="utf-8",
        )
    bench.restart()
    counter = Counter(bench, "observations.plate = ")
    bench.run(edge.plate())
    assert counter.asked == 1
