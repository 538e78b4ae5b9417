"""`gatehouse rule`: list, check, history, diff, rollback, enable, disable, backtest.

All but `check` are clients of the API. What a command needs is imported in the command.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli import DEFAULT_URL, TokenFile, Url, _client, _print, _say, _table
from wire.errors import InputError

rule_app = typer.Typer(
    help="Watch rules: what raises an alert.", no_args_is_help=True, pretty_exceptions_enable=False
)
RuleId = Annotated[str, typer.Argument(help="The rule's id.")]
File = Annotated[Path, typer.Argument(help="A rule's TOML file.")]


@rule_app.command("list")
def list_rules(
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """List the rules, last changed first, and what is broken."""
    client = _client(url, token_file)
    table = _table("id", "kind", "title", "in force", "newest", "from", "changed by")
    for rule in client.pages("/rules", kind=kind):
        enabled = rule["enabled_version"]
        table.add_row(
            rule["id"], rule["kind"], rule["title"], str(enabled) if enabled else "no",
            str(rule["latest_version"]), rule["source"], rule["updated_by"],
        )  # fmt: skip
    _print(table)
    for message in client.get("/health")["broken_rules"]:
        typer.echo(f"broken: {message}", err=True)


@rule_app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A rule's TOML file, or a folder of them.")],
) -> None:
    """Check rule files; every wrong field is named. Needs no hub."""
    from hub.app import check_rules
    from hub.rules import load_rule, load_rules

    if path.is_dir():
        book = load_rules(path)
        check_rules(book)
        _say(f"{len(book.rules)} rules: ok")
    else:
        rule = load_rule(path)
        _say(f"{rule.id}: {rule.kind}: ok")


@rule_app.command()
def draft(file: File, url: Url = DEFAULT_URL, token_file: TokenFile = None) -> None:
    """Keep a file's rule in the store as a draft. It does nothing until it is enabled."""
    from hub.rules import dump_rule, load_rule

    rule = load_rule(file)
    body = {"document": dump_rule(rule)}
    saved = _client(url, token_file).put(f"/rules/{rule.id}", body)
    _say(f"{rule.id}: version {saved['latest_version']} is a draft")


@rule_app.command()
def history(rule_id: RuleId, url: Url = DEFAULT_URL, token_file: TokenFile = None) -> None:
    """Show the versions of a rule: when, by whom, why."""
    table = _table("version", "at", "by", "note")
    for version in _client(url, token_file).pages(f"/rules/{rule_id}/versions"):
        table.add_row(
            str(version["version"]), version["at"][:19], version["actor"], version["note"]
        )
    _print(table)


@rule_app.command()
def diff(
    rule_id: RuleId, before: int, after: int, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Show what differs between two versions of a rule."""
    found = _client(url, token_file).get(f"/rules/{rule_id}/diff", before=before, after=after)
    table = _table("field", f"version {before}", f"version {after}")
    for change in found["changes"]:
        table.add_row(change["field"], _value(change["before"]), _value(change["after"]))
    _print(table)


@rule_app.command()
def enable(
    rule_id: RuleId,
    version: Annotated[int | None, typer.Option(help="Without it, the newest.")] = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Put a version in force."""
    rule = _client(url, token_file).post(f"/rules/{rule_id}/enable", {"version": version})
    _say(f"{rule_id}: version {rule['enabled_version']} is in force")


@rule_app.command()
def disable(rule_id: RuleId, url: Url = DEFAULT_URL, token_file: TokenFile = None) -> None:
    """Put no version in force."""
    _client(url, token_file).post(f"/rules/{rule_id}/disable")
    _say(f"{rule_id}: not in force")


@rule_app.command()
def rollback(
    rule_id: RuleId, version: int, url: Url = DEFAULT_URL, token_file: TokenFile = None
) -> None:
    """Put an older version in force again, as the newest one."""
    rule = _client(url, token_file).post(f"/rules/{rule_id}/rollback", {"version": version})
    _say(f"{rule_id}: version {version} is in force again, as version {rule['enabled_version']}")


@rule_app.command()
def backtest(
    rule: Annotated[str, typer.Argument(help="A rule's TOML file, or the id of a stored rule.")],
    purpose: Annotated[str, typer.Option(help="Why; goes into the audit log.")],
    days: Annotated[float, typer.Option(min=0.01, max=366, help="How far back.")] = 7,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Say what a rule would have raised from the stored observations, beside what is in force."""
    until = datetime.now(UTC)
    since = until - timedelta(days=days)
    body = {"since": since.isoformat(), "until": until.isoformat(), "purpose": purpose}
    found = _client(url, token_file).post("/rules/backtest", {**body, **_which(rule)})
    _say(f"{found['observations']} observations in {days:g} days")
    table = _table("", "alerts", "matches", "busiest place", "busiest day")
    for name in ("draft", "enabled"):
        if (report := found[name]) is not None:
            table.add_row(
                name, str(report["alerts"]), str(report["matches"]),
                _most(report["by_place"]), _most(report["by_day"]),
            )  # fmt: skip
    _print(table)
    _say(f"raised in that time: {found['raised']}")
    for sample in found["draft"]["samples"]:
        _say(f"{sample['at'][:19]} {sample['site']}/{sample['camera']}: {sample['sentence']}")
    if found["draft"]["limit"]:
        _say(f"note: {found['draft']['limit']}")


def _which(rule: str) -> dict[str, Any]:
    from hub.rules import dump_rule, load_rule

    path = Path(rule)
    if path.suffix == ".toml":
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        return {"document": dump_rule(load_rule(path))}
    return {"rule_id": rule}


def _most(counts: dict[str, int]) -> str:
    name = max(counts, key=lambda one: counts[one], default="")
    return f"{name} ({counts[name]})" if name else ""


def _value(value: Any) -> str:
    return "-" if value is None else str(value)
