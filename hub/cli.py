"""The hub's commands: `hub serve|check|openapi|token`, and `watch` as a client of the API.

What a command needs is imported in the command: the command line must start without database and networks.
"""

import contextlib
import json
import logging
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from hub.access import Role, new_token, token_hash
from hub.watchlist import Category
from wire.errors import InputError

if TYPE_CHECKING:
    from hub.client import HubClient
    from hub.face_warnings import PackFacts
    from hub.store import Store

_PLAIN: dict[str, Any] = {"no_args_is_help": True, "pretty_exceptions_enable": False}
hub_app = typer.Typer(help="The hub: matches observations, raises alerts.", **_PLAIN)
token_app = typer.Typer(help="Who may use the API.", **_PLAIN)
watch_app = typer.Typer(help="Watchlists: who and what raises an alert.", **_PLAIN)
hub_app.add_typer(token_app, name="token")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The hub's TOML file.", dir_okay=False)
]
Url = Annotated[str, typer.Option("--url", envvar="GATEHOUSE_URL", help="Where the hub's API is.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="A file with the API token; else GATEHOUSE_TOKEN is used.", dir_okay=False),
]
DEFAULT_CONFIG = Path("hub.toml")
DEFAULT_URL = "http://127.0.0.1:8080"


def _say(line: str) -> None:
    typer.echo(line)


@hub_app.command()
def serve(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Run the hub. The first start makes its keys, prints an API token and the lines for edge.toml."""
    from hub.app import serve as run_hub
    from hub.config import load_config

    # A core dump would write the probe in hand, which may be of somebody unmatched, to a disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    run_hub(load_config(config), _say)


@hub_app.command()
def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Check the configuration, rules, networks, database and broker; print the lines for edge.toml."""
    from hub import app
    from hub.broker import check_broker
    from hub.config import load_config
    from hub.rules import load_rules
    from hub.store import open_store
    from hub.viid.desk import make_desk

    loaded = load_config(config)
    book = load_rules(loaded.rules_dir)
    app.check_rules(book, loaded.escalation)
    _say(f"configuration: {config}, {len(loaded.edges)} edges, {len(loaded.sinks)} sinks: ok")
    _say(f"rules: {len(book.rules)} in {loaded.rules_dir}: ok")
    faces = app.load_faces(loaded)
    _say(f"face pack: {loaded.models.face_pack}: ok" if faces else "face pack: none")
    keys = app.load_keys(loaded.data_dir)
    store = open_store(loaded.database_url)
    _say("database: ok")
    for warning in _face_warnings(faces.facts, store) if faces else ():
        _say(f"warning: {warning}")
    for route in app.make_sinks(loaded, store, app.evidence_files(loaded, keys)):
        _say(f"sink {route.sink.id}: {route.sink.kind}: ok")
    for line in (*app.allow_list_lines(store), *app.slice_lines(store)):
        _say(line)
    store.close()
    if loaded.visitors is not None:
        _say(f"visitors: {loaded.visitors.base_url}: ok")
    if loaded.viid is not None:
        peers = make_desk(loaded.viid, store, app.utc_now).section.peers
        _say(f"GA/T 1400: {len(peers)} peers may send dispositions: ok")
    check_broker(loaded.broker)
    _say(f"broker: {loaded.broker.host}:{loaded.broker.port}: ok")
    _say(f"for each edge.toml:\n{keys.edge_lines()}")


def _face_warnings(pack: "PackFacts", store: "Store") -> list[str]:
    """What to know of the face pack and of how many are enrolled."""
    from hub.face_warnings import notes_on, problems_of_size
    from hub.store import watchlists

    with store.read() as tx:
        enrolled = watchlists.count_subjects(tx)
    return [*notes_on(pack), *problems_of_size(pack, enrolled, enrolled)]


@hub_app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI description of the API."""
    from hub.api import openapi

    _say(json.dumps(openapi(), ensure_ascii=False, indent=1, sort_keys=True))


@token_app.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="Whose it is; shown beside what they do.")],
    role: Annotated[Role, typer.Option(help="What they may do.")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Make a token and print it, this once."""
    if not 1 <= len(name) <= 63 or not name.isprintable():
        raise InputError("the name must have 1 to 63 printable characters")
    from hub.store import access

    token = new_token()
    with _store(config) as store, store.write() as tx:
        added = access.add_token(tx, name, role, token_hash(token), datetime.now(UTC))
    if not added:
        raise InputError(f"there is, or was, a token of {name!r}: names are not used again")
    _say(token)


@token_app.command("list")
def list_tokens(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """List who has a token; the tokens themselves are not stored."""
    from hub.store import access

    with _store(config) as store, store.read() as tx:
        rows = access.list_tokens(tx)
    table = _table("name", "role", "made", "revoked")
    for row in rows:
        revoked = row["revoked_at"]
        table.add_row(row["name"], row["role"], _day(row["created_at"]), _day(revoked))
    _print(table)


@token_app.command("revoke")
def revoke_token(name: str, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Revoke a token, at once and for good."""
    from hub.store import access

    with _store(config) as store, store.write() as tx:
        revoked = access.revoke_token(tx, name, datetime.now(UTC))
    if not revoked:
        raise InputError(f"there is no valid token of {name!r}")
    _say(f"revoked: {name}")


@contextlib.contextmanager
def _store(config: Path) -> "Iterator[Store]":
    """The hub's database; the hub itself may be running."""
    from hub.config import load_config
    from hub.store import open_store

    store = open_store(load_config(config).database_url)
    try:
        yield store
    finally:
        store.close()


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


Days = Annotated[int, typer.Option(min=1, max=366, help="For how many days it is valid.")]
Basis = Annotated[str, typer.Option(help="The lawful basis, e.g. “public security case”.")]
Reference = Annotated[str, typer.Option(help="The document behind it, e.g. a case number.")]


def _until(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


@watch_app.command("add")
def add_entry(
    kind: Annotated[str, typer.Argument(help="plate or face")],
    target: Annotated[
        str, typer.Argument(help="The plate, or the subject's id that enrol printed.")
    ],
    category: Annotated[Category, typer.Option(help="Why: one of a closed list.")],
    basis: Basis,
    reference: Reference,
    label: Annotated[
        str | None, typer.Option(help="What a guard is shown; else the plate.")
    ] = None,
    days: Days = 30,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Request an entry and print its id. It does nothing until somebody else approves it."""
    client, name = _client(url, token_file), _list(kind)
    if label is None:
        label = target if name == "plates" else client.get(f"/subjects/{target}")["label"]
    wanted = {
        "plate" if name == "plates" else "subject_id": target,
        "label": label,
        "category": category,
        "basis": basis,
        "reference": reference,
        "expires_at": _until(days),
    }
    _say(client.post(f"/watchlists/{name}", wanted)["id"])


@watch_app.command("list")
def list_entries(
    kind: Annotated[str, typer.Argument(help="plate or face")],
    state: Annotated[str | None, typer.Option(help="pending, approved, removed or expired")] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List the entries of a watchlist, newest first."""
    client = _client(url, token_file)
    table = _table("id", "label", "category", "state", "until", "requested by", "approved by")
    for entry in client.pages(f"/watchlists/{_list(kind)}", state=state):
        names = ("id", "label", "category", "state", "expires_at", "requester", "approver")
        table.add_row(
            *(str(entry[name] or "")[: 10 if name == "expires_at" else None] for name in names)
        )
    _print(table)


def _table(*columns: str) -> Table:
    """A table that never cuts anything off: the first column stays whole, the others fold."""
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == columns[0], overflow="fold")
    return table


def _print(table: Table) -> None:
    Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(table)


@watch_app.command("approve")
def approve_entry(
    entry_id: str,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Approve an entry that somebody else has requested: from then on it matches."""
    client = _client(url, token_file)
    entry = client.post(f"{_path_of(client, entry_id)}/approve")
    _say(f"approved: {entry['label']}")


@watch_app.command("remove")
def remove_entry(
    entry_id: str,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Remove an entry; what no other entry needs is erased with it."""
    client = _client(url, token_file)
    entry = client.delete(_path_of(client, entry_id))
    _say(f"removed: {entry['label']}")


def _path_of(client: "HubClient", entry_id: str) -> str:
    """The path of an entry, on whichever list it is."""
    from hub.client import NotThere

    for name in ("plates", "faces"):
        path = f"/watchlists/{name}/{entry_id}"
        try:
            client.get(path)
        except NotThere:
            continue
        return path
    raise InputError(f"there is no entry {entry_id} on any watchlist")


def _list(kind: str) -> str:
    names = {"plate": "plates", "face": "faces"}
    if kind not in names:
        raise InputError(f"{kind!r}: say plate or face")
    return names[kind]


def _client(url: str, token_file: Path | None) -> "HubClient":
    from hub.client import HubClient, read_token

    return HubClient(url, read_token(token_file))
