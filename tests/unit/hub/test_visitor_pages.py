"""A visitor's way: code, form, status, withdrawal; and the property office's."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient

from hub.access import Role
from hub.passes import MOST_PENDING
from hub.store import allow_lists
from hub.visitors.codes import Codes
from hub.visitors.desk import VisitorDesk
from hub.visitors.section import VisitorsSection
from tests.unit.hub.kit import PLATE, SITE, at
from tests.unit.hub.test_api import Api, problem
from tests.unit.hub.test_visits import clean, counts
from wire.errors import StoreError

BASE = "https://visit.example"
SECTION = VisitorsSection(
    base_url=BASE, controller="玫瑰园物业", contact="0579-8555", ask_phone=True
)
FIELDS = {
    "kind": "visit", "name": "赵女士", "plate": "京a·12345", "phone": "13800000000",
    "since": "2026-11-06T01:25", "until": "2026-11-06T02:25", "agree": "yes", "lang": "en",
}  # fmt: skip
OFFICE = {"who": "office", "role": Role.OFFICE}


class Phone:
    """A browser without scripts and cookies, at the visitors' page of one unit."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.client = TestClient(api.client.app, base_url=BASE, follow_redirects=False)
        self.path = self.code()

    def code(self, what: str = "code", unit: str = "1-101", method: str = "GET") -> str:
        answer = self.api.call(method, f"/units/{SITE}:{unit}/{what}", **OFFICE)
        assert answer.status_code == 200, answer.text
        return answer.json()["url"].removeprefix(BASE)

    def token(self) -> str:
        return re.search(r'name="token" value="([^"]+)"', self.client.get(self.path).text)[1]

    def send(self, *, token: str | None = None, headers=None, **changes: str) -> httpx.Response:
        values = {**FIELDS, **changes, "token": self.token() if token is None else token}
        return self.client.post(self.path, data=values, headers=headers)

    def request(self, **changes: str) -> str:
        """Ask; returns the path of the status page."""
        sent = self.send(**changes)
        assert sent.status_code == 303, sent.text
        return sent.headers["location"].partition("?")[0]


@pytest.fixture
def phone(office: Api) -> Iterator[Phone]:
    bench = office.bench
    desk = VisitorDesk(SECTION, Codes(bytes(32)), bench.store, lambda: bench.now, 7)
    state = office.client.app.state
    state.services = replace(state.services, visitors=desk)
    yield Phone(office)
    state.services = None


def test_a_request_counts_once_the_office_has_approved_it(phone: Phone) -> None:
    status = phone.request()
    (row,) = phone.api.bench.rows("passes")
    assert (row["state"], row["plate"], row["consent"]) == ("pending", PLATE, "page-1-en")
    assert row["phone"] == "13800000000"
    assert not counts(phone.api, 10)
    page = phone.client.get(status, params={"lang": "en"}).text
    assert "Waiting for the property office" in page
    assert row["id"][:8].upper() in page
    assert "13800000000" not in page
    listed = phone.api.call(
        "GET", "/passes", params={"purpose": "today", "state": "pending"}, **OFFICE
    )
    assert listed.json()["items"][0]["phone"] == "13800000000"
    assert phone.api.call("POST", f"/passes/{row['id']}/approve", **OFFICE).status_code == 200
    assert counts(phone.api, 10)
    assert "已通过" in phone.client.get(status).text
    acts = [
        (a["actor"], a["action"]) for a in phone.api.bench.rows("audit") if a["target"] == row["id"]
    ]
    assert acts == [("visitor", "pass.requested"), ("office", "pass.approved")]


def test_withdrawing_erases_it_even_once_it_was_approved(phone: Phone) -> None:
    status = phone.request()
    (row,) = phone.api.bench.rows("passes")
    phone.api.call("POST", f"/passes/{row['id']}/approve", **OFFICE)
    with phone.api.bench.store.read() as tx:
        before = allow_lists.changes(tx)
    done = phone.client.post(f"{status}/withdraw", data={"lang": "en"})
    with phone.api.bench.store.read() as tx:
        assert allow_lists.changes(tx) > before  # no barrier opens for it any more
    assert done.status_code == 303
    assert "has been erased" in phone.client.get(done.headers["location"]).text
    assert phone.client.get(status).status_code == 404
    assert phone.api.bench.rows("passes") == []
    assert not counts(phone.api, 10)
    for path in phone.api.bench.folder.rglob("hub.sqlite*"):
        assert "赵女士".encode() not in path.read_bytes()
    assert phone.api.bench.rows("audit")[-1]["action"] == "pass.withdrawn"
    again = phone.client.post(f"{status}/withdraw", data={})
    assert again.status_code == 303  # nothing more to erase
    assert phone.api.bench.rows("audit")[-1]["action"] == "pass.withdrawn"
    assert [r["action"] for r in phone.api.bench.rows("audit")].count("pass.withdrawn") == 1


