"""The plate commands: ``gatehouse eval plates`` and ``gatehouse models train plates``.

Only parsing, printing and writing of files; the work is in ``evaluate`` and ``models.training``.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from models.plates.evaluate import Outcome, Score, frames_of, read_empty, read_folder, score
from models.plates.recogniser import PlateRecogniser
from models.plates.report import text_table, write_page


def _against(
    folder: Path, peers: Path, *, crops: bool, keep: Callable[[Path], bool]
) -> dict[str, Any]:
    """Other readers on the same pictures: by name, n and exact."""
    from models.plates.peers import load_finder, load_readers, read_photograph
    from models.plates.truth import load_labelled, read_picture

    readers = load_readers(peers)
    find = None if crops else load_finder(peers / "plate_detect.onnx")
    exact, n = [0] * len(readers), 0
    for item in load_labelled(folder):
        if not keep(item.path):
            continue
        picture = read_picture(item.path)
        n += len(item.plates)
        if picture is None:
            continue
        if find is None:
            texts = [[reader.read(picture, False)] for reader in readers]
        else:
            texts = read_photograph(picture, find, readers)
        for number, read in enumerate(texts):
            exact[number] += sum(truth in read for truth in item.plates)
    return {
        r.name: {"n": n, "exact": e, "exact_rate": e / max(1, n)}
        for r, e in zip(readers, exact, strict=True)
    }


def eval_plates(
    folder: Annotated[Path, typer.Argument(help="Labelled pictures: file name = plate.")],
    *,
    crops: Annotated[bool, typer.Option("--crops", help="The pictures are plate crops.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option("--page", help="Write a page of worst cases.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="A folder of other plate readers (ONNX).")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 1,
    empty: Annotated[
        bool, typer.Option("--empty", help="Pictures and videos without any plate: false reads.")
    ] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="Only pictures that our training never saw.")
    ] = False,
    every: Annotated[int, typer.Option("--every", min=1, help="With --empty: of a video.")] = 10,
) -> None:
    """Measure how well plates are read in a folder of labelled pictures."""
    recogniser = PlateRecogniser.load(threads)
    if empty:
        nothing = read_empty(recogniser, frames_of(folder, every)).as_json()
        typer.echo(json.dumps(nothing, ensure_ascii=False, indent=1))
        if json_file is not None:
            json_file.write_text(json.dumps(nothing, ensure_ascii=False, indent=1), "utf-8")
        return
    keep = _left_out(folder) if left_out else _every
    outcomes = read_folder(recogniser, folder, crops=crops, keep=keep)
    figures = score(outcomes, recogniser.calibration.threshold)
    typer.echo(text_table(folder.name, figures))
    others = _against(folder, against, crops=crops, keep=keep) if against else {}
    for name, other in others.items():
        typer.echo(f"  {name:32s} exact {other['exact']} of {other['n']}")
    _write(json_file, page, folder.name, figures, outcomes, others)


def _every(path: Path) -> bool:
    del path
    return True


def _left_out(folder: Path) -> Callable[[Path], bool]:
    from models.training.real import is_train

    return lambda path: not is_train(folder.name, path.name)


def _write(
    json_file: Path | None,
    page: Path | None,
    title: str,
    figures: Score,
    outcomes: list[Outcome],
    others: dict[str, Any],
) -> None:
    if json_file is not None:
        content = figures.as_json() | ({"against": others} if others else {})
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(content, ensure_ascii=False, indent=1), "utf-8")
    if page is not None:
        write_page(page, title, figures, outcomes)


def train_plates(
    part: Annotated[
        str, typer.Argument(help="detector, refiner, reader, two_rows, province, int8 or all")
    ] = "all",
    *,
    out: Annotated[Path, typer.Option("--out", help="Checkpoints and ONNX files.")] = Path(
        "data/plates"
    ),
    seed: Annotated[int, typer.Option("--seed")] = 0,
    shards: Annotated[int, typer.Option("--shards", help="Of 2,500 captures each.")] = 40,
    steps: Annotated[int, typer.Option("--steps", help="0: as the model cards say.")] = 0,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 2,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="Go on from what ships: refiner, reader, two_rows or province."
        ),
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only write a sheet of synthetic plates and scenes.")
    ] = False,
) -> None:
    """Repeat the training of the plate networks (needs torch; see docs/plates.md)."""
    from models.training.recipe import Recipe, run_recipe, write_previews

    out.mkdir(parents=True, exist_ok=True)
    if preview:
        for path in write_previews(out, seed):
            typer.echo(str(path))
        return
    recipe = Recipe(part, out, seed, shards, steps, threads, finish)
    for path in run_recipe(recipe, say=typer.echo):
        typer.echo(str(path))
