"""The register through the API, and as rules see it."""

import uuid
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehouse import app
from hub.access import Role
from hub.store import passes
from hub.store.registry import StoredRegister
from tests.unit.hub.kit import NOW, SITE, HubBench, at, unit
from tests.unit.hub.test_api import Api, problem

PLACES = {
    "sites": [{"id": SITE, "title": "玫瑰园"}],
    "gates": [{"site": SITE, "id": "north", "title": "北门"}],
    "units": [
        {"site": SITE, "id": "1-101", "occupancy": "occupied"},
        {"site": SITE, "id": "1-102", "occupancy": "vacant"},
    ],
}


@pytest.fixture
def register(api: Api) -> Api:
    for kind, rows in PLACES.items():
        for row in rows:
            answer = put(api, kind, row)
            assert answer.status_code == 200, answer.text
    return api


def put(api: Api, kind: str, row: dict, **kwargs):
    return api.call("PUT", f"/register/{kind}", json=row, role=Role.OFFICE, who="office", **kwargs)


def see(api: Api, path: str, **params):
    return api.call("GET", f"/register/{path}", params=params, role=Role.OFFICE, who="office")


def upload(api: Api, kind: str, text: str, **params):
    return api.call(
        "POST", f"/register/{kind}/all/csv", params=params, content=text.encode(),
        headers={"content-type": "text/csv"}, role=Role.OFFICE, who="office",
    ).json()  # fmt: skip


def test_put_replaces_and_get_shows(register: Api) -> None:
    row = {"site": SITE, "id": "1-101", "occupancy": "vacant"}
    assert put(register, "units", row).status_code == 200
    shown = see(register, f"units/{SITE}:1-101").json()
    assert (shown["occupancy"], shown["building"]) == ("vacant", "")
    assert len(see(register, "units").json()["items"]) == 2
    problem(see(register, f"units/{SITE}:9"), 404, "not_found")
    problem(see(register, "units/9"), 404, "not_found")


def test_a_row_that_names_nothing_is_refused(register: Api) -> None:
    row = {"site": SITE, "id": "c", "title": "t", "gate": "south"}
    detail = problem(put(register, "cameras", row), 422, "unusable_input")
    assert detail == f"gate: gates has no '{SITE}:south'"
    unknown = put(register, "sites", {"id": "x", "title": "t", "colour": "red"})
    problem(unknown, 422, "invalid_request")


def test_what_others_name_is_not_removed(register: Api) -> None:
    def remove(path: str):
        return register.call("DELETE", f"/register/{path}", role=Role.OFFICE, who="office")

    assert "gates" in problem(remove(f"sites/{SITE}"), 409, "in_use")
    assert remove(f"gates/{SITE}:north").status_code == 200
    problem(remove(f"gates/{SITE}:north"), 404, "not_found")
    assert put(register, "cells", {"id": "c1", "title": "t"}).status_code == 200
    person = {"id": "li", "name": "Li", "role": "网格长", "level": "grid", "cells": ["c1"]}
    assert put(register, "people", person).status_code == 200
    assert "people" in problem(remove("cells/c1"), 409, "in_use")


def test_rows_about_plates_and_people_need_a_purpose_and_are_audited(register: Api) -> None:
    car = {"site": SITE, "plate": "京a·12345", "unit": "1-101"}
    assert put(register, "vehicles", car).json()["plate"] == "京A12345"
    for path in ("vehicles", f"vehicles/{SITE}:京A12345", "residents", "vehicles/all/csv"):
        problem(see(register, path), 422, "purpose_required")
    assert len(see(register, "vehicles", purpose="who parks here").json()["items"]) == 1
    assert see(register, f"vehicles/{SITE}:京A12345", purpose="a blocked lane").status_code == 200
    acts = [row for row in register.bench.rows("audit") if row["action"] == "register.lookup"]
    assert [(a["target"], a["purpose"]) for a in acts] == [
        ("vehicles:list", "who parks here"),
        (f"vehicles:{SITE}:京A12345", "a blocked lane"),
    ]
    problem(register.call("GET", "/register/sites", who="g", role=Role.GUARD), 403, "forbidden")


def test_csv_in_and_out(register: Api) -> None:
    text = f"site,plate,unit\n{SITE},京A12345,1-101\n{SITE},京A12346,9-999\n{SITE},nonsense,\n"
    tried = upload(register, "vehicles", text, dry_run=True)
    assert (tried["stored"], register.bench.rows("register_vehicles")) == (1, [])
    done = upload(register, "vehicles", text)
    assert done["stored"] == 1
    assert [(p["row"], p["column"]) for p in done["problems"]] == [(3, "unit"), (4, "plate")]
    out = see(register, "vehicles/all/csv", purpose="backup").text
    assert out.startswith("\ufeffsite,plate,")
    assert upload(register, "vehicles", out) == {"kind": "vehicles", "stored": 1, "problems": []}