def test_a_request_expires_and_is_erased_by_itself(phone: Phone) -> None:
    status = phone.request()
    clean(phone.api, 3600)
    assert "Over" in phone.client.get(status, params={"lang": "en"}).text
    clean(phone.api, 8 * 86400)
    assert phone.client.get(status).status_code == 404
    assert phone.api.bench.rows("passes") == []


def test_a_rotated_code_is_worthless_and_says_so(phone: Phone) -> None:
    status, token = phone.request(), phone.token()
    new = phone.code("code/rotate", method="POST")
    assert new != phone.path
    for answer in (phone.client.get(phone.path), phone.send(token=token)):
        assert answer.status_code == 404
        assert "二维码已失效" in answer.text or "no longer works" in answer.text
    assert phone.client.get(new).status_code == 200
    assert (
        phone.client.get(status).status_code == 200
    )  # what was asked for before stays the visitor's
    assert phone.api.bench.rows("audit")[-1]["action"] == "unit.code_rotated"


def test_a_unit_that_was_removed_and_entered_again_has_another_code(phone: Phone) -> None:
    phone.api.call("DELETE", f"/register/units/{SITE}:1-101", **OFFICE)
    assert phone.client.get(phone.path).status_code == 404
    phone.api.call("PUT", "/register/units", json={"site": SITE, "id": "1-101"}, **OFFICE)
    assert phone.client.get(phone.path).status_code == 404
    before = phone.code()
    phone.api.call(
        "PUT", "/register/units", json={"site": SITE, "id": "1-101", "title": "x"}, **OFFICE
    )
    assert phone.code() == before


def test_a_form_sent_twice_is_one_request(phone: Phone) -> None:
    token = phone.token()
    first, second = phone.send(token=token), phone.send(token=token)
    assert first.headers["location"] == second.headers["location"]
    assert len(phone.api.bench.rows("passes")) == 1


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}],
)
def test_a_form_of_another_site_is_refused(phone: Phone, headers) -> None:
    assert phone.send(headers=headers).status_code == 403
    assert phone.api.bench.rows("passes") == []
    status = phone.request()
    assert phone.client.post(f"{status}/withdraw", headers=headers).status_code == 403
    assert len(phone.api.bench.rows("passes")) == 1


def test_a_form_that_was_not_shown_here_now_is_refused_and_kept_filled_in(phone: Phone) -> None:
    token = phone.token()
    other = phone.api.bench
    for bad in ("", "x.y.z", token[:-1] + ("A" if token[-1] != "A" else "B")):
        answer = phone.send(token=bad)
        assert answer.status_code == 403
        assert 'value="赵女士"' in answer.text
    other.now = at(2 * 3600 + 60)
    assert phone.send(token=token, until="2026-11-06T09:25").status_code == 403
    assert other.rows("passes") == []


def test_what_is_wrong_is_shown_beside_the_field_and_what_was_typed_stays(phone: Phone) -> None:
    answer = phone.send(plate="<script>alert(1)</script>", name='"><img src=x>', agree="")
    assert answer.status_code == 422
    assert "This does not look like a number plate" in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert phone.api.bench.rows("passes") == []


def test_so_many_may_wait_for_one_unit(phone: Phone) -> None:
    for _ in range(MOST_PENDING):
        phone.request()
    full = phone.send()
    assert full.status_code == 409
    assert "ask the office: 0579-8555" in full.text


