"""`gatehouse edge run` and `gatehouse edge check`."""

import logging
import resource
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from edge.config import EdgeConfig, load_config
from wire.errors import BrokerError, SourceError

if TYPE_CHECKING:  # the worker brings the networks' run time, which --help does without
    from edge.access_desk import AccessCounts
    from edge.counters import Counters

edge_app = typer.Typer(
    name="edge",
    help="The gateway box: cameras -> faces and plates -> observations -> hub.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", help="The edge's TOML file; see configs/edge.toml.")
]


@edge_app.command()
def run(
    config: ConfigOption = Path("edge.toml"),
    drain_timeout: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds to wait, once files have been played, for the hub to take all.",
        ),
    ] = 30.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each observation.")] = False,
) -> None:
    """Watch the cameras until stopped, or until every file has been played.

    Without a broker it keeps working: observations wait on disk and are sent once it is there. Ends with
    5 when no source could be read, with 6 when observations still wait.
    """
    from edge.worker import Parts
    from edge.worker import run as run_worker

    _log_to_stderr(verbose=verbose)
    _no_core_dumps()
    settings = load_config(config)
    parts = Parts(stop=_stop_on_signals())
    report = run_worker(settings, parts, drain_timeout_s=drain_timeout)
    typer.echo(_summary(parts.counters, report.wall_s))
    if report.access is not None:
        typer.echo(_released(report.access))
    if len(report.unreadable) == len(settings.cameras):
        reasons = "\n".join(f"  {camera}: {why}" for camera, why in report.unreadable.items())
        raise SourceError(f"no source could be read:\n{reasons}")
    if report.waiting and not report.stopped:
        broker = f"{settings.broker.host}:{settings.broker.port}"
        raise BrokerError(
            f"{report.waiting} observations wait in the outbox: the hub behind broker {broker} has not"
            " taken them; they are sent when the edge runs again"
        )


@edge_app.command()
def check(
    config: ConfigOption = Path("edge.toml"),
    draw: Annotated[
        Path | None,
        typer.Option(
            help="A folder: a picture of each camera goes there, with its zones, lines, privacy zones"
            " and least sizes drawn on it. It shows the people who are in it: delete it after use."
        ),
    ] = None,
) -> None:
    """Try everything that the file names: cameras, networks, broker; say what to tell the hub.

    Ends with 3 for the file, 4 for a network, 5 for a camera, 6 for the broker: the first that failed.
    """
    from edge.check import check_all

    settings: EdgeConfig = load_config(config)
    check_all(settings, Console(), draw)


def _summary(counters: "Counters", wall_s: float) -> str:
    names = ("analysed", "dropped", "corrupt", "observations")
    analysed, dropped, damaged, observations = (int(counters.total(name)) for name in names)
    return (
        f"{analysed} frames analysed in {wall_s:.0f} s, {dropped} dropped, {damaged} damaged;"
        f" {observations} observations"
    )


def _released(access: "AccessCounts") -> str:
    line = (
        f"{access.granted} plates let in, {access.refused} refused, {access.failed} failed releases"
    )
    if not access.release_ms:
        return line
    ordered = sorted(access.release_ms)
    return f"{line}; released {ordered[len(ordered) // 2]:.0f} ms after the reading (median)"


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _log_to_stderr(*, verbose: bool) -> None:
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )


def _no_core_dumps() -> None:
    """A core dump would write the faces in memory to the disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
