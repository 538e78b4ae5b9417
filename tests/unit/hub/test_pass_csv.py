"""Passes as CSV: entered by the row, decided on by the row, and read back."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatehouse import app
from hub.access import Role
from hub.pass_rows import PassRow, Step, Unusable, step_of
from hub.passes import PassState
from tests.unit.hub.kit import PLATE, SITE, at
from tests.unit.hub.test_api import Api, problem
from tests.unit.hub.test_visits import ask, clean, counts, decide

HEAD = "site,unit,kind,name,plate,valid_from,valid_until,consent\n"
SOON, LATE = at(3600).isoformat(), at(30 * 86400).isoformat()
GOOD = f"{SITE},1-101,visit,Guest,京a·12345,{at(0).isoformat()},{SOON},zh-1\n"


def upload(api: Api, text: str, **params):
    answer = api.call(
        "POST", "/passes/all/csv", params=params, content=text.encode(), role=Role.OFFICE, who="office",
        headers={"content-type": "text/csv"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return answer.json()


def download(api: Api) -> str:
    params = {"purpose": "the week's visitors"}
    return api.call(
        "GET", "/passes/all/csv", params=params, role=Role.OFFICE, who="office"
    ).content.decode("utf-8-sig")


def test_each_row_is_checked_like_a_request_and_stops_no_other(office: Api) -> None:
    rows = [
        GOOD,
        GOOD.replace("1-101", "9-999"),
        GOOD.replace("京a·12345", "nonsense"),
        GOOD.replace(SOON, LATE),
        GOOD.replace("visit", "party"),
        GOOD.replace("zh-1", ""),
    ]
    tried = upload(office, HEAD + "".join(rows), dry_run=True)
    assert (tried["stored"], office.bench.rows("passes")) == (1, [])
    done = upload(office, HEAD + "".join(rows))
    assert done == tried
    assert [(p["row"], p["column"]) for p in done["problems"]] == [
        (3, "unit"), (4, "plate"), (5, "valid_until"), (6, "kind"), (7, "consent"),
    ]  # fmt: skip
    assert done["problems"][1]["message"] == "this is no plate that the grammar knows"
    assert done["problems"][2]["message"] == "a visit is for at most 7 days"
    assert counts(office, 10)  # what the office enters counts at once
    assert [row["state"] for row in office.bench.rows("passes")] == ["approved"]


def test_what_was_exported_is_no_change_and_decides_by_its_state(office: Api) -> None:
    waits, declined = ask(office).json()["id"], ask(office, plate=None).json()["id"]
    decide(office, declined, "decline")
    text = download(office)
    assert upload(office, text) == {"kind": "passes", "stored": 2, "problems": []}
    assert not counts(office, 10)
    assert upload(office, text.replace("pending", "approved"))["problems"] == []
    assert counts(office, 10)
    wrong = upload(office, text.replace("declined", "approved").replace("pending", "ended"))
    assert [p["message"] for p in wrong["problems"]] == [
        "the pass is declined: it cannot become approved"
    ]
    assert not counts(office, 10)  # ended by its row
    acts = [row["action"] for row in office.bench.rows("audit") if row["target"] == waits]
    assert acts == ["pass.requested", "pass.approved", "pass.ended"]
    changed = upload(office, text.replace("Guest Zhao", "Guest Li"))["problems"]
    assert {(p["column"], p["message"][:21]) for p in changed} == {("id", "a pass is not changed")}


def test_a_pass_that_was_lost_is_put_back(office: Api) -> None:
    name = ask(office, Role.OFFICE).json()["id"]
    text = download(office)
    clean(office, 20 * 86400)
    assert office.bench.rows("passes") == []
    assert upload(office, text)["stored"] == 1
    assert [row["id"] for row in office.bench.rows("passes")] == [name]


def test_looking_needs_a_purpose_and_a_role(office: Api) -> None:
    see = {"who": "office", "role": Role.OFFICE}
    problem(office.call("GET", "/passes/all/csv", **see), 422, "purpose_required")
    guard = {"who": "guard", "role": Role.GUARD}
    for method in ("GET", "POST"):
        problem(office.call(method, "/passes/all/csv", content=b"", **guard), 403, "forbidden")
    download(office)
    (act,) = [row for row in office.bench.rows("audit") if row["action"] == "passes.lookup"]
    assert (act["target"], act["purpose"]) == ("passes:export", "the week's visitors")


ROW = PassRow(
    id="0" * 8 + "-0000" * 3 + "-" + "0" * 12, site=SITE, unit="1-101", kind="visit", name="Zhao",
    plate=PLATE, valid_from=at(0), valid_until=at(60), consent="zh-1",
)  # fmt: skip


@pytest.mark.parametrize("state", list(PassState))
def test_a_pass_that_is_not_there_is_pending_or_approved(state: PassState) -> None:
    row = ROW.model_copy(update={"state": state})
    if state in (PassState.PENDING, PassState.APPROVED):
        assert step_of(row, None, False) is Step.ADD
    else:
        with pytest.raises(Unusable, match="no such pass"):
            step_of(row, None, False)


def test_only_time_lets_a_pass_expire() -> None:
    with pytest.raises(Unusable, match="only time"):
        step_of(ROW.model_copy(update={"state": PassState.EXPIRED}), ROW, False)
    with pytest.raises(Unusable, match="only time"):
        step_of(ROW.model_copy(update={"state": PassState.ENDED}), ROW, True)
    assert step_of(ROW, ROW, True) is Step.KEEP


def test_the_command_knows_passes(office: Api, tmp_path: Path, monkeypatch) -> None:
    def answer(self, method, path, **arguments):
        return office.call(method, path, role=Role.OFFICE, who="office", **arguments)

    monkeypatch.setattr("hub.client.HubClient._answer", answer)
    monkeypatch.setenv("GATEHOUSE_TOKEN", "t")
    file, out = tmp_path / "passes.csv", tmp_path / "out.csv"
    file.write_text(
        HEAD + GOOD + GOOD.replace("visit", "tenant_car").replace(SOON, at(-1).isoformat())
    )
    done = CliRunner().invoke(app, ["register", "import", "passes", str(file)])
    assert f"{file}:3: valid_until: the visit must end after it begins" in done.output
    assert "passes: 1 rows stored" in done.output
    export = ["register", "export", "passes", str(out), "--purpose", "the week's visitors"]
    assert CliRunner().invoke(app, export).exit_code == 0
    assert PLATE in out.read_text("utf-8-sig")
