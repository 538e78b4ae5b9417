"""`gatehouse enrol import` and `status`, against the API on a real store."""

import csv
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from gatehouse import app
from hub import enrol_cli
from hub.access import Role
from hub.client import HubClient
from tests.unit.hub.kit import PACK_SHA, HubBench, at
from tests.unit.hub.test_api import Api
from tests.unit.hub.test_enrolment_api import person, use_pack
from wire.errors import HubError, InputError

SAID = ["--purpose", "residents", "--basis", "consent", "--reference", "7"]


@pytest.fixture
def api(bench: HubBench, application: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api(bench, TestClient(application, raise_server_exceptions=False))
    use_pack(made, PACK_SHA)
    token = made.token("ann", Role.OPERATOR)
    client = HubClient("http://testserver", token)
    client._client = TestClient(
        application,
        base_url="http://testserver/api/v1",
        headers={"authorization": f"Bearer {token}"},
        raise_server_exceptions=False,
    )
    monkeypatch.setattr(enrol_cli, "_client", lambda url, token_file: client)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "people"
    made.mkdir()
    return made


def write_people(folder: Path, *rows: str, **photos: bytes) -> None:
    text = "external_id,label,expires_at,consent_text,photos\n" + "".join(
        f"{row}\n" for row in rows
    )
    (folder / "people.csv").write_text(text, encoding="utf-8")
    for name, data in photos.items():
        (folder / f"{name}.png").write_bytes(data)


def row(number: int, label: str) -> str:
    return f"r-{number},{label},{at(86400 * 20).isoformat()},2026-03,{label}.png"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["enrol", *map(str, arguments)])


def refused(result: Result) -> str:
    assert isinstance(result.exception, InputError), result.output
    assert int(result.exception.exit_code) == 9
    return str(result.exception)


def labels(api: Api) -> list[str]:
    return sorted(subject["label"] for subject in api.bench.rows("subjects"))


