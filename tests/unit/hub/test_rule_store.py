"""Rules in files and in the store: what is in force, what is broken, and who changed what."""

import os
from pathlib import Path

import pytest
from sqlalchemy import update

from hub.app import check_rules
from hub.config import load_config
from hub.escalation import ColourPolicy, EscalationSection
from hub.rule_store import RuleKeeper
from hub.rules import load_rules
from hub.store import rules
from hub.store.rule_tables import rule_versions
from hub.store.rules import Saved
from tests.conftest import ROOT
from tests.unit.hub.kit import NOW, HubBench, at, entry
from wire.errors import ConfigError

TEXT = 'id = "{0}"\ntitle = "{1}"\nkind = "plate_watchlist"\nowner = "o"\nseverity = "red"\n{2}'

NIGHT = ColourPolicy(acknowledge_within_s=60, close_within_s=600)
POLICIES = EscalationSection(policies={"night-theft": NIGHT})


class Desk:
    """A keeper on its own folder, whose clock is turned by hand."""

    def __init__(self, bench: HubBench, folder: Path) -> None:
        self.bench, self.folder, self.clock_s = bench, folder, 0.0
        folder.mkdir()
        self.keeper = RuleKeeper(folder, POLICIES, lambda: self.clock_s)

    def write(self, name: str, rule: str, title: str = "T", more: str = "") -> None:
        path = self.folder / f"{name}.toml"
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(TEXT.format(rule, title, more), encoding="utf-8")
        os.utime(path, ns=(stamp + 10**9, stamp + 10**9))

    def titles(self, after_s: float = 1.0) -> dict[str, str]:
        """What is in force, `after_s` later."""
        self.clock_s += after_s
        with self.bench.store.read() as tx:
            return {rule.id: rule.title for rule in self.keeper.current(tx).rules}

    def record(self, when_s: float = 0.0) -> int:
        found = self.keeper.unrecorded()
        if found is None:
            return 0
        with self.bench.store.write() as tx:
            changed = rules.record_files(tx, found.saved, found.enabled, at(when_s))
        self.keeper.recorded(found)
        return changed

    def save(self, rule: str, title: str = "S", *, enable: bool = True) -> int:
        document = {
            "id": rule, "title": title, "kind": "plate_watchlist", "owner": "o", "severity": "red",
        }  # fmt: skip
        saved = Saved(rule, "plate_watchlist", title, "store", document, "ann")
        with self.bench.store.write() as tx:
            number = rules.save(tx, saved, NOW)
            if enable:
                rules.enable(tx, rule, number, "ann", NOW)
        return number


@pytest.fixture
def desk(bench: HubBench, tmp_path: Path) -> Desk:
    return Desk(bench, tmp_path / "own-rules")


def test_files_and_the_store_together(desk: Desk) -> None:
    desk.write("a", "from-file")
    desk.save("from-store")
    desk.save("draft", enable=False)
    assert desk.titles() == {"from-store": "S", "from-file": "T"}


def test_a_changed_file_is_in_force_within_a_second(desk: Desk) -> None:
    desk.write("a", "a", "one")
    assert desk.titles() == {"a": "one"}
    desk.write("a", "a", "two")
    desk.write("b", "b")
    assert desk.titles(0.1) == {"a": "one"}  # files are not looked at for every message
    assert desk.titles(0.5) == {"a": "two", "b": "T"}
    (desk.folder / "a.toml").unlink()
    assert desk.titles(0.5) == {"b": "T"}


def test_a_change_in_the_store_is_in_force_at_once(desk: Desk) -> None:
    assert desk.titles() == {}
    number = desk.save("a", "one")
    assert desk.titles(0.0) == {"a": "one"}
    desk.save("a", "two", enable=False)
    assert desk.titles(0.0) == {"a": "one"}  # a draft
    with desk.bench.store.write() as tx:
        rules.enable(tx, "a", None, "ann", NOW)
    assert desk.titles(0.0) == {}
    with desk.bench.store.write() as tx:
        rules.enable(tx, "a", number, "ann", NOW)
    assert desk.titles(0.0) == {"a": "one"}


def test_a_file_that_breaks_is_shown_and_stays_in_force_as_it_was(desk: Desk) -> None:
    desk.write("a", "a", "sound")
    desk.write("b", "b")
    desk.titles()
    desk.write("a", "a", "broken", "colour = 1\n")
    assert desk.titles() == {"a": "sound", "b": "T"}
    (message,) = desk.keeper.broken
    assert "a.toml: rule 'a':" in message
    assert "colour: there is no such key" in message
    assert "rule 'a' stays in force as it was before" in message
    desk.write("a", "a", "mended")
    assert desk.titles() == {"a": "mended", "b": "T"}
    assert desk.keeper.broken == ()


