"""Dispositions (布控) as a command centre sends them (GA/T 1400), read by allow-list. Pure.

In: the body of a request, one object of its list, the time. Out: a `Disposition`, or `Wrong` with the
standard's StatusCode and what is wrong. Only the fields that are named here are read: none that tells of
gender, ethnicity, age or the like. A picture's address (TargetImageURI) is never fetched.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from hub.viid.ids import Business, read_time
from hub.watchlist import LONGEST, ListKind, Refused
from wire.plates import MAX_LENGTH, PROVINCES, normalise, parse

MOST_AT_ONCE: Final = 200
INVALID, JSON_FORMAT, JSON_CONTENT = 4, 7, 8
"""StatusCodes: an operation that cannot be, no JSON as it should be, a value that cannot be."""

_ID: Final = re.compile(rf"\d{{12}}{Business.DISPOSITION}\d{{19}}", re.ASCII)
_SPLIT: Final = re.compile(r"[\s,;|/，；、：:（）()]+")
_GOES_ON: Final = re.compile(r"[0-9A-Z]")
_BEGINNINGS: Final = re.compile(rf"[{PROVINCES}]|使|WJ|民航")


class Ask(StrEnum):
    """What a peer wants."""

    WATCH = "watch"
    WITHDRAW = "withdraw"


OPERATIONS: Final[Mapping[str, Mapping[str, Ask]]] = MappingProxyType(
    {
        "0/1": MappingProxyType({"0": Ask.WATCH, "1": Ask.WITHDRAW}),
        "1/2": MappingProxyType({"1": Ask.WATCH, "2": Ask.WITHDRAW}),
    }
)
"""OperateType, by how the peers count."""


class DispositionState(StrEnum):
    """Life of a disposition here. `WAITING` ones are of a person whom nobody has enrolled yet."""

    WAITING = "waiting"
    REQUESTED = "requested"
    WITHDRAWN = "withdrawn"


MOVES: Final[Mapping[DispositionState, frozenset[DispositionState]]] = MappingProxyType(
    {
        DispositionState.WAITING: frozenset(
            {DispositionState.WAITING, DispositionState.REQUESTED, DispositionState.WITHDRAWN}
        ),
        DispositionState.REQUESTED: frozenset(
            {DispositionState.WAITING, DispositionState.WITHDRAWN}
        ),
        DispositionState.WITHDRAWN: frozenset(),
    }
)


class Wrong(Exception):  # noqa: N818 - named for what the peer gets
    """What a peer sent cannot be used. `code` is the standard's StatusCode."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Disposition:
    """A wish to watch for somebody or something. `target` is the plate; "" for a person."""

    id: str
    kind: ListKind
    target: str
    title: str
    priority: str
    organisation: str
    reason: str
    begins_at: datetime
    ends_at: datetime

    @property
    def basis(self) -> str:
        """The basis of the entry that is requested for it."""
        priority = f", priority {self.priority}" if self.priority else ""
        return (
            f"布控 (GA/T 1400 disposition) of {self.organisation or 'the command centre'}{priority}"
        )

    def narrows(self, before: "Disposition") -> bool:
        """Whether it asks for the same, for a shorter time."""
        return self._begins_as(before) and self.ends_at < before.ends_at

    def prolongs(self, before: "Disposition") -> bool:
        """Whether it asks for the same, for a longer time."""
        return self._begins_as(before) and self.ends_at > before.ends_at

    def _begins_as(self, before: "Disposition") -> bool:
        return (self.target, self.begins_at) == (before.target, before.begins_at)

    def says_the_same_as(self, other: "Disposition") -> bool:
        """Whether what is watched for, and when, is the same."""
        return (self.kind, self.target, self.begins_at, self.ends_at) == (
            other.kind,
            other.target,
            other.begins_at,
            other.ends_at,
        )


def move(state: DispositionState, to: DispositionState) -> DispositionState:
    """The state after the move. Wrong when the table has none."""
    if to not in MOVES[state]:
        raise Wrong(INVALID, f"the disposition is {state}: it cannot become {to}")
    return to


