"""`gatehouse rule`, each command, against the API of a hub that is served."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gatehouse import app
from hub.access import Role
from tests.api_world import RULE, World, served
from wire.errors import GatehouseError

TEXT = """
id = "night"
title = "Strangers at night"
kind = "unregistered_vehicle"
owner = "office"
severity = "{severity}"
"""
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def run(world: World) -> Iterator[Run]:
    """Runs a command of `gatehouse rule`, as an administrator."""
    with served(world) as url:
        token = world.headers(Role.ADMIN)["authorization"].removeprefix("Bearer ")
        environment = {"GATEHOUSE_URL": url, "GATEHOUSE_TOKEN": token}

        def command(*words: str) -> Result:
            return CliRunner().invoke(app, ["rule", *words], env=environment)

        yield command


def file(folder: Path, severity: str = "blue") -> str:
    path = folder / "night.toml"
    path.write_text(TEXT.format(severity=severity), encoding="utf-8")
    return str(path)


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_rule_on_its_way(run: Run, tmp_path: Path, world: World) -> None:
    """Checked, drafted, tried on the past, enabled, changed, compared, rolled back, disabled."""
    assert said(run("check", file(tmp_path))) == "night: unregistered_vehicle: ok\n"
    assert said(run("draft", file(tmp_path))) == "night: version 1 is a draft\n"
    tried = said(run("backtest", "night", "--purpose", "a test", "--days", "1"))
    assert f"{world.count('observations')} observations in 1 days" in tried
    assert "rosegarden/gate-in: 京A10000 is not registered here and has no pass" in tried
    assert "raised in that time: 0" in tried
    assert said(run("enable", "night")) == "night: version 1 is in force\n"
    assert said(run("draft", file(tmp_path, "red"))) == "night: version 2 is a draft\n"
    assert said(run("enable", "night", "--version", "2")) == "night: version 2 is in force\n"
    assert [line.split() for line in said(run("diff", "night", "1", "2")).splitlines()] == [
        ["field", "version", "1", "version", "2"], ["severity", "blue", "red"],
    ]  # fmt: skip
    back = said(run("rollback", "night", "1"))
    assert back == "night: version 1 is in force again, as version 3\n"
    rows = [line.split() for line in said(run("history", "night")).splitlines()]
    assert [(row[0], row[2]) for row in rows[1:]] == [
        ("3", "admin"),
        ("2", "admin"),
        ("1", "admin"),
    ]
    assert rows[1][3:] == ["back", "to", "version", "1"]
    shown = next(line for line in said(run("list")).splitlines() if line.startswith("night "))
    assert shown.split()[1] == "unregistered_vehicle"
    assert shown.split()[-4:] == ["3", "3", "store", "admin"]
    assert said(run("disable", "night")) == "night: not in force\n"
    shown = next(line for line in said(run("list")).splitlines() if line.startswith("night "))
    assert shown.split()[-4:] == ["no", "3", "store", "admin"]


def test_a_file_is_tried_on_the_past_beside_what_is_in_force(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "stricter.toml"
    text = TEXT.format(severity="blue").replace("night", RULE, 1) + "min_confidence = 0.99\n"
    path.write_text(text, encoding="utf-8")
    lines = said(run("backtest", str(path), "--purpose", "a test")).splitlines()
    draft, enabled = (next(x for x in lines if x.startswith(w)) for w in ("draft", "enabled"))
    assert draft.split()[1:3] == ["0", "0"]
    assert int(enabled.split()[1]) > 0


def test_lists_are_of_one_kind_where_that_is_asked_for(run: Run) -> None:
    lines = said(run("list", "--kind", "crowding")).splitlines()
    assert len(lines) > 1
    assert {line.split()[1] for line in lines[1:]} == {"crowding"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("enable", "none"), 8, "there is no such rule"),
        (("history", "none"), 8, "there is no such rule"),
        (("diff", RULE, "1", "9"), 8, "there is no such version"),
        (("disable", "plates"), 8, "this rule is in a file of rules_dir"),
        (("backtest", "none.toml", "--purpose", "a test"), 9, "there is no file none.toml"),
        (("check", "none.toml"), 3, "there is no file none.toml"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_line(
    run: Run, words: tuple[str, ...], code: int, message: str
) -> None:
    error = run(*words).exception
    assert isinstance(error, GatehouseError)
    assert (int(error.exit_code), message in str(error)) == (code, True), error


def test_a_broken_file_is_said_field_by_field(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(TEXT.format(severity="pink") + "colour = 1\n", encoding="utf-8")
    result = run("check", str(path))
    assert str(path) in str(result.exception)
    assert "severity: " in str(result.exception)
    assert "colour: there is no such key" in str(result.exception)
    assert "ok" not in result.stdout
