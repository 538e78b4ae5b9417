"""Every move of an alert is an event in every outbox, in order, in the transaction of the move."""

import json

import pytest

from hub.alerts import State, event_id
from hub.store import alerts, deliveries
from hub.tell import Change
from tests.unit.hub.kit import NOW, FakeEdge, HubBench, at, entry
from wire.codec import decode
from wire.messages import AlertChanged, AlertRaised


@pytest.fixture
def alert_id(bench: HubBench, edge: FakeEdge) -> str:
    bench.watch(entry())
    bench.run(edge.plate())
    (row,) = bench.rows("alerts")
    return row["id"]


def change(
    bench: HubBench, alert_id: str, to: State, seconds: float = 60.0, killed: bool = False
) -> None:
    with bench.store.write() as tx:
        alert = alerts.lock(tx, alert_id)
        made = Change("moved", "ann", at(seconds), "a note", {"state": to.value})
        bench.teller.changed(tx, alert, made)
        assert 1 / (not killed)


def events(bench: HubBench) -> list:
    rows = sorted(bench.rows("events"), key=lambda row: row["position"])
    return [decode(row["body"]).verify(bench.signing.public_key()) for row in rows]


def test_a_change_says_what_was_and_what_is(bench: HubBench, alert_id: str) -> None:
    change(bench, alert_id, State.ACKNOWLEDGED)
    raised, changed = events(bench)
    assert isinstance(raised.data, AlertRaised)
    assert isinstance(changed.data, AlertChanged)
    assert changed.id == event_id(alert_id, AlertChanged.TYPE, 1)
    assert changed.time == changed.data.changed_at == at(60)
    said = changed.data
    assert (said.change, said.number, said.actor, said.note) == ("moved", 1, "ann", "a note")
    assert (said.previous_state, said.state) == ("open", "acknowledged")
    assert (said.level, said.previous_level) == ("grid", "grid")
    shared = AlertRaised.model_fields.keys() - {"state", "crop"}
    assert said.model_dump(include=shared) == raised.data.model_dump(include=shared)
    assert said.crop is None


def test_changes_are_numbered_without_a_gap_and_wait_in_order(
    bench: HubBench, alert_id: str
) -> None:
    for n, to in enumerate((State.ACKNOWLEDGED, State.VERIFIED, State.CLOSED)):
        change(bench, alert_id, to, n)
    assert [event.data.number for event in events(bench)[1:]] == [1, 2, 3]
    for sink in bench.sinks:
        seen = []
        with bench.store.write() as tx:
            while items := deliveries.due(tx, sink, at(60), 10):
                (item,) = items  # never a later one beside an earlier one
                seen.append(json.loads(item.body)["data"]["state"])
                deliveries.settle(tx, item, "delivered", at(60))
        assert seen == ["open", "acknowledged", "verified", "closed"]


def test_what_is_rolled_back_is_not_told(bench: HubBench, alert_id: str) -> None:
    before = {
        name: bench.rows(name) for name in ("alerts", "alert_changes", "events", "deliveries")
    }
    with pytest.raises(ZeroDivisionError):
        change(bench, alert_id, State.ACKNOWLEDGED, killed=True)
    assert before == {name: bench.rows(name) for name in before}


def test_told_is_when_the_first_sink_but_the_broker_took_it(bench: HubBench, alert_id: str) -> None:
    def told_at():
        return bench.rows("alerts")[0]["told_at"]

    with bench.store.write() as tx:
        deliveries.settle(tx, deliveries.due(tx, "mqtt", NOW, 1)[0], "delivered", at(1))
    assert told_at() is None
    with bench.store.write() as tx:
        deliveries.settle(tx, deliveries.due(tx, "centre", NOW, 1)[0], "delivered", at(2))
    assert told_at() == at(2)
    change(bench, alert_id, State.ACKNOWLEDGED)
    with bench.store.write() as tx:
        deliveries.settle(tx, deliveries.due(tx, "centre", at(90), 1)[0], "delivered", at(90))
    assert told_at() == at(2)
