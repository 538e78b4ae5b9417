"""The page of figures: what is written is what was counted, between its two marks and nowhere else."""

from collections import Counter
from pathlib import Path

import pytest

from edge.evaluation.behaviours import Quiet, Score, SeenAt, quiet
from edge.evaluation.cli import _QUIET, _SETTINGS, _write_between_marks, as_table
from edge.objects import SeenObjects
from wire.errors import InputError

SCORE = Score("loitering", shown=50, hits=40, ordinary=50, alarms=10, repeats=2)


def test_the_table_has_what_was_counted() -> None:
    clip = Quiet("a.mp4", 0.5, Counter({"loitering": 3}))
    table = as_table([SCORE], [clip, clip], "net")
    assert "| `loitering` | 40 of 50 | 10 of 50 | 2 | 0.80 | 0.80 | 6 in 1.00 h |" in table
    assert "2 clips, 1.00 h in all, seen by `net`" in table
    assert "Ordinary video" not in as_table([SCORE], [], "net")


def test_an_empty_clip_tells_nothing() -> None:
    settings = [_SETTINGS.validate_python(one) for one in _QUIET]
    seen: list[SeenAt] = [(n / 5, (640, 360), SeenObjects.empty()) for n in range(50)]
    assert quiet("a.mp4", seen, settings) == Quiet("a.mp4", 9.8 / 3600, Counter())
    assert quiet("a.mp4", [], settings).hours == 0.0


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
