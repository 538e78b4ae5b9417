"""``[viid]`` of the hub's file: who may send dispositions (布控) to it. Opens nothing."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hub.section import Section
from hub.watchlist import CATEGORIES, Category, ListKind
from wire.messages import Identifier

Digits20 = Annotated[str, Field(pattern=r"^[0-9]{20}$")]


class PeerSection(Section):
    """A command centre: the 20 digits that it calls itself, and how it proves it. `id` is our name for it."""

    id: Identifier
    device_id: Digits20
    username: Annotated[str, Field(min_length=1, max_length=120, pattern=r'^[^":\\]+$')]
    password_file: Path


class ViidSection(Section):
    """What this hub is to the peers, and how it reads their dispositions.

    `operate_types` says which numbers the peers give to set and withdraw one. With `digest = "always"` every
    request must prove its sender; ``register`` is the standard's way: the registration does, and what comes
    from the same address within `session_s` is believed. The categories are what a disposition of a vehicle
    or a person is requested as.
    """

    device_id: Digits20
    operate_types: Literal["0/1", "1/2"] = "0/1"
    digest: Literal["register", "always"] = "register"
    session_s: Annotated[float, Field(ge=30, le=3600)] = 180.0
    vehicle_category: Category = Category.WANTED_VEHICLE
    person_category: Category = Category.WANTED_PERSON
    peers: Annotated[tuple[PeerSection, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        for name, kind in (("vehicle", ListKind.PLATE), ("person", ListKind.FACE)):
            category = getattr(self, f"{name}_category")
            if category not in CATEGORIES[kind]:
                allowed = ", ".join(sorted(CATEGORIES[kind]))
                raise ValueError(f"{name}_category: it can be {allowed}")
        for key in ("id", "device_id", "username"):
            values = [getattr(peer, key) for peer in self.peers]
            if len(set(values)) < len(values):
                raise ValueError(f"peers: two have the same {key}")
        return self
