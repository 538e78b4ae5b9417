"""``gatehouse eval faces``: how well a face pack tells labelled people apart.

Only options, tables and files; the work is in `models.faces.evaluate`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from models.faces.evaluate import FaceReport, Rate, embed_folder, labelled_faces, report
from models.faces.load import DEFAULT_PACK, load_face_pack


def eval_faces(
    folder: Annotated[
        Path, typer.Argument(help="Sub-folders are the people, or a labels.csv of file,identity.")
    ],
    pack: Annotated[
        list[str] | None, typer.Option(help="A face pack; can be given more than once.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of each network.", min=1)] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here too, for programs.")
    ] = None,
) -> None:
    """Measure face packs on pictures whose people are known.

    [bold]Examples[/]

      gatehouse eval faces people/

      gatehouse eval faces people/ --pack buffalo_l --pack dlib-resnet --json faces.json
    """
    items = labelled_faces(folder)
    reports = []
    for name in pack or [DEFAULT_PACK]:
        opened = load_face_pack(name, threads=threads)
        reports.append(report(opened, embed_folder(opened, items)))
    Console().print(table_of(reports))
    if json_file is not None:
        figures = [one.as_dict() for one in reports]
        content = figures[0] if len(figures) == 1 else {"packs": figures}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def table_of(reports: list[FaceReport]) -> Table:
    """One column per pack."""
    table = Table("", *(one.pack for one in reports), box=None, pad_edge=False)
    for label, row in _ROWS:
        table.add_row(label, *(row(one) for one in reports))
    return table


def rate(value: Rate) -> str:
    """``3 of 267 (at most 3.3 %)``."""
    return f"{value.errors} of {value.n} (at most {value.upper:.2%})"


_ROWS: Final[tuple[tuple[str, Callable[[FaceReport], str]], ...]] = (
    ("people / pictures", lambda r: f"{r.people} / {r.pictures}"),
    ("no face found", lambda r: rate(r.failure_to_acquire)),
    (
        "similarity of one person, mean (least)",
        lambda r: f"{r.genuine_mean:.2f} ({r.genuine_min:.2f})",
    ),
    ("of two people, mean (most)", lambda r: f"{r.impostor_mean:.2f} ({r.impostor_max:.2f})"),
    ("AUC", lambda r: f"{r.auc:.4f}"),
    ("threshold", lambda r: f"{r.threshold:.2f}"),
    ("strangers taken for each other (FMR)", lambda r: rate(r.fmr)),
    ("one person not recognised (FNMR)", lambda r: rate(r.fnmr)),
    ("FNMR at FMR 1e-3", lambda r: f"{r.fnmr_at_fmr_1e_3:.1%}"),
    ("pictures named wrongly or not at all", lambda r: rate(r.misnamed)),
    ("detect, ms per picture", lambda r: f"{r.detect_ms:.1f}"),
    ("crop and embed, ms per face", lambda r: f"{r.embed_ms:.1f}"),
)
