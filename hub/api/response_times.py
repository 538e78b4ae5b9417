"""Response times over many alerts: how fast the people of a site, a rule or a colour are."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.access import Actor, Scope
from hub.api.access import allowed
from hub.api.lists import Name, given
from hub.api.problems import documented
from hub.api.services import Hub
from hub.api.shapes import ResponseTimesOut, SpreadOut
from hub.response_times import report
from hub.store import alerts
from hub.store.alerts import GroupBy
from wire.messages import Severity

router = APIRouter(prefix="/response-times", tags=["alerts"], responses=documented())


@router.get("")
def response_times(
    hub: Hub,
    _: Annotated[Actor, allowed(Scope.ALERTS_READ)],
    since: AwareDatetime,
    until: AwareDatetime,
    by: Annotated[GroupBy, Query(description="What to tell apart.")] = "severity",
    site: Name = None,
    severity: Severity | None = None,
) -> list[ResponseTimesOut]:
    """Median, 90th percentile and longest of each response time of the alerts raised in a period."""
    filters = given(site=site, severity=severity)
    with hub.store.read() as tx:
        groups = alerts.moments(tx, by, filters, since, until)
    return [
        ResponseTimesOut(
            group=group,
            alerts=len(rows),
            times={name: SpreadOut.model_validate(one) for name, one in report(rows).items()},
        )
        for group, rows in sorted(groups.items())
    ]
