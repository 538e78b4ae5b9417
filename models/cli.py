"""``gatehouse models``: list, pull, verify, import and export packs.

Tables are for people, on standard output; ``--json`` is for programs. Failures are raised as
`GatehouseError` and printed once, by the command line that mounts `models_app`.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as ProgressBar
from rich.table import Table

from models.packs import PackStatus, PackStore
from models.registry import Pack
from wire.errors import ModelError

if TYPE_CHECKING:
    from models.download import Progress

# What is heavy (OpenCV, httpx) is imported by the command that needs it: every `gatehouse` command imports
# this module.

models_app = typer.Typer(
    name="models",
    help="The networks: which there are, which are installed, and getting them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Trust = Annotated[
    list[str] | None,
    typer.Option(
        help="SHA-256 of a file that this release does not know, after you have compared it with what"
        " the publisher states. Can be given more than once.",
        metavar="SHA256",
    ),
]

_STATE_STYLE = {"ready": "green", "missing": "dim", "damaged": "bold red"}


@models_app.command("list")
def list_packs(as_json: Json = False) -> None:
    """Show all packs: what each is for, its licence, whether it is installed.

    [bold]Examples[/]

      gatehouse models list

      gatehouse models list --json
    """
    store = PackStore()
    statuses = [store.status(pack) for pack in store.all()]
    if as_json:
        typer.echo(
            json.dumps([_as_dict(status) for status in statuses], ensure_ascii=False, indent=1)
        )
        return
    table = Table(
        "pack", "for", "state", "commercial use", "MB", "what it is", box=None, pad_edge=False
    )
    for status in statuses:
        pack = status.pack
        table.add_row(
            f"[bold]{escape(pack.name)}[/]",
            pack.kind,
            f"[{_STATE_STYLE[status.state]}]{status.state}[/]",
            "yes" if pack.commercial else "[yellow]no[/]",
            f"{pack.size_bytes / 1e6:.0f}" if pack.size_bytes else "",
            escape(pack.title),
        )
    console = Console()
    console.print(table)
    console.print(
        "\nTo get one: [bold]gatehouse models pull NAME[/]; licences: --json and docs/models.md"
    )


@models_app.command("pull")
def pull_packs(
    names: Annotated[list[str], typer.Argument(help="Packs to download.", metavar="NAME...")],
    trust: Trust = None,
) -> None:
    """Download packs, check their hashes and install them.

    A download that broke goes on where it stopped: run the same command again.

    [bold]Examples[/]

      gatehouse models pull buffalo_l

      gatehouse models pull open-mbf buffalo_sc
    """
    import httpx

    from models.download import Downloader
    from models.install import pull

    store = PackStore()
    console = Console(stderr=True)
    with httpx.Client(timeout=httpx.Timeout(30.0), headers={"User-Agent": "gatehouse"}) as client:
        for name in names:
            _say_licence(console, store.pack(name))
            with _progress_bar(console) as told:
                pull(store, name, Downloader(client), trust=_hashes(trust), on_progress=told)
            console.print(f"[green]{escape(name)}[/] is installed and verified")


@models_app.command("verify")
def verify_packs(
    names: Annotated[
        list[str] | None, typer.Argument(help="Packs to check; all that are installed if none.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read every file of the packs and compare its SHA-256. Ends with 4 when one is damaged.

    [bold]Examples[/]

      gatehouse models verify

      gatehouse models verify buffalo_l --json
    """
    store = PackStore()
    statuses = [store.status(pack) for pack in (map(store.pack, names) if names else store.all())]
    if not names:
        statuses = [status for status in statuses if status.state != "missing"]
    if as_json:
        typer.echo(
            json.dumps([_as_dict(status) for status in statuses], ensure_ascii=False, indent=1)
        )
    else:
        table = Table("pack", "state", box=None, pad_edge=False)
        table.add_column("where, or what is wrong", overflow="fold")
        for status in statuses:
            style = _STATE_STYLE[status.state]
            table.add_row(status.pack.name, f"[{style}]{status.state}[/]", escape(status.detail))
        Console().print(table)
    if bad := [status for status in statuses if status.state != "ready"]:
        raise ModelError("; ".join(f"{status.pack.name}: {status.detail}" for status in bad))


