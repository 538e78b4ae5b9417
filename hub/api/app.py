"""The FastAPI application: all routes under ``/api/v1``, and its own description."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.access import Actor, Scope
from hub.api import (
    alerts,
    comparison,
    dispositions,
    events,
    evidence,
    handling,
    incidents,
    live,
    metrics,
    observations,
    operations,
    pass_csv,
    problems,
    register,
    response_times,
    rules,
    silences,
    subjects,
    unit_codes,
    viid,
    visitor_pages,
    visits,
    watchlists,
)
from hub.api.access import allowed
from hub.api.problems import ProblemBody, documented
from hub.api.services import Services

_ROUTERS = (
    alerts.router,
    handling.router,
    silences.router,
    incidents.router,
    response_times.router,
    register.router,
    rules.router,
    visits.router,
    pass_csv.router,
    unit_codes.router,
    observations.router,
    evidence.router,
    evidence.cases,
    live.router,
    comparison.router,
    watchlists.router,
    dispositions.router,
    subjects.router,
    events.router,
    operations.router,
)
_DESCRIPTION = """\
What a command centre, a guard's console and an operator's scripts work with.

Every request carries `Authorization: Bearer <token>`. Every failure is an RFC 9457 problem with a stable
`reason`. Lists come in pages with a cursor. A write that carries an `Idempotency-Key` can be sent again."""


def create_app(services: Services) -> FastAPI:
    """The application around these services."""
    app = _application()
    app.state.services = services
    return app


def openapi() -> dict[str, Any]:
    """The OpenAPI description of the API."""
    return _application().openapi()


def _application() -> FastAPI:
    app = FastAPI(
        title="Gatehouse hub",
        version=version("gatehouse"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        generate_unique_id_function=_operation_id,
        openapi_url=None,  # nothing is reachable without a token: see describe()
        docs_url=None,
        redoc_url=None,
    )
    root = APIRouter(prefix="/api/v1")
    for router in _ROUTERS:
        root.include_router(router)

    @root.get("/openapi.json", tags=["operations"], responses=documented())
    def describe(_: Annotated[Actor, allowed(Scope.HEALTH_READ)]) -> dict[str, Any]:
        """This description."""
        return app.openapi()

    app.include_router(root)
    app.include_router(metrics.router)
    app.include_router(visitor_pages.router)
    app.include_router(viid.router)
    problems.install(app)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    """What a generated client calls it: its tag and its function, such as ``alerts_list_alerts``."""
    return "_".join(map(str, (*route.tags[:1], route.name))).replace(" ", "_").replace("-", "_")


def _described(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with the shape of our problems in the place of its own errors."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        schemas = schema["components"]["schemas"]
        body = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(body.pop("$defs", {}))
        schemas["ProblemBody"] = body
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = schema
    return app.openapi_schema