def test_pages_of_rows(register: Api) -> None:
    text = "site,id\n" + "".join(f"{SITE},2-{n:03d}\n" for n in range(25))
    assert upload(register, "units", text)["stored"] == 25
    seen, cursor = [], None
    while True:
        page = see(register, "units", limit=10, **({"cursor": cursor} if cursor else {})).json()
        seen += [row["id"] for row in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen)) == 27


class TestRegistry:
    def ask(self, bench: HubBench, name: str, *args):
        with bench.store.read() as tx:
            return getattr(StoredRegister(tx), name)(*args)

    def give_pass(self, bench: HubBench, plate: str, start: float, end: float, state="approved"):
        row = {
            "id": str(uuid.uuid4()), "site": SITE, "unit": "1-101", "kind": "visit", "state": state,
            "name": "Guest", "plate": plate, "valid_from": at(start), "valid_until": at(end),
            "requested_at": NOW, "consent": "1", "decided_by": "office", "decided_at": NOW,
        }  # fmt: skip
        with bench.store.write() as tx:
            passes.add(tx, row)

    def test_a_vehicle_in_its_time(self, register: Api) -> None:
        bench = register.bench
        assert not self.ask(bench, "knows_vehicles", SITE)
        until = at(3600).isoformat()
        put(register, "vehicles", {"site": SITE, "plate": "京A12345", "valid_until": until})
        assert self.ask(bench, "knows_vehicles", SITE)
        assert self.ask(bench, "is_registered", "京A12345", SITE, at(3599))
        assert not self.ask(bench, "is_registered", "京A12345", SITE, at(3600))
        assert not self.ask(bench, "is_registered", "京A12345", "elsewhere", at(0))

    def test_a_pass_counts_in_its_time_once_approved(self, register: Api) -> None:
        bench = register.bench
        self.give_pass(bench, "京A00001", 0, 60)
        self.give_pass(bench, "京A00002", 0, 60, state="pending")
        assert self.ask(bench, "is_registered", "京A00001", SITE, at(30))
        assert not self.ask(bench, "is_registered", "京A00001", SITE, at(60))
        assert not self.ask(bench, "is_registered", "京A00002", SITE, at(30))

    def test_passes_that_ended_and_were_not_prolonged(self, register: Api) -> None:
        bench = register.bench
        self.give_pass(bench, "京A00001", 0, 60)
        self.give_pass(bench, "京A00002", 0, 60)
        self.give_pass(bench, "京A00002", 60, 120)
        self.give_pass(bench, "京A00003", 0, 60, state="declined")
        ended = self.ask(bench, "passes_ended", at(0), at(90))
        assert [one.plate for one in ended] == ["京A00001"]
        assert self.ask(bench, "passes_ended", at(60), at(90)) == []

    def test_occupancy_and_welfare(self, register: Api) -> None:
        bench = register.bench
        assert self.ask(bench, "occupancy", SITE, "1-102") == "vacant"
        assert self.ask(bench, "occupancy", SITE, "9-999") == "unknown"
        subject = bench.enrol(unit(1))
        row = {
            "id": "wang", "site": SITE, "unit": "1-101", "name": "Wang", "consent_reference": "c-1",
            "subject_id": subject, "lives_alone": True, "welfare_since": at(0).isoformat(),
            "welfare_hours": 36,
        }  # fmt: skip
        assert put(register, "residents", row).status_code == 200
        (person,) = self.ask(bench, "living_alone")
        assert (person.subject_id, person.unit, person.since) == (subject, "1-101", NOW)
        assert self.ask(bench, "resident", subject, SITE, NOW).unit == "1-101"
        assert self.ask(bench, "resident", subject, "elsewhere", NOW) is None
        assert self.ask(bench, "knows_residents", SITE)
        register.call(
            "DELETE", f"/subjects/{subject}"
        )  # withdrawn: the resident stays, unrecognised
        assert self.ask(bench, "living_alone") == []


def test_the_command_names_row_and_column(register: Api, tmp_path: Path, monkeypatch) -> None:
    def answer(self, method, path, **arguments):
        return register.call(method, path, role=Role.OFFICE, who="office", **arguments)

    monkeypatch.setattr("hub.client.HubClient._answer", answer)
    monkeypatch.setenv("GATEHOUSE_TOKEN", "t")
    file = tmp_path / "units.csv"
    file.write_text(f"site,id,occupancy\n{SITE},2-201,vacant\n{SITE},2-202,haunted\n")
    done = CliRunner().invoke(app, ["register", "import", "units", str(file)])
    assert f"{file}:3: occupancy: Input should be" in done.output
    assert "units: 1 rows stored" in done.output
    assert str(done.exception) == f"1 rows of {file} cannot be used; see above"
    out = tmp_path / "out.csv"
    assert CliRunner().invoke(app, ["register", "export", "units", str(out)]).exit_code == 0
    assert "2-201" in out.read_text("utf-8-sig")
    assert out.stat().st_mode & 0o077 == 0
    again = CliRunner().invoke(app, ["register", "export", "units", str(out)])
    assert "cannot be written: File exists" in str(again.exception)
    wrong = CliRunner().invoke(app, ["register", "import", "cats", str(file)])
    assert "is no kind of row" in str(wrong.exception)