class TestImport:
    def test_everybody_of_the_file_is_enrolled_with_their_consent(
        self, api: Api, folder: Path
    ) -> None:
        write_people(folder, row(1, "wang"), row(2, "li"), wang=person(1), li=person(2))
        done = run("import", folder, *SAID, "--json", folder / "report.json")
        assert done.exit_code == 0, done.output
        assert "2 enrolled, 0 enrolled anew, 0 skipped, 0 refused" in done.stdout
        assert labels(api) == ["li", "wang"]
        ledger = api.bench.rows("consents")
        assert [(e["kind"], e["text_version"]) for e in ledger] == [("consent", "2026-03")] * 2
        report = json.loads((folder / "report.json").read_text())
        assert (report["enrolled"], report["refused"], report["dry_run"]) == (2, 0, False)
        first = report["rows"][0]
        assert (first["row"], first["external_id"], first["what"]) == (2, "r-1", "enrolled")
        assert first["photos"][0]["name"] == "wang.png"
        assert 0 < first["photos"][0]["quality"] <= 1
        assert stat.S_IMODE((folder / "report.json").stat().st_mode) == 0o600

    def test_a_bad_row_is_named_with_what_to_do_and_stops_no_other(
        self, api: Api, folder: Path
    ) -> None:
        write_people(
            folder, row(1, "dark"), row(2, "text"), row(3, "li"), "r-4,nobody,,,",
            dark=person(1, dark=True), text=b"hello", li=person(2),
        )  # fmt: skip
        said = refused(done := run("import", folder, *SAID, "--days", "30"))
        assert "3 of 4 rows were refused" in said
        assert "refused.csv" in said
        assert "row 2 r-1 dark: refused: dark.png: " in done.stderr
        assert "want 60" in done.stderr
        assert "text.png: the file is no picture" in done.stderr
        assert labels(api) == ["li"]
        with (folder / "refused.csv").open(encoding="utf-8-sig", newline="") as file:
            left = list(csv.DictReader(file))
        assert [(r["external_id"], r["photos"]) for r in left] == [
            ("r-1", "dark.png"), ("r-2", "text.png"), ("r-4", ""),
        ]  # fmt: skip
        for name, who in (("dark", 3), ("text", 4), ("r-4", 5)):
            (folder / f"{name}.png").write_bytes(person(who))
        mended = run("import", folder / "refused.csv", *SAID, "--days", "30")
        assert mended.exit_code == 0, mended.output
        assert labels(api) == ["dark", "li", "nobody", "text"]

    def test_a_face_that_is_somebodys_is_shown_with_whose(self, api: Api, folder: Path) -> None:
        write_people(folder, row(1, "wang"), row(2, "twin"), wang=person(1), twin=person(1))
        refused(done := run("import", folder, *SAID))
        (wang,) = api.bench.rows("subjects")
        whose = f"twin.png: this face is already subject {wang['id']} (wang, r-1, similarity 1.00)"
        assert whose in done.stderr

    def test_run_again_it_goes_on_where_it_was_cut_short(
        self, api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write_people(folder, row(1, "wang"), row(2, "li"), wang=person(1), li=person(2))
        post = HubClient.post_form

        def fail_at_li(
            self: HubClient, path: str, fields: dict, photos: object, **more: object
        ) -> object:
            if fields["label"] == "li":
                raise HubError("the hub does not answer")
            return post(self, path, fields, photos, **more)

        with monkeypatch.context() as broken:
            broken.setattr(HubClient, "post_form", fail_at_li)
            done = run("import", folder, *SAID)
        assert isinstance(done.exception, HubError)
        assert "1 of 2 rows are done: run the same command again" in str(done.exception)
        again = run("import", folder, *SAID)
        assert again.exit_code == 0, again.output
        assert "1 enrolled, 0 enrolled anew, 1 skipped" in again.stdout
        assert "r-1 wang: skipped: enrolled already under this external_id" in again.stderr
        assert labels(api) == ["li", "wang"]

    def test_a_dry_run_says_the_same_and_stores_nothing_but_that_it_was_asked(
        self, api: Api, folder: Path
    ) -> None:
        write_people(
            folder, row(1, "wang"), row(2, "dark"), wang=person(1), dark=person(2, dark=True)
        )
        refused(done := run("import", folder, *SAID, "--dry-run"))
        assert "would be: 1 enrolled, 0 enrolled anew, 0 skipped, 1 refused" in done.stdout
        assert api.bench.rows("subjects") == api.bench.rows("templates") == []
        assert api.bench.rows("consents") == []
        assert not (folder / "refused.csv").exists()  # nothing was to be stored
        assert [(r["action"], r["purpose"]) for r in api.bench.rows("audit")] == [
            ("subject.checked", "residents")
        ]

    def test_what_somebody_may_be_mending_is_never_overwritten(
        self, api: Api, folder: Path
    ) -> None:
        write_people(folder, row(1, "text"), text=b"hello")
        (folder / "refused.csv").write_text("half mended", encoding="utf-8")
        assert "refused-2.csv" in refused(run("import", folder, *SAID))
        assert (folder / "refused.csv").read_text(encoding="utf-8") == "half mended"
        mine = folder / "mine.csv"
        assert "mine.csv" in refused(run("import", folder, *SAID, "--refused", mine))
        assert mine.read_text(encoding="utf-8").count("r-1") == 1
        said = refused(run("import", folder, *SAID, "--refused", mine))
        assert "there is a file" in said

    def test_sub_folders_are_people_too(self, api: Api, folder: Path) -> None:
        for name, who in (("wang", 1), ("li", 2)):
            (folder / name).mkdir()
            (folder / name / "a.png").write_bytes(person(who))
        assert run("import", folder, *SAID, "--days", "30").exit_code == 0
        assert labels(api) == ["li", "wang"]

    def test_a_hub_without_faces_stops_the_import_at_once(self, api: Api, folder: Path) -> None:
        from dataclasses import replace

        services = api.client.app.state.services
        api.client.app.state.services = replace(services, enroller=None)
        write_people(folder, row(1, "wang"), row(2, "li"), wang=person(1), li=person(2))
        done = run("import", folder, *SAID)
        assert isinstance(done.exception, HubError)
        assert "no face pack" in str(done.exception)
        assert not (folder / "refused.csv").exists()

    @pytest.mark.parametrize("name", ["nowhere", "people"])
    def test_a_folder_without_people_is_refused(self, api: Api, folder: Path, name: str) -> None:
        refused(run("import", folder.parent / name, *SAID))


class TestAnotherPack:
    def test_status_says_what_to_do_and_the_same_import_does_it(
        self, api: Api, folder: Path
    ) -> None:
        write_people(folder, row(1, "wang"), row(2, "li"), wang=person(1), li=person(2))
        use_pack(api, "cd" * 32)
        assert run("import", folder, *SAID).exit_code == 0
        use_pack(api, PACK_SHA)
        said = run("status", "--json", folder / "status.json").stdout
        assert "enrolled: 2" in said
        assert "to be enrolled anew: 2" in said
        assert "r-1 wang" in said
        assert "next: gatehouse enrol import" in said
        status = json.loads((folder / "status.json").read_text())
        assert (status["outdated"], [p["templates"] for p in status["packs"]]) == (2, [2])
        before = {s["id"]: (s["expires_at"], s["purpose"]) for s in api.bench.rows("subjects")}
        dry = run("import", folder, *SAID, "--dry-run").stdout
        assert "would be: 0 enrolled, 2 enrolled anew" in dry
        done = run("import", folder, *SAID)
        assert "0 enrolled, 2 enrolled anew, 0 skipped, 0 refused" in done.stdout
        assert {r["pack_sha256"] for r in api.bench.rows("templates")} == {PACK_SHA}
        after = {s["id"]: (s["expires_at"], s["purpose"]) for s in api.bench.rows("subjects")}
        assert after == before
        assert "anew" not in run("status").stdout

    def test_the_status_of_an_empty_hub(self, api: Api) -> None:
        assert "enrolled: 0" in run("status").stdout
        answer: httpx.Response = api.call("GET", "/subjects/status")
        assert answer.json() == {
            "pack": "test-pack", "pack_sha256": PACK_SHA, "subjects": 0, "outdated": 0, "packs": [],
        }  # fmt: skip
