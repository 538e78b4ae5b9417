"""The `gatehouse` command: composes the command groups of the packages.

Every failure that a person can mend is one message and the exit code of its kind; a traceback means
a fault of ours.
"""

import sys

import typer
from rich.console import Console

from wire.errors import GatehouseError

__version__ = "0.1.0"

app = typer.Typer(
    name="gatehouse",
    help="Open-source security for residential communities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Open-source security for residential communities (智慧安防小区)."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"gatehouse {__version__}")


def main() -> None:
    """Run the command line; turn our errors into one message and their exit code."""
    try:
        app()
    except GatehouseError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]error:[/] {error}", soft_wrap=True)
        sys.exit(int(error.exit_code))
