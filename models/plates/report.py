"""A scored set as a page for people: the table, the confusions, the worst cases as pictures.

In: a title, a :class:`~models.plates.evaluate.Score`, its outcomes. Out: one HTML file that needs
nothing else.
"""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from models.arrays import Floats, Image
from models.plates.evaluate import Outcome, Score
from models.plates.rectify import cut, grown
from models.plates.truth import read_picture

WORST = 60
_PLATE_PX = 240
_STYLE = (
    "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}"
    "td,th{border:1px solid #bbb;padding:.2em .6em;text-align:right}"
    "figure{display:inline-block;margin:.4em}img{max-width:240px;max-height:160px}"
)


def _rate(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"


def text_table(title: str, score: Score) -> str:
    """The figures as lines of text, for a terminal."""
    lines = [
        f"{title}: {score.n} plates",
        f"  exact                    {score.exact:6d}  {_rate(score.exact, score.n)}",
        f"  exact without province   {score.exact_without_province:6d}  "
        f"{_rate(score.exact_without_province, score.n)}",
        f"  wrong at {score.threshold:.2f} or surer   {score.wrong_at_threshold:6d}  "
        f"{_rate(score.wrong_at_threshold, score.n)}",
        f"  refused at {score.threshold:.2f}          {score.refused_at_threshold:6d}  "
        f"{_rate(score.refused_at_threshold, score.n)}",
        f"  calibration error (ECE)  {score.ece:.4f}",
        f"  one plate                {score.ms_per_plate:.2f} ms (p95 {score.ms_per_plate_p95:.2f})",
    ]
    if score.ms_per_picture:
        lines.append(f"  searching one picture    {score.ms_per_picture:.1f} ms")
    for name, (n, good) in (
        ("type right", score.types),
        ("colour right", score.colours),
        ("rows right", score.rows),
        ("found at IoU 0.5", score.found),
    ):
        if n:
            lines.append(f"  {name:24s} {good:6d} of {n}  {_rate(good, n)}")
    for name, (n, exact) in score.by_type.items():
        lines.append(f"  {name:24s} {exact:6d} of {n}  {_rate(exact, n)}")
    common = list(score.confusions.items())[:8]
    if common:
        lines.append("  confused: " + ", ".join(f"{pair} {count}" for pair, count in common))
    return "\n".join(lines)


def _picture_tags(path: Path, corners: Floats | None) -> str:
    """The picture, small, and the plate in it that was read, upright."""
    picture = read_picture(path)
    if picture is None:
        return "<em>not a picture</em>"
    scale = min(1.0, 240 / max(picture.shape[:2]))
    shown = [cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)]
    if corners is not None:
        shown.append(cut(picture, grown(corners), _plate_size(corners)))
    return "".join(_tag(np.asarray(one, np.uint8)) for one in shown)


def _plate_size(corners: Floats) -> tuple[int, int]:
    """Height and width to show a plate in: as high as its corners make it look."""
    across = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    down = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    return round(float(np.clip(_PLATE_PX * down / across, 60, _PLATE_PX))), _PLATE_PX


def _tag(picture: Image) -> str:
    done, data = cv2.imencode(".jpg", picture)
    assert done
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}">'


def write_page(path: Path, title: str, score: Score, outcomes: Sequence[Outcome]) -> None:
    """Write the page to ``path``: figures, by type, by province, confusions, worst cases."""
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title>",
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>",
        f"<pre>{html.escape(text_table(title, score))}</pre>",
    ]
    for heading, table in (("By type", score.by_type), ("By province", score.by_province)):
        rows = "".join(
            f"<tr><td>{html.escape(k)}<td>{n}<td>{e}<td>{_rate(e, n)}"
            for k, (n, e) in table.items()
        )
        parts.append(f"<h2>{heading}</h2><table><tr><th><th>n<th>exact<th>{rows}</table>")
    most = max(score.confusions.values(), default=1)
    rows = "".join(
        f'<tr style="background:rgba(220,60,40,{0.15 + 0.6 * c / most:.2f})">'
        f"<td>{html.escape(pair)}<td>{c}"
        for pair, c in score.confusions.items()
    )
    parts.append(f"<h2>Confusions</h2><table><tr><th>true -> read<th>{rows}</table>")
    parts.append("<h2>Worst cases</h2>")
    wrong = sorted((o for o in outcomes if not o.exact), key=lambda o: -o.confidence)
    for o in wrong[:WORST]:
        caption = f"{o.truth} read {o.text or 'nothing'} ({o.confidence:.2f}) {o.note}"
        pictures = _picture_tags(o.path, o.corners)
        parts.append(f"<figure>{pictures}<figcaption>{html.escape(caption)}</figcaption></figure>")
    path.write_text("\n".join(parts), "utf-8")
