"""Which plates may open the doors and barriers of a box: the list for it, and when it is given anew. Pure.

In: registered vehicles and visitors' passes, which devices the box has and for whom each opens, what the box
was given and holds; the time. Out: the entries, the messages that carry them, and a named reason to send
them. An entry is a plate, its time and its devices: no name, no unit, no kind of pass.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from hub.section import Section
from hub.sent_versions import Again, SentVersion
from wire.messages import AllowedPlate, AllowList, Identifier

Holder = Literal["registered", "visitor"]
Why = Literal["changed"] | Again
AT_ONCE: Final = 1000
"""Entries of one message: far below what a message may hold."""


class DeviceSection(Section):
    """For whom one door or barrier of a box opens; without such a section, for both."""

    edge: Identifier
    device: Identifier
    opens_for: Annotated[frozenset[Holder], Field(min_length=1)]


class AllowListSection(Section):
    """How long a box may go by its list without word of the hub, and for whom its devices open.

    `valid_hours` is how long barriers work through an outage, and how long a stolen box opens for those who
    have since moved away.
    """

    valid_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 72
    devices: tuple[DeviceSection, ...] = ()

    @model_validator(mode="after")
    def _devices_differ(self) -> Self:
        seen = set[tuple[str, str]]()
        for section in self.devices:
            key = (section.edge, section.device)
            if key in seen:
                raise ValueError(
                    f"device {section.device!r} of edge {section.edge!r} is there twice"
                )
            seen.add(key)
        return self

    def opens_for(self, edge: str, device: str) -> frozenset[Holder]:
        """For whom a device opens."""
        return next(
            (s.opens_for for s in self.devices if (s.edge, s.device) == (edge, device)),
            frozenset[Holder](("registered", "visitor")),
        )


@dataclass(frozen=True, slots=True, order=True)
class Allowed:
    """A vehicle that belongs to the site for good (`registered`), or by an approved pass (`visitor`)."""

    plate: str
    holder: Holder
    valid_from: datetime | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(SentVersion):
    """The list that a box with these devices was given last."""

    devices: tuple[str, ...]


def entries_for(
    given: Given, allowed: Iterable[Allowed], section: AllowListSection
) -> tuple[AllowedPlate, ...]:
    """The entries of a box: each for the devices that open for its holder, in a fixed order."""
    opens: dict[Holder, tuple[str, ...]] = {
        holder: tuple(d for d in given.devices if holder in section.opens_for(given.edge, d))
        for holder in ("registered", "visitor")
    }
    return tuple(
        AllowedPlate(
            plate=one.plate,
            devices=() if opens[one.holder] == given.devices else opens[one.holder],
            valid_from=one.valid_from,
            valid_until=one.valid_until,
        )
        for one in sorted(set(allowed), key=_order)
        if opens[one.holder]
    )


def _order(one: Allowed) -> tuple[str, ...]:
    return (one.plate, one.holder, str(one.valid_from), str(one.valid_until))


def digest_of(entries: Collection[AllowedPlate]) -> str:
    """What tells two lists apart."""
    plain = [entry.model_dump(mode="json", exclude_none=True) for entry in entries]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def why_send(given: Given, digest: str, now: datetime, life: timedelta) -> Why | None:
    """Why the box is to be sent its list now; None to wait.

    A change is sent at once; what is not answered, or was refused, is sent again after a pause that grows.
    """
    if given.version == 0 or digest != given.digest:
        return "changed"
    return given.why_again(now, life)


def list_parts(
    version: int, expires_at: datetime, entries: Sequence[AllowedPlate]
) -> tuple[AllowList, ...]:
    """The messages that give a box these entries: one at least."""
    starts = range(0, max(len(entries), 1), AT_ONCE)
    return tuple(
        AllowList(
            version=version,
            part=part,
            parts=len(starts),
            expires_at=expires_at,
            plates=len(entries),
            entries=tuple(entries[start : start + AT_ONCE]),
        )
        for part, start in enumerate(starts, start=1)
    )
