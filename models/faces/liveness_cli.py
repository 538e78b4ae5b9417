"""``gatehouse eval liveness``: how many attacks a liveness pack misses, and how many people it offends.

Only options, the table and the file; the work is in `models.faces.presentations`.
"""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models.faces.cli import rate
from models.faces.liveness import LIVENESS_PACK, load_liveness_pack
from models.faces.liveness_types import SPOOF_BELOW
from models.faces.load import DEFAULT_PACK, load_face_pack
from models.faces.presentations import (
    LivenessReport,
    judge_pictures,
    live_pictures,
    presentations,
    report_of,
)


def eval_liveness(
    folder: Annotated[
        Path,
        typer.Argument(
            help="A labels.csv of file,kind (live, or a kind of attack); or sub-folders with these names;"
            " or files that end in _T (live) and _F (attack)."
        ),
    ],
    live: Annotated[
        list[Path] | None,
        typer.Option(help="More pictures of living faces, a folder; can be given more than once."),
    ] = None,
    pack: Annotated[str, typer.Option(help="The liveness pack.")] = LIVENESS_PACK,
    face_pack: Annotated[str, typer.Option(help="Whose detector finds the faces.")] = DEFAULT_PACK,
    threads: Annotated[int, typer.Option(help="Threads of each network.", min=1)] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here too, for programs.")
    ] = None,
) -> None:
    """Measure a liveness pack: APCER of each kind of attack, BPCER, with their intervals.

    [bold]Examples[/]

      gatehouse eval liveness presentations/ --json liveness.json

      gatehouse eval liveness presentations/ --live people/ --face-pack buffalo_l
    """
    items = [*presentations(folder), *(item for more in live or [] for item in live_pictures(more))]
    judge = load_liveness_pack(pack, threads=threads)
    detector = load_face_pack(face_pack, threads=threads).detector
    found = report_of(judge_pictures(items, detector, judge), judge)
    Console().print(_table(found))
    if json_file is not None:
        text = json.dumps(found.as_dict(), ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")


def _table(found: LivenessReport) -> Table:
    table = Table("", found.pack, box=None, pad_edge=False)
    for kind, missed in found.apcer.items():
        table.add_row(f"APCER, {kind}: attacks not seen as such", rate(missed))
    if not found.apcer:
        table.add_row("APCER", "no attacks among the pictures")
    table.add_row("BPCER: living faces taken for attacks", rate(found.bpcer))
    table.add_row(f"an attack is a score below {SPOOF_BELOW}; unsure", str(found.unsure))
    table.add_row("no face found", str(found.no_face))
    return table
