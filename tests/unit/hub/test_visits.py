"""Passes: asked for by a guard, decided on by the office, expired and erased by the clock."""

from datetime import timedelta

import pytest

from hub.access import Role
from hub.housekeeping import Housekeeper
from hub.passes import AHEAD, LONGEST, MOST_PENDING, MOVES, PassKind, PassState, check_span, move
from hub.register import Site, Unit
from hub.store import register
from hub.store.registry import StoredRegister
from hub.watchlist import Refused
from tests.unit.hub.kit import NOW, PLATE, SITE, at
from tests.unit.hub.test_api import Api, problem

WANTED = {
    "site": SITE, "unit": "1-101", "kind": "visit", "name": "Guest Zhao", "plate": "京a·12345",
    "valid_from": at(0).isoformat(), "valid_until": at(3600).isoformat(), "consent": "zh-1",
}  # fmt: skip


@pytest.fixture
def office(api: Api) -> Api:
    with api.bench.store.write() as tx:
        register.put(tx, "sites", [Site(id=SITE, title="玫瑰园")])
        register.put(tx, "units", [Unit(site=SITE, id="1-101")])
    return api


def ask(api: Api, role: Role = Role.GUARD, key: str | None = None, **changes):
    return api.call("POST", "/passes", who=role, role=role, json={**WANTED, **changes}, key=key)


def decide(api: Api, name: str, what: str, role: Role = Role.OFFICE):
    return api.call("POST", f"/passes/{name}/{what}", who=role, role=role)


def counts(api: Api, seconds: float) -> bool:
    with api.bench.store.read() as tx:
        return StoredRegister(tx).is_registered(PLATE, SITE, at(seconds))


def clean(api: Api, seconds: float) -> None:
    bench = api.bench
    Housekeeper(bench.store, bench.files, bench.config.retention, lambda: at(seconds)).round()


def test_what_a_guard_asks_for_counts_once_the_office_has_approved_it(office: Api) -> None:
    for _ in range(2):  # the same request again
        made = ask(office, key="k")
        assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["plate"]) == ("pending", PLATE)
    name = made.json()["id"]
    assert not counts(office, 10)
    problem(decide(office, name, "approve", Role.GUARD), 403, "forbidden")
    assert decide(office, name, "approve").json()["decided_by"] == "office"
    assert counts(office, 10)
    assert not counts(office, 3600)
    problem(decide(office, name, "decline"), 409, "illegal_move")
    assert decide(office, name, "end").json()["state"] == "ended"
    assert not counts(office, 10)
    problem(decide(office, "x", "end"), 404, "not_found")


def test_what_the_office_enters_counts_at_once(office: Api) -> None:
    assert ask(office, Role.OFFICE).json()["state"] == "approved"
    assert counts(office, 10)


def test_what_is_refused(office: Api) -> None:
    problem(ask(office, unit="9-999"), 422, "unusable_input")
    problem(ask(office, plate="nonsense"), 422, "unusable_input")
    problem(ask(office, consent=""), 422, "invalid_request")
    problem(ask(office, valid_until=at(-1).isoformat()), 409, "already_over")
    problem(ask(office, valid_until=at(8 * 86400).isoformat()), 409, "too_long")
    assert office.bench.rows("passes") == []
    for _ in range(MOST_PENDING):
        assert ask(office, plate=None).status_code == 201
    problem(ask(office), 409, "too_many_waiting")


def test_looking_at_them_needs_a_purpose(office: Api) -> None:
    ask(office)
    see = {"who": "office", "role": Role.OFFICE}
    problem(office.call("GET", "/passes", **see), 422, "purpose_required")
    params = {"purpose": "whom to expect", "state": "pending"}
    (one,) = office.call("GET", "/passes", params=params, **see).json()["items"]
    assert one["name"] == "Guest Zhao"
    assert any(row["purpose"] == "whom to expect" for row in office.bench.rows("audit"))


def test_the_clock_expires_and_erases_them(office: Api) -> None:
    ended = ask(office, Role.OFFICE, plate=None).json()["id"]
    decide(office, ended, "end")
    ask(office)
    clean(office, 3599)
    assert sorted(row["state"] for row in office.bench.rows("passes")) == ["ended", "pending"]
    clean(office, 3600)
    assert sorted(row["state"] for row in office.bench.rows("passes")) == ["ended", "expired"]
    clean(office, 7 * 86400 + 1)  # seven days after it was ended, not after its time
    assert [row["state"] for row in office.bench.rows("passes")] == ["expired"]
    clean(office, 7 * 86400 + 3601)
    assert office.bench.rows("passes") == []
    for path in office.bench.folder.rglob("hub.sqlite*"):
        assert b"Guest Zhao" not in path.read_bytes()


@pytest.mark.parametrize("kind", list(PassKind))
def test_how_long_and_how_early(kind: PassKind) -> None:
    check_span(kind, NOW, NOW + LONGEST[kind], NOW)
    with pytest.raises(Refused, match="at most"):
        check_span(kind, NOW, NOW + LONGEST[kind] + timedelta(seconds=1), NOW)
    late = NOW + AHEAD + timedelta(seconds=1)
    with pytest.raises(Refused, match="ask at most"):
        check_span(kind, late, late + timedelta(hours=1), NOW)


@pytest.mark.parametrize("state", list(PassState))
@pytest.mark.parametrize("to", list(PassState))
def test_the_moves_of_a_pass(state: PassState, to: PassState) -> None:
    if to in MOVES[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(Refused, match=f"is {state}: it cannot become {to}"):
            move(state, to)
