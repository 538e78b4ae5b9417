"""What labels say besides the text: colour, rows, boxes; and nothing where they say nothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.plates.evaluate import lies_on, outcome_of
from models.plates.marks import NOTHING, Mark, easypr_marks, mark_of_ccpd, mark_of_row
from models.plates.truth import Labelled, load_labelled, text_of_name
from models.plates.types import PlateReading
from wire.errors import InputError
from wire.plates import PlateColour, PlateType

LISTED = """<?xml version="1.0" encoding="ISO-8859-1"?>
<tagset><image><imageName>浙A54614</imageName><taggedRectangles>
<taggedRectangle x="317" y="305" width="57" height="178" rotation="-86">黄牌:浙A54614</taggedRectangle>
<taggedRectangle x="50" y="40" width="20" height="10" rotation="0">浙A54615</taggedRectangle>
</taggedRectangles></image></tagset>"""


def test_rows_of_a_table() -> None:
    assert mark_of_row({"color": "yellow", "layers": "2"}) == Mark(PlateColour.YELLOW, 2)
    assert mark_of_row({"color": "pink", "layers": "many"}) == NOTHING
    assert mark_of_row({"color": None, "layers": None}) == NOTHING
    assert mark_of_row({}) == NOTHING


def test_names_of_ccpd_hold_a_box() -> None:
    mark = mark_of_ccpd("0200-90_89-282&337_528&424-536&423_287&422_292&333_541&334-0_0_3-40-44")
    assert mark == Mark(rows=1, box=(282, 337, 528, 424))
    assert mark_of_ccpd("京A88731") == NOTHING


def test_a_ccpd_name_that_counts_past_the_alphabets_is_no_label() -> None:
    assert text_of_name("02-90_89-1&2_3&4-1&2_3&4_5&6_7&8-99_0_21_16_32_32_31-40-44") is None


def test_easypr_lists_colours_and_boxes_as_pictures_show_them(tmp_path: Path) -> None:
    assert easypr_marks(tmp_path) == {}
    (tmp_path / "GroundTruth_others.xml").write_text(LISTED, "utf-8")
    (turned, plain) = easypr_marks(tmp_path)["浙A54614"]
    assert turned == ("浙A54614", Mark(PlateColour.YELLOW, None, (228.0, 276.5, 406.0, 333.5)))
    assert plain == ("浙A54615", Mark(None, None, (40.0, 35.0, 60.0, 45.0)))
    (tmp_path / "GroundTruth_others.xml").write_text("<tagset>", "utf-8")
    with pytest.raises(InputError, match="GroundTruth_others"):
        easypr_marks(tmp_path)


def test_the_colour_tells_series_of_one_form_apart() -> None:
    assert Mark().type_of("京A88731") is None
    assert Mark(PlateColour.BLUE).type_of("京A88731") is PlateType.ORDINARY
    assert Mark(PlateColour.YELLOW).type_of("京A88731") is PlateType.LARGE
    assert Mark().type_of("鄂F8888警") is PlateType.POLICE
    assert Mark(PlateColour.GREEN).colour_of("粤B12345D") is PlateColour.YELLOW_GREEN
    assert Mark(PlateColour.GREEN).colour_of("粤BD12345") is PlateColour.GREEN


def test_a_table_may_list_pictures_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,plate\na.jpg,京A88731\nb.jpg,京A88732\n,\n", "utf-8")
    with pytest.raises(InputError, match="none of its pictures"):
        load_labelled(tmp_path)
    (tmp_path / "b.jpg").touch()
    assert [item.plates for item in load_labelled(tmp_path)] == [("京A88732",)]
    (tmp_path / "labels.csv").write_text("picture,text\nb.jpg,京A88732\n", "utf-8")
    with pytest.raises(InputError, match="columns file and plate"):
        load_labelled(tmp_path)


def test_pictures_in_folders_below_are_found_and_odd_files_passed_over(tmp_path: Path) -> None:
    (tmp_path / "day" / "沪A00000.png").mkdir(parents=True)
    for name in ("京A88731.JPG", "Thumbs.db", "京A88733.txt", "IMG_1.jpg"):
        (tmp_path / "day" / name).touch()
    (item,) = load_labelled(tmp_path)
    assert (item.plates, item.mark("京A88731")) == (("京A88731",), NOTHING)


def reading(text: str, colour: PlateColour, kind: PlateType, rows: int) -> PlateReading:
    blank = np.zeros((8, 77), np.float32)
    return PlateReading(
        text, kind, colour, 0.9, (0.9,) * len(text), 0.9, (), blank, np.zeros(6, np.float32), rows
    )


def test_verdicts_only_where_the_label_says_something() -> None:
    text = "京A88731"
    read = reading(text, PlateColour.YELLOW, PlateType.LARGE, 2)
    bare = outcome_of(Labelled(Path("a.jpg"), (text,)), text, read, 1.0)
    assert (bare.type_right, bare.colour_right, bare.rows_right) == (None, None, None)
    marks = {text: Mark(PlateColour.BLUE, 2)}
    said = outcome_of(Labelled(Path("a.jpg"), (text,), (), marks), text, read, 1.0)
    assert (said.type_right, said.colour_right, said.rows_right) == (False, False, True)
    nothing = outcome_of(Labelled(Path("a.jpg"), (text,), (), marks), text, None, 1.0)
    assert (nothing.text, nothing.type_right) == ("", None)


def test_a_detection_lies_on_a_box_from_half_iou_up() -> None:
    box = (0.0, 0.0, 100.0, 30.0)
    assert not lies_on(np.zeros((0, 4), np.float32), box)
    assert lies_on(np.array([[0, 0, 60, 30], [200, 0, 300, 30]], np.float32), box)
    assert not lies_on(np.array([[60, 0, 160, 30]], np.float32), box)


def test_a_test_set_labels_itself(tmp_path: Path, material: Path) -> None:
    if not (material / "plates" / "glyphs").is_dir():
        pytest.skip(f"no glyph pictures under {material}: plates cannot be drawn")
    from models.training.glyphs import load_glyphs
    from models.training.testset import GROUPS, write_test_set

    folders = write_test_set(tmp_path, load_glyphs(material), each=2)
    assert [folder.name for folder in folders] == list(GROUPS)
    for folder in folders:
        items = load_labelled(folder)
        assert len(items) == 2
        for item in items:
            assert cv2.imdecode(np.fromfile(item.path, np.uint8), cv2.IMREAD_COLOR) is not None
            assert item.mark(item.plates[0]).rows == GROUPS[folder.name][1]
            assert item.mark(item.plates[0]).colour is not None
