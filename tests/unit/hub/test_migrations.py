"""What an older version has stored is there after the update."""

import itertools
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from hub.store import alerts, open_store
from tests.unit.hub.kit import NOW, at

MIGRATIONS = Path(alerts.__file__).parent / "migrations"
OLD_ALERT = (
    "INSERT INTO alerts (id, site, gate, camera, rule_id, rule_title, severity, state, certainty, reason,"
    " match, category, basis, target, dedup_key, captured_at, first_seen_at, last_seen_at, raised_at,"
    " observation_id, observations) VALUES ('a1', 's', 'g', 'c', 'r', 'R', 'red', 'dispatched', 'confirmed',"
    " '', '{}', '', '', '', '', 0, 0, 0, 0, 'o', 1)"
)


def test_transitions_become_numbered_changes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/hub.sqlite"
    engine = create_engine(url)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(OLD_ALERT))
        way = ("open", "acknowledged", "verified", "dispatched")
        for n, (before, after) in enumerate(itertools.pairwise(way)):
            moment = int(at(60 * n).timestamp()) * 1_000_000
            connection.execute(
                text(
                    "INSERT INTO transitions (alert_id, from_state, to_state, actor, at, note)"
                    f" VALUES ('a1', '{before}', '{after}', 'ann', {moment}, 'n{n}')"
                )
            )
    engine.dispose()
    store = open_store(url)
    with store.read() as tx:
        changes = alerts.changes_of(tx, "a1")
        alert = alerts.get(tx, "a1")
    store.close()
    assert [(c["number"], c["kind"], c["to_state"], c["note"]) for c in changes] == [
        (1, "moved", "acknowledged", "n0"),
        (2, "moved", "verified", "n1"),
        (3, "moved", "dispatched", "n2"),
    ]
    assert alert is not None
    assert (alert["change_count"], alert["disposition"]) == (3, "confirmed")
    assert alert["acknowledged_at"] == NOW
    assert alert["dispatched_at"] == at(120)
    assert alert["on_scene_at"] is None
