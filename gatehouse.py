"""The `gatehouse` command: composes the command groups of the packages.

Every failure that a person can mend is one message and the exit code of its kind (docs/cli.md); a
traceback means a fault of ours.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wire.errors import GatehouseError, InputError

__version__ = "0.1.0"

app = typer.Typer(
    name="gatehouse",
    help="Open-source security for residential communities (智慧安防小区).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
eval_app = typer.Typer(
    name="eval", help="Measure recognition on labelled pictures.", no_args_is_help=True
)
train_app = typer.Typer(
    name="train", help="Repeat how networks of the repository were trained.", no_args_is_help=True
)


_OURS = frozenset({"wire", "models", "edge", "hub", "demo", "evaluation"})


def _mount(module: str, name: str, extra: str, *, command: str, group: typer.Typer = app) -> Any:
    """Add a command or a group, and return it; where its packages are not installed, one that says how to
    get them, and None."""
    try:
        part = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if "." in missing and missing.partition(".")[0] in _OURS:
            raise

        @group.command(
            command,
            help=f"Not installed here: needs gatehouse[{extra}].",
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        )
        def absent() -> None:
            raise InputError(
                f"`gatehouse {command}` needs the package {missing}:"
                f" install it with pip install 'gatehouse[{extra}]'"
                + (" (a checkout: make setup)" if missing in _OURS else "")
            )

        return None
    if isinstance(part, typer.Typer):
        group.add_typer(part, name=command)
    else:
        group.command(command)(part)
    return part


@app.callback()
def _root() -> None:
    """Open-source security for residential communities (智慧安防小区)."""


_mount("demo.run", "demo", "edge,hub", command="demo")
_mount("edge.cli", "edge_app", "edge", command="edge")
_mount("hub.cli", "hub_app", "hub", command="hub")
_mount("hub.enrol_cli", "enrol_app", "hub", command="enrol")
_mount("hub.cli", "watch_app", "hub", command="watch")
_mount("hub.rules_cli", "rule_app", "hub", command="rule")
_mount("hub.evidence_cli", "evidence_app", "hub", command="evidence")
_mount("hub.register_cli", "register_app", "hub", command="register")
models_app = _mount("models.cli", "models_app", "edge", command="models")
_mount("models.plates.cli", "train_plates", "edge", command="plates", group=train_app)
if models_app is not None:
    models_app.add_typer(train_app, name="train")
_mount("models.plates.cli", "eval_plates", "edge", command="plates", group=eval_app)
_mount("models.faces.cli", "eval_faces", "edge", command="faces", group=eval_app)
_mount("models.faces.liveness_cli", "eval_liveness", "edge", command="liveness", group=eval_app)
_mount("edge.evaluation.cli", "eval_behaviours", "edge", command="behaviours", group=eval_app)
_mount("evaluation.cli", "eval_video", "edge,hub", command="video", group=eval_app)
app.add_typer(eval_app, name="eval")


@app.command()
def bench(
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="decoding, networks, behaviours, pipeline, hub, rules or gallery; may be repeated."
        ),
    ] = None,
    pack: Annotated[
        str, typer.Option(help="The face pack that the pipeline runs with.")
    ] = "dlib-resnet",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the figures here, for programs.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Write the page here (docs/benchmarks.md).")
    ] = None,
) -> None:
    """Measure this machine: decoding, networks, the pipeline with 1 to 8 cameras, hub, rules, gallery.

    Needs a checkout of the repository: the benchmarks are in tests/bench.
    """
    root = Path(__file__).resolve().parent
    if not (root / "tests" / "bench").is_dir():
        raise InputError("`gatehouse bench` needs a checkout of the repository: see README.md")
    sys.path.insert(0, str(root))
    suite = importlib.import_module("tests.bench.suite")
    rows, context = suite.run(only, pack, say=Console(stderr=True).print)
    table = Table("group", "what", "figure", "against", "ratio", box=None, pad_edge=False)
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.group, row.name, f"{row.value:.4g} {row.unit}", row.against, ratio)
    Console().print(table)
    if json_file is not None:
        text = json.dumps(suite.as_json(rows, context), ensure_ascii=False, indent=1)
        json_file.write_text(text + "\n", encoding="utf-8")
    if write is not None:
        write.write_text(suite.as_markdown(rows, context), encoding="utf-8")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"gatehouse {__version__}")


def main() -> None:
    """Run the command line; turn our errors into one message and their exit code."""
    try:
        app()
    except GatehouseError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(str(error))}"
        )
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
