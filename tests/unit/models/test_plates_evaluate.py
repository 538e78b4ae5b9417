"""Labels from names and tables, and the figures that are made of outcomes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.plates.evaluate import Outcome, calibration_error, pick_for, score
from models.plates.report import text_table, write_page
from models.plates.truth import load_labelled, read_picture, text_of_name
from wire.errors import InputError


@pytest.mark.parametrize(
    ("stem", "text"),
    [
        ("京A88731", "京A88731"),
        ("粤OA9112", "粤0A9112"),
        ("粤BD01366_2", "粤BD01366"),
        ("皖A12345(3)", "皖A12345"),
        (
            "004504310344827586-86_270-291&474_390&516-390&513_293&516_291&483_387&474"
            "-0_0_3_25_25_25_30_30-228-16",
            "皖AD11166",
        ),
        ("IMG_2041", None),
        ("", None),
    ],
)
def test_names_say_plates(stem: str, text: str | None) -> None:
    assert text_of_name(stem) == text


def test_a_folder_without_labels_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture"):
        load_labelled(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        load_labelled(tmp_path / "gone")


def test_a_table_of_labels_keeps_unsure_ones_apart(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "labels.csv").write_text(
        "file,plate,color,layers,sure\na.jpg,京A88731,blue,1,yes\na.jpg,闽DG065G,blue,1,province-unclear\n",
        "utf-8",
    )
    (item,) = load_labelled(tmp_path)
    assert (item.plates, item.unsure) == (("京A88731",), ("闽DG065G",))


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 broken", b"not a picture"])
def test_a_broken_picture_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    assert read_picture(path) is None
    assert read_picture(tmp_path / "missing.jpg") is None


def outcomes() -> list[Outcome]:
    here = Path("a.jpg")
    return [
        Outcome(here, "京A88731", "京A88731", 0.99, 2.0),
        Outcome(here, "京A88731", "京A8873T", 0.95, 3.0),
        Outcome(here, "京A88731", "沪A88731", 0.4, 2.0),
        Outcome(here, "粤BD01366", "", 0.0, 0.0, "not a picture"),
    ]


def test_figures_of_a_few_outcomes() -> None:
    figures = score(outcomes(), 0.9).as_json()
    assert (figures["n"], figures["exact"], figures["exact_without_province"]) == (4, 1, 2)
    assert (figures["wrong_at_threshold"], figures["refused_at_threshold"]) == (1, 2)
    assert figures["by_type"]["new_energy_small"] == {"n": 1, "exact": 0}
    assert figures["confusions"] == {"1->T": 1, "京->沪": 1}
    assert figures["ms_per_plate"] == 2.0


def test_no_outcomes_no_division() -> None:
    assert score([], 0.9).as_json()["exact_rate"] == 0


def test_calibration_error_of_a_sure_liar_and_of_an_honest_reader() -> None:
    assert calibration_error([1.0] * 10, [False] * 10) == pytest.approx(1.0)
    assert calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0.0)


def test_picking_prefers_the_truth_and_leaves_other_plates_alone() -> None:
    class Read:
        def __init__(self, text: str, confidence: float) -> None:
            self.text, self.confidence = text, confidence

    readings = [Read("京A88731", 0.5), Read("沪A11111", 0.9), Read("", 0.0)]
    assert pick_for("京A88731", readings, set()).text == "京A88731"
    assert pick_for("京A88732", readings, {"沪A11111"}).text == "京A88731"
    assert pick_for("京A88732", [], set()) is None


def test_the_page_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "京A88731.png"
    path.write_bytes(cv2.imencode(".png", np.zeros((10, 30, 3), np.uint8))[1].tobytes())
    wrong = [Outcome(path, "京A88731", "<b>", 0.9, 1.0)]
    figures = score(wrong, 0.9)
    write_page(tmp_path / "page.html", "set", figures, wrong)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "data:image/jpeg" in page
    assert "<b>" not in page
    assert "set: 1 plates" in text_table("set", figures)
    assert page.count("data:image/jpeg") == 1
    quad = np.array([[2, 2], [20, 3], [20, 8], [2, 7]], np.float32)
    read = [Outcome(path, "京A88731", "京A88732", 0.9, 1.0, corners=quad)]
    write_page(tmp_path / "page.html", "set", score(read, 0.9), read)
    assert (tmp_path / "page.html").read_text("utf-8").count(
        "data:image/jpeg"
    ) == 2  # the plate, too
