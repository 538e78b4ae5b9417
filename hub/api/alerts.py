"""Alerts: list, look at, move along their way."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection, RowMapping

from hub.access import Actor, Scope
from hub.alert_message import evidence_of
from hub.alerts import (
    MILESTONES,
    Disposition,
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
from hub.response_times import response_times
from hub.store import alerts, audit, evidence
from hub.tell import Change
from wire.messages import Severity
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
        target=target,
    )  # fmt: skip
    with hub.store.read() as tx:
        page = alerts.find(
            tx, filters=filters, since=since, until=until, cursor=cursor, limit=limit
        )
        pictures = evidence.of(tx, [row["observation_id"] for row in page.items])
    by_observation: dict[str, list[Any]] = {}
    for picture in pictures:
        by_observation.setdefault(picture["observation_id"], []).append(picture)
    items = [
        AlertOut(**row, evidence=list(evidence_of(by_observation.get(row["observation_id"], []))))
        for row in page.items
    ]
    return page_of(AlertOut, page, items)


@router.get("/{alert_id}", responses=documented(404))
def get_alert(hub: Hub, _: Annotated[Actor, _READ], alert_id: AlertId) -> AlertDetail:
    """One alert, with its way and what is behind it."""
    with hub.store.read() as tx:
        return _detail(tx, alert_id)


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
        hub.teller.changed(tx, alert, Change("moved", who.name, now, step.note, values))
        details = {"from": state.value, "to": to.value}
        audit.add(tx, Act(who.name, "alert.moved", alert_id, details=details), now)
        return 200, _detail(tx, alert_id)

    answer = write.run(who, step.model_dump_json().encode(), carry_out)
    hub.wake_sinks()
    return answer


def locked(tx: Connection, alert_id: str) -> RowMapping:
    """The alert, which nobody else changes before the end of the transaction; 404 when there is none."""
    alert = alerts.lock(tx, alert_id)
    if alert is None:
        raise not_found("alert")
    return alert


def _detail(tx: Connection, alert_id: str) -> AlertDetail:
    alert = alerts.get(tx, alert_id)
    if alert is None:
        raise not_found("alert")
    return AlertDetail(
        **alert,
        evidence=list(evidence_of(evidence.of(tx, [alert["observation_id"]]))),
        changes=[ChangeOut(**row) for row in alerts.changes_of(tx, alert_id)],
        response_times=ResponseTimes(**response_times(alert)),
        observation_ids=list(alerts.observations_of(tx, alert_id, _MOST_OBSERVATIONS)),
    )
