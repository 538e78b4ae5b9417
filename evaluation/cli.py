"""``gatehouse eval video``: who of a gallery is named in a clip, when and how often.

Only options, the table and the file; the work is in the modules beside.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge.config import FACE_MEMORY_S, ModelsSection
from edge.networks import load_networks
from evaluation.named import Outcome, answers_of, as_dict, outcome_of
from evaluation.people import enrol_folder
from evaluation.play import play
from models.faces.load import DEFAULT_PACK
from wire.errors import InputError


def eval_video(
    clip: Annotated[Path, typer.Argument(help="A video file.")],
    gallery: Annotated[
        Path,
        typer.Option(
            help="Who is listed: sub-folders are the people; or a labels.csv of file,identity; or"
            " pictures named after the person."
        ),
    ],
    pack: Annotated[str, typer.Option(help="The face pack.")] = DEFAULT_PACK,
    calibration: Annotated[
        Path | None,
        typer.Option(help="A calibration of the site's own, see `gatehouse eval faces`."),
    ] = None,
    size: Annotated[
        int,
        typer.Option(help="Decide as in a gallery of so many people, if it is larger.", min=1),
    ] = 1,
    passage_gap: Annotated[
        float,
        typer.Option(
            help="Seconds out of sight after which a person's next passage begins: usually as many"
            " as a camera remembers a face.",
            min=0,
        ),
    ] = FACE_MEMORY_S,
    analysis_fps: Annotated[
        float, typer.Option(help="Frames analysed per second of the clip.", min=0.1, max=60)
    ] = 5.0,
    min_face_px: Annotated[
        int, typer.Option(help="Smaller faces are not recognised.", min=12, max=1000)
    ] = 40,
    threads: Annotated[int, typer.Option(help="Threads of each network.", min=1)] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the answer here too, for programs.")
    ] = None,
) -> None:
    """Play a clip through the edge and the hub's decision, and list who was named.

    The clip runs through the worker as a camera does, as fast as it can be analysed; each face that the
    edge tells of is identified as the hub does it. The same clip and gallery give the same answer. Nothing is
    sent, and nothing is kept.

    [bold]Examples[/]

      gatehouse eval video gate.mp4 --gallery people/

      gatehouse eval video gate.mp4 --gallery people/ --pack buffalo_l --json named.json
    """
    if not clip.is_file():
        raise InputError(f"{clip}: no such file")
    networks = load_networks(ModelsSection(face_pack=pack, plates=False, threads=threads))
    people = enrol_folder(gallery, networks.faces, calibration, size)
    camera = {"analysis_fps": analysis_fps, "min_face_px": min_face_px}
    playback = play(clip, networks, camera)
    outcome = outcome_of(answers_of(playback.faces, people.gallery, datetime.now(UTC)), passage_gap)
    console = Console()
    console.print(_table(outcome))
    console.print(
        f"{outcome.tracks} faces followed, {outcome.unknown_tracks} of them unknown;"
        f" {len(people.names)} people listed; threshold {people.gallery.acceptance.threshold:.3f},"
        f" margin {people.gallery.acceptance.margin:.3f} ({escape(pack)});"
        f" {playback.frames} frames in {playback.wall_s:.1f} s"
    )
    for path in people.unused:
        console.print(f"[yellow]no face was found in {escape(path)}[/]")
    if json_file is not None:
        answer = {
            "clip": str(clip),
            "pack": pack,
            "pack_sha256": people.gallery.pack_sha256,
            "threshold": people.gallery.acceptance.threshold,
            "margin": people.gallery.acceptance.margin,
            "gallery": {
                "people": len(people.names),
                "templates": people.templates,
                "unused": list(people.unused),
            },
            **as_dict(outcome, people.names),
            "frames": playback.frames,
        }
        text = json.dumps(answer, ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")


def _table(outcome: Outcome) -> Table:
    table = Table("who", "from", "to", "similarity", "lead", "quality", "tracks", box=None)
    for passage in outcome.passages:
        table.add_row(
            escape(passage.name),
            f"{passage.first_s:.1f} s",
            f"{passage.last_s:.1f} s",
            f"{passage.similarity:.2f}",
            f"{passage.margin:.2f}",
            f"{passage.quality:.2f}",
            str(passage.tracks),
        )
    if not outcome.passages:
        table.add_row("nobody", *[""] * 6)
    return table
