"""The face that was seen beside the one that was enrolled, through the API."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hub.access import Role
from hub.comparison import SIDE_PX, as_jpeg
from hub.store.tables import evidence
from tests.unit.hub.kit import PACK_SHA, FakeEdge, HubBench, at, unit
from tests.unit.hub.test_api import Api, problem, raised
from tests.unit.hub.test_enrolment_api import enrol, person, use_pack

SEEN = as_jpeg(np.full((90, 90, 3), (0, 0, 220), np.uint8))


@pytest.fixture
def api(bench: HubBench, application: FastAPI) -> Iterator[Api]:
    made = Api(bench, TestClient(application, raise_server_exceptions=False))
    use_pack(made, PACK_SHA, keep_reference=True)
    return made


def alert_of(api: Api, edge: FakeEdge, *, number: int = 1) -> tuple[str, str]:
    """Enrol and list somebody, let them be seen; returns alert and subject."""
    subject = enrol(api, person(number)).json()["id"]
    wanted = {
        "subject_id": subject, "label": "Wang", "category": "missing_person", "basis": "c",
        "reference": "7", "expires_at": at(86400).isoformat(),
    }  # fmt: skip
    listed = api.call("POST", "/watchlists/faces", json=wanted).json()["id"]
    api.approve(f"/watchlists/faces/{listed}")
    api.bench.run(edge.face(unit(number), api.bench.opening.public_key(), crop=SEEN))
    return api.bench.rows("alerts")[-1]["id"], subject


def test_the_two_faces_are_side_by_side_and_the_look_is_in_the_audit_log(
    api: Api, edge: FakeEdge
) -> None:
    alert, subject = alert_of(api, edge)
    got = api.call("GET", f"/alerts/{alert}/comparison", who="gu", role=Role.GUARD)
    assert (got.status_code, got.headers["content-type"]) == (200, "image/jpeg")
    assert got.headers["cache-control"] == "private, no-store"
    picture = cv2.imdecode(np.frombuffer(got.content, np.uint8), cv2.IMREAD_COLOR)
    seen, enrolled = picture[:SIDE_PX, :SIDE_PX], picture[:SIDE_PX, -SIDE_PX:]
    assert seen[..., 2].mean() > 200
    assert enrolled.std() > 10  # noise, as the photo was
    last = api.bench.rows("audit")[-1]
    assert (last["action"], last["actor"], last["target"]) == ("comparison.viewed", "gu", alert)
    assert last["details"]["subject"] == subject


def test_who_may_not_see_evidence_sees_no_comparison(api: Api, edge: FakeEdge) -> None:
    alert, _ = alert_of(api, edge)
    refused = api.call("GET", f"/alerts/{alert}/comparison", who="au", role=Role.AUDITOR)
    problem(refused, 403, "forbidden")
    assert api.bench.rows("audit")[-1]["action"] != "comparison.viewed"


def test_where_no_pictures_are_kept_it_says_so(api: Api, edge: FakeEdge) -> None:
    use_pack(api, PACK_SHA)
    alert, subject = alert_of(api, edge)
    path = f"/alerts/{alert}/comparison"
    assert "keep_reference" in problem(api.call("GET", path), 404, "no_reference")
    use_pack(api, PACK_SHA, keep_reference=True)
    assert "enrol them anew" in problem(api.call("GET", path), 404, "no_reference")
    api.call("DELETE", f"/subjects/{subject}")
    assert "was erased" in problem(api.call("GET", path), 404, "no_reference")


def test_an_alert_about_a_car_has_nothing_to_compare(api: Api, edge: FakeEdge) -> None:
    (alert,) = raised(api, edge)
    problem(api.call("GET", f"/alerts/{alert}/comparison"), 409, "no_face")
    problem(api.call("GET", "/alerts/none/comparison"), 404, "not_found")


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [({"state": "pending", "data": None}, 409, "pending"), ({"data": None}, 410, "gone")],
)
def test_a_picture_that_is_not_there_says_why(
    api: Api, edge: FakeEdge, values: dict, status: int, reason: str
) -> None:
    alert, _ = alert_of(api, edge)
    with api.bench.store.write() as tx:
        tx.execute(evidence.update().where(evidence.c.name == "crop").values(**values))
    problem(api.call("GET", f"/alerts/{alert}/comparison"), status, reason)
