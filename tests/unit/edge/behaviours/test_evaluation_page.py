"""The page of figures: what is written is what was counted, between its two marks and nowhere else."""

from collections import Counter
from pathlib import Path

import pytest

from edge.evaluation.behaviours import Quiet, Score, SeenAt, quiet
from edge.evaluation.cli import _write_between_marks, as_table
from edge.evaluation.places import ClipSection, load_places
from edge.objects import SeenObjects
from tests.conftest import ROOT
from wire.errors import ConfigError, InputError

SCORE = Score("loitering", shown=50, hits=40, ordinary=50, alarms=10, repeats=2)
JUDGED = frozenset({"loitering"})


def test_the_table_has_what_was_counted() -> None:
    clip = Quiet("a.mp4", 0.5, JUDGED, Counter({"loitering": 3}), crossed=4)
    calm = Quiet("b.mp4", 0.25, frozenset({"crowding"}), Counter())
    crowd = Score("crowding", shown=50, hits=50, ordinary=50, alarms=0, repeats=0)
    table = as_table([SCORE, crowd], [clip, calm], "net")
    assert "| 40 of 50 | 10 of 50 | 2 | 0.80 | 0.80 | 3 in 1800 s: 6 an hour |" in table
    assert (
        "| `crowding` | 50 of 50 | 0 of 50 | 0 | 1.00 | 1.00 | 0 in 900 s: below 12 an hour |"
        in table
    )
    assert "2 clips, 2700 s in all, seen by `net`" in table
    assert "| a.mp4 | 1800 | 4 | `loitering` 3 |" in table
    assert "| b.mp4 | 900 |  | nothing |" in table
    assert "Ordinary video" not in as_table([SCORE], [], "net")


def test_an_empty_clip_tells_nothing() -> None:
    section = ClipSection(name="a.mp4")
    seen: list[SeenAt] = [(n / 5, (640, 360), SeenObjects.empty()) for n in range(50)]
    one = quiet("a.mp4", seen, section)
    assert (one.hours, one.alarms, one.crossed) == (9.8 / 3600, Counter(), 0)
    everywhere = {"loitering", "crowding", "vehicle_prowling", "blocked_lane", "ebike_indoors"}
    assert one.judged == everywhere
    assert quiet("a.mp4", [], section).hours == 0.0


def test_the_clips_of_the_material_are_set_up_with_what_their_behaviours_need() -> None:
    clips = load_places(ROOT / "tests" / "integration" / "ordinary_video.toml")
    kinds = {one.kind for clip in clips.values() for one in clip.behaviours}
    assert kinds == {"wrong_way", "barrier_run", "tailgating"}
    assert len(clips["intel_one-by-one-person-detection.mp4"].grants_s) == 6


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('clips = [{name = "a", colour = "red"}]', "clips.0.colour"),
        (
            'clips = [{name = "a", behaviours = [{kind = "wrong_way", line = "x", direction = "in"}]}]',
            "this camera has no line 'x'",
        ),
        ("clips = [", "cannot be read"),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "places.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why) as caught:
        load_places(path)
    assert str(path) in str(caught.value)


def test_only_what_is_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    begin, end = (
        "<!-- measured by gatehouse eval behaviours -->",
        "<!-- end of what was measured -->",
    )
    page = tmp_path / "page.md"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
    _write_between_marks(page, "new")
    text = f"before\n{begin}\n\nnew\n\n{end}\nafter\n"
    assert page.read_text(encoding="utf-8") == text
    page.write_text("nothing", encoding="utf-8")
    with pytest.raises(InputError, match="has no place for the figures"):
        _write_between_marks(page, "new")
