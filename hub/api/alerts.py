"""Alerts: list, look at, move along their way."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.alert_message import evidence_of
from hub.alerts import State, certainty_after, move
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, Name, Purpose, given, look_up, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub
from hub.api.shapes import AlertDetail, AlertOut, Note, PageOf, Transition, TransitionOut
from hub.audit import Act
from hub.store import alerts, audit, evidence
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


def _move(hub: Hub, who: Actor, write: Write, alert_id: str, step: Transition) -> Response:
    def carry_out(tx: Connection) -> tuple[int, AlertDetail]:
        alert = alerts.get(tx, alert_id)
        if alert is None:
            raise not_found("alert")
        to, now = move(State(alert["state"]), step.to), hub.now()
        row = {
            "alert_id": alert_id,
            "from_state": alert["state"],
            "to_state": to.value,
            "actor": who.name,
            "at": now,
            "note": step.note,
        }
        certainty = certainty_after(alert["certainty"], to)
        if not alerts.move(tx, row, certainty, now if to is State.CLOSED else None):
            raise Problem(409, "moved_meanwhile", "somebody else has just moved this alert")
        details = {"from": alert["state"], "to": to.value}
        audit.add(tx, Act(who.name, "alert.moved", alert_id, details=details), now)
        return 200, _detail(tx, alert_id)

    return write.run(who, step.model_dump_json().encode(), carry_out)


def _detail(tx: Connection, alert_id: str) -> AlertDetail:
    alert = alerts.get(tx, alert_id)
    if alert is None:
        raise not_found("alert")
    way = [TransitionOut.model_validate(dict(row)) for row in alerts.way_of(tx, alert_id)]
    return AlertDetail(
        **alert,
        evidence=list(evidence_of(evidence.of(tx, [alert["observation_id"]]))),
        transitions=way,
        observation_ids=list(alerts.observations_of(tx, alert_id, _MOST_OBSERVATIONS)),
    )
