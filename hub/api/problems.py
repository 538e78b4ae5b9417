"""Errors as RFC 9457 problems: one shape for every failure, with a stable `reason` for programs.

A problem never repeats what was sent: it may be of a person.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hub.alerts import IllegalMove
from hub.watchlist import Refused
from wire.errors import GatehouseError, InputError, StoreError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one part of the request."""

    where: str
    message: str


class ProblemBody(BaseModel):
    """RFC 9457. `type` is ``urn:gatehouse:problem:<reason>``; `reason` is stable, `detail` for people."""

    type: str
    title: str
    status: int
    reason: str
    detail: str
    fields: list[FieldProblem] = []


class Problem(Exception):  # noqa: N818 - named for what the client gets
    """Ends a request with a problem."""

    def __init__(
        self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail
        self.headers = dict(headers or {})


def not_found(what: str) -> Problem:
    """A problem for something that is not there."""
    return Problem(404, "not_found", f"there is no such {what}")


def respond(
    status: int,
    reason: str,
    detail: str,
    *,
    fields: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer for a problem."""
    body = ProblemBody(
        type=f"urn:gatehouse:problem:{reason}",
        title=HTTPStatus(status).phrase,
        status=status,
        reason=reason,
        detail=detail,
        fields=list(fields),
    )
    return JSONResponse(
        body.model_dump(), status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer every failure of `app` with a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(GatehouseError, _ours)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Exception, _unforeseen)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return respond(error.status, error.reason, error.detail, headers=error.headers)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if (
        error.status_code == HTTPStatus.BAD_REQUEST
    ):  # FastAPI's word for a body that is not even text
        return respond(422, "invalid_request", "body: it cannot be read as what it says it is")
    reason = HTTPStatus(error.status_code).name.lower()
    return respond(error.status_code, reason, str(error.detail), headers=error.headers)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [
        FieldProblem(
            where=".".join(str(part) for part in problem["loc"]),
            message=str(problem["msg"]).removeprefix("Value error, "),
        )
        for problem in error.errors()
    ]
    detail = "; ".join(f"{field.where}: {field.message}" for field in fields)
    return respond(422, "invalid_request", detail, fields=fields)


def _ours(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, IllegalMove):
        return respond(409, "illegal_move", str(error))
    if isinstance(error, InputError):
        return respond(422, "unusable_input", str(error))
    if isinstance(error, StoreError):
        log.warning("a request failed: %s", error)
        return respond(503, "store_unavailable", "the database does not answer: try again")
    return _unforeseen(_request, error)


def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return respond(409, error.reason, str(error))


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(500, "internal_error", "a fault of the hub's; its log says more")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's OpenAPI description says of its failures; every route can also answer 401, 403,
    422 and 503."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in sorted({401, 403, 422, 503, *statuses})
    }
