"""Passes as a file of the property office has them, one a row. Pure.

In: a row, and the pass of that id that is stored, if one is. Out: what to do with it, or `Unusable` with the
column and what is wrong. A row without an id is a new pass; one with an id decides on a pass that waits, ends
one early, or puts back one that is not there. What was asked for is never changed.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from hub.passes import PassKind, PassState, move
from hub.register import Phone, Plate, Row, Title, UnitId
from hub.watchlist import Refused
from wire.messages import Identifier

PassId = Annotated[str, Field(pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$")]
Consent = Annotated[str, Field(min_length=1, max_length=16)]


class PassRow(Row):
    """One pass. `consent` names the text that the visitor agreed to."""

    REFERS: ClassVar = {"site": "sites", "unit": "units"}
    PERSONAL: ClassVar[bool] = True

    id: PassId = ""
    site: Identifier
    unit: UnitId
    kind: PassKind
    state: PassState = PassState.APPROVED
    name: Title
    plate: Plate | None = None
    phone: Phone | None = None
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    consent: Consent


class Unusable(Exception):  # noqa: N818 - named for what the row is
    """A row that cannot be used: in which column, and why."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


class Step(StrEnum):
    """What a row asks for."""

    ADD = "add"
    MOVE = "move"
    KEEP = "keep"


def step_of(row: PassRow, stored: PassRow | None, is_over: bool) -> Step:
    """What to do with a row. `is_over` says whether the pass's time has run out: then only time speaks."""
    if stored is None:
        if row.state not in (PassState.PENDING, PassState.APPROVED):
            raise Unusable("state", f"there is no such pass that could be {row.state}")
        return Step.ADD
    if row != stored.model_copy(update={"state": row.state}):
        raise Unusable("id", "a pass is not changed: end this one and enter another, without an id")
    if row.state is stored.state:
        return Step.KEEP
    if row.state is PassState.EXPIRED or is_over:
        raise Unusable("state", f"the pass is {stored.state}: only time lets a pass expire")
    try:
        move(stored.state, row.state)
    except Refused as refused:
        raise Unusable("state", str(refused)) from refused
    return Step.MOVE
