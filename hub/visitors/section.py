"""``[visitors]`` of the hub's file: the page behind QR codes. Without it there are no codes."""

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from hub.section import Section


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no time zone, such as Asia/Shanghai") from error
    return name


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class VisitorsSection(Section):
    """Where the codes lead and who answers for what is entered there.

    `base_url` is where phones reach the hub, usually a proxy that passes on ``/v/`` alone. `controller` is
    who keeps the data and `contact` how to reach them; both are shown in the consent text. `ask_phone` adds a
    field for a telephone number, which may be left empty.
    """

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+$")]
    controller: Annotated[str, Field(min_length=1, max_length=120)]
    contact: Annotated[str, Field(min_length=1, max_length=120)]
    ask_phone: bool = False
    time_zone: Annotated[str, AfterValidator(_is_zone)] = "Asia/Shanghai"

    @model_validator(mode="after")
    def _is_encrypted(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
            raise ValueError("base_url: names and plates do not travel in the clear: use https://")
        return self
