"""The API on a real database, through its own HTTP layer."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from hub.access import Role, new_token, token_hash
from hub.api import Services, create_app, openapi
from hub.api.shapes import BrokerHealth, Health, IngestHealth
from hub.audit import first_break
from hub.duplicates import DuplicateFinder
from hub.enrolment import Enroller
from hub.evidence_export import Exporter
from hub.gallery import Gallery
from hub.live import LiveDesk
from hub.store import access, alerts, audit
from models.faces import FaceDetections, FacePack
from tests.servers import free_port
from tests.unit.hub.kit import (
    CROP,
    NOW,
    PACK_SHA,
    PLATE,
    FakeEdge,
    HubBench,
    accept,
    at,
    entry,
    unit,
)
from tests.unit.hub.test_pipeline import SCENE_ITEM
from wire.errors import StoreError


class OneFacePerBrightness:
    """Networks for tests: a white picture shows one face, a grey one two, a black one none."""

    pack, pack_sha256, dimension, crop_size = "test-pack", PACK_SHA, 128, 8

    def detect(self, image, *, min_score=None) -> FaceDetections:
        count = {0: 0, 255: 1}.get(int(image[0, 0, 0]), 2)
        side = min(image.shape[:2])
        points = np.float32([[0.35, 0.4], [0.65, 0.4], [0.5, 0.6], [0.4, 0.75], [0.6, 0.75]]) * side
        return FaceDetections(
            np.float32([[0, 0, side, side]] * count).reshape(-1, 4),
            np.full(count, 0.9, np.float32),
            np.float32([points] * count).reshape(-1, 5, 2),
        )

    def crop(self, image, landmarks):
        return image[:8, :8]

    def embed(self, crops):
        return np.stack([unit(1) for _ in crops])


def photo(level: int = 255, side: int = 256) -> bytes:
    picture = np.full((side, side, 3), level, np.uint8)
    if level == 255:  # something to be sharp about
        noise = np.random.default_rng(1).integers(60, 200, (side, side, 3), dtype=np.uint8)
        picture[1:] = noise[1:]
        picture[0] = 255
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg() -> bytes:
    """A whole one, with something in it."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photo())).save(buffer, "JPEG")
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of 64 megapixels in a few kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG", optimize=True)
    assert len(buffer.getvalue()) < 20_000
    return buffer.getvalue()


def animation() -> bytes:
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in (0, 120, 240)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


class NoCommands:
    """Boxes that hear of everything, and send nothing."""

    def command(self, edge, name, command) -> bool:
        return True


