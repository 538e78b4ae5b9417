"""Observations: what the edges saw. Searching for a plate is a look-up and names its purpose."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from hub.access import Actor, Scope
from hub.alert_message import evidence_of
from hub.api.access import allowed
from hub.api.lists import Cursor, Limit, Name, Purpose, given, look_up, page_of
from hub.api.problems import documented, not_found
from hub.api.services import Hub
from hub.api.shapes import ObservationOut, PageOf
from hub.store import evidence, observations
from wire.plates import normalise

router = APIRouter(prefix="/observations", tags=["observations"], responses=documented())
_READ = allowed(Scope.OBSERVATIONS_READ)
Kind = Literal["face", "plate", "object", "behaviour", "passage", "access", "meter", "camera"]


@router.get("")
def list_observations(
    hub: Hub,
    who: Annotated[Actor, _READ],
    kind: Kind | None = None,
    site: Name = None,
    gate: Name = None,
    edge: Name = None,
    camera: Name = None,
    plate: Annotated[str | None, Query(max_length=32)] = None,
    purpose: Purpose = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ObservationOut]:
    """Observations, newest first. Looking for a plate needs `purpose` and the scope `lookup`."""
    look_up(hub, who, purpose, "observations.lookup", plate=plate)
    wanted = normalise(plate) if plate is not None else None
    filters = given(kind=kind, site=site, gate=gate, edge=edge, camera=camera, plate=wanted)
    with hub.store.read() as tx:
        page = observations.find(
            tx, filters=filters, since=since, until=until, cursor=cursor, limit=limit
        )
    return page_of(ObservationOut, page, (ObservationOut(**row) for row in page.items))


@router.get("/{observation_id}", responses=documented(404))
def get_observation(
    hub: Hub, _: Annotated[Actor, _READ], observation_id: Annotated[str, Path(max_length=64)]
) -> ObservationOut:
    """One observation, with its pictures if a rule has matched it."""
    with hub.store.read() as tx:
        row = observations.get(tx, observation_id)
        if row is None:
            raise not_found("observation")
        pictures = evidence_of(evidence.of(tx, [observation_id]))
    return ObservationOut(**row, evidence=list(pictures))
