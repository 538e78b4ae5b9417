"""The pure decisions on a new alert beside others: silences, inhibition, incidents."""

import pytest

from hub.incidents import belongs_with, incident_id
from hub.inhibition import inhibited_by
from hub.silences import Silence, check_silence, silenced_by
from hub.watchlist import Refused
from tests.unit.hub.kit import at

ALERT = {
    "id": "new", "site": "rose", "gate": "north", "camera": "c1", "rule_id": "prowling", "target": "",
    "category": "", "edge": "box-1", "rule_kind": "vehicle_prowling", "incident_id": None,
    "raised_at": at(0), "first_seen_at": at(0), "last_seen_at": at(0),
}  # fmt: skip


def other(**changes) -> dict:
    return {**ALERT, "id": "old", **changes}


def silence(name: str = "s", ends: float = 60, **places) -> Silence:
    named = {"site": "", "gate": "", "camera": "", "rule_id": "", **places}
    return Silence(name, **named, starts_at=at(0), ends_at=at(ends))


@pytest.mark.parametrize(
    ("places", "mutes"),
    [
        ({"site": "rose"}, True),
        ({"site": "rose", "camera": "c1", "rule_id": "prowling"}, True),
        ({"site": "rose", "camera": "c2"}, False),
        ({"rule_id": "other"}, False),
        ({"site": "elsewhere", "camera": "c1"}, False),
    ],
)
def test_all_that_a_silence_names_must_fit(places, mutes) -> None:
    assert (silenced_by([silence(**places)], ALERT, at(10)) is not None) is mutes


def test_a_silence_holds_from_its_start_to_its_end() -> None:
    one = silence(site="rose")
    assert [silenced_by([one], ALERT, at(t)) is one for t in (-1, 0, 59, 60)] == [
        False,
        True,
        True,
        False,
    ]
    longer = silence("t", 90, site="rose")
    assert silenced_by([longer, one], ALERT, at(5)) is longer
    assert silenced_by([], ALERT, at(5)) is None


def test_a_missing_person_is_never_muted() -> None:
    assert (
        silenced_by([silence(site="rose")], {**ALERT, "category": "missing_person"}, at(5)) is None
    )


@pytest.mark.parametrize(
    ("places", "ends", "reason"),
    [
        ({}, 60, "silences_all"),
        ({"site": "rose"}, 0, "already_over"),
        ({"site": "rose"}, 8 * 86400, "too_long"),
    ],
)
def test_silences_that_cannot_be(places, ends, reason) -> None:
    named = {"site": "", "gate": "", "camera": "", "rule_id": "", **places}
    with pytest.raises(Refused) as refused:
        check_silence(named, at(0), at(ends))
    assert refused.value.reason == reason


def test_an_edge_that_is_away_mutes_the_faults_of_its_cameras() -> None:
    fault = {**ALERT, "rule_kind": "camera_fault"}
    away = other(rule_kind="edge_fault", raised_at=at(-60))
    assert inhibited_by(fault, [other(), away]) is away
    assert inhibited_by(fault, [other(rule_kind="edge_fault", edge="box-2")]) is None
    assert inhibited_by(ALERT, [away]) is None  # what people do is told, whatever else is wrong
    assert inhibited_by({**ALERT, "rule_kind": "edge_fault"}, [away]) is None
    assert inhibited_by(fault, []) is None


def test_the_same_target_anywhere_on_the_site_is_one_incident() -> None:
    van = {**ALERT, "target": "plate:京A12345"}
    first = other(target="plate:京A12345", camera="c9", rule_id="prowling", last_seen_at=at(-600))
    found = belongs_with(van, [first])
    assert found is not None
    assert (found.alert_id, found.reason) == ("old", "same_target")
    assert found.incident_id == incident_id("old")
    assert (
        belongs_with(van, [{**first, "last_seen_at": at(-601), "first_seen_at": at(-700)}]) is None
    )
    assert belongs_with(van, [{**first, "site": "elsewhere"}]) is None
    assert belongs_with(van, [{**first, "target": "plate:京A99999"}]) is None


def test_another_rule_at_the_same_camera_is_the_same_matter_and_the_same_rule_is_not() -> None:
    found = belongs_with(ALERT, [other(rule_id="zone", incident_id="i-1")])
    assert found is not None
    assert (found.incident_id, found.reason) == ("i-1", "same_camera")
    assert belongs_with(ALERT, [other()]) is None
    assert belongs_with(ALERT, [other(rule_id="zone", camera="c2")]) is None
    assert belongs_with(ALERT, []) is None
    late = other(id="late", rule_id="zone", last_seen_at=at(5))
    assert belongs_with(ALERT, [other(rule_id="zone"), late]).alert_id == "late"
