"""Alerts: list, look at, move along their way."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection, RowMapping

from hub.access import Actor, Scope
from hub.alert_message import evidence_of
from hub.alerts import (
    MILESTONES,
    Disposition,
    Level,
    State,
    certainty_after,
    disposition_after,
    move,
)
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, Name, Purpose, given, look_up, page_of
from hub.api.problems import documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import (
    AlertDetail,
    AlertOut,
    ChangeOut,
    Note,
    PageOf,
    ResponseTimes,
    Transition,
)
from hub.audit import Act
from hub.escalation import due_after_move
from hub.response_times import response_times
from hub.store import alerts, audit, evidence
from hub.tell import Change
from wire.messages import AlertEvidence, Severity
from wire.plates import normalise

router = APIRouter(prefix="/alerts", tags=["alerts"], responses=documented())
_READ, _WRITE = allowed(Scope.ALERTS_READ), allowed(Scope.ALERTS_WRITE)
_MOST_OBSERVATIONS = 100

AlertId = Annotated[str, Path(max_length=64)]


@router.get("")
def list_alerts(
    hub: Hub,
    who: Annotated[Actor, _READ],
    state: State | None = None,
    severity: Severity | None = None,
    site: Name = None,
    gate: Name = None,
    camera: Name = None,
    rule_id: Name = None,
    level: Level | None = None,
    cell: Name = None,
    assignee: Name = None,
    incident_id: Name = None,
    plate: Annotated[str | None, Query(max_length=32)] = None,
    subject_id: Name = None,
    purpose: Purpose = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[AlertOut]:
    """Alerts, newest first. Looking for a plate or a person needs `purpose` and the scope `lookup`."""
    look_up(hub, who, purpose, "alerts.lookup", plate=plate, subject=subject_id)
    target = f"plate:{normalise(plate)}" if plate is not None else None
    if subject_id is not None:
        target = f"subject:{subject_id}"
    filters = given(
        state=state, severity=severity, site=site, gate=gate, camera=camera, rule_id=rule_id,
        level=level, cell=cell, assignee=assignee, incident_id=incident_id, target=target,
    )  # fmt: skip
    with hub.store.read() as tx:
        page = alerts.find(
            tx, filters=filters, since=since, until=until, cursor=cursor, limit=limit
        )
        items = alerts_out(tx, page.items)
    return page_of(AlertOut, page, items)


def alerts_out(tx: Connection, rows: Sequence[RowMapping]) -> list[AlertOut]:
    """Alerts as the API shows them, with their pictures."""
    names = [name for row in rows for name in (row["observation_id"], row["id"])]
    pictures: dict[str, list[Any]] = {}
    for picture in evidence.of(tx, names):
        pictures.setdefault(picture["observation_id"], []).append(picture)

    def of(row: RowMapping) -> list[AlertEvidence]:
        seen, added = pictures.get(row["observation_id"], []), pictures.get(row["id"], [])
        return list(evidence_of([*seen, *added]))

    return [AlertOut(**row, evidence=of(row)) for row in rows]


@router.get("/{alert_id}", responses=documented(404))
def get_alert(hub: Hub, _: Annotated[Actor, _READ], alert_id: AlertId) -> AlertDetail:
    """One alert, with its way and what is behind it."""
    with hub.store.read() as tx:
        return detail_of(tx, alert_id)


@router.post("/{alert_id}/acknowledge", responses=documented(404, 409), response_model=AlertDetail)
def acknowledge(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, alert_id: AlertId, note: Note
) -> Response:
    """Somebody has seen the alert and takes care of it."""
    step = Transition(to=State.ACKNOWLEDGED, note=note.note)
    return _move(hub, who, write, alert_id, step)


@router.post("/{alert_id}/transitions", responses=documented(404, 409), response_model=AlertDetail)
def move_alert(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, alert_id: AlertId, step: Transition
) -> Response:
    """Move the alert on its way. 409 when the lifecycle has no such step; then nothing has changed."""
    return _move(hub, who, write, alert_id, step)


def _move(hub: Services, who: Actor, write: Write, alert_id: str, step: Transition) -> Response:
    def carry_out(tx: Connection) -> tuple[int, AlertDetail]:
        alert, now = locked(tx, alert_id), hub.now()
        state, to = State(alert["state"]), move(State(alert["state"]), step.to)
        before = Disposition(alert["disposition"]) if alert["disposition"] else None
        values: dict[str, Any] = {
            "state": to.value,
            "certainty": certainty_after(alert["certainty"], to),
            "disposition": disposition_after(before, to, step.disposition),
        }
        if to in MILESTONES:
            values[MILESTONES[to]] = now
        values |= _timer(hub, alert, to)
        hub.teller.changed(tx, alert, Change("moved", who.name, now, step.note, values))
        details = {"from": state.value, "to": to.value}
        audit.add(tx, Act(who.name, "alert.moved", alert_id, details=details), now)
        return 200, detail_of(tx, alert_id)

    answer = write.run(who, step.model_dump_json().encode(), carry_out)
    hub.wake_sinks()
    return answer


def _timer(hub: Services, alert: RowMapping, to: State) -> dict[str, Any]:
    """The timer after a move. What a person takes up is muted no more."""
    policy = hub.escalation.of(alert["severity"], alert["escalation"])
    level, due_at = Level(alert["level"]), alert["level_due_at"]
    return {
        "level_due_at": due_after_move(policy, to, level, due_at, hub.now()),
        "muted_by": None,
        "muted_why": "",
    }


def locked(tx: Connection, alert_id: str) -> RowMapping:
    """The alert, which nobody else changes before the end of the transaction; 404 when there is none."""
    alert = alerts.lock(tx, alert_id)
    if alert is None:
        raise not_found("alert")
    return alert


def detail_of(tx: Connection, alert_id: str) -> AlertDetail:
    """One alert, with what was done to it; 404 when there is none."""
    alert = alerts.get(tx, alert_id)
    if alert is None:
        raise not_found("alert")
    return AlertDetail(
        **alerts_out(tx, [alert])[0].model_dump(),
        changes=[ChangeOut(**row) for row in alerts.changes_of(tx, alert_id)],
        response_times=ResponseTimes(**response_times(alert)),
        observation_ids=list(alerts.observations_of(tx, alert_id, _MOST_OBSERVATIONS)),
    )
