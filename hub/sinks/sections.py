"""``[[sinks]]`` of the hub's file: one section for each kind, told apart by `kind`. Opens nothing.

What cannot be delivered for `give_up_after_h` becomes a dead letter. A URL whose address is not public needs
its network in `allow_networks`: a command centre on the inside is named, not stumbled upon.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, IPvAnyNetwork, model_validator

from hub.section import Section
from hub.sinks.addresses import Network, refusal
from hub.sinks.filter import Filter, Unverified
from hub.watchlist import Category
from wire.messages import Identifier, Severity

Step = Literal[
    "raised",
    "joined",
    "assigned",
    "escalated",
    "noted",
    "acknowledged",
    "verified",
    "false_alarm",
    "dispatched",
    "on_scene",
    "closed",
]


class FilterSection(Section):
    """``[sinks.filter]``: what the sink is told of. What is left out is not asked for.

    `unverified` says which alerts it is told of before a person has verified them: ``all``, ``urgent`` (those
    that are red or of a missing person) or ``none``. Its default depends on the kind of sink.
    """

    severities: tuple[Severity, ...] = ()
    sites: tuple[Identifier, ...] = ()
    rules: tuple[Identifier, ...] = ()
    categories: tuple[Category, ...] = ()
    steps: tuple[Step, ...] = ()
    unverified: Unverified | None = None


class SinkBase(Section):
    """What every sink has."""

    id: Identifier
    filter: FilterSection = FilterSection()
    give_up_after_h: Annotated[float, Field(gt=0, le=24 * 30)] = 72.0

    def made_filter(self) -> Filter:
        """Its filter. A sink for the command centre is told of the urgent ones only, until a person has
        verified the others."""
        return self._filter("urgent")

    def _filter(self, unverified: Unverified) -> Filter:
        wanted = self.filter
        return Filter(
            severities=frozenset(wanted.severities),
            sites=frozenset(wanted.sites),
            rules=frozenset(wanted.rules),
            categories=frozenset(wanted.categories),
            steps=frozenset(wanted.steps),
            unverified=wanted.unverified or unverified,
        )


Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+")]


class HttpSink(SinkBase):
    """What every sink that speaks HTTP has. `ca_file` is for a receiver with certificates of its own."""

    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    allow_networks: tuple[IPvAnyNetwork, ...] = ()
    ca_file: Path | None = None

    @property
    def networks(self) -> tuple[Network, ...]:
        """`allow_networks`."""
        return tuple(self.allow_networks)

    def _check_address(self, url: str) -> None:
        """ValueError for an address that the sink would never connect to; a name is looked up later."""
        host = urlsplit(url).hostname or ""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return
        if why := refusal(address, self.networks):
            raise ValueError(why)


class WebhookSection(HttpSink):
    """A receiver of signed webhooks. `secret_file` holds one ``whsec_…`` a line; while a secret rotates it
    holds both, and each message is signed with both."""

    kind: Literal["webhook"]
    url: Url
    secret_file: Path

    @model_validator(mode="after")
    def _may_connect(self) -> Self:
        self._check_address(self.url)
        return self


Digits20 = Annotated[str, Field(pattern=r"^[0-9]{20}$")]


class Gat1400Section(HttpSink):
    """A view library of the police (GA/T 1400, 视图库).

    `device_id` is who the hub is to it, `organ` the 12 digits that our notifications begin with; `cameras`
    gives the id of a camera, by site and camera, where the library knows it by one of its own.
    """

    kind: Literal["gat1400"]
    url: Url
    device_id: Digits20
    organ: Annotated[str, Field(pattern=r"^[0-9]{12}$")]
    username: Annotated[str, Field(min_length=1)]
    password_file: Path
    keepalive_s: Annotated[float, Field(ge=5, le=300)] = 60.0
    cameras: dict[str, Digits20] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_for_the_police(self) -> Self:
        self._check_address(self.url)
        if self.filter.unverified == "all":
            raise ValueError(
                'filter.unverified: the police are told of an unverified alert only where it is "urgent"'
            )
        return self

    def device_of(self, site: str, camera: str) -> str:
        """The 20 digits of a camera: its own, else the hub's."""
        return self.cameras.get(f"{site}/{camera}", self.device_id)


SinkSection = Annotated[WebhookSection | Gat1400Section, Field(discriminator="kind")]
