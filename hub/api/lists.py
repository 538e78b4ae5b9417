"""What routes share: page parameters, how bytes are described, look-ups that name their purpose."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel

from hub.access import Actor, Scope
from hub.api.access import record
from hub.api.problems import Problem
from hub.api.services import Services
from hub.api.shapes import PageOf
from hub.store.pages import Page

M = TypeVar("M", bound=BaseModel)

BINARY: dict[str, Any] = {"format": "binary"}
"""What a description says of bytes, for generated clients that do not know `contentMediaType`."""


def files(*media_types: str) -> dict[str, Any]:
    """The `content` of a described answer that is a file of one of these types."""
    return {name: {"schema": {"type": "string", **BINARY}} for name in media_types}


Cursor = Annotated[
    str | None, Query(max_length=400, description="`next_cursor` of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=500)]
Name = Annotated[str | None, Query(max_length=64)]
Purpose = Annotated[
    str | None,
    Query(
        max_length=400, description="Why you look up a person or plate; goes into the audit log."
    ),
]
MessageId = Annotated[str, Query(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


def page_of(model: type[M], page: Page[Any], items: Iterable[M]) -> PageOf[M]:
    """The page as JSON gives it."""
    return PageOf[model](items=list(items), next_cursor=page.next_cursor)  # type: ignore[valid-type]


def given(**values: str | None) -> dict[str, str]:
    """Those filters that were given."""
    return {name: value for name, value in values.items() if value is not None}


def look_up(
    hub: Services, who: Actor, purpose: str | None, action: str, **what: str | None
) -> None:
    """Let a look-up of a person or plate pass, and record it; a problem unless it names its purpose.

    Nothing happens when none of `what` is given: then nobody is looked up.
    """
    named: Mapping[str, str] = given(**what)
    if not named:
        return
    if not who.may(Scope.LOOK_UP):
        raise Problem(403, "forbidden", f"a {who.role} has no scope {Scope.LOOK_UP}")
    if purpose is None or len(purpose.strip()) < 3:
        raise Problem(
            422, "purpose_required", "a look-up of a person or plate needs `purpose`: say why"
        )
    target = ", ".join(f"{name}:{value}" for name, value in sorted(named.items()))
    record(hub, who, action, target, purpose.strip())
