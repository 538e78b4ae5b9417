"""Which events a sink is told of, and why it is not told of the others."""

from pathlib import Path

import pytest

from hub.config import load_config
from hub.sinks.filter import Filter, Verdict
from tests.unit.hub.kit import FakeEdge, write_config
from tests.unit.hub.notices import a_notice
from wire.errors import ConfigError


@pytest.mark.parametrize(
    ("some", "verdict"),
    [
        ({}, Verdict.PASSES),
        ({"severities": frozenset({"red", "blue"})}, Verdict.PASSES),
        ({"severities": frozenset({"blue"})}, Verdict.SEVERITY),
        ({"sites": frozenset({"elsewhere"})}, Verdict.SITE),
        ({"rules": frozenset({"faces"})}, Verdict.RULE),
        ({"categories": frozenset({"missing_person"})}, Verdict.CATEGORY),
        ({"steps": frozenset({"verified"})}, Verdict.STEP),
        ({"steps": frozenset({"raised"}), "rules": frozenset({"plates"})}, Verdict.PASSES),
    ],
)
def test_each_part_is_asked_for(some: dict, verdict: Verdict) -> None:
    assert Filter(**some).judge(a_notice()) is verdict


@pytest.mark.parametrize(
    ("unverified", "severity", "category", "certainty", "passes"),
    [
        ("urgent", "yellow", "stolen_vehicle", "unverified", False),
        ("urgent", "red", "stolen_vehicle", "unverified", True),
        ("urgent", "blue", "missing_person", "unverified", True),
        ("urgent", "yellow", "stolen_vehicle", "confirmed", True),
        ("none", "red", "missing_person", "unverified", False),
        ("none", "blue", "stolen_vehicle", "confirmed", True),
        ("all", "blue", "stolen_vehicle", "unverified", True),
    ],
)
def test_only_what_is_urgent_leaves_before_a_person_has_verified_it(
    unverified: str, severity: str, category: str, certainty: str, passes: bool
) -> None:
    notice = a_notice(severity=severity, category=category, certainty=certainty)
    verdict = Filter(unverified=unverified).judge(notice)
    assert verdict is (Verdict.PASSES if passes else Verdict.UNVERIFIED)


def test_a_command_centres_sink_waits_for_a_person_unless_told_otherwise(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/hook"
    path, _ = write_config(tmp_path, FakeEdge(), sink_url=url)
    assert load_config(path).sinks[0].made_filter() == Filter(unverified="urgent")
    more = '[sinks.filter]\nunverified = "all"\nseverities = ["red"]\n'
    path, _ = write_config(tmp_path, FakeEdge(), sink_url=url, more=more)
    made = load_config(path).sinks[0].made_filter()
    assert made == Filter(severities=frozenset({"red"}), unverified="all")


def test_a_filter_names_what_there_is_not(tmp_path: Path) -> None:
    path, _ = write_config(
        tmp_path, FakeEdge(), sink_url="http://127.0.0.1:1/hook",
        more='[sinks.filter]\nsteps = ["lost"]\ncolour = 1\n',
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"sinks\[0\]\.filter\.steps\[0\](.|\n)*filter\.colour"):
        load_config(path)
