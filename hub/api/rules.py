"""Watch rules: drafts, what is in force, versions, and what a rule would have raised.

A rule in a file is changed in its file; here are its history and its back-test too.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import Connection, RowMapping

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, given, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import PageOf, Request
from hub.audit import Act
from hub.backtest import Report, replay
from hub.feedback import feedback_of
from hub.rule_diff import diff
from hub.rules import AnyRule, Rule, dump_rule, parse_rule
from hub.store import audit, rules
from hub.store.backtest import Past
from hub.store.registry import StoredRegister
from hub.store.rules import Saved
from hub.store.windows import StoredWindows
from wire.errors import ConfigError, InputError

router = APIRouter(prefix="/rules", tags=["rules"], responses=documented())
_READ, _WRITE = allowed(Scope.RULES_READ), allowed(Scope.RULES_WRITE)
_VERDICTS_OF = timedelta(days=90)
_LONGEST = timedelta(days=366)

RuleId = Annotated[str, Path(max_length=63)]
Version = Annotated[int, Field(ge=1, lt=1 << 31)]
Number = Annotated[int, Query(ge=1, lt=1 << 31)]


class RuleOut(BaseModel):
    """A rule.

    `enabled_version` is in force; null for none. One of `source` ``file`` is changed in its file.
    """

    id: str
    kind: str
    title: str
    source: Literal["file", "store"]
    latest_version: int
    enabled_version: int | None
    updated_at: AwareDatetime
    updated_by: str


class FeedbackOut(BaseModel):
    """People's verdicts on its alerts of the last 90 days. `precision` is null before anybody has judged;
    `low` and `high` are its 95 % interval."""

    confirmed: int
    false_match: int
    benign: int
    unjudged: int
    precision: float | None
    low: float
    high: float
    suggestion: str


class RuleDetail(RuleOut):
    """A rule with its newest document, and what people said of its alerts."""

    document: dict[str, Any]
    problem: str
    feedback: FeedbackOut | None


class VersionOut(BaseModel):
    """One version of a rule."""

    version: int
    at: AwareDatetime
    actor: str
    note: str
    document: dict[str, Any]


class FieldChange(BaseModel):
    """One field that differs; null where a version does not have it."""

    field: str
    before: Any
    after: Any


class DiffOut(BaseModel):
    """What differs between two versions."""

    before: int
    after: int
    changes: list[FieldChange]


class Draft(Request):
    """A document to keep as a draft. It does nothing until it is enabled."""

    document: AnyRule
    note: Annotated[str, Field(max_length=400)] = ""


class Which(Request):
    """Which version; without it, the newest."""

    version: Version | None = None


class Back(Request):
    """The version to go back to."""

    version: Version
    note: Annotated[str, Field(max_length=400)] = ""


class BacktestRequest(Request):
    """A draft, or a version of a stored rule, and a period. `purpose` goes into the audit log: samples may
    name plates."""

    document: AnyRule | None = None
    rule_id: Annotated[str, Field(max_length=63)] | None = None
    version: Version | None = None
    since: AwareDatetime
    until: AwareDatetime
    purpose: Annotated[str, Field(min_length=3, max_length=400)]


class SampleOut(BaseModel):
    """An alert that would have been raised."""

    observation_id: str
    at: AwareDatetime
    site: str
    gate: str
    camera: str
    zone: str
    sentence: str


class ReportOut(BaseModel):
    """What a rule would have raised, de-duplicated as in life.

    `considered` is how many observations it had to look at closely, `reasons` why those did not match.
    `limit` says what the past cannot tell; "" where it tells all.
    """

    considered: int
    matches: int
    alerts: int
    by_day: dict[str, int]
    by_hour: dict[int, int]
    by_place: dict[str, int]
    reasons: dict[str, int]
    samples: list[SampleOut]
    limit: str


class BacktestOut(BaseModel):
    """The draft beside the version in force, and beside how many alerts the rule did raise in that time."""

    observations: int
    draft: ReportOut
    enabled: ReportOut | None
    raised: int


@router.get("")
def list_rules(
    hub: Hub,
    _: Annotated[Actor, _READ],
    kind: Annotated[str | None, Query(max_length=32)] = None,
    source: Literal["file", "store"] | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[RuleOut]:
    """Rules, last changed first. What is broken is in `GET /health`, `broken_rules`."""
    with hub.store.read() as tx:
        page = rules.find(tx, given(kind=kind, source=source), cursor, limit)
    return page_of(RuleOut, page, (RuleOut(**row) for row in page.items))


@router.post("/backtest", responses=documented(404), response_model=BacktestOut)
def backtest(
    hub: Hub, who: Annotated[Actor, _READ], write: Write, wanted: BacktestRequest
) -> Response:
    """How many alerts a draft would have raised from the stored observations, when and where."""
    if not timedelta(0) < wanted.until - wanted.since <= _LONGEST:
        raise InputError(f"until must be after since, by at most {_LONGEST.days} days")
    if (wanted.document is None) == (wanted.rule_id is None):
        raise InputError("give a document, or the rule_id of a stored rule")
    sent = wanted.model_dump_json().encode()
    if (before := write.answered(who, sent)) is not None:
        return before
    with hub.store.read() as tx:  # it may take seconds: nobody waits for it to write
        draft = wanted.document or _stored(tx, wanted.rule_id or "", wanted.version)
        found = _replayed(tx, draft, wanted, hub.now())

    def carry_out(tx: Connection) -> tuple[int, BacktestOut]:
        details = {"kind": draft.kind}
        audit.add(
            tx, Act(who.name, "rule.backtested", draft.id, wanted.purpose, details), hub.now()
        )
        return 200, found

    return write.run(who, sent, carry_out)


@router.get("/{rule_id}", responses=documented(404))
def get_rule(hub: Hub, _: Annotated[Actor, _READ], rule_id: RuleId) -> RuleDetail:
    """One rule."""
    with hub.store.read() as tx:
        return _detail(hub, tx, rule_id)


@router.put("/{rule_id}", responses=documented(409), response_model=RuleDetail)
def put_draft(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, rule_id: RuleId, draft: Draft
) -> Response:
    """Keep a draft as the newest version. What is in force stays so until a version is enabled."""
    if draft.document.id != rule_id:
        raise InputError(f"document.id is {draft.document.id!r}, the path says {rule_id!r}")

    def carry_out(tx: Connection) -> tuple[int, RuleDetail]:
        _check_source(rules.get(tx, rule_id))
        _check_policy(hub, draft.document)
        _save(hub, tx, who, draft.document, draft.note)
        return 200, _detail(hub, tx, rule_id)

    return write.run(who, draft.model_dump_json().encode(), carry_out)


@router.post("/{rule_id}/enable", responses=documented(404, 409), response_model=RuleDetail)
def enable(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, rule_id: RuleId, which: Which
) -> Response:
    """Put a version in force: every hub on this store goes by it within a second."""

    def carry_out(tx: Connection) -> tuple[int, RuleDetail]:
        row = _changeable(tx, rule_id)
        number = which.version or row["latest_version"]
        _check_policy(hub, _stored(tx, rule_id, number))  # nor can one that is broken
        _enable(hub, tx, who, rule_id, number)
        return 200, _detail(hub, tx, rule_id)

    return write.run(who, which.model_dump_json().encode(), carry_out)


@router.post("/{rule_id}/disable", responses=documented(404, 409), response_model=RuleDetail)
def disable(hub: Hub, who: Annotated[Actor, _WRITE], write: Write, rule_id: RuleId) -> Response:
    """Put no version in force. Alerts that it has raised go on."""

    def carry_out(tx: Connection) -> tuple[int, RuleDetail]:
        _changeable(tx, rule_id)
        _enable(hub, tx, who, rule_id, None)
        return 200, _detail(hub, tx, rule_id)

    return write.run(who, b"", carry_out)


@router.get("/{rule_id}/versions", responses=documented(404))
def list_versions(
    hub: Hub,
    _: Annotated[Actor, _READ],
    rule_id: RuleId,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[VersionOut]:
    """The versions of a rule, newest first: when, by whom, what."""
    with hub.store.read() as tx:
        _row(tx, rule_id)
        page = rules.history(tx, rule_id, cursor, limit)
    return page_of(VersionOut, page, (VersionOut(**row) for row in page.items))


@router.get("/{rule_id}/diff", responses=documented(404))
def show_diff(
    hub: Hub, _: Annotated[Actor, _READ], rule_id: RuleId, before: Number, after: Number
) -> DiffOut:
    """What differs between two versions, field by field."""
    with hub.store.read() as tx:
        old, new = (_version(tx, rule_id, number)["document"] for number in (before, after))
    changes = [FieldChange(**asdict(change)) for change in diff(old, new)]
    return DiffOut(before=before, after=after, changes=changes)


@router.post("/{rule_id}/rollback", responses=documented(404, 409), response_model=RuleDetail)
def roll_back(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, rule_id: RuleId, back: Back
) -> Response:
    """Make an older version the newest one, and put it in force. The history stays as it is."""

    def carry_out(tx: Connection) -> tuple[int, RuleDetail]:
        _changeable(tx, rule_id)
        rule = _stored(tx, rule_id, back.version)
        _check_policy(hub, rule)
        number = _save(hub, tx, who, rule, back.note or f"back to version {back.version}")
        _enable(hub, tx, who, rule_id, number)
        return 200, _detail(hub, tx, rule_id)

    return write.run(who, back.model_dump_json().encode(), carry_out)


def _save(hub: Services, tx: Connection, who: Actor, rule: Rule, note: str) -> int:
    # Whether it is in force is said by enabling it, not by its document.
    document = dump_rule(rule.model_copy(update={"enabled": True}))
    saved = Saved(rule.id, rule.kind, rule.title, "store", document, who.name, note)
    number = rules.save(tx, saved, hub.now())
    details = {"version": number, "kind": rule.kind}
    audit.add(tx, Act(who.name, "rule.saved", rule.id, details=details), hub.now())
    return number


def _enable(hub: Services, tx: Connection, who: Actor, rule_id: str, number: int | None) -> None:
    rules.enable(tx, rule_id, number, who.name, hub.now())
    action = "rule.enabled" if number else "rule.disabled"
    audit.add(tx, Act(who.name, action, rule_id, details={"version": number}), hub.now())


def _check_source(row: RowMapping | None) -> None:
    if row is not None and row["source"] == "file":
        raise Problem(409, "in_file", "this rule is in a file of rules_dir: change it there")


def _check_policy(hub: Services, rule: Rule) -> None:
    """A rule that names an escalation policy that is not there is neither kept nor put in force."""
    if problem := hub.escalation.problem(rule.escalation):
        raise InputError(problem)


def _row(tx: Connection, rule_id: str) -> RowMapping:
    row = rules.get(tx, rule_id)
    if row is None:
        raise not_found("rule")
    return row


def _changeable(tx: Connection, rule_id: str) -> RowMapping:
    row = _row(tx, rule_id)
    _check_source(row)
    return row


def _version(tx: Connection, rule_id: str, number: int) -> RowMapping:
    found = rules.document(tx, rule_id, number)
    if found is None:
        raise not_found("version")
    return found


def _stored(tx: Connection, rule_id: str, number: int | None) -> Rule:
    """A version, the newest where none is named. A problem when there is none, or it is broken."""
    version = number or _row(tx, rule_id)["latest_version"]
    document = _version(tx, rule_id, version)["document"]
    try:
        return parse_rule(document, f"version {version}")
    except ConfigError as error:
        raise InputError(str(error)) from error


def _in_force(tx: Connection, rule_id: str) -> Rule | None:
    row = rules.get(tx, rule_id)
    if row is None or row["enabled_version"] is None:
        return None
    return _stored(tx, rule_id, row["enabled_version"])


def _detail(hub: Services, tx: Connection, rule_id: str) -> RuleDetail:
    row = _row(tx, rule_id)
    document = _version(tx, rule_id, row["latest_version"])["document"]
    try:
        rule = parse_rule(document, f"version {row['latest_version']}")
    except ConfigError as error:
        return RuleDetail(**row, document=document, problem=str(error), feedback=None)
    verdicts = rules.verdicts(tx, hub.now() - _VERDICTS_OF).get(rule_id, {})
    feedback = FeedbackOut(**asdict(feedback_of(rule, verdicts)))
    problem = hub.escalation.problem(rule.escalation)
    return RuleDetail(**row, document=document, problem=problem, feedback=feedback)


def _replayed(tx: Connection, draft: Rule, wanted: BacktestRequest, now: datetime) -> BacktestOut:
    in_force = _in_force(tx, draft.id)
    past = Past(tx, wanted.since, wanted.until, now)
    return BacktestOut(
        observations=past.count(),
        draft=_report(tx, past, draft),
        enabled=_report(tx, past, in_force) if in_force else None,
        raised=past.raised(draft.id),
    )


def _report(tx: Connection, past: Past, rule: Rule) -> ReportOut:
    found = replay(rule, past.sightings(rule), StoredWindows(tx), StoredRegister(tx), past.until)
    return _shown(found)


def _shown(report: Report) -> ReportOut:
    samples = [
        SampleOut(
            observation_id=sample.observation_id,
            at=sample.at,
            sentence=sample.sentence,
            **sample.spot._asdict(),
        )
        for sample in report.samples
    ]
    values = {name: getattr(report, name) for name in ReportOut.model_fields if name != "samples"}
    return ReportOut(**values, samples=samples)
