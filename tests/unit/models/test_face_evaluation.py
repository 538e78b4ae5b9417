import json
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.faces import cli
from models.faces.calibration import load_calibration
from models.faces.evaluate import calibrate, report
from models.faces.labelled import Embedded
from tests.unit.models.face_stub import PACK, STUB, crowd
from wire.errors import InputError


def test_too_little_is_no_report() -> None:
    for people, pictures in ((0, 0), (2, 1), (1, 2)):
        rows, names = crowd(people, pictures, dimension=16)
        with pytest.raises(InputError, match="two people or more"):
            report(PACK, Embedded(rows, names), 100)


def test_the_figures_have_their_counts_and_intervals() -> None:
    rows, names = crowd(20, 4, dimension=64)
    result = report(PACK, Embedded(rows, names, ("x.jpg",), 1.0, 2.0), 500)
    assert (result.people, result.pictures) == (20, 81)
    assert (result.genuine_pairs, result.impostor_pairs) == (20 * 6, 80 * 79 // 2 - 20 * 6)
    figures = result.as_dict()
    for key in ("fnmr_at_fmr_1e-3", "fnmr_at_fmr_1e-4", "failure_to_acquire", "tpir_at_fpir_1e-2"):
        errors, n = figures["counts"][key]
        assert figures[key] == errors / n
        low, high = figures["intervals_95"][key]
        assert low <= figures[key] <= high
    assert figures["failure_to_acquire"] == 1 / 81
    assert figures["ms_per_face"] == 3.0
    assert 0.9 < figures["auc"] <= 1.0
    found = figures["identification"]
    assert (found["people"], found["real_people"], found["modelled_people"]) == (500, 20, 480)
    assert "model" in found["padded_with"]
    assert found["real_people_not_enrolled_searched"] == 80


def people_folder(folder: Path) -> Path:
    """Three people of colours that the stub tells apart."""
    for name, colour in (("a", (250, 20, 10)), ("b", (10, 250, 20)), ("c", (20, 10, 250))):
        for number in range(3):
            path = folder / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((8, 8, 3), np.array(colour) - number * 3, np.uint8))
    return folder


def test_the_command_writes_figures_and_a_calibration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "load_face_pack", lambda name, threads: PACK)
    folder = people_folder(tmp_path / "people")
    one, made = tmp_path / "one.json", tmp_path / "calibration.json"
    page = tmp_path / "page.md"
    cli.eval_faces(folder, None, 1, 50, one, page, made, 0.01)
    assert json.loads(one.read_text())["pack"] == "stub"
    assert "| FNMR at FMR 1e-4 | 0 of 9" in page.read_text()
    assert load_calibration(made, STUB.pack_sha256).largest == 50
    shown = capsys.readouterr().out
    assert "FNMR at FMR 1e-4" in shown
    assert "people in the gallery" in shown
    two = tmp_path / "two.json"
    cli.eval_faces(folder, ["stub", "stub"], 1, 50, two, None, None, 0.01)
    assert [pack["pack"] for pack in json.loads(two.read_text())["packs"]] == ["stub", "stub"]
    with pytest.raises(InputError, match="one pack"):
        cli.eval_faces(folder, ["stub", "stub"], 1, 50, None, None, made, 0.01)


def test_packs_are_measured_as_insightface_calls_them_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, names = crowd(3, 3, dimension=64)
    plainly = {"theirs": Embedded(rows, names, ("no face.jpg",)), "ours alone": None}
    monkeypatch.setattr(cli, "load_face_pack", lambda name, threads: PACK)
    monkeypatch.setattr(cli, "embed_plainly", lambda name, items: plainly[name])
    folder, page, made = (
        people_folder(tmp_path / "people"),
        tmp_path / "page.md",
        tmp_path / "f.json",
    )
    cli.eval_faces(folder, list(plainly), 1, 50, made, page, None, 0.01, plain=True)
    (header,) = [line for line in page.read_text().splitlines() if "plain insightface |" in line]
    assert header == "| | `stub` | `theirs`, plain insightface | `stub` |"
    times = [line for line in page.read_text().splitlines() if line.startswith("| detect, ms")]
    assert times[0].split("|")[3].strip() == ""  # its time was not taken
    theirs, alone = json.loads(made.read_text())["packs"]
    assert theirs["plain_insightface"]["failure_to_acquire"] == 0.1
    assert "plain_insightface" not in alone


def test_a_calibration_says_on_whom_it_was_made() -> None:
    rows, names = crowd(20, 2, dimension=64)
    made = calibrate(PACK, Embedded(rows, names), 0.01, 100, datetime(2026, 1, 1, tzinfo=UTC))
    assert made.measured_on.startswith("40 pictures of 20 people; padded with")