@models_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A folder, a zip, or one file.", metavar="SOURCE")],
    pack: Annotated[
        str | None,
        typer.Option(
            "--pack",
            help="Only this pack; needed where this release does not know its hash.",
            metavar="NAME",
        ),
    ] = None,
    trust: Trust = None,
) -> None:
    """Install packs from a folder or zip, for machines with no internet.

    Files are known by their SHA-256, not by their names; the publishers' zips can be given as they are.

    [bold]Examples[/]

      gatehouse models import /media/usb

      gatehouse models import buffalo_l.zip

      gatehouse models import yolo11n.onnx --pack yolo11n --trust 1f2e…
    """
    from models.export import import_yolo
    from models.install import import_packs

    store = PackStore()
    console = Console(stderr=True)
    if pack is not None and source.suffix == ".onnx" and _is_object_pack(store, pack):
        import_yolo(store, source, pack, trust=_hashes(trust))
        console.print(f"[green]{escape(pack)}[/]: installed and verified")
        return
    report = import_packs(
        store,
        source,
        only=pack,
        trust=_hashes(trust),
        told=lambda line: console.print(escape(line)),
    )
    for name, lacking in report.incomplete:
        console.print(f"[yellow]{name}[/]: not installed, {', '.join(lacking)} was not there")


@models_app.command("export")
def export(
    weights: Annotated[
        str, typer.Argument(help="A .pt of ultralytics, yours or theirs.", metavar="WEIGHTS")
    ],
    imgsz: Annotated[int, typer.Option(help="Side of the network's input, px.")] = 640,
    name: Annotated[
        str | None, typer.Option(help="Name of the pack.", show_default="the file's")
    ] = None,
) -> None:
    """Make an object pack of a YOLO, through ultralytics (pip install 'gatehouse[train]').

    A .pt is a pickle and can run code when it is opened: use ultralytics' own, or yours.

    [bold]Examples[/]

      gatehouse models export yolo11n.pt

      gatehouse models export yolo11n.pt --imgsz 320 --name yolo11n-small
    """
    from models.export import export_yolo

    installed = export_yolo(PackStore(), weights, imgsz=imgsz, name=name)
    file = installed.files[0]
    Console(stderr=True).print(
        f"[green]{escape(installed.pack.name)}[/] is installed: {file.path} (SHA-256 {file.sha256})"
    )


def _as_dict(status: PackStatus) -> dict[str, Any]:
    pack = status.pack
    return {
        "name": pack.name,
        "kind": pack.kind,
        "state": status.state,
        "detail": status.detail,
        "command": pack.command,
        **pack.model_dump(
            mode="json",
            exclude_none=True,
            include={
                "title",
                "source",
                "licence",
                "commercial",
                "note",
                "hash_source",
                "face",
                "files",
            },
        ),
    }


def _is_object_pack(store: PackStore, name: str) -> bool:
    known = store.registry.get(name)
    return known is None or known.kind == "object"


def _hashes(trust: list[str] | None) -> frozenset[str]:
    return frozenset(value.strip().lower() for value in trust or ())


def _say_licence(console: Console, pack: Pack) -> None:
    use = "commercial use allowed" if pack.commercial else "[yellow]no commercial use[/]"
    console.print(
        f"{escape(pack.name)}: {escape(pack.title)}. Licence: {escape(pack.licence)} ({use})"
    )


class _progress_bar:  # noqa: N801 - used as a function
    """A context whose value takes `Progress` and draws it."""

    def __init__(self, console: Console) -> None:
        self._bar = ProgressBar(
            "{task.description}",
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "_progress_bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, progress: "Progress") -> None:
        if progress.name not in self._tasks:
            self._tasks[progress.name] = self._bar.add_task(escape(progress.name))
        self._bar.update(
            self._tasks[progress.name], completed=progress.done_bytes, total=progress.total_bytes
        )