@dataclass
class Api:
    bench: HubBench
    client: TestClient
    tokens: dict[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def token(self, name: str, role: Role) -> str:
        if name not in self.tokens:
            self.tokens[name] = new_token()
            with self.bench.store.write() as tx:
                access.add_token(tx, name, role, token_hash(self.tokens[name]), NOW)
        return self.tokens[name]

    def call(
        self, method: str, path: str, *, who: str = "ann", role: Role = Role.OPERATOR,
        key: str | None = None, **kwargs,
    ) -> httpx.Response:  # fmt: skip
        headers = {"authorization": f"Bearer {self.token(who, role)}"}
        if key:
            headers["idempotency-key"] = key
        return self.client.request(
            method, f"/api/v1{path}", headers={**headers, **kwargs.pop("headers", {})}, **kwargs
        )

    def approve(self, path: str) -> httpx.Response:
        return self.call("POST", f"{path}/approve", who="bob", role=Role.APPROVER)


def health() -> Health:
    return Health(
        status="ok", problems=[], version="0", faces=None, edges=[], cameras=[], sinks=[],
        broker=BrokerHealth(connected=True, sites={}, problem=""), dead_letters={}, broken_rules=[],
        ingest=IngestHealth(
            waiting=0, dropped=0, committed=0, repeated=0, rejected=0, alerts_raised=0, alerts_joined=0,
            reasons={},
        ),
    )  # fmt: skip


def services_of(
    bench: HubBench,
    networks: "OneFacePerBrightness",
    pack_sha256: str,
    stopping: Callable[[], bool],
    *,
    keep_reference: bool = True,
) -> Services:
    """What the API needs, on the bench's real store, with networks that see one face in every photo."""
    return Services(
        duplicates=DuplicateFinder(bench.vault, Gallery("test-pack", pack_sha256, 128, accept)),
        keep_reference=keep_reference,
        store=bench.store,
        files=bench.files,
        vault=bench.vault,
        enroller=Enroller(FacePack("test-pack", networks, networks, 0.5, 0.05, "MIT", True)),
        now=lambda: bench.now,
        health=health,
        teller=bench.teller,
        escalation=bench.config.escalation,
        wake_sinks=lambda: None,
        stopping=stopping,
        exporter=Exporter(
            bench.store,
            bench.files.read,
            {bench.edge.id: bench.edge.known},
            bench.signing,
            bench.signing.public_key(),
            lambda: bench.now,
        ),
        blurrer=None,
        live=LiveDesk(
            {bench.edge.id: bench.edge.known}, NoCommands(), bench.opening, lambda: bench.now
        ),
    )


@pytest.fixture(scope="module")
def application() -> FastAPI:
    """Making it is slow, and it holds nothing but its services, which each test sets."""
    return create_app(None)


@pytest.fixture
def api(bench: HubBench, application: FastAPI) -> Api:
    made = Api(bench, None)
    made.services = services_of(bench, OneFacePerBrightness(), PACK_SHA, made.stopping.is_set)
    application.state.services = made.services
    made.client = TestClient(application, raise_server_exceptions=False)
    return made


WANTED = {
    "plate": " 京a·12345 ", "label": "white van", "category": "stolen_vehicle", "basis": "case",
    "reference": "2026-118", "expires_at": at(86400).isoformat(),
}  # fmt: skip
FORM = {
    "label": "Wang", "purpose": "lost person", "basis": "request of the family", "reference": "7",
    "expires_at": at(86400).isoformat(),
}  # fmt: skip


def raised(api: Api, edge: FakeEdge, *, count: int = 1) -> list[str]:
    """Raise alerts, oldest first; returns their ids."""
    for n in range(count):
        plate = f"京A{n:05d}"
        api.bench.watch(entry(plate))
        api.bench.now = at(n)
        api.bench.run(edge.plate(plate, at(n), pictures=(SCENE_ITEM,)))
    return [row["id"] for row in sorted(api.bench.rows("alerts"), key=lambda r: r["raised_at"])]


def problem(answer: httpx.Response, status: int, reason: str) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert (answer.status_code, body["status"], body["reason"]) == (status, status, reason)
    assert body["type"] == f"urn:gatehouse:problem:{reason}"
    return body["detail"]


class TestAccess:
    def test_nothing_is_reachable_without_a_token(self, api: Api) -> None:
        described = openapi()["paths"]
        assert len(described) >= 20
        for path, methods in described.items():
            for method in methods:
                concrete = path.replace("{name}", "plates").replace("{", "").replace("}", "")
                answer = api.client.request(method, concrete)
                problem(answer, 401, "no_token")
                assert answer.headers["www-authenticate"] == "Bearer"
        bad = {"authorization": "Bearer gh_no"}
        problem(api.client.get("/api/v1/alerts", headers=bad), 401, "unknown_token")
        basic = {"authorization": "Basic YTpi"}
        problem(api.client.get("/api/v1/alerts", headers=basic), 401, "no_token")

    def test_a_revoked_token_is_none(self, api: Api) -> None:
        assert api.call("GET", "/alerts").status_code == 200
        with api.bench.store.write() as tx:
            assert access.revoke_token(tx, "ann", NOW)
        problem(api.call("GET", "/alerts"), 401, "unknown_token")

    @pytest.mark.parametrize(
        ("role", "method", "path"),
        [
            (Role.GUARD, "GET", "/observations"),
            (Role.GUARD, "POST", "/watchlists/plates"),
            (Role.APPROVER, "GET", "/alerts"),
            (Role.OPERATOR, "POST", "/watchlists/plates/x/approve"),
            (Role.OPERATOR, "GET", "/audit"),
            (Role.CENTRE, "GET", "/watchlists/faces"),
            (Role.AUDITOR, "GET", "/evidence/x/crop"),
        ],
    )
    def test_a_role_may_do_no_more_than_its_scopes(
        self, api: Api, role: Role, method: str, path: str
    ) -> None:
        answer = api.call(method, path, who=role, role=role, json=WANTED)
        assert role in problem(answer, 403, "forbidden")

    def test_unknown_paths_and_methods_are_problems_too(self, api: Api) -> None:
        problem(api.client.get("/nowhere"), 404, "not_found")
        problem(api.client.get("/docs"), 404, "not_found")
        problem(api.call("PUT", "/alerts"), 405, "method_not_allowed")


class TestAlerts:
    def test_the_way_of_an_alert(self, api: Api, edge: FakeEdge) -> None:
        (alert_id,) = raised(api, edge)
        path = f"/alerts/{alert_id}"
        step = api.call("POST", f"{path}/acknowledge", json={"note": "on my way"})
        assert step.status_code == 200, step.text
        assert step.json()["state"] == "acknowledged"
        detail = problem(
            api.call("POST", f"{path}/transitions", json={"to": "dispatched"}), 409, "illegal_move"
        )
        assert detail.endswith("cannot become dispatched; it can become false_alarm, verified")
        for to in ("verified", "closed"):
            api.bench.now = at(60)
            assert api.call("POST", f"{path}/transitions", json={"to": to}).status_code == 200
        shown = api.call("GET", path).json()
        assert (shown["state"], shown["certainty"]) == ("closed", "confirmed")
        assert shown["closed_at"] == "2026-11-05T17:26:00Z"
        assert shown["disposition"] == "confirmed"
        assert [(c["from_state"], c["to_state"], c["actor"]) for c in shown["changes"]] == [
            ("open", "acknowledged", "ann"),
            ("acknowledged", "verified", "ann"),
            ("verified", "closed", "ann"),
        ]
        assert [c["number"] for c in shown["changes"]] == [1, 2, 3]
        assert shown["changes"][0]["note"] == "on my way"
        assert shown["response_times"]["raised_to_acknowledged_s"] == 0.0
        assert shown["response_times"]["raised_to_closed_s"] == 60.0
        assert shown["response_times"]["raised_to_told_s"] is None
        assert len(shown["observation_ids"]) == 1

    def test_each_move_is_told_and_a_verdict_that_does_not_fit_is_refused(
        self, api: Api, edge: FakeEdge
    ) -> None:
        (alert_id,) = raised(api, edge)
        path = f"/alerts/{alert_id}/transitions"
        api.call("POST", path, json={"to": "acknowledged"})
        wrong = api.call("POST", path, json={"to": "false_alarm", "disposition": "confirmed"})
        assert "false_match, benign" in problem(wrong, 409, "illegal_move")
        body = {"to": "false_alarm", "disposition": "benign"}
        for _ in range(2):  # the second is the same request again
            assert api.call("POST", path, key="k", json=body).json()["disposition"] == "benign"
        events = [row["type"].split(".")[2] for row in api.bench.rows("events")]
        assert events == ["raised", "changed", "changed"]
        assert len(api.bench.rows("deliveries")) == len(events) * len(api.bench.sinks)

    def test_response_times_by_rule(self, api: Api, edge: FakeEdge) -> None:
        ids = raised(api, edge, count=3)
        for n, alert_id in enumerate(ids[:2]):
            api.bench.now = at(100 + n)
            api.call("POST", f"/alerts/{alert_id}/acknowledge", json={})
        span = {"since": at(-1).isoformat(), "until": at(60).isoformat()}
        (group,) = api.call("GET", "/response-times", params={**span, "by": "rule_id"}).json()[
            "items"
        ]
        assert (group["group"], group["alerts"]) == ("plates", 3)
        assert group["times"]["raised_to_acknowledged_s"] == {
            "count": 2, "median_s": 100.0, "p90_s": 100.0, "longest_s": 100.0,
        }  # fmt: skip
        empty = {"since": at(60).isoformat(), "until": at(90).isoformat()}
        assert api.call("GET", "/response-times", params=empty).json()["items"] == []

    def test_pages_hold_each_alert_once_while_new_ones_come(self, api: Api, edge: FakeEdge) -> None:
        before = raised(api, edge, count=7)
        seen, cursor = [], None
        while True:
            params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
            page = api.call("GET", "/alerts", params=params).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            api.bench.watch(entry(f"沪B{len(seen):05d}"))
            api.bench.now = at(1000 + len(seen))
            api.bench.run(edge.plate(f"沪B{len(seen):05d}", api.bench.now))
        assert seen == before[::-1]

    def test_filters(self, api: Api, edge: FakeEdge) -> None:
        first, second = raised(api, edge, count=2)
        api.call("POST", f"/alerts/{second}/acknowledge", json={})

        def found(**params: str) -> list[str]:
            return [a["id"] for a in api.call("GET", "/alerts", params=params).json()["items"]]

        assert found(state="open") == [first]
        assert found(severity="blue") == found(gate="south") == found(rule_id="other") == []
        assert found(site="rosegarden", camera="gate-in", rule_id="plates") == [second, first]
        assert found(since=at(1).isoformat()) == [second]
        assert found(until=at(1).isoformat()) == [first]

    def test_looking_for_a_plate_names_its_purpose_and_is_recorded(
        self, api: Api, edge: FakeEdge
    ) -> None:
        (alert_id,) = raised(api, edge)
        problem(api.call("GET", "/alerts", params={"plate": PLATE}), 422, "purpose_required")
        params = {"plate": "京a·00000", "purpose": "case 2026-118"}
        found = api.call("GET", "/alerts", params=params).json()["items"]
        assert [a["id"] for a in found] == [alert_id]
        problem(
            api.call("GET", "/alerts", who="guard", role=Role.GUARD, params=params),
            403,
            "forbidden",
        )
        (record,) = api.call("GET", "/audit", who="eve", role=Role.AUDITOR).json()["items"]
        assert (record["actor"], record["action"]) == ("ann", "alerts.lookup")
        assert (record["target"], record["purpose"]) == ("plate:京a·00000", "case 2026-118")

    @pytest.mark.parametrize("cursor", ["x", "W10", "WzEsMl0", "é", "W251bGwsMV0", "AAAA"])
    def test_a_cursor_that_is_none_is_refused(self, api: Api, cursor: str) -> None:
        answer = api.call("GET", "/alerts", params={"cursor": cursor})
        assert "cursor" in problem(answer, 422, "unusable_input")

    def test_problems_do_not_repeat_what_was_sent(self, api: Api) -> None:
        answer = api.call("POST", "/alerts/x/transitions", json={"to": "京A12345 is Wang's"})
        assert "Wang" not in problem(answer, 422, "invalid_request")
        assert answer.json()["fields"][0]["where"] == "body.to"
        problem(api.call("GET", "/alerts/none"), 404, "not_found")


class TestWatchlists:
    def test_an_entry_does_nothing_until_somebody_else_approves_it(
        self, api: Api, edge: FakeEdge
    ) -> None:
        made = api.call("POST", "/watchlists/plates", json=WANTED)
        assert made.status_code == 201, made.text
        shown = made.json()
        assert (shown["target"], shown["state"], shown["requester"]) == (PLATE, "pending", "ann")
        assert api.bench.run(edge.plate()).raised == 0
        path = f"/watchlists/plates/{shown['id']}"
        own = api.call("POST", f"{path}/approve", who="root", role=Role.ADMIN)
        assert own.status_code == 200  # another person than ann
        assert api.bench.run(edge.plate(PLATE, at(5000))).raised == 1
        problem(api.approve(path), 409, "illegal_move")
        assert api.call("DELETE", path).json()["state"] == "removed"
        assert api.bench.run(edge.plate(PLATE, at(10_000))).raised == 0

    def test_nobody_approves_their_own_not_even_an_admin(self, api: Api) -> None:
        made = api.call("POST", "/watchlists/plates", who="root", role=Role.ADMIN, json=WANTED)
        path = f"/watchlists/plates/{made.json()['id']}"
        answer = api.call("POST", f"{path}/approve", who="root", role=Role.ADMIN)
        assert "somebody else" in problem(answer, 409, "same_person")

    def test_an_expired_entry_cannot_be_approved(self, api: Api) -> None:
        made = api.call("POST", "/watchlists/plates", json=WANTED).json()
        api.bench.now = at(86400)
        problem(api.approve(f"/watchlists/plates/{made['id']}"), 409, "already_expired")

    @pytest.mark.parametrize(
        ("change", "status", "reason"),
        [
            ({"plate": "HELLO"}, 422, "unusable_input"),
            ({"category": "annoying"}, 422, "invalid_request"),
            ({"category": "wanted_person"}, 409, "wrong_category"),
            ({"expires_at": at(-1).isoformat()}, 409, "already_expired"),
            ({"expires_at": at(86400 * 400).isoformat()}, 409, "too_long"),
            ({"expires_at": "2027-01-01T00:00:00"}, 422, "invalid_request"),
            ({"basis": ""}, 422, "invalid_request"),
            ({"basis": "   "}, 422, "invalid_request"),
            ({"ethnicity": "x"}, 422, "invalid_request"),
        ],
    )
    def test_a_request_that_lacks_something_is_refused(
        self, api: Api, change: dict, status: int, reason: str
    ) -> None:
        problem(api.call("POST", "/watchlists/plates", json={**WANTED, **change}), status, reason)
        assert api.bench.rows("watchlist_entries") == []

    def test_lists_are_apart(self, api: Api) -> None:
        made = api.call("POST", "/watchlists/plates", json=WANTED).json()
        problem(api.call("GET", f"/watchlists/faces/{made['id']}"), 404, "not_found")
        items = api.call("GET", "/watchlists/plates", params={"state": "pending"}).json()["items"]
        assert [item["id"] for item in items] == [made["id"]]
        assert api.call("GET", "/watchlists/faces").json()["items"] == []
        problem(api.call("GET", "/watchlists/voices"), 422, "invalid_request")


class TestIdempotency:
    def test_a_write_sent_again_is_done_once_and_answered_alike(self, api: Api) -> None:
        first = api.call("POST", "/watchlists/plates", key="k1", json=WANTED)
        again = api.call("POST", "/watchlists/plates", key="k1", json=WANTED)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert len(api.bench.rows("watchlist_entries")) == 1
        assert len(api.bench.rows("audit")) == 1

    def test_a_key_is_for_one_request_of_one_person(self, api: Api) -> None:
        api.call("POST", "/watchlists/plates", key="k1", json=WANTED)
        other = api.call("POST", "/watchlists/plates", key="k1", json={**WANTED, "label": "x"})
        problem(other, 422, "key_reused")
        mine = api.call("POST", "/watchlists/plates", who="cy", key="k1", json=WANTED)
        assert mine.status_code == 201

    def test_what_failed_may_be_tried_again_with_its_key(self, api: Api, edge: FakeEdge) -> None:
        (alert_id,) = raised(api, edge)
        path = f"/alerts/{alert_id}/transitions"
        problem(api.call("POST", path, key="k", json={"to": "closed"}), 409, "illegal_move")
        api.call("POST", f"/alerts/{alert_id}/acknowledge", json={})
        api.call("POST", path, json={"to": "false_alarm"})
        assert api.call("POST", path, key="k", json={"to": "closed"}).status_code == 200


class TestSubjects:
    def enrol(self, api: Api, *photos: bytes, key: str | None = None, **changes) -> httpx.Response:
        files = [("photo", (f"{n}.png", data)) for n, data in enumerate(photos)]
        return api.call("POST", "/subjects", data={**FORM, **changes}, files=files, key=key)

    def test_enrol_watch_match_erase(self, api: Api, edge: FakeEdge) -> None:
        made = self.enrol(api, photo(), photo())
        assert made.status_code == 201, made.text
        subject = made.json()
        assert len(subject["templates"]) == 2
        key = api.bench.opening.public_key()
        assert api.bench.run(edge.face(unit(1), key)).raised == 0  # enrolled, but not watched for
        wanted = {
            **{name: FORM[name] for name in ("label", "basis", "reference", "expires_at")},
            "subject_id": subject["id"], "category": "missing_person",
        }  # fmt: skip
        listed = api.call("POST", "/watchlists/faces", json=wanted).json()
        api.approve(f"/watchlists/faces/{listed['id']}")
        assert api.bench.run(edge.face(unit(1), key, at(1))).raised == 1
        params = {"subject_id": subject["id"], "purpose": "where was he seen"}
        assert len(api.call("GET", "/alerts", params=params).json()["items"]) == 1
        erased = api.call("DELETE", f"/subjects/{subject['id']}").json()
        assert erased == {"id": subject["id"], "templates": 2}
        assert api.bench.run(edge.face(unit(1), key, at(5000))).raised == 0
        assert api.bench.rows("templates") == api.bench.rows("subjects") == []
        assert api.bench.rows("watchlist_entries")[0]["state"] == "removed"
        problem(api.call("GET", f"/subjects/{subject['id']}"), 404, "not_found")

    def test_removing_the_last_entry_erases_the_templates(self, api: Api) -> None:
        subject = self.enrol(api, photo()).json()["id"]
        wanted = {
            **{name: FORM[name] for name in ("label", "basis", "reference", "expires_at")},
            "subject_id": subject, "category": "missing_person",
        }  # fmt: skip
        listed = api.call("POST", "/watchlists/faces", json=wanted).json()["id"]
        api.call("DELETE", f"/watchlists/faces/{listed}")
        assert api.bench.rows("templates") == []
        problem(api.call("POST", "/watchlists/faces", json=wanted), 409, "no_templates")
        missing = {**wanted, "subject_id": "x"}
        problem(api.call("POST", "/watchlists/faces", json=missing), 404, "not_found")

    @pytest.mark.parametrize(
        ("bad", "words"),
        [
            pytest.param(photo(0), "no face was found: show one face", id="no face"),
            pytest.param(photo(100), "2 faces were found: show only one", id="many faces"),
            pytest.param(bomb(), "64 megapixels (8000 x 8000), more than 50", id="bomb"),
            pytest.param(animation(), "an animated GIF: send a still picture", id="animated GIF"),
            pytest.param(jpeg()[:2000], "damaged or cut short", id="truncated JPEG"),
            pytest.param(b"hello, I am text", "the file is no picture", id="text called .jpg"),
            pytest.param(b"", "the photo is empty", id="empty"),
        ],
    )
    def test_a_photo_that_cannot_be_used_says_which_and_why(
        self, api: Api, bad: bytes, words: str
    ) -> None:
        files = [("photo", ("1.png", photo())), ("photo", ("2.jpg", bad, "image/jpeg"))]
        answer = api.call("POST", "/subjects", data=FORM, files=files)
        detail = problem(answer, 422, "unusable_input")
        assert detail.startswith("photo 2: ")
        assert words in detail
        assert "photo 1" not in detail
        assert api.bench.rows("subjects") == []

    def test_the_form_is_checked(self, api: Api) -> None:
        assert "`photo`" in problem(self.enrol(api), 415, "no_form")
        problem(self.enrol(api, photo(), expires_at=at(-5).isoformat()), 409, "expires_at")
        bad = self.enrol(api, photo(), label="", age="44")
        problem(bad, 422, "invalid_request")
        assert {f["where"] for f in bad.json()["fields"]} == {"body.label", "body.age"}
        answer = api.call("POST", "/subjects", json={})
        problem(answer, 415, "no_form")
        problem(self.enrol(api, *[photo()] * 9), 422, "broken_form")

    def test_a_form_that_is_too_large_is_refused_early(self, api: Api, monkeypatch) -> None:
        monkeypatch.setattr("hub.api.photo_form._MOST_BYTES", 10_000)
        problem(self.enrol(api, bytes(20_000)), 413, "too_large")

    def test_no_photo_touches_a_disk(self, api: Api, monkeypatch, tmp_path: Path) -> None:
        import tempfile

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a part of the form was spooled to a disk")

        monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
        large = photo(side=1500)
        assert len(large) > 3 << 20  # the framework would spool it
        assert self.enrol(api, large).status_code == 201

    def test_the_same_form_again_is_one_subject(self, api: Api) -> None:
        first = self.enrol(api, photo(), key="k")
        assert self.enrol(api, photo(), key="k").json() == first.json()
        problem(self.enrol(api, photo(), photo(), key="k"), 422, "key_reused")
        assert len(api.bench.rows("subjects")) == 1

    def test_without_a_face_pack_nobody_is_enrolled(self, api: Api) -> None:
        from dataclasses import replace

        api.client.app.state.services = replace(api.services, enroller=None)
        problem(self.enrol(api, photo()), 409, "no_face_pack")


class TestEvidence:
    def test_a_picture_is_served_and_its_download_recorded(self, api: Api, edge: FakeEdge) -> None:
        (alert_id,) = raised(api, edge)
        pictures = api.call("GET", f"/alerts/{alert_id}").json()["evidence"]
        crop, scene = pictures
        got = api.client.get(
            crop["path"], headers={"authorization": f"Bearer {api.token('ann', Role.OPERATOR)}"}
        )
        assert (got.status_code, got.content) == (200, CROP)
        assert got.headers["etag"] == f'"{crop["sha256"]}"'
        problem(api.call("GET", scene["path"].removeprefix("/api/v1")), 409, "pending")
        observation = crop["path"].split("/")[-2]
        api.bench.run(edge.gone(observation, "scene"))
        problem(api.call("GET", f"/evidence/{observation}/scene"), 410, "gone")
        problem(api.call("GET", f"/evidence/{observation}/other"), 404, "not_found")
        problem(api.call("GET", "/evidence/..%2f..%2fetc/passwd"), 404, "not_found")
        actions = [row["action"] for row in api.bench.rows("audit")]
        assert actions == ["evidence.downloaded"]


class TestObservations:
    def test_list_filter_and_look_up(self, api: Api, edge: FakeEdge) -> None:
        api.bench.run(edge.plate("京B00001", at(0)), edge.plate("京B00002", at(1)))
        api.bench.run(edge.face(unit(5), api.bench.opening.public_key(), at(2)))
        items = api.call("GET", "/observations").json()["items"]
        assert [(i["kind"], i["plate"]) for i in items] == [
            ("face", None), ("plate", "京B00002"), ("plate", "京B00001"),
        ]  # fmt: skip
        assert "probe" not in items[0]["data"]
        faces = api.call("GET", "/observations", params={"kind": "face"}).json()["items"]
        assert len(faces) == 1
        problem(
            api.call("GET", "/observations", params={"plate": "京B00001"}), 422, "purpose_required"
        )
        params = {"plate": "京B00001", "purpose": "parking dispute 12"}
        found = api.call("GET", "/observations", params=params).json()["items"]
        assert [i["plate"] for i in found] == ["京B00001"]
        assert api.bench.rows("audit")[0]["purpose"] == "parking dispute 12"
        one = api.call("GET", f"/observations/{found[0]['id']}").json()
        assert one["sequence"] == 1


class TestOperations:
    def test_dead_letters_and_replay(self, api: Api, edge: FakeEdge) -> None:
        raised(api, edge)
        from hub.store import deliveries

        with api.bench.store.write() as tx:
            (item,) = deliveries.due(tx, "centre", at(10), 10)
            deliveries.settle(tx, item, "dead", at(10), "HTTP 400")
        (dead,) = api.call("GET", "/deliveries/dead").json()["items"]
        assert (dead["sink"], dead["last_error"]) == ("centre", "HTTP 400")
        one = api.call("POST", "/sinks/centre/replay", json={"position": dead["position"]})
        assert one.json() == {"count": 1}
        assert api.call("GET", "/deliveries/dead").json()["items"] == []
        assert api.call("POST", "/sinks/none/replay", json={}).json() == {"count": 0}
        newer = edge.plate()
        api.bench.run(type(newer)(newer.topic, b"{"))
        (letter,) = api.call("GET", "/dead-letters", params={"reason": "not_json"}).json()["items"]
        assert (letter["count"], letter["payload"]) == (1, None)

    def test_the_audit_log_is_a_chain_that_shows_a_change(self, api: Api) -> None:
        for n in range(3):
            api.call("GET", "/alerts", params={"plate": PLATE, "purpose": f"reason {n}"})
        auditor = {"who": "eve", "role": Role.AUDITOR}
        assert api.call("GET", "/audit/chain", **auditor).json() == {
            "records": 3, "first_break": None,
        }  # fmt: skip
        with api.bench.store.read() as tx:
            records = list(audit.all_records(tx))
        from dataclasses import replace

        records[1] = replace(records[1], act=replace(records[1].act, purpose="another"))
        assert first_break(records) == 2
        assert first_break(records[:1] + records[2:]) == 3
        with pytest.raises(StoreError, match="append-only"), api.bench.store.write() as tx:
            tx.exec_driver_sql("UPDATE audit SET purpose = 'x'")

    def test_a_store_that_does_not_answer_is_a_503(self, api: Api, monkeypatch) -> None:
        token = api.token("ann", Role.OPERATOR)
        monkeypatch.setattr(
            "hub.api.observations.observations.find",
            lambda *_, **__: (_ for _ in ()).throw(StoreError("secret detail")),
        )
        answer = api.client.get(
            "/api/v1/observations", headers={"authorization": f"Bearer {token}"}
        )
        assert "secret" not in problem(answer, 503, "store_unavailable")

    def test_a_fault_of_ours_is_a_problem_too(self, api: Api, monkeypatch) -> None:
        monkeypatch.setattr("hub.api.observations.observations.find", lambda *_, **__: 1 / 0)
        problem(api.call("GET", "/observations"), 500, "internal_error")

    def test_health_and_description(self, api: Api) -> None:
        assert api.call("GET", "/health").json()["status"] == "ok"
        described = api.call("GET", "/openapi.json").json()
        assert described == openapi()


#: A browser that shows video sends no token: who has one is given a ticket for a moment, in the path.
BY_TICKET = {"/api/v1/live/{ticket}"}


def test_the_description_documents_every_failure() -> None:
    described = openapi()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            assert {"401", "403", "422", "503"} <= set(answers), (method, path)
            for status, answer in answers.items():
                if int(status) >= 400:
                    (media,) = answer["content"]
                    assert media == "application/problem+json", (method, path, status)
            wanted = None if path in BY_TICKET else [{"HTTPBearer": []}]
            assert operation.get("security") == wanted, (method, path)
            assert operation["summary"], (method, path)
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for reference in _references(described):
        assert reference.rsplit("/", 1)[1] in described["components"]["schemas"], reference


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


class TestEvents:
    """On a real server: a stream that never ends has no place in a test client."""

    @pytest.fixture
    def url(self, api: Api) -> Iterator[str]:
        port = free_port()
        server = uvicorn.Server(
            uvicorn.Config(api.client.app, port=port, log_level="error", lifespan="off")
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}/api/v1/events"
        api.stopping.set()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()

    def read(self, api: Api, url: str, count: int, **headers: str) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        token = api.token("guard", Role.GUARD)
        with httpx.stream(
            "GET", url, headers={"authorization": f"Bearer {token}", **headers}, timeout=10
        ) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            event: dict[str, str] = {}
            for line in stream.iter_lines():
                if line.startswith(": connected"):
                    self.connected.set()
                name, _, value = line.partition(": ")
                if name in ("id", "event", "data"):
                    event[name] = value
                if not line and "id" in event:
                    found.append(event)
                    event = {}
                if len(found) == count:
                    break
        return found

    def test_nothing_is_lost_across_a_reconnect(self, api: Api, url: str, edge: FakeEdge) -> None:
        self.connected = threading.Event()
        problem(httpx.get(url), 401, "no_token")
        raised(api, edge, count=3)
        rows = api.bench.rows("events")
        first = self.read(api, url, 2, **{"last-event-id": "0"})
        assert [e["id"] for e in first] == ["1", "2"]
        assert first[0]["event"] == "gatehouse.alert.raised.v1"
        assert first[0]["data"].encode() == rows[0]["body"]  # what webhooks get, signature and all
        rest = self.read(api, url, 1, **{"last-event-id": first[-1]["id"]})
        assert [e["id"] for e in rest] == ["3"]

    def test_without_an_id_it_begins_with_now(self, api: Api, url: str, edge: FakeEdge) -> None:
        self.connected = threading.Event()
        raised(api, edge, count=1)
        got: list[dict[str, str]] = []
        reader = threading.Thread(target=lambda: got.extend(self.read(api, url, 1)))
        reader.start()
        assert self.connected.wait(10)
        api.bench.watch(entry("沪B00009"))
        api.bench.run(edge.plate("沪B00009", at(60)))
        reader.join(10)
        assert [e["id"] for e in got] == ["2"]


def test_times_are_utc_whatever_was_sent(api: Api) -> None:
    made = api.call(
        "POST", "/watchlists/plates", json={**WANTED, "expires_at": "2026-11-07T01:25:00+08:00"}
    )
    stored = api.bench.rows("watchlist_entries")[0]["expires_at"]
    assert stored == datetime.fromisoformat("2026-11-06T17:25:00+00:00")
    assert made.status_code == 201


def test_alerts_of_the_far_past_cannot_break_the_list(api: Api) -> None:
    with api.bench.store.read() as tx:
        page = alerts.find(tx, filters={}, since=None, until=None, cursor=None, limit=1)
    assert (page.items, page.next_cursor) == ((), None)
