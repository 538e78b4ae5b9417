"""Rules through the API: drafts, what is in force, versions, back-tests and verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.access import Role
from hub.escalation import EscalationSection
from hub.feedback import feedback_of, interval
from hub.rule_diff import FieldChange, diff
from hub.rules import parse_rule
from hub.store.rules import Saved, save, verdicts
from tests.unit.hub.kit import NOW, PLATE, FakeEdge, at, entry
from tests.unit.hub.test_api import Api, api, application  # noqa: F401 - fixtures
from tests.unit.hub.timeline import Timeline

RULE = {
    "id": "night", "title": "Night", "kind": "plate_watchlist", "owner": "o", "severity": "red",
}  # fmt: skip
PERIOD = {"since": at(-3600).isoformat(), "until": at(3600).isoformat(), "purpose": "tuning"}


def put(api: Api, **changes: object):  # noqa: F811
    return api.call("PUT", "/rules/night", json={"document": {**RULE, **changes}})


def test_a_draft_does_nothing_until_it_is_enabled_and_then_at_once(api: Api) -> None:  # noqa: F811
    api.bench.watch(entry())
    draft = put(api).json()
    assert (draft["latest_version"], draft["enabled_version"]) == (1, None)
    assert api.bench.run(api.bench.edge.plate()).raised == 1  # that of the file
    assert api.call("POST", "/rules/night/enable", json={}).json()["enabled_version"] == 1
    outcome = api.bench.run(api.bench.edge.plate())
    assert (outcome.raised, outcome.joined) == (1, 1)
    assert api.call("POST", "/rules/night/disable").json()["enabled_version"] is None
    outcome = api.bench.run(api.bench.edge.plate())
    assert (outcome.raised, outcome.joined) == (0, 1)


def test_versions_diff_and_roll_back(api: Api) -> None:  # noqa: F811
    put(api)
    put(api, title="Late", min_confidence=0.9)
    page = api.call("GET", "/rules/night/versions?limit=1").json()
    assert [v["version"] for v in page["items"]] == [2]
    page = api.call("GET", f"/rules/night/versions?cursor={page['next_cursor']}").json()
    assert [(v["version"], v["actor"]) for v in page["items"]] == [(1, "ann")]
    changes = api.call("GET", "/rules/night/diff?before=1&after=2").json()["changes"]
    assert changes == [
        {"field": "min_confidence", "before": None, "after": 0.9},
        {"field": "title", "before": "Night", "after": "Late"},
    ]
    back = api.call("POST", "/rules/night/rollback", json={"version": 1}).json()
    assert (back["latest_version"], back["enabled_version"], back["title"]) == (3, 3, "Night")
    assert api.call("GET", "/rules/night/diff?before=1&after=3").json()["changes"] == []
    actions = [row["action"] for row in api.bench.rows("audit")]
    assert actions.count("rule.saved") == 3
    assert "rule.enabled" in actions


def test_what_is_refused(api: Api) -> None:  # noqa: F811
    wrong = put(api, colour="red", min_confidence=3)
    assert wrong.status_code == 422
    fields = {one["where"].rpartition(".")[2] for one in wrong.json()["fields"]}
    assert {"colour", "min_confidence"} <= fields
    assert api.call("GET", "/rules/nobody").status_code == 404
    assert api.call("POST", "/rules/nobody/enable", json={}).status_code == 404
    guard = api.call("GET", "/rules", who="gus", role=Role.GUARD)
    assert guard.status_code == 403
    centre = api.call("PUT", "/rules/night", json={"document": RULE}, who="c", role=Role.CENTRE)
    assert centre.status_code == 403
    other = api.call("PUT", "/rules/day", json={"document": RULE})
    assert "the path says 'day'" in other.json()["detail"]


def test_a_rule_in_a_file_is_changed_there(api: Api) -> None:  # noqa: F811
    from hub.store import rules

    bench = api.bench
    with bench.store.read() as tx:
        bench.rules.current(tx)
    found = bench.rules.unrecorded()
    with bench.store.write() as tx:
        rules.record_files(tx, found.saved, found.enabled, NOW)
    listed = {rule["id"]: rule for rule in api.call("GET", "/rules").json()["items"]}
    assert listed["plates"]["source"] == "file"
    document = {**RULE, "id": "plates"}
    for method, path, body in (
        ("PUT", "/rules/plates", {"document": document}),
        ("POST", "/rules/plates/disable", None),
        ("POST", "/rules/plates/rollback", {"version": 1}),
    ):
        answer = api.call(method, path, json=body)
        assert (answer.status_code, answer.json()["reason"]) == (409, "in_file")


def test_sent_twice_it_is_one_version(api: Api) -> None:  # noqa: F811
    for _ in range(2):
        answer = api.call(
            "PUT", "/rules/night", json={"document": RULE}, headers={"idempotency-key": "k1"}
        )
        assert answer.json()["latest_version"] == 1


def test_a_backtest_counts_what_would_have_been_raised_beside_what_is_in_force(
    api: Api,  # noqa: F811
) -> None:
    edge = api.bench.edge
    api.bench.run(*(edge.plate(PLATE, at(60 * n), confidence=0.6) for n in range(10)))
    api.bench.run(edge.plate("京B99999", at(30)))
    api.bench.watch(entry())
    put(api, dedup_window_s=100)
    api.call("POST", "/rules/night/enable", json={})
    draft = {**RULE, "dedup_window_s": 30, "min_confidence": 0.5}
    found = api.call("POST", "/rules/backtest", json={"document": draft, **PERIOD}).json()
    assert found["observations"] == 11
    assert (found["draft"]["matches"], found["draft"]["alerts"]) == (10, 10)
    assert (found["enabled"]["matches"], found["enabled"]["alerts"]) == (10, 1)
    assert found["draft"]["by_place"] == {"rosegarden/gate-in": 10}
    assert sum(found["draft"]["by_day"].values()) == 10
    assert found["draft"]["samples"][0]["sentence"] == f"read exactly as listed: {PLATE}"
    assert found["raised"] == 0
    strict = {**draft, "min_confidence": 0.7}
    found = api.call("POST", "/rules/backtest", json={"document": strict, **PERIOD}).json()
    assert found["draft"]["alerts"] == 0
    assert found["draft"]["reasons"] == {"uncertain_reading": 10}
    record = api.bench.rows("audit")[-1]
    assert (record["action"], record["purpose"]) == ("rule.backtested", "tuning")


def test_a_backtest_of_faces_says_what_it_cannot_know(api: Api) -> None:  # noqa: F811
    draft = {**RULE, "kind": "face_watchlist"}
    found = api.call("POST", "/rules/backtest", json={"document": draft, **PERIOD}).json()
    assert "no face that matched nobody is kept" in found["draft"]["limit"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (
            'kind = "face_watchlist"\nseverity = "red"\n',
            "12:00:01 Wang is missing\n12:06:00 Wang's face\n12:30:00 Zhao's face",
        ),
        (
            'kind = "cloned_plate"\nseverity = "red"\nmin_travel_s = 60\n',
            "13:00:00 car 京B00002 at gate-in\n13:00:30 car 京B00002 at south-in\n"
            "13:00:40 car 京B00002 at gate-in\n14:00:00 car 京B00002 at south-in",
        ),
        (
            'kind = "restricted_zone"\nseverity = "red"\nzones = ["roof"]\nmin_stay_s = 30\n',
            "13:00:20 person stays in roof for 20 s\n13:02:00 person stays in roof for 45 s\n"
            "13:03:00 car stays in roof for 45 s\n15:02:00 person stays in roof for 45 s",
        ),
        (
            'kind = "camera_fault"\nseverity = "red"\nfor_s = 60\n',
            "13:00:00 camera is offline\n13:00:30 camera is online\n14:00:00 camera is covered\n"
            "14:02:00 nothing happens",
        ),
        (
            'kind = "vehicle_prowling"\nseverity = "red"\n[[schedule.hours]]\nsince = "23:00"\n'
            'until = "05:00"\n',
            "22:00:00 person prowls 3 cars in parking for 90 s\n"
            "01:00:00 person prowls 3 cars in parking for 90 s",
        ),
    ],
)
def test_a_backtest_finds_what_life_did(
    tmp_path: Path, edge: FakeEdge, empty_database: Path, rule: str, text: str
) -> None:
    from hub.backtest import replay
    from hub.store.backtest import Past
    from hub.store.registry import StoredRegister
    from hub.store.windows import StoredWindows

    timeline = Timeline(tmp_path, edge, empty_database, rule)
    timeline.play(text)
    in_life = timeline.bench.rows("alerts")
    assert in_life
    with timeline.bench.store.read() as tx:
        (watched,) = timeline.bench.rules.current(tx).rules
        start = timeline.utc.replace(year=2026, month=11, day=1)
        past = Past(tx, start, timeline.utc, timeline.utc)
        report = replay(
            watched, past.sightings(watched), StoredWindows(tx), StoredRegister(tx), timeline.utc
        )
    assert report.alerts == len(in_life)
    assert {s.observation_id for s in report.samples} == {a["observation_id"] for a in in_life}
    timeline.bench.store.close()


def test_verdicts_become_precision_and_a_suggestion(api: Api) -> None:  # noqa: F811
    api.bench.watch(entry())
    put(api)
    api.call("POST", "/rules/night/enable", json={})
    edge = replace(api.bench.edge)
    api.bench.run(edge.plate())
    with api.bench.store.read() as tx:
        assert verdicts(tx, at(-1))["night"] == {"": 1}
    feedback = api.call("GET", "/rules/night").json()["feedback"]
    assert (feedback["unjudged"], feedback["precision"]) == (1, None)
    rule = parse_rule(RULE, "x")
    few = feedback_of(rule, {"false_match": 9})
    assert (few.precision, few.suggestion) == (0.0, "")
    wrong = feedback_of(rule, {"false_match": 8, "confirmed": 4})
    assert wrong.precision == pytest.approx(1 / 3)
    assert wrong.low < 1 / 3 < wrong.high
    assert "raise min_confidence" in wrong.suggestion
    harmless = feedback_of(rule, {"benign": 12})
    assert "narrow the schedule" in harmless.suggestion
    assert feedback_of(rule, {"confirmed": 12}).suggestion == ""


def test_the_interval_of_a_share() -> None:
    assert interval(0, 0) == (0.0, 1.0)
    low, high = interval(10, 10)
    assert (low, high) == (pytest.approx(0.7225, abs=1e-3), 1.0)


def test_a_diff_goes_into_tables() -> None:
    assert diff({"a": 1, "schedule": {"zone": "UTC"}}, {"schedule": {"zone": "X"}, "b": [1]}) == (
        FieldChange("a", 1, None),
        FieldChange("b", None, [1]),
        FieldChange("schedule.zone", "UTC", "X"),
    )


def test_a_rule_that_names_no_policy_that_there_is_is_refused(api: Api) -> None:  # noqa: F811
    refused = put(api, escalation="night-theft")
    assert (refused.status_code, refused.json()["reason"]) == (422, "unusable_input")
    assert refused.json()["detail"].startswith("escalation: there is no policy 'night-theft'")
    assert api.call("GET", "/rules/night").status_code == 404
    api.services = replace(
        api.services,
        escalation=EscalationSection.model_validate(
            {"policies": {"night-theft": {"acknowledge_within_s": 60, "close_within_s": 600}}}
        ),
    )
    api.client.app.state.services = api.services
    assert put(api, escalation="night-theft").json()["problem"] == ""


def test_a_version_whose_policy_has_gone_is_not_put_in_force(api: Api) -> None:  # noqa: F811
    with api.bench.store.write() as tx:
        document = {**RULE, "escalation": "gone"}
        save(tx, Saved("night", "plate_watchlist", "Night", "store", document, "ann"), NOW)
    shown = api.call("GET", "/rules/night").json()
    assert shown["problem"].startswith("escalation: there is no policy 'gone'")
    for step, body in (("enable", {}), ("rollback", {"version": 1})):
        refused = api.call("POST", f"/rules/night/{step}", json=body)
        assert (refused.status_code, refused.json()["reason"]) == (422, "unusable_input"), step
    assert api.call("GET", "/rules/night").json()["enabled_version"] is None