def read_object(body: bytes, envelope: str) -> Mapping[str, Any]:
    """The object in an envelope of that name."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Wrong(JSON_FORMAT, "this is no JSON") from error
    found = value.get(envelope) if isinstance(value, Mapping) else None
    if not isinstance(found, Mapping):
        raise Wrong(JSON_FORMAT, f"there is no {envelope}")
    return found


def read_list(body: bytes) -> Sequence[Mapping[str, Any]]:
    """The objects of a DispositionListObject."""
    found = read_object(body, "DispositionListObject").get("DispositionObject")
    items = [found] if isinstance(found, Mapping) else found
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise Wrong(JSON_FORMAT, "there is no DispositionListObject.DispositionObject")
    if not 1 <= len(items) <= MOST_AT_ONCE:
        raise Wrong(JSON_CONTENT, f"between 1 and {MOST_AT_ONCE} dispositions at once")
    return items


def id_of(item: Mapping[str, Any]) -> str:
    """The DispositionID of an object."""
    return check_id(_text(item, "DispositionID", 40))


def check_id(text: str) -> str:
    """The text, if it is the id of a disposition."""
    if not _ID.fullmatch(text):
        raise Wrong(JSON_CONTENT, "DispositionID: 33 digits, with 01 in the places 13 and 14")
    return text


def asked(item: Mapping[str, Any], operate_types: str) -> Ask:
    """What is wanted: to watch, or to withdraw; without OperateType it is to watch."""
    if _text(item, "DispositionRemoveTime", 20):
        return Ask.WITHDRAW
    number = _text(item, "OperateType", 4)
    if not number:
        return Ask.WATCH
    try:
        return OPERATIONS[operate_types][number]
    except KeyError:
        raise Wrong(
            JSON_CONTENT, f"OperateType: this hub reads {operate_types} (set/withdraw)"
        ) from None


def read_disposition(item: Mapping[str, Any], now: datetime) -> Disposition:
    """One disposition. An end further away than an entry can live is cut to that."""
    kind, target = _target(item)
    begins_at = _time(item, "BeginTime") or now
    ends_at = _time(item, "EndTime")
    if ends_at is None:
        raise Wrong(JSON_CONTENT, "EndTime: it is missing, and nothing is watched for without end")
    if ends_at <= max(begins_at, now):
        raise Wrong(JSON_CONTENT, "EndTime: it must be after BeginTime, and in the future")
    if begins_at - now > LONGEST:
        raise Wrong(JSON_CONTENT, f"BeginTime: at most {LONGEST.days} days ahead")
    title = _text(item, "Title", 120)
    if not title:
        raise Wrong(JSON_CONTENT, "Title: it is missing")
    return Disposition(
        id=id_of(item),
        kind=kind,
        target=target,
        title=title,
        priority=_text(item, "PriorityLevel", 4),
        organisation=_text(item, "ApplicantOrg", 120),
        reason=_text(item, "Reason", 256),
        begins_at=begins_at,
        ends_at=ends_at,
    )


def check_begun(begins_at: datetime | None, now: datetime) -> None:
    """Raise Refused when the entry of a disposition cannot be approved because that has not begun."""
    if begins_at is not None and now < begins_at:
        begin = begins_at.isoformat(timespec="minutes")
        raise Refused("not_begun", f"the disposition behind it begins at {begin}: approve it then")


def expiry(disposition: Disposition, now: datetime) -> datetime:
    """When the entry for it expires: at its end, or when an entry must."""
    longest = (now + LONGEST - timedelta(minutes=1)).replace(microsecond=0)
    return min(disposition.ends_at, longest)


def _target(item: Mapping[str, Any]) -> tuple[ListKind, str]:
    category = _text(item, "DispositionCategory", 4)
    if category == "1":
        return ListKind.FACE, ""
    if category != "2":
        raise Wrong(
            JSON_CONTENT, "DispositionCategory: this hub watches for persons (1), vehicles (2)"
        )
    plates = _plates(_text(item, "TargetFeature", 256))
    if len(plates) != 1:
        what = "no plate" if not plates else "more than one plate"
        raise Wrong(JSON_CONTENT, f"TargetFeature: it holds {what} that the plate grammar knows")
    return ListKind.PLATE, plates.pop()


def _plates(text: str) -> set[str]:
    """The plates in a text: all of it, or what begins as a plate in a part between punctuation."""
    if (whole := parse(text)) is not None:
        return {whole.text}
    found = set()
    for part in map(normalise, _SPLIT.split(text)):
        starts = (match.start() for match in _BEGINNINGS.finditer(part))
        ends = ((start, start + n) for start in starts for n in range(MAX_LENGTH, 5, -1))
        tries = (part[a:b] for a, b in ends if not _GOES_ON.match(part, b))
        if (plate := next((p for t in tries if (p := parse(t)) is not None), None)) is not None:
            found.add(plate.text)
    return found


def _text(item: Mapping[str, Any], name: str, longest: int) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Wrong(JSON_CONTENT, f"{name}: it must be a text")
    text = " ".join(str(value).split())
    if len(text) > longest or not text.isprintable():
        raise Wrong(JSON_CONTENT, f"{name}: at most {longest} characters that can be printed")
    return text


def _time(item: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(item, name, 20)
    if not text:
        return None
    try:
        return read_time(text)
    except ValueError as error:
        raise Wrong(JSON_CONTENT, f"{name}: {error}") from error