def test_a_stored_rule_of_another_version_of_gatehouse_takes_no_other_down(desk: Desk) -> None:
    desk.save("good")
    desk.save("bad")
    with desk.bench.store.write() as tx:
        bad = rule_versions.c.rule_id == "bad"
        tx.execute(update(rule_versions).where(bad).values(document={"id": "bad", "kind": "old"}))
    assert desk.titles() == {"good": "S"}
    (message,) = desk.keeper.broken
    assert message.startswith("store: rule 'bad', version 1")
    assert "'old'" in message


def test_two_with_one_name(desk: Desk) -> None:
    desk.write("a", "same", "first")
    desk.write("b", "same", "second")
    assert desk.titles() == {"same": "first"}
    assert "b.toml" in desk.keeper.broken[0]
    desk.save("same", "stored")
    assert desk.titles() == {"same": "stored"}
    assert len(desk.keeper.broken) == 2


def test_rules_do_not_end_because_a_disk_is_away(desk: Desk) -> None:
    desk.write("a", "a")
    desk.titles()
    desk.folder.rename(desk.folder.with_name("away"))
    assert desk.titles() == {"a": "T"}
    assert desk.keeper.broken[0].startswith("rules_dir: there is no folder")
    desk.folder.with_name("away").rename(desk.folder)
    assert desk.titles() == {"a": "T"}
    assert desk.keeper.broken == ()


def test_without_a_folder_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="rules_dir: there is no folder"):
        RuleKeeper(tmp_path / "nowhere", POLICIES)


def test_the_history_of_a_file(desk: Desk) -> None:
    desk.write("a", "a", "one")
    desk.titles()
    assert (desk.record(1), desk.record(2)) == (1, 0)
    desk.write("a", "a", "two", "enabled = false\n")
    desk.titles()
    assert desk.record(3) == 1
    (desk.folder / "a.toml").unlink()
    desk.titles()
    assert desk.record(4) == 0  # it was not in force any more
    with desk.bench.store.read() as tx:
        row = rules.get(tx, "a")
        versions = rules.history(tx, "a", None, 10).items
    assert (row["source"], row["latest_version"], row["enabled_version"]) == ("file", 2, None)
    assert [(v["version"], v["document"]["title"], v["actor"], v["at"]) for v in versions] == [
        (2, "two", "file a.toml", at(3)),
        (1, "one", "file a.toml", at(1)),
    ]


def test_the_pipeline_takes_up_a_change_with_the_next_message(bench: HubBench) -> None:
    bench.watch(entry())
    assert bench.run(bench.edge.plate()).raised == 1
    document = {
        "id": "again", "title": "A", "kind": "plate_watchlist", "owner": "o", "severity": "blue",
    }  # fmt: skip
    with bench.store.write() as tx:
        number = rules.save(
            tx, Saved("again", "plate_watchlist", "A", "store", document, "ann"), NOW
        )
        rules.enable(tx, "again", number, "ann", NOW)
    outcome = bench.run(bench.edge.plate())
    assert (outcome.raised, outcome.joined) == (1, 1)


def test_a_rule_that_names_no_policy_that_there_is_says_so_and_stays_in_force(desk: Desk) -> None:
    desk.write("a", "a", more='escalation = "night-theft"\n')
    assert desk.titles() == {"a": "T"}
    assert desk.keeper.broken == ()
    desk.write("a", "a", more='escalation = "night-heft"\n')
    desk.write("b", "b")
    assert desk.titles() == {"a": "T", "b": "T"}
    (message,) = desk.keeper.broken
    assert message == (
        f"{desk.folder}/a.toml: rule 'a':\n"
        "  escalation: there is no policy 'night-heft' in [escalation.policies] of the hub's file;"
        " there are: night-theft; until then its alerts follow red"
    )
    desk.write("a", "a")
    desk.titles()
    assert desk.keeper.broken == ()


def test_the_shipped_rules_and_the_shipped_configuration_fit() -> None:
    config = load_config(ROOT / "configs" / "hub.toml")
    book = load_rules(config.rules_dir)
    check_rules(book, config.escalation)
    assert any(rule.escalation for rule in book.rules)
    with pytest.raises(ConfigError, match="rule 'car-doors':\n  escalation: there is no policy"):
        check_rules(book, EscalationSection())
