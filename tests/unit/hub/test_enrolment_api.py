"""Enrolment through the API: who is it already, why may they be, and what is left when not any more."""

import io
from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from hub.access import Role
from hub.api import create_app
from tests.unit.hub.kit import NOW, PACK_SHA, FakeEdge, HubBench, at, unit
from tests.unit.hub.test_api import FORM, Api, OneFacePerBrightness, problem, services_of
from tests.unit.hub.test_privacy import traces

CONSENT = {"consent_text": "2026-03", "basis": "consent"}


class FacesByColour(OneFacePerBrightness):
    """Who it is stands in one pixel, which no face of the test shows otherwise."""

    def __init__(self, pack_sha256: str = PACK_SHA) -> None:
        self.pack_sha256 = pack_sha256

    def embed(self, crops):
        return np.stack([unit(int(crop[0, 1, 1])) for crop in crops])


def person(number: int, *, dark: bool = False) -> bytes:
    """A photo of somebody; who is told by `number`."""
    noise = np.random.default_rng(number).integers(60, 200, (256, 256, 3), dtype=np.uint8)
    if dark:
        noise[:] = 3
    noise[0] = 255
    noise[0, 1, 1] = number
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def application() -> FastAPI:
    return create_app(None)


@pytest.fixture
def api(bench: HubBench, application: FastAPI) -> Iterator[Api]:
    made = Api(bench, TestClient(application, raise_server_exceptions=False))
    use_pack(made, PACK_SHA)
    return made


def use_pack(api: Api, pack_sha256: str, *, keep_reference: bool = False) -> None:
    api.client.app.state.services = services_of(
        api.bench,
        FacesByColour(pack_sha256),
        pack_sha256,
        api.stopping.is_set,
        keep_reference=keep_reference,
    )


def enrol(api: Api, *photos: bytes, **changes: object) -> httpx.Response:
    files = [("photo", ("p.png", photo, "image/png")) for photo in photos]
    return api.call("POST", "/subjects", data={**FORM, **changes}, files=files)


def anew(api: Api, subject: str, *photos: bytes, **fields: object) -> httpx.Response:
    files = [("photo", ("p.png", photo, "image/png")) for photo in photos]
    return api.call("POST", f"/subjects/{subject}/templates", data=fields, files=files)


def acts(api: Api) -> list[tuple[str, dict]]:
    return [(row["action"], row["details"]) for row in api.bench.rows("audit")]


class TestDuplicates:
    def test_a_face_that_is_somebody_already_is_named_and_refused(self, api: Api) -> None:
        wang = enrol(api, person(1)).json()["id"]
        said = problem(enrol(api, person(2), person(1), label="Li"), 409, "duplicate")
        assert f"photo 2: this face is already subject {wang} (Wang, similarity 1.00)" in said
        assert len(api.bench.rows("subjects")) == 1

    def test_it_can_be_allowed_and_that_is_in_the_audit_log(self, api: Api) -> None:
        wang = enrol(api, person(1)).json()["id"]
        assert enrol(api, person(1), label="twin", allow_duplicate="true").status_code == 201
        assert acts(api)[-1][1]["duplicate_of"] == [wang]

    def test_an_erased_one_is_nobody_for_the_very_next_enrolment(self, api: Api) -> None:
        wang = enrol(api, person(1)).json()["id"]
        api.call("DELETE", f"/subjects/{wang}")
        assert enrol(api, person(1)).status_code == 201

    def test_it_knows_everybody_after_a_restart(self, api: Api) -> None:
        enrol(api, person(1))
        use_pack(api, PACK_SHA)
        problem(enrol(api, person(1)), 409, "duplicate")


