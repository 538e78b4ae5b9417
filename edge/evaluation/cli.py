"""``gatehouse eval behaviours``: how well each behaviour is told, and what is told on ordinary video.

In: how many scenarios, and clips in which nothing is to be told. Out: a table, JSON, and the figures of
docs/behaviours.md between their two marks. Only parsing, playing and writing; the counting is in
`edge.evaluation.behaviours`.
"""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Annotated, Final

import typer

from edge.evaluation.behaviours import Quiet, Score, SeenAt, evaluate, quiet
from edge.evaluation.places import ClipSection, load_places
from edge.evaluation.scenarios import SCENARIOS
from edge.evaluation.world import RATE_HZ
from edge.objects import ObjectNetwork, see_objects
from edge.sources import Picture, parse_source
from edge.timing import FramePicker
from models.objects import DEFAULT_PACK, load_object_detector
from wire.errors import InputError
from wire.messages import Behaviour

_BEGIN: Final = "<!-- measured by gatehouse eval behaviours -->"
_END: Final = "<!-- end of what was measured -->"


def eval_behaviours(
    clips: Annotated[
        list[Path] | None, typer.Argument(help="Videos in which nothing is to be told.")
    ] = None,
    *,
    scenarios: Annotated[
        int, typer.Option(min=1, help="Made scenarios of each kind, one a seed.")
    ] = 50,
    places: Annotated[
        Path | None,
        typer.Option(help="How the clips are set up: lines, forbidden directions, gates (TOML)."),
    ] = None,
    pack: Annotated[
        str, typer.Option(help="The object pack that looks at the clips.")
    ] = DEFAULT_PACK,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here, for programs.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the figures into this page (docs/behaviours.md).")
    ] = None,
) -> None:
    """Play made scenarios, and clips of ordinary life; count what is told and what should not be."""
    sections = load_places(places) if places is not None else {}
    network = load_object_detector(pack, threads=1) if clips else None
    with ProcessPoolExecutor() as pool:
        coming = pool.map(evaluate, SCENARIOS, repeat(range(scenarios)))
        watched = [
            quiet(
                clip.name,
                seen_in(clip, network),
                sections.get(clip.name, ClipSection(name=clip.name)),
            )
            for clip in clips or ()
            if network is not None
        ]
        scores = list(coming)
    table = as_table(scores, watched, pack)
    typer.echo(table)
    if json_file is not None:
        figures = {
            "pack": pack if watched else None,
            "scenarios": [asdict(score) for score in scores],
            "clips": [{**asdict(one), "judged": sorted(one.judged)} for one in watched],
        }
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if write is not None:
        _write_between_marks(write, table)


def seen_in(clip: Path, network: ObjectNetwork) -> list[SeenAt]:
    """What the network finds in the frames of a clip, at the rate of the scenarios."""
    picker, seen = FramePicker(RATE_HZ), []
    with parse_source(str(clip)).open() as stream:
        for picture in stream:
            if isinstance(picture, Picture) and picker.picks(picture.pts_s or 0.0):
                image = picture.pixels.bgr()
                size = image.shape[1], image.shape[0]
                seen.append((picture.pts_s or 0.0, size, see_objects(network, image)))
    return seen


def as_table(scores: Sequence[Score], watched: Sequence[Quiet], pack: str) -> str:
    """All figures as Markdown."""
    lines = [
        "| behaviour | told of those that show it | told of ordinary ones | told twice | precision"
        " | recall | false alarms on ordinary video |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| `{score.behaviour}` | {score.hits} of {score.shown} | {score.alarms} of {score.ordinary}"
        f" | {score.repeats} | {score.precision:.2f} | {score.recall:.2f}"
        f" | {_false_alarms(score.behaviour, watched)} |"
        for score in scores
    ]
    return "\n".join([*lines, *_clips(watched, pack)])


def _false_alarms(behaviour: Behaviour, watched: Sequence[Quiet]) -> str:
    """How often it was told in how long, and what it may be in an hour with 95 % confidence."""
    judged = [one for one in watched if behaviour in one.judged]
    hours = sum(one.hours for one in judged)
    alarms = sum(one.alarms[behaviour] for one in judged)
    if not hours:
        return ""
    per_hour = f"below {3 / hours:.0f} an hour" if not alarms else f"{alarms / hours:.0f} an hour"
    return f"{alarms} in {3600 * hours:.0f} s: {per_hour}"


def _clips(watched: Sequence[Quiet], pack: str) -> list[str]:
    """What ordinary video there was."""
    if not watched:
        return []
    lines = [
        "",
        f"Ordinary video: {len(watched)} clips, {3600 * sum(one.hours for one in watched):.0f} s in all,"
        f" seen by `{pack}` at {RATE_HZ:g} Hz. None in so long means"
        " below the figure given, with 95 % confidence.",
        "",
        "| clip | seconds | went over its lines | told |",
        "|---|---:|---:|---|",
    ]
    for one in watched:
        told = ", ".join(f"`{name}` {count}" for name, count in sorted(one.alarms.items()))
        lines.append(
            f"| {one.video} | {3600 * one.hours:.0f} | {one.crossed or ''} | {told or 'nothing'} |"
        )
    return lines


def _write_between_marks(page: Path, table: str) -> None:
    try:
        text = page.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{page} cannot be read: {error.strerror}") from error
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    if not pattern.search(text):
        raise InputError(f"{page} has no place for the figures: put {_BEGIN} and {_END} into it")
    text = pattern.sub(lambda _: f"{_BEGIN}\n\n{table}\n\n{_END}", text)
    page.write_text(text, encoding="utf-8")