def test_rates_are_bounded_by_address_and_by_unit(phone: Phone) -> None:
    desk = phone.api.client.app.state.services.visitors
    token = phone.token()
    answers = [phone.send(token=token).status_code for _ in range(21)]
    assert answers == [303] * 20 + [429]
    for _ in range(9):
        desk.unit_sends._free_at.clear()
        assert phone.send(token=token).status_code == 303
    limited = phone.send(token=token)
    assert limited.status_code == 429  # this address, whatever the unit
    assert int(limited.headers["retry-after"]) == 120
    seen = [phone.client.get("/v/nonsense").status_code for _ in range(70)]
    assert (seen[0], seen[-1]) == (404, 429)
    phone.api.bench.now += timedelta(hours=1)
    assert phone.client.get(phone.path).status_code == 200


def test_bodies_are_bounded(phone: Phone) -> None:
    assert phone.client.post(phone.path, content=b"name=" + b"x" * 9000).status_code == 413
    assert phone.client.post(phone.path, content=b"\xff\xfe").status_code == 403
    assert phone.client.post(phone.path, content=b"").status_code == 403


@pytest.mark.parametrize(
    "path", ["/v/x", "/v/" + "A" * 4000, "/v/cm9zZTo.AAAA", "/v/s/x", "/v/s/x.y"]
)
def test_what_is_no_code_and_no_ticket(phone: Phone, path: str) -> None:
    answer = phone.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_every_page_is_whole_in_itself_and_allows_nothing_else(phone: Phone) -> None:
    status = phone.request()
    for path in (phone.path, status, "/v/x"):
        answer = phone.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert not re.search(r"<script|<link|<img|https?://|\bon[a-z]+=", answer.text)


def test_both_languages_by_the_browser_and_by_the_switch(phone: Phone) -> None:
    chinese = phone.client.get(phone.path, headers={"accept-language": "zh-CN"}).text
    assert '<html lang="zh-CN">' in chinese
    assert "玫瑰园物业（联系方式：0579-8555）" in chinese
    english = phone.client.get(phone.path, headers={"accept-language": "en"}).text
    assert "erased 7 days after the visit ends" in english
    assert "Register a visit" in phone.client.get(f"{phone.path}?lang=en").text
    assert 'href="?lang=zh"' in english


def test_a_database_that_does_not_answer_is_said_to_the_visitor(phone: Phone, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("locked")

    monkeypatch.setattr("hub.store.unit_codes.number_of", fail)
    answer = phone.client.get(phone.path)
    assert answer.status_code == 503
    assert "系统正忙" in answer.text


def test_codes_as_pictures_and_as_a_sheet(phone: Phone) -> None:
    unit = f"/units/{SITE}:1-101"
    svg = phone.api.call("GET", f"{unit}/code.svg", **OFFICE)
    png = phone.api.call("GET", f"{unit}/code.png", **OFFICE)
    assert svg.content.startswith(b"<?xml")
    assert png.content.startswith(b"\x89PNG")
    phone.api.call("PUT", "/register/units", json={"site": SITE, "id": "1-102"}, **OFFICE)
    sheet = phone.api.call("GET", "/units/all/code/sheet", params={"site": SITE}, **OFFICE)
    assert sheet.text.count("<svg") == 2
    assert f"{BASE}/v/" in sheet.text
    one = {"site": SITE, "unit": "1-102"}
    assert (
        phone.api.call("GET", "/units/all/code/sheet", params=one, **OFFICE).text.count("<svg") == 1
    )
    none = {"site": SITE, "unit": "9"}
    problem(phone.api.call("GET", "/units/all/code/sheet", params=none, **OFFICE), 404, "not_found")


def test_who_may_see_and_rotate_codes(phone: Phone) -> None:
    for method, what in (("GET", "code"), ("GET", "code.svg"), ("POST", "code/rotate")):
        path = f"/units/{SITE}:1-101/{what}"
        problem(phone.api.call(method, path, who="g", role=Role.GUARD), 403, "forbidden")
        problem(phone.api.call(method, f"/units/{SITE}:9/{what}", **OFFICE), 404, "not_found")
        problem(phone.api.call(method, f"/units/nonsense/{what}", **OFFICE), 404, "not_found")


def test_without_the_section_there_is_no_page(office: Api) -> None:
    problem(office.call("GET", f"/units/{SITE}:1-101/code", **OFFICE), 404, "no_visitors_page")
    problem(office.client.get(f"/v/{Codes(bytes(32)).of_unit(SITE, '1-101', 1)}"), 404, "not_found")
    assert (
        office.client.get(f"/v/s/{Codes(bytes(32)).ticket(str(uuid.uuid4()))}").status_code == 404
    )
