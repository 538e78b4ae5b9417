"""``gatehouse eval behaviours``: how well each behaviour is told, and what is told on ordinary video.

In: how many scenarios, and clips in which nothing is to be told. Out: a table, JSON, and the figures of
docs/behaviours.md between their two marks. Only parsing, playing and writing; the counting is in
`edge.evaluation.behaviours`.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from pydantic import TypeAdapter

from edge.behaviours import AnyBehaviour, BehaviourSettings
from edge.evaluation.behaviours import Quiet, Score, SeenAt, evaluate, quiet
from edge.evaluation.scenarios import SCENARIOS
from edge.evaluation.world import RATE_HZ
from edge.objects import ObjectNetwork, see_objects
from edge.sources import Picture, parse_source
from edge.timing import FramePicker
from models.objects import DEFAULT_PACK, load_object_detector
from wire.errors import InputError

_SETTINGS: Final[TypeAdapter[BehaviourSettings]] = TypeAdapter(AnyBehaviour)
#: On ordinary video: everything that needs neither a door's signal nor a direction in which nobody may go.
_QUIET: Final = (
    {"kind": "loitering", "zone": "zone"},
    {"kind": "crowding", "zone": "zone", "people": 20},
    {"kind": "vehicle_prowling"},
    {"kind": "blocked_lane", "zone": "zone"},
    {"kind": "ebike_indoors", "zone": "zone"},
)
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
    network = load_object_detector(pack, threads=1) if clips else None
    with ProcessPoolExecutor() as pool:
        coming = pool.map(evaluate, SCENARIOS, repeat(range(scenarios)))
        watched = [] if network is None else [_watch(clip, network) for clip in clips or ()]
        scores = list(coming)
    table = as_table(scores, watched, pack)
    typer.echo(table)
    if json_file is not None:
        figures = {
            "pack": pack if watched else None,
            "scenarios": [asdict(score) for score in scores],
            "clips": [asdict(one) for one in watched],
        }
        json_file.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if write is not None:
        _write_between_marks(write, table)


def _watch(clip: Path, network: ObjectNetwork) -> Quiet:
    settings = [_SETTINGS.validate_python(one) for one in _QUIET]
    return quiet(clip.name, seen_in(clip, network), settings)


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
    alarms: Counter[str] = Counter()
    for one in watched:
        alarms.update(cast("Counter[str]", one.alarms))
    hours = sum(one.hours for one in watched)
    judged = {cast(str, one["kind"]) for one in _QUIET} if watched else set()
    lines = [
        "| behaviour | told of those that show it | told of ordinary ones | told twice | precision"
        " | recall | false alarms on ordinary video |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for score in scores:
        false = f"{alarms[score.behaviour]} in {hours:.2f} h" if score.behaviour in judged else ""
        lines.append(
            f"| `{score.behaviour}` | {score.hits} of {score.shown} | {score.alarms} of {score.ordinary}"
            f" | {score.repeats} | {score.precision:.2f} | {score.recall:.2f} | {false} |"
        )
    if watched:
        most = 3 / hours if hours else 0.0
        lines += [
            "",
            f"Ordinary video: {len(watched)} clips, {hours:.2f} h in all, seen by `{pack}` at {RATE_HZ:g}"
            " Hz, each behaviour with its defaults (crowding: 20 people), its zone the whole picture."
            f" None in {hours:.2f} h means below {most:.0f} an hour, with 95 % confidence.",
        ]
    return "\n".join(lines)


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
