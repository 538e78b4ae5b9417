"""The plate commands as a person calls them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import gatehouse
from models.plates.cli import eval_plates, train_plates

app = typer.Typer()
app.command("eval")(eval_plates)
app.command("train")(train_plates)


def run(*arguments: str) -> object:
    return CliRunner().invoke(app, list(arguments))


def test_a_folder_of_crops_gives_the_promised_keys(tmp_path: Path) -> None:
    picture = np.full((40, 120, 3), (160, 60, 20), np.uint8)
    (tmp_path / "京A88731.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    (tmp_path / "京A88732.jpg").write_bytes(b"broken")
    out = tmp_path / "out" / "plates.json"
    result = run("eval", str(tmp_path), "--crops", "--json", str(out))
    assert result.exit_code == 0, result.output
    figures = json.loads(out.read_text("utf-8"))
    assert {"n", "exact", "wrong_at_threshold", "ms_per_plate"} <= set(figures)
    assert figures["n"] == 2
    assert {m["note"] for m in figures["misread"]} == {"", "not a picture"}


def test_pictures_without_plates_are_counted(tmp_path: Path) -> None:
    picture = np.full((90, 120, 3), 90, np.uint8)
    (tmp_path / "wall.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    result = run("eval", str(tmp_path), "--empty")
    assert json.loads(result.output)["frames"] == 1
    assert json.loads(result.output)["false_reads_at_threshold"] == 0


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    result = run("eval", str(tmp_path), "--crops")
    assert "no picture with a plate in its name" in str(result.exception)


def test_previews_are_written_from_a_seed(
    tmp_path: Path, material: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (material / "plates" / "glyphs").is_dir():
        pytest.skip(f"no glyph pictures under {material}: plates cannot be drawn")
    monkeypatch.setenv("GATEHOUSE_MATERIAL", str(material))
    result = run("train", "all", "--preview", "--out", str(tmp_path), "--seed", "3")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "plates-3.png").stat().st_size > 10_000
    assert (tmp_path / "scenes-3.png").stat().st_size > 10_000


@pytest.mark.parametrize("command", [("eval", "plates"), ("models", "train", "plates")])
def test_the_command_is_where_the_documentation_says(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(gatehouse.app, [*command, "--help"])
    assert result.exit_code == 0, result.output
    assert "--seed" in result.output or "--crops" in result.output


@pytest.mark.parametrize("part", ["detector", "int8"])
def test_what_is_not_finished_says_what_is(part: str, tmp_path: Path) -> None:
    result = run("train", part, "--finish", "--out", str(tmp_path))
    assert "refiner, reader, two_rows, province" in str(result.exception)


def test_an_unknown_network_is_refused(tmp_path: Path) -> None:
    result = run("train", "wheels", "--out", str(tmp_path))
    assert "choose from" in str(result.exception)