class TestConsent:
    def test_the_ledger_says_what_was_consented_to(self, api: Api) -> None:
        subject = enrol(
            api, person(1), **CONSENT, consent_given_at=at(-60).isoformat(), under_14="true",
            guardian="Wang Wu",
        ).json()["id"]  # fmt: skip
        (entry,) = api.call("GET", f"/subjects/{subject}/consents").json()["items"]
        assert entry["kind"] == "consent"
        assert (entry["text_version"], entry["guardian"]) == ("2026-03", "Wang Wu")
        assert (entry["recorded_by"], entry["withdrawn_at"]) == ("ann", None)

    def test_an_enrolment_without_a_reason_is_refused_and_stores_nothing(self, api: Api) -> None:
        problem(enrol(api, person(1), **CONSENT, under_14="true"), 409, "guardian_needed")
        assert api.bench.rows("consents") == api.bench.rows("subjects") == []

    def test_withdrawal_erases_all_but_the_ledger_for_the_next_search(
        self, api: Api, edge: FakeEdge
    ) -> None:
        use_pack(api, PACK_SHA, keep_reference=True)
        subject = enrol(api, person(1), **CONSENT, guardian="Wang Wu").json()["id"]
        wanted = {
            "subject_id": subject, "label": "Wang", "category": "missing_person", "basis": "c",
            "reference": "7", "expires_at": at(86400).isoformat(),
        }  # fmt: skip
        listed = api.call("POST", "/watchlists/faces", json=wanted).json()["id"]
        approve = f"/watchlists/faces/{listed}/approve"
        assert api.call("POST", approve, who="bob", role=Role.APPROVER).status_code == 200
        key = api.bench.opening.public_key()
        assert api.bench.run(edge.face(unit(1), key)).raised == 1
        gone = api.call("POST", f"/subjects/{subject}/withdraw", json={"note": "by letter"})
        assert gone.json() == {"id": subject, "templates": 1}
        assert api.bench.run(edge.face(unit(1), key, when=at(5000))).raised == 0
        assert len(api.bench.gallery) == 0
        for table in ("subjects", "templates", "reference_pictures"):
            assert api.bench.rows(table) == []
        (entry,) = api.call("GET", f"/subjects/{subject}/consents").json()["items"]
        assert (entry["withdrawn_by"], entry["guardian"]) == ("ann", "")
        assert entry["erased_at"] is not None
        again = api.call("POST", f"/subjects/{subject}/withdraw", json={})
        problem(again, 409, "withdrawn_already")

    def test_what_the_law_allows_cannot_be_withdrawn(self, api: Api) -> None:
        subject = enrol(api, person(1)).json()["id"]
        problem(api.call("POST", f"/subjects/{subject}/withdraw", json={}), 409, "no_consent")
        problem(api.call("POST", "/subjects/nobody/withdraw", json={}), 404, "not_found")


class TestPhotos:
    def test_each_photo_that_cannot_be_used_is_named_with_what_to_do(self, api: Api) -> None:
        said = problem(enrol(api, person(1), b"text", person(2, dark=True)), 422, "unusable_input")
        assert "photo 1" not in said
        assert "photo 2: the file is no picture" in said
        assert "photo 3: " in said
        assert "want 60" in said

    def test_a_picture_is_kept_only_by_policy_and_then_encrypted(self, api: Api) -> None:
        enrol(api, person(1))
        assert api.bench.rows("reference_pictures") == []
        use_pack(api, PACK_SHA, keep_reference=True)
        subject = enrol(api, person(2)).json()["id"]
        (row,) = api.bench.rows("reference_pictures")
        jpeg = api.bench.vault.open_picture(row["sealed"], subject)
        assert jpeg.startswith(b"\xff\xd8")
        assert traces(api.bench.folder, jpeg) == []


class TestTheSitesOwnNumber:
    def test_nobody_is_enrolled_twice_under_it_and_no_network_runs_for_that(self, api: Api) -> None:
        first = enrol(api, person(1), external_id="r-17").json()
        assert first["external_id"] == "r-17"
        said = problem(enrol(api, b"no picture", external_id="r-17"), 409, "enrolled_already")
        assert first["id"] in said


class TestAnotherPack:
    def test_who_is_to_be_enrolled_anew_is_listed_until_they_are(
        self, api: Api, edge: FakeEdge
    ) -> None:
        use_pack(api, "cd" * 32)
        old = enrol(api, person(1), label="Wang").json()["id"]
        use_pack(api, PACK_SHA)
        enrol(api, person(2), label="Li")
        (listed,) = api.call("GET", "/subjects?outdated=true").json()["items"]
        assert (listed["id"], listed["label"]) == (old, "Wang")
        made = anew(api, old, person(1))
        assert [t["pack"] for t in made.json()["templates"]] == ["test-pack"]
        assert api.call("GET", "/subjects?outdated=true").json()["items"] == []
        assert len([r for r in api.bench.rows("templates") if r["subject_id"] == old]) == 1
        assert acts(api)[-1][0] == "subject.enrolled_anew"

    def test_new_photos_of_somebody_else_are_refused_but_their_own_are_not(self, api: Api) -> None:
        wang, li = (enrol(api, person(n)).json()["id"] for n in (1, 2))
        assert anew(api, wang, person(1)).status_code == 201
        assert li in problem(anew(api, wang, person(2)), 409, "duplicate")
        problem(anew(api, "nobody", person(3)), 404, "not_found")


def test_the_ledger_ends_three_years_after_its_subject(api: Api) -> None:
    from hub.store import consents

    subject = enrol(api, person(1)).json()["id"]
    api.call("DELETE", f"/subjects/{subject}")
    with api.bench.store.write() as tx:
        consents.delete_erased_before(tx, NOW)
    assert len(api.bench.rows("consents")) == 1
    with api.bench.store.write() as tx:
        consents.delete_erased_before(tx, at(1))
    assert api.bench.rows("consents") == []
