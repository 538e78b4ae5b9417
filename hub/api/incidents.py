"""Incidents: alerts that are handled together. Each alert keeps a way of its own."""

from typing import Annotated

from fastapi import APIRouter, Path

from hub.access import Actor, Scope
from hub.api.access import allowed
from hub.api.alerts import alerts_out
from hub.api.lists import Cursor, Limit, Name, page_of
from hub.api.problems import documented, not_found
from hub.api.services import Hub
from hub.api.shapes import IncidentDetail, IncidentOut, PageOf
from hub.store import incidents

router = APIRouter(prefix="/incidents", tags=["alerts"], responses=documented())
_READ = allowed(Scope.ALERTS_READ)
_MOST_ALERTS = 100


@router.get("")
def list_incidents(
    hub: Hub,
    _: Annotated[Actor, _READ],
    site: Name = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[IncidentOut]:
    """Incidents, newest first."""
    with hub.store.read() as tx:
        page = incidents.find(tx, site, cursor, limit)
    return page_of(IncidentOut, page, (IncidentOut(**row) for row in page.items))


@router.get("/{incident_id}", responses=documented(404))
def get_incident(
    hub: Hub, _: Annotated[Actor, _READ], incident_id: Annotated[str, Path(max_length=64)]
) -> IncidentDetail:
    """One incident with its first hundred alerts, in the order in which they were raised; all of them are at
    `GET /alerts?incident_id=`."""
    with hub.store.read() as tx:
        row = incidents.get(tx, incident_id)
        if row is None:
            raise not_found("incident")
        members = alerts_out(tx, incidents.alerts_of(tx, incident_id, _MOST_ALERTS))
    return IncidentDetail(**row, alerts=members)
