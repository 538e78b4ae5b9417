"""``[[sinks]]`` of the hub's file: one section for each kind, told apart by `kind`. Opens nothing.

What cannot be delivered for `give_up_after_h` becomes a dead letter. A URL whose address is not public needs
its network in `allow_networks`: a command centre on the inside is named, not stumbled upon.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

from hub.section import Section
from hub.sinks.addresses import Network, refusal
from hub.sinks.cap_message import CapStatus
from hub.sinks.filter import Filter, Unverified
from hub.sinks.template import LONG, SHORT, Language, check_template
from hub.watchlist import Category
from wire.messages import Identifier, Severity

Security = Literal["starttls", "tls", "none"]
ChatStyle = Literal["wecom", "dingtalk", "feishu", "text"]
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


_URL = re.compile(r"^https?://[^\s/]+")
Url = Annotated[str, Field(pattern=_URL.pattern)]


class HttpSink(SinkBase):
    """What every sink that speaks HTTP has. `ca_file` is for a receiver with certificates of its own."""

    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    allow_networks: tuple[IPvAnyNetwork, ...] = ()
    ca_file: Path | None = None

    @property
    def networks(self) -> tuple[Network, ...]:
        """`allow_networks`."""
        return tuple(self.allow_networks)

    def check_url(self, url: str) -> None:
        """ValueError for what is no URL, or whose address the sink would never connect to; a name is looked
        up later."""
        if not _URL.match(url):
            raise ValueError("this is no http:// or https:// URL")
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
        self.check_url(self.url)
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
        self.check_url(self.url)
        if self.filter.unverified == "all":
            raise ValueError(
                'filter.unverified: the police are told of an unverified alert only where it is "urgent"'
            )
        return self

    def device_of(self, site: str, camera: str) -> str:
        """The 20 digits of a camera: its own, else the hub's."""
        return self.cameras.get(f"{site}/{camera}", self.device_id)


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone, such as Asia/Shanghai") from error
    return name


TimeZone = Annotated[str, AfterValidator(_is_zone)]
TemplateText = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(check_template)]


class CapSection(HttpSink):
    """A receiver of CAP 1.2: by `url`, through files in `folder`, or both. Messages are Private to
    `addresses` and expire after `valid_for_h`."""

    kind: Literal["cap"]
    url: Url | None = None
    folder: Path | None = None
    sender: Annotated[str, Field(pattern=r"^[^\s,<&]{1,200}$")]
    sender_name: Annotated[str, Field(min_length=1, max_length=200)]
    addresses: Annotated[
        tuple[Annotated[str, Field(pattern=r'^[^"<&]+$')], ...], Field(min_length=1)
    ]
    status: CapStatus = "Actual"
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "zh-CN"
    time_zone: TimeZone = "Asia/Shanghai"
    valid_for_h: Annotated[float, Field(gt=0, le=24 * 30)] = 24.0

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.url is None and self.folder is None:
            raise ValueError("name a url, a folder, or both")
        if self.url is not None:
            self.check_url(self.url)
        return self


class EmailSection(SinkBase):
    """Some mailboxes. Templates are described in docs/sinks.md."""

    kind: Literal["email"]
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = "starttls"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    sender: Annotated[str, Field(pattern=r"^[^\s@<>,]+@[^\s@<>,]+$")]
    recipients: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[^\s@<>,]+@[^\s@<>,]+$")], ...], Field(min_length=1)
    ]
    subject: TemplateText = SHORT
    text: TemplateText = LONG
    language: Language = "zh"
    time_zone: TimeZone = "Asia/Shanghai"
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file go together")
        if self.username is not None and self.security == "none":
            raise ValueError("security: a password is not sent in the clear")
        return self

    def made_filter(self) -> Filter:
        """Its filter: the community's own people are told of everything."""
        return self._filter("all")


class ChatSection(HttpSink):
    """A robot of the guards' chat. `url_file` holds its URL, which is a secret; `secret_file` what it signs
    with, where the chat (DingTalk, Feishu) asks for it."""

    kind: Literal["chat"]
    style: ChatStyle
    url_file: Path
    secret_file: Path | None = None
    template: TemplateText = SHORT
    language: Language = "zh"
    time_zone: TimeZone = "Asia/Shanghai"

    @model_validator(mode="after")
    def _can_sign(self) -> Self:
        if self.secret_file is not None and self.style not in ("dingtalk", "feishu"):
            raise ValueError(f"secret_file: {self.style} signs nothing")
        return self

    def made_filter(self) -> Filter:
        """Its filter: the community's own people are told of everything."""
        return self._filter("all")


SinkSection = Annotated[
    WebhookSection | Gat1400Section | CapSection | EmailSection | ChatSection,
    Field(discriminator="kind"),
]
