"""`gatehouse register …`: the register as CSV and the QR codes of its units, through the hub's API."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from hub.cli import DEFAULT_URL, TokenFile, Url
from hub.register_csv import FILES
from wire.errors import InputError

register_app = typer.Typer(
    help="The register: sites, people on duty, units, residents, vehicles, passes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Kind = Annotated[str, typer.Argument(help=f"One of {', '.join(FILES)}.")]


@register_app.command("import")
def import_rows(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="A CSV file; its first line names the columns.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what is wrong; store nothing.")] = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Store the rows of a CSV file. Each row that cannot be used is named, and stops no other."""
    from hub.client import HubClient, read_token

    _check(kind)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"the file {file} cannot be read: {error.strerror}") from error
    client = HubClient(url, read_token(token_file))
    done = client.post_csv(_path(kind), content, dry_run=dry_run or None)
    for problem in done["problems"]:
        column = f"{problem['column']}: " if problem["column"] else ""
        typer.echo(f"{file}:{problem['row']}: {column}{problem['message']}", err=True)
    typer.echo(f"{kind}: {done['stored']} rows {'could be stored' if dry_run else 'stored'}")
    if done["problems"]:
        bad = len({problem["row"] for problem in done["problems"]})
        raise InputError(f"{bad} rows of {file} cannot be used; see above")


@register_app.command("export")
def export_rows(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="Where to write it; must not be there yet.")],
    purpose: Annotated[
        str | None,
        typer.Option(help="Why; needed for residents, vehicles and passes, and recorded."),
    ] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Write all rows of a kind as CSV, readable by you alone."""
    from hub.client import HubClient, read_token

    _check(kind)
    client = HubClient(url, read_token(token_file))
    _write(file, client.get_text(_path(kind), purpose=purpose))


@register_app.command("code-sheet")
def code_sheet(
    site: Annotated[str, typer.Argument(help="The site's id.")],
    file: Annotated[Path, typer.Argument(help="Where to write the page; must not be there yet.")],
    building: Annotated[str | None, typer.Option(help="Only the units of this building.")] = None,
    unit: Annotated[str | None, typer.Option(help="Only this unit.")] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Write a page to print, with the QR code of each unit, through which visitors register."""
    from hub.client import HubClient, read_token

    client = HubClient(url, read_token(token_file))
    path = "/units/all/code/sheet"
    _write(file, client.get_text(path, site=site, building=building, unit=unit))
    typer.echo(f"{file}: open it in a browser and print it")


@register_app.command("rotate-code")
def rotate_code(
    site: Annotated[str, typer.Argument(help="The site's id.")],
    unit: Annotated[str, typer.Argument(help="The unit's id.")],
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Give a unit a new QR code; all that were printed before stop working at once."""
    from hub.client import HubClient, read_token

    client = HubClient(url, read_token(token_file))
    typer.echo(client.post(f"/units/{quote(f'{site}:{unit}')}/code/rotate")["url"])


def _write(file: Path, text: str) -> None:
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"the file {file} cannot be written: {error.strerror}") from error


def _check(kind: str) -> None:
    if kind not in FILES:
        raise InputError(f"{kind!r} is no kind of row: say one of {', '.join(FILES)}")


def _path(kind: str) -> str:
    return "/passes/all/csv" if kind == "passes" else f"/register/{kind}/all/csv"
