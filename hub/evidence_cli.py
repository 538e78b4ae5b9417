"""`gatehouse evidence verify` checks an exported case, offline; `evidence export` gets one from the hub."""

import zipfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.case import checked_key, verify_case
from wire.errors import InputError

evidence_app = typer.Typer(
    help="Cases: what is behind an alert, to hand over and to verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_LARGEST_BYTES = 1 << 30


@evidence_app.command()
def verify(
    case: Annotated[Path, typer.Argument(help="The ZIP file, or the folder it was unpacked to.")],
    hub_key: Annotated[
        str | None,
        typer.Option(help="The hub's verify_key, as `gatehouse hub check` prints it."),
    ] = None,
) -> None:
    """Verify an exported case: every file, hash and signature. Needs neither hub nor network.

    Ends with 9 when anything is wrong, and names each file. Without --hub-key it shows that the case
    is whole and whose key signed it; that this is the community's hub, only the key can tell.
    """
    verdict = verify_case(_files(case), checked_key(hub_key) if hub_key else None)
    if verdict.broken:
        lines = "\n".join(f"  {finding.path}: {finding.problem}" for finding in verdict.broken)
        raise InputError(f"{case} does not verify:\n{lines}")
    assert verdict.manifest is not None
    table = Table("file", "vouched for by", box=None, pad_edge=False)
    for finding in verdict.findings:
        table.add_row(finding.path, finding.vouched_by)
    Console(highlight=False).print(table)
    known = "the key that was given" if hub_key else f"key {verdict.manifest.hub_key}"
    typer.echo(f"{case}: whole; alert {verdict.manifest.alert_id}, signed by the hub with {known}")


@evidence_app.command()
def export(
    alert_id: Annotated[str, typer.Argument(help="The alert's id.")],
    purpose: Annotated[str, typer.Option(help="What it is for; goes into the audit log.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ZIP file to write.")],
    url: Annotated[
        str, typer.Option("--url", envvar="GATEHOUSE_URL", help="Where the hub's API is.")
    ] = "http://127.0.0.1:8080",
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the API token; else GATEHOUSE_TOKEN is used.")
    ] = None,
) -> None:
    """Export an alert as a case: observations, pictures, clip, keys and a signed manifest."""
    from hub.client import HubClient, read_token

    client = HubClient(url, read_token(token_file))
    data = client.download(f"/alerts/{alert_id}/export", purpose=purpose)
    try:
        output.write_bytes(data)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}") from error
    typer.echo(f"{output}: {len(data)} bytes")


def _files(case: Path) -> dict[str, bytes]:
    """Every file of a case by its path. InputError when it cannot be read at all."""
    try:
        if case.is_dir():
            found = (path for path in sorted(case.rglob("*")) if path.is_file())
            return {path.relative_to(case).as_posix(): path.read_bytes() for path in found}
        with zipfile.ZipFile(case) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            if sum(info.file_size for info in infos) > _LARGEST_BYTES:
                raise InputError(f"{case} is larger than any case")
            return {info.filename: archive.read(info) for info in infos}
    except OSError as error:
        raise InputError(f"{case} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{case} does not verify: {error}") from error
