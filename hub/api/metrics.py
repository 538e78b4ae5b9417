"""``/metrics``, where Prometheus looks for it. It needs a token, as everything does."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Response

from hub.access import Actor, Scope
from hub.api.access import allowed
from hub.api.problems import documented
from hub.api.services import Hub
from hub.metrics import Figures
from hub.response_times import report
from hub.store import alerts

router = APIRouter(tags=["operations"], responses=documented())
_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PERIOD = timedelta(hours=24)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(hub: Hub, _: Annotated[Actor, allowed(Scope.METRICS_READ)]) -> Response:
    """How the hub is, in figures for Prometheus."""
    now = hub.now()
    with hub.store.read() as tx:
        counts = alerts.counts(tx)
        groups = alerts.moments(tx, "severity", {}, now - _PERIOD, now)
    responses = report([row for rows in groups.values() for row in rows])
    return Response(Figures(hub.health(), counts, responses, now).text(), media_type=_TYPE)
