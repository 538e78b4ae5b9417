"""``gatehouse eval faces``: how well a face pack tells labelled people apart, and its calibration.

Only options, tables and files; the work is in `models.faces.evaluate`.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from models.faces.calibration import Calibration
from models.faces.evaluate import PADDING, FaceReport, calibrate, report
from models.faces.labelled import embed_folder, labelled_faces
from models.faces.load import DEFAULT_PACK, load_face_pack
from models.faces.plain import embed_plainly
from models.faces.rates import Rate
from wire.errors import InputError


def eval_faces(
    folder: Annotated[
        Path, typer.Argument(help="Sub-folders are the people, or a labels.csv of file,identity.")
    ],
    pack: Annotated[
        list[str] | None, typer.Option(help="A face pack; can be given more than once.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of each network.", min=1)] = 1,
    gallery: Annotated[
        int,
        typer.Option(help="People in the gallery that is searched: padded to it.", min=2),
    ] = 10_000,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here too, for programs.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the table as a page here (docs/faces-figures.md).")
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option("--calibrate", help="Write a calibration of the pack here, for the hub."),
    ] = None,
    fpir: Annotated[
        float,
        typer.Option(
            help="With --calibrate: of searches by people not enrolled, the share that may give a name.",
            min=1e-5,
            max=0.5,
        ),
    ] = 0.001,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain",
            help="Measure packs of InsightFace networks as `insightface` itself calls them, too.",
        ),
    ] = False,
) -> None:
    """Measure face packs on pictures whose people are known.

    [bold]Examples[/]

      gatehouse eval faces people/

      gatehouse eval faces people/ --pack buffalo_l --pack dlib-resnet --json faces.json

      gatehouse eval faces people/ --pack buffalo_l --calibrate buffalo_l.calibration.json --fpir 0.001
    """
    names = pack or [DEFAULT_PACK]
    if calibration is not None and len(names) > 1:
        raise InputError("--calibrate is for one pack: give --pack once")
    items = labelled_faces(folder)
    reports: list[FaceReport] = []
    figures: list[dict[str, Any]] = []
    console = Console(width=None if sys.stdout.isatty() else 160)
    for name in names:
        opened = load_face_pack(name, threads=threads)
        data = embed_folder(opened, items)
        reports.append(report(opened, data, gallery))
        figures.append(reports[-1].as_dict())
        if plain and (plainly := embed_plainly(name, items)) is not None:
            same = report(opened, plainly, gallery)
            reports.append(replace(same, pack=f"{name}, plain insightface"))
            figures[-1]["plain_insightface"] = same.as_dict()
        if calibration is not None:
            made = calibrate(opened, data, fpir, gallery, datetime.now(UTC))
            calibration.write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
            console.print(calibration_table(made))
    console.print(table_of(reports))
    if json_file is not None:
        content = figures[0] if len(figures) == 1 else {"packs": figures}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if write is not None:
        write.write_text(page_of(reports), encoding="utf-8")


def table_of(reports: list[FaceReport]) -> Table:
    """One column per pack."""
    table = Table("", *(one.pack for one in reports), box=None, pad_edge=False)
    for label, row in _ROWS:
        table.add_row(label, *(row(one) for one in reports))
    return table


def page_of(reports: list[FaceReport]) -> str:
    """The same as a page, with what a reader must know to judge the figures."""
    names = [", ".join(("`" + name + "`", *more)) for name, *more in _names(reports)]
    lines = [
        "# Face packs, measured",
        "",
        "Written by `gatehouse eval faces FOLDER --pack … --plain --write FILE`, never edited by hand (this",
        "release's by scripts/face_figures.py). Errors of so many comparisons, the rate, and in brackets its",
        "95 % interval (Wilson; without an error the rule of three). Comparisons share pictures, so that the",
        "intervals are a little too narrow. One picture is compared with one: a track, which fuses several,",
        "does better. *Plain insightface* is the same networks as `insightface.app.FaceAnalysis` calls them,",
        "with its defaults, searched at the same wanted FPIR.",
        "",
        f"The gallery is padded with {PADDING}.",
        f"Times are by the clock, on {os.cpu_count()} cores at a load of {os.getloadavg()[1]:.0f}.",
        "",
        f"| | {' | '.join(names)} |",
        "|---|" + "---|" * len(reports),
    ]
    lines += [
        f"| {label.strip()} | {' | '.join(row(one) for one in reports)} |" for label, row in _ROWS
    ]
    return "\n".join(lines) + "\n"


def _names(reports: list[FaceReport]) -> list[list[str]]:
    """The pack of each column, and how it was called where that was not ours."""
    return [one.pack.split(", ") for one in reports]


def calibration_table(made: Calibration) -> Table:
    """One line per size of gallery."""
    table = Table("people in the gallery", "threshold", "margin", box=None, pad_edge=False)
    for header in ("right name", "wrong name", "of these real people"):
        table.add_column(header)
    for step in made.steps:
        table.add_row(
            f"{step.people:,}",
            f"{step.threshold:.3f}",
            f"{made.margin:.3f}",
            f"{step.tpir:.1%} ({step.tpir_95[0]:.1%} to {step.tpir_95[1]:.1%})",
            f"{step.fpir:.2%} (at most {step.fpir_95[1]:.2%})",
            f"{step.real_named} of {step.real_searches}",
        )
    return table


def rate(value: Rate) -> str:
    """``3 of 267, 1.1 % (0.4 % to 3.3 %)``."""
    low, high = value.interval
    return f"{value.errors} of {value.n}, {value.value:.1%} ({low:.1%} to {high:.1%})"


def _ms(value: float) -> str:
    """A time; nothing where none was taken."""
    return f"{value:.1f}" if value else ""


_ROWS: Final[tuple[tuple[str, Callable[[FaceReport], str]], ...]] = (
    ("people / pictures", lambda r: f"{r.people} / {r.pictures}"),
    ("no face found", lambda r: rate(r.failure_to_acquire)),
    (
        "similarity of one person, mean (least)",
        lambda r: f"{r.genuine_mean:.2f} ({r.genuine_min:.2f})",
    ),
    ("of two people, mean (most)", lambda r: f"{r.impostor_mean:.2f} ({r.impostor_max:.2f})"),
    ("AUC", lambda r: f"{r.auc:.4f}"),
    ("FNMR at FMR 1e-3", lambda r: rate(r.fnmr_at_fmr_1e_3)),
    ("FNMR at FMR 1e-4", lambda r: rate(r.fnmr_at_fmr_1e_4)),
    (
        "for two pictures: the pack's threshold, margin",
        lambda r: f"{r.threshold:.2f}, {r.margin:.2f}",
    ),
    ("  strangers taken for each other (FMR)", lambda r: rate(r.fmr)),
    ("  one person not recognised (FNMR)", lambda r: rate(r.fnmr)),
    (
        "people in the gallery, of them modelled",
        lambda r: f"{r.identification.people:,}, {r.identification.modelled_people:,}",
    ),
    (
        "  threshold at FPIR 1 %",
        lambda r: f"{r.identification.threshold:.3f}",
    ),
    ("  right name (TPIR)", lambda r: rate(r.identification.tpir)),
    ("  real people not enrolled, named", lambda r: rate(r.identification.real_named)),
    ("detect, ms per picture", lambda r: _ms(r.detect_ms)),
    ("crop and embed, ms per face", lambda r: _ms(r.embed_ms)),
)
