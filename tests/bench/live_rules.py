"""How soon a change of a rule is live in a running hub that has ten thousand of them.

The hub is a process on a real broker. Live is what decides: from the answer to the change, or from the saved
file, until an observation that was sent after it is committed with the new decision.
"""

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from hub.rules import Rule, dump_rule
from hub.store import Store, open_store, rules
from hub.store.rule_tables import rule_versions
from hub.store.rule_tables import rules as rule_rows
from tests.bench.report import Row
from tests.integration.test_hub_end_to_end import EdgeClient, HubProcess, eventually
from tests.servers import Mosquitto, free_port
from tests.unit.hub.kit import FakeEdge, write_config
from wire.messages import ObjectObservation

_GROUP = "Rules, SQLite on disk"
_CHANGES = 20
LIVE = "live"
DOCUMENT = {
    "id": LIVE, "title": "Crowds", "kind": "crowding", "owner": "o", "severity": "blue",
    "at_least": 5,
}  # fmt: skip


def fill(store: Store, many: Iterable[Rule]) -> None:
    """Put rules into the store, enabled, as if each had been made through the API."""
    now = datetime.now(UTC)
    heads, documents = [], []
    for rule in many:
        heads.append(
            {
                "id": rule.id, "kind": rule.kind, "title": rule.title, "source": "store",
                "latest_version": 1, "enabled_version": 1, "updated_at": now, "updated_by": "fill",
            }
        )  # fmt: skip
        documents.append(
            {
                "rule_id": rule.id, "version": 1, "document": dump_rule(rule), "at": now,
                "actor": "fill", "note": "",
            }
        )  # fmt: skip
    with store.write() as tx:
        tx.execute(insert(rule_rows), heads)
        tx.execute(insert(rule_versions), documents)
        rules.changed(tx)


@dataclass
class LiveHub:
    """A running hub, and an edge that sees crowds."""

    hub: HubProcess
    client: EdgeClient
    rules_dir: Path
    seen: int = field(default=0)

    def change(self, step: str, body: dict[str, Any]) -> None:
        """Do something to the rule through the API."""
        method = "PUT" if step == "" else "POST"
        answer = httpx.request(
            method, f"{self.hub.url}/rules/{LIVE}{step}", json=body,
            headers=self.hub.headers(), timeout=60,
        )  # fmt: skip
        assert answer.is_success, answer.text

    def see_a_crowd(self) -> None:
        """One observation; returns once the hub has committed it."""
        self.seen += 1
        edge, now = self.client.edge, datetime.now(UTC)
        crowd = ObjectObservation(
            **edge._track(now), label="person", event="entered", zone=f"zone-{self.seen}", count=9
        )
        self.client.send(edge.observation(crowd, when=now))
        eventually(lambda: self.client.committed() >= edge.sequence, 60)

    def alerts(self, rule: str = LIVE) -> int:
        """How many alerts a rule has raised."""
        return len(self.hub.get("/alerts", rule_id=rule, limit=500)["items"])

    def crowds_until(self, rule: str) -> int:
        """See crowds until a rule raises an alert; how many that took."""
        for count in range(1, 400):
            self.see_a_crowd()
            if self.alerts(rule):
                return count
        raise AssertionError(f"rule {rule} never raised anything")


@contextmanager
def live_hub(folder: Path, broker_port: int, many: Iterable[Rule]) -> Iterator[LiveHub]:
    """A hub that was started with these rules in its store."""
    edge, port = FakeEdge(), free_port()
    config, _ = write_config(folder, edge, broker_port=broker_port, api_port=port)
    (folder / "data").mkdir(mode=0o700)
    store = open_store(f"sqlite:///{folder / 'data' / 'hub.sqlite'}")
    fill(store, many)
    store.close()
    hub = HubProcess(config, port).start()
    client = EdgeClient(edge, broker_port)
    try:
        yield LiveHub(hub, client, folder / "rules")
    finally:
        client.stop()
        hub.stop()


def run(many: list[Rule]) -> list[Row]:
    """Changes through the API and in a file."""
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-bench-"))
    broker = Mosquitto(folder / "mosquitto").start()
    try:
        with live_hub(folder / "hub", broker.port, many) as live:
            live.change("", {"document": DOCUMENT})
            live.see_a_crowd()
            unchanged = statistics.median(_seen_s(live) for _ in range(_CHANGES))
            by_api = sorted(_by_api_s(live, number) for number in range(_CHANGES))
            by_file = sorted(_by_file_s(live, number) for number in range(_CHANGES // 4))
    finally:
        broker.stop()
    return [
        _row(f"a rule enabled or disabled among {len(many):,} is live", by_api, unchanged),
        _row(f"a rule file saved beside {len(many):,} rules is live", by_file, unchanged),
    ]


def _row(name: str, took_s: list[float], unchanged_s: float) -> Row:
    median_s, longest_s = statistics.median(took_s), took_s[-1]
    against = f"longest {longest_s:.2f} s; an observation without a change: {unchanged_s:.2f} s"
    return Row(_GROUP, f"{name} in a running hub, median of {len(took_s)}", median_s, "s", against)


def _seen_s(live: LiveHub) -> float:
    started = time.perf_counter()
    live.see_a_crowd()
    return time.perf_counter() - started


def _by_api_s(live: LiveHub, number: int) -> float:
    before = live.alerts()
    enable = number % 2 == 0
    live.change("/enable" if enable else "/disable", {})
    started = time.perf_counter()
    live.see_a_crowd()
    took_s = time.perf_counter() - started
    assert live.alerts() == before + enable, "decided by a rule that was no longer so"
    return took_s


def _by_file_s(live: LiveHub, number: int) -> float:
    name = f"file-{number}"
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in DOCUMENT.items()]
    text = "\n".join(lines).replace(f'"{LIVE}"', f'"{name}"')
    (live.rules_dir / f"{name}.toml").write_text(text + "\n", encoding="utf-8")
    started = time.perf_counter()
    live.crowds_until(name)
    return time.perf_counter() - started
