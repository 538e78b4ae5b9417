"""`gatehouse enrol add|import|status`: people, from photos, through the hub's API.

What a command needs is imported in the command: the command line must start without database and networks.
"""

import itertools
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.cli import DEFAULT_URL, Basis, Days, Reference, TokenFile, Url
from wire.errors import HubError, InputError

if TYPE_CHECKING:
    from hub.client import HubClient
    from hub.enrol_import import Outcome
    from hub.enrol_rows import Row

enrol_app = typer.Typer(
    help="Enrol people from photos, which are not kept.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Purpose = Annotated[str, typer.Option(help="What the person is enrolled for.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write a report here, for programs.")]
_PEOPLE = "people.csv"
_SHOWN = 20


@enrol_app.command()
def add(
    label: Annotated[str, typer.Argument(help="The name that a guard is shown.")],
    photos: Annotated[list[Path], typer.Argument(help="Photos, each with one face.")],
    purpose: Purpose,
    basis: Basis,
    reference: Reference,
    days: Days = 30,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Enrol a person; prints the subject's id for `watch add face`."""
    from hub.enrol_rows import MOST_PHOTOS

    if len(photos) > MOST_PHOTOS:
        raise InputError(f"at most {MOST_PHOTOS} photos")
    fields = {"label": label, "purpose": purpose, "basis": basis, "reference": reference}
    fields["expires_at"] = _until(days)
    contents = [(photo.name, _read(photo)) for photo in photos]
    subject = _client(url, token_file).post_form("/subjects", fields, contents)
    for photo, template in zip(photos, subject["templates"], strict=True):
        typer.echo(_verdict(photo.name, template["quality"], template["advice"]), err=True)
    typer.echo(subject["id"])


@enrol_app.command("import")
def import_people(
    source: Annotated[
        Path,
        typer.Argument(
            help=f"A CSV file with photos beside it, or a folder: with {_PEOPLE}, or one sub-folder a person."
        ),
    ],
    purpose: Annotated[str | None, typer.Option(help="For rows that do not say.")] = None,
    basis: Annotated[str | None, typer.Option(help="For rows that do not say.")] = None,
    reference: Annotated[str | None, typer.Option(help="For rows that do not say.")] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="Their end, for rows that do not say.")
    ] = None,
    consent_text: Annotated[
        str | None,
        typer.Option(help="The version of the text consented to, for rows that do not say."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what would become of each row; store nothing."),
    ] = False,
    refused: Annotated[
        Path | None,
        typer.Option(help="Where to write the rows that were refused; else beside the source."),
    ] = None,
    json_file: JsonFile = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Enrol everybody in a folder. A row that is refused is named with what to do, and stops no other.

    Columns: external_id and label; purpose, basis, reference, expires_at; consent_text, consent_given_at,
    under_14, guardian; photos (names with ; between them). Run it again to go on where it was cut short: who
    is enrolled is skipped, who has templates of another face pack is enrolled anew.
    """
    from hub.enrol_import import Importer
    from hub.enrol_rows import refused_csv

    given = {
        "purpose": purpose, "basis": basis, "reference": reference, "consent_text": consent_text,
        "expires_at": None if days is None else _until(days),
    }  # fmt: skip
    rows, folder = _rows(source, {name: text for name, text in given.items() if text})
    mend = _mend_file(folder, refused)
    importer = Importer.of(_client(url, token_file), folder, dry_run=dry_run)
    done: list[Outcome] = []
    failure = _import(importer, rows, done)
    left = [(row, o) for row, o in zip(rows, done, strict=False) if o.what == "refused"]
    if left and (refused or not dry_run):
        _write(mend, refused_csv((row.cells, outcome.problem) for row, outcome in left))
    if json_file is not None:
        _write(
            json_file,
            json.dumps(_report(done, dry_run=dry_run), ensure_ascii=False, indent=1) + "\n",
        )
    counts = Counter(str(outcome.what) for outcome in done)
    typer.echo(_summary(counts, dry_run=dry_run))
    if failure is not None:
        raise HubError(
            f"{failure}; {len(done)} of {len(rows)} rows are done: run the same command again to go on"
        ) from failure
    if left:
        how = "mend them" if dry_run and not refused else f"mend them in {mend} and import that"
        raise InputError(f"{len(left)} of {len(rows)} rows were refused: {how}")


@enrol_app.command()
def status(
    json_file: JsonFile = None, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Say how many are enrolled, with which face pack, and who has to be enrolled anew."""
    client = _client(url, token_file)
    found = client.get("/subjects/status")
    outdated = list(client.pages("/subjects", outdated=True)) if found["outdated"] else []
    if json_file is not None:
        _write(json_file, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    typer.echo(f"the hub's face pack: {found['pack'] or 'none'}")
    typer.echo(f"enrolled: {found['subjects']}")
    table = Table("face pack", "people", "templates", "", box=None, pad_edge=False)
    for pack in found["packs"]:
        mine = pack["pack_sha256"] == found["pack_sha256"]
        counts = (str(pack["subjects"]), str(pack["templates"]))
        table.add_row(pack["pack"], *counts, "" if mine else "not compared with")
    if found["packs"]:
        Console(highlight=False).print(table)
    if not outdated:
        return
    typer.echo(f"to be enrolled anew: {len(outdated)}; nobody finds them until then:")
    for subject in outdated[:_SHOWN]:
        typer.echo(f"  {subject['external_id'] or subject['id']} {subject['label']}")
    if len(outdated) > _SHOWN:
        typer.echo(f"  and {len(outdated) - _SHOWN} more")
    typer.echo(
        "next: gatehouse enrol import FOLDER, with the same external_id and with photos: they get new"
        " templates, and keep purpose, basis, end and watchlist entries; who has no external_id: send photos"
        " to POST /subjects/ID/templates"
    )


def _mend_file(folder: Path, given: Path | None) -> Path:
    """Where refused rows go: a file that is not there yet, since somebody may be mending the last one."""
    if given is not None:
        if given.exists():
            raise InputError(f"--refused: there is a file {given} already")
        return given
    numbers = itertools.count(2)
    file = folder / "refused.csv"
    while file.exists():
        file = folder / f"refused-{next(numbers)}.csv"
    return file


def _rows(source: Path, said: dict[str, str]) -> "tuple[list[Row], Path]":
    """The rows, and the folder of their photos."""
    from hub.enrol_rows import rows_of_csv, rows_of_folders

    zone = datetime.now().astimezone().tzinfo or UTC
    file = source / _PEOPLE if source.is_dir() and (source / _PEOPLE).is_file() else source
    folder = file if file.is_dir() else file.parent
    if not file.exists():
        raise InputError(f"there is neither a file nor a folder {source}")
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    if file.is_dir():
        rows = rows_of_folders(files, said, zone)
        if not rows:
            raise InputError(f"{source} has neither a {_PEOPLE} nor a sub-folder with photos")
        return rows, folder
    return rows_of_csv(_read(file), files, said, zone), folder


def _import(importer: Any, rows: "Sequence[Row]", done: "list[Outcome]") -> HubError | None:
    """Take all rows, with a progress bar; what stopped it, if anything did."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(rows))
        try:
            for outcome in importer.run(rows):
                done.append(outcome)
                progress.advance(task)
                for text in _lines(outcome):
                    progress.console.print(text)
        except HubError as error:
            return error
    return None


def _lines(outcome: "Outcome") -> list[str]:
    """What a person should read of a row: all but that everything is well."""
    who = (
        f"row {outcome.row} {outcome.external_id} {outcome.label}: {outcome.what.replace('_', ' ')}"
    )
    if outcome.problem:
        return [f"{who}: {outcome.problem}"]
    weak = [photo for photo in outcome.photos if photo.advice]
    return [f"{who}; {_verdict(p.name, p.quality, p.advice)}" for p in weak]


def _verdict(name: str, quality: float, advice: Sequence[str]) -> str:
    better = f"; better: {', '.join(advice)}" if advice else ""
    return f"{name}: quality {quality:.2f}{better}"


def _summary(counts: Counter[str], *, dry_run: bool) -> str:
    from hub.enrol_import import What

    parts = [f"{counts[what]} {what.replace('_', ' ')}" for what in What]
    return f"{'would be: ' if dry_run else ''}{', '.join(parts)}"


def _report(done: "Sequence[Outcome]", *, dry_run: bool) -> dict[str, Any]:
    from hub.enrol_import import What

    counts = Counter(outcome.what for outcome in done)
    return {
        "dry_run": dry_run,
        **{str(what): counts[what] for what in What},
        "rows": [outcome.as_dict() for outcome in done],
    }


def _write(file: Path, text: str) -> None:
    """Write a file that its owner alone may read: it is about people."""
    try:
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(f"the file {file} cannot be written: {error.strerror}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"the file {path} cannot be read: {error.strerror}") from error


def _until(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def _client(url: str, token_file: Path | None) -> "HubClient":
    from hub.client import HubClient, read_token

    return HubClient(url, read_token(token_file))
