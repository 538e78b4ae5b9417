"""Response times over many alerts: how fast the people of a site, a rule or a colour are."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from hub.access import Actor, Scope
from hub.api.access import allowed
from hub.api.lists import Cursor, Limit, Name, given, page_of
from hub.api.problems import documented
from hub.api.services import Hub
from hub.api.shapes import PageOf, ResponseTimesOut, SpreadOut
from hub.response_times import report
from hub.store import alerts
from hub.store.alerts import GroupBy
from hub.store.pages import slice_of
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
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ResponseTimesOut]:
    """Median, 90th percentile and longest of each response time of the alerts raised in a period, group by
    group, in the order of their names."""
    filters = given(site=site, severity=severity)
    with hub.store.read() as tx:
        groups = alerts.moments(tx, by, filters, since, until)
    page = slice_of(groups, cursor, limit)
    return page_of(
        ResponseTimesOut,
        page,
        (
            ResponseTimesOut(
                group=group,
                alerts=len(rows),
                times={name: SpreadOut.model_validate(one) for name, one in report(rows).items()},
            )
            for group, rows in page.items
        ),
    )
