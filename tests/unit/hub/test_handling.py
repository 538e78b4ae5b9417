"""What becomes of alerts, on a real database and through the API."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from hub.access import Role
from hub.escalator import Escalator
from hub.housekeeping import Housekeeper
from hub.register import KINDS
from hub.store import alerts, deliveries, register
from tests.unit.hub.kit import CAMERA, PLATE, SITE, FakeEdge, HubBench, at, entry
from tests.unit.hub.test_api import Api, problem
from wire.codec import decode

ALWAYS = {"days": "mon tue wed thu fri sat sun", "since": "00:00", "until": "24:00"}
REGISTER = [
    ("sites", {"id": SITE, "title": "玫瑰园"}),
    ("cells", {"id": "c1", "title": "一格", "polygon": "120 29; 121 29; 121 30; 120 30"}),
    (
        "cameras",
        {"site": SITE, "id": CAMERA, "title": "北门", "longitude": 120.9, "latitude": 29.5},
    ),
    ("people", {"id": "li", "name": "李军", "role": "网格员", "level": "grid", "cells": "c1"}),
    ("people", {"id": "chen", "name": "陈", "role": "社区民警", "level": "station"}),
    ("shifts", {"id": "s1", "person": "li", **ALWAYS}),
]


def register_all(bench: HubBench) -> None:
    with bench.store.write() as tx:
        for kind, row in REGISTER:
            register.put(tx, kind, [KINDS[kind].model_validate(row)])


def escalator(bench: HubBench) -> Escalator:
    return Escalator(
        bench.store, bench.config.escalation, bench.teller, lambda: bench.now, lambda: None
    )


def raise_one(bench: HubBench, edge: FakeEdge, plate: str = PLATE, seconds: float = 0.0) -> dict:
    bench.watch(entry(plate))
    bench.now = at(seconds)
    bench.run(edge.plate(plate, at(seconds)))
    return next(row for row in bench.rows("alerts") if row["target"] == f"plate:{plate}")


def told(bench: HubBench, sink: str = "centre") -> list[str]:
    """What a sink is told, in order."""
    lines = []
    with bench.store.write() as tx:
        while items := deliveries.due(tx, sink, at(10**6), 100):
            for item in items:
                data = decode(item.body).event.data
                lines.append(f"{getattr(data, 'change', 'raised')} {data.state} {data.level}")
                deliveries.settle(tx, item, "delivered", at(0))
    return lines


class TestEscalation:
    def test_an_alert_belongs_to_whoever_is_on_duty_for_the_cell_of_its_camera(
        self, bench: HubBench, edge: FakeEdge
    ) -> None:
        register_all(bench)
        alert = raise_one(bench, edge)
        assert (alert["cell"], alert["assignee"], alert["level"]) == ("c1", "li", "grid")
        assert alert["level_due_at"] == at(120)

    def test_it_goes_up_level_by_level_and_each_step_is_told_once(
        self, bench: HubBench, edge: FakeEdge
    ) -> None:
        register_all(bench)
        raise_one(bench, edge)
        timeline = []
        for seconds in range(0, 600, 10):
            bench.now = at(seconds)
            if seconds == 150:
                bench.restart()
            escalator(bench).round()
            (alert,) = bench.rows("alerts")
            timeline.append((seconds, alert["level"], alert["assignee"]))
        changes = [
            b for a, b in zip([None, *timeline], timeline, strict=False) if not a or a[1] != b[1]
        ]
        assert changes == [(0, "grid", "li"), (120, "station", "chen"), (240, "centre", "chen")]
        assert told(bench) == [
            "raised open grid",
            "escalated open station",
            "escalated open centre",
        ]

    def test_two_replicas_escalate_once(self, bench: HubBench, edge: FakeEdge) -> None:
        for n in range(20):
            raise_one(bench, edge, f"京A{n:05d}")
        bench.now = at(500)
        replicas = [escalator(bench) for _ in range(4)]
        with ThreadPoolExecutor(4) as workers:
            counts = list(workers.map(lambda replica: replica.round(), replicas))
        assert sum(counts) == 20
        assert len(bench.rows("alert_changes")) == 20

    def test_a_failure_half_way_leaves_nothing_and_the_next_round_does_all(
        self, bench: HubBench, edge: FakeEdge, monkeypatch
    ) -> None:
        for n in range(3):
            raise_one(bench, edge, f"京A{n:05d}")
        bench.now = at(500)
        real, calls = alerts.add_event, []

        def killed(*args) -> None:
            calls.append(args)
            real(*args)
            if len(calls) == 2:
                raise RuntimeError("killed here")

        monkeypatch.setattr(alerts, "add_event", killed)
        with pytest.raises(RuntimeError):
            escalator(bench).round()
        assert {row["level"] for row in bench.rows("alerts")} == {"grid"}
        bench.restart()
        assert escalator(bench).round() == 3
        assert [row["number"] for row in bench.rows("alert_changes")] == [1, 1, 1]

    def test_taking_it_up_gives_time_to_close_it(self, api: Api, edge: FakeEdge) -> None:
        alert = raise_one(api.bench, edge)
        api.bench.now = at(60)
        taken = api.call("POST", f"/alerts/{alert['id']}/acknowledge", json={}).json()
        assert taken["level_due_at"] == at(3660).isoformat().replace("+00:00", "Z")
        api.bench.now = at(3659)
        assert escalator(api.bench).round() == 0
        api.bench.now = at(3660)
        assert escalator(api.bench).round() == 1
        shown = api.call("GET", f"/alerts/{alert['id']}").json()
        assert (shown["level"], shown["changes"][-1]["actor"]) == ("station", "clock")
        assert "not closed" in shown["changes"][-1]["note"]
        for to in ("false_alarm", "closed"):
            api.call("POST", f"/alerts/{alert['id']}/transitions", json={"to": to})
        assert api.call("GET", f"/alerts/{alert['id']}").json()["level_due_at"] is None


class TestSilences:
    def begin(self, api: Api, **changes):
        body = {
            "camera": CAMERA,
            "reason": "the barrier is being rebuilt",
            "ends_at": at(3600).isoformat(),
        }
        return api.call("POST", "/silences", json={**body, **changes})

    def test_what_is_muted_is_stored_and_told_to_nobody_until_somebody_takes_it_up(
        self,
        api: Api,
        edge: FakeEdge,
    ) -> None:
        made = self.begin(api)
        assert made.status_code == 201, made.text
        alert = raise_one(api.bench, edge)
        assert (alert["muted_by"], alert["muted_why"]) == (made.json()["id"], "silence")
        assert alert["level_due_at"] is None
        assert told(api.bench) == []
        noted = api.call("POST", f"/alerts/{alert['id']}/notes", json={"note": "looked: nothing"})
        assert noted.json()["muted_why"] == "silence"
        api.call("POST", f"/alerts/{alert['id']}/acknowledge", json={})
        assert told(api.bench) == ["raised open grid", "noted open grid", "moved acknowledged grid"]
        assert api.call("GET", f"/alerts/{alert['id']}").json()["muted_by"] is None

    def test_it_ends_by_itself_or_early(self, api: Api, edge: FakeEdge) -> None:
        name = self.begin(api).json()["id"]
        active = {"active": True}
        assert len(api.call("GET", "/silences", params=active).json()["items"]) == 1
        api.bench.now = at(10)
        assert api.call("POST", f"/silences/{name}/end").status_code == 200
        problem(api.call("POST", f"/silences/{name}/end"), 409, "over")
        assert api.call("GET", "/silences", params=active).json()["items"] == []
        assert raise_one(api.bench, edge, seconds=11)["muted_by"] is None
        problem(api.call("POST", "/silences/x/end"), 404, "not_found")

    def test_who_silences_says_what_and_why(self, api: Api) -> None:
        problem(self.begin(api, camera=""), 409, "silences_all")
        problem(self.begin(api, reason=" "), 422, "invalid_request")
        body = {"camera": CAMERA, "reason": "why", "ends_at": at(60).isoformat()}
        guard = api.call("POST", "/silences", who="g", role=Role.GUARD, json=body)
        problem(guard, 403, "forbidden")
        self.begin(api)
        (act,) = api.bench.rows("audit")
        assert (act["action"], act["purpose"]) == ("silence.begun", "the barrier is being rebuilt")

    def test_a_missing_person_is_told_all_the_same(self, api: Api, edge: FakeEdge) -> None:
        self.begin(api)
        api.bench.watch(entry(category="missing_person"))
        api.bench.run(edge.plate())
        assert told(api.bench) == ["raised open grid"]


def test_alerts_of_two_rules_about_one_car_are_one_incident(
    api: Api,
    edge: FakeEdge,
) -> None:
    rules = api.bench.config.rules_dir
    second = (rules / "plates.toml").read_text("utf-8").replace('"plates"', '"more"')
    (rules / "more.toml").write_text(second, encoding="utf-8")
    api.bench.restart()
    object.__setattr__(api.services, "store", api.bench.store)
    api.bench.watch(entry())
    api.bench.run(edge.plate())
    (incident,) = api.call("GET", "/incidents").json()["items"]
    shown = api.call("GET", f"/incidents/{incident['id']}").json()
    assert {alert["rule_id"] for alert in shown["alerts"]} == {"plates", "more"}
    assert {alert["incident_id"] for alert in shown["alerts"]} == {incident["id"]}
    assert sorted(told(api.bench)) == ["joined open grid", "raised open grid", "raised open grid"]
    listed = api.call("GET", "/alerts", params={"incident_id": incident["id"]}).json()["items"]
    assert len(listed) == 2
    problem(api.call("GET", "/incidents/x"), 404, "not_found")


class TestPeople:
    def test_give_it_to_somebody_of_the_register(self, api: Api, edge: FakeEdge) -> None:
        register_all(api.bench)
        path = f"/alerts/{raise_one(api.bench, edge)['id']}"
        for _ in range(2):  # the same request again
            body = {"person": "chen", "note": "near by"}
            given = api.call("POST", f"{path}/assign", key="k", json=body).json()
        assert given["assignee"] == "chen"
        assert [change["kind"] for change in given["changes"]] == ["assigned"]
        assert len(api.call("GET", "/alerts", params={"assignee": "chen"}).json()["items"]) == 1
        detail = problem(
            api.call("POST", f"{path}/assign", json={"person": "x"}), 422, "unusable_input"
        )
        assert detail == "person: people has no 'x'"
        for to in ("acknowledged", "false_alarm", "closed"):
            api.call("POST", f"{path}/transitions", json={"to": to})
        problem(api.call("POST", f"{path}/assign", json={"person": "li"}), 409, "closed")

    def picture(self, size=(64, 48), kind="JPEG") -> bytes:
        buffer, exif = io.BytesIO(), Image.Exif()
        exif[0x010E] = "taken by Wang at home"
        Image.new("RGB", size, "red").save(buffer, kind, exif=exif)
        return buffer.getvalue()

    def add(self, api: Api, path: str, content: bytes, **kwargs):
        return api.call("POST", f"{path}/pictures", files={"picture": ("p", content)}, **kwargs)

    def test_a_picture_from_the_spot(self, api: Api, edge: FakeEdge) -> None:
        path = f"/alerts/{raise_one(api.bench, edge)['id']}"
        sent = self.picture((4000, 30))
        for _ in range(2):
            shown = self.add(api, path, sent, key="k", data={"note": "the door"}).json()
        (added,) = (one for one in shown["evidence"] if one["name"] == "added_1")
        assert shown["changes"][-1]["note"] == "the door"
        kept = api.call("GET", added["path"].removeprefix("/api/v1"))
        assert b"Wang" in sent
        assert b"Wang" not in kept.content
        assert Image.open(io.BytesIO(kept.content)).size == (2048, 15)
        changed = decode(api.bench.rows("events")[-1]["body"]).event.data
        assert "added_1" in {picture.name for picture in changed.evidence}

    def test_what_is_no_picture(self, api: Api, edge: FakeEdge) -> None:
        path = f"/alerts/{raise_one(api.bench, edge)['id']}"
        before = api.bench.rows("events")
        for content in (b"", b"\xff\xd8 not one", self.picture()[:200], self.picture(kind="TIFF")):
            problem(self.add(api, path, content), 422, "unusable_input")
        huge = io.BytesIO()
        Image.new("1", (20000, 20000)).save(huge, "PNG")
        assert "megapixels" in problem(self.add(api, path, huge.getvalue()), 422, "unusable_input")
        problem(self.add(api, path, bytes(13 << 20)), 413, "too_large")
        problem(self.add(api, "/alerts/x", self.picture()), 404, "not_found")
        assert api.bench.rows("events") == before


def test_housekeeping_forgets_empty_incidents_and_old_silences(
    bench: HubBench, edge: FakeEdge
) -> None:
    from hub.store import incidents, silences

    with bench.store.write() as tx:
        incidents.add(tx, {"id": "i", "site": SITE, "opened_at": at(0)})
        places = {"site": SITE, "gate": "", "camera": "", "rule_id": ""}
        who = {"author": "ann", "reason": "r"}
        silences.add(tx, {"id": "s", **places, **who, "starts_at": at(0), "ends_at": at(60)})
    Housekeeper(bench.store, bench.files, bench.config.retention, lambda: at(86400)).round()
    assert bench.rows("incidents") == []
    assert len(bench.rows("silences")) == 1
    Housekeeper(bench.store, bench.files, bench.config.retention, lambda: at(86400 * 400)).round()
    assert bench.rows("silences") == []
