"""An event of an alert as a message of the Common Alerting Protocol (CAP 1.2, OASIS). Pure.

In: a notice. Out: XML, or None for what is no news to a receiver of CAP. The first message that a sink
sends of an alert is an Alert, the later ones are Updates, a false alarm is a Cancel; each refers to all
before it. Certainty is at most Likely until a person has confirmed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final, Literal
from xml.etree.ElementTree import Element, SubElement, tostring

from hub.sinks.notice import Notice
from wire.messages import PlateMatch

NAMESPACE: Final = "urn:oasis:names:tc:emergency:cap:1.2"
CapStatus = Literal["Actual", "Exercise", "Test"]

_STEPS: Final = frozenset(
    {"raised", "escalated", "acknowledged", "verified", "dispatched", "on_scene", "closed"}
)
_URGENCY: Final[Mapping[str, str]] = MappingProxyType(
    {"red": "Immediate", "yellow": "Expected", "blue": "Future"}
)
_SEVERITY: Final[Mapping[str, str]] = MappingProxyType(
    {"red": "Severe", "yellow": "Moderate", "blue": "Minor"}
)
#: What XML 1.0 has no place for.
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class CapSource:
    """Who sends, to whom, and how."""

    sender: str
    sender_name: str
    addresses: Sequence[str]
    status: CapStatus
    language: str
    zone: tzinfo
    valid_for: timedelta


def cap_message(notice: Notice, source: CapSource) -> bytes | None:
    """The XML of one event; None when the receiver is not to be told, or knows already that it is over."""
    alert, told = notice.alert, notice.due.told
    if notice.step == "false_alarm":
        kind = "Cancel"
    elif notice.step not in _STEPS or alert.state == "false_alarm":
        return None
    elif notice.step == "closed" and alert.certainty != "confirmed":
        return None  # it was a false alarm, and has been cancelled
    else:
        kind = "Update" if told else "Alert"
    if kind == "Cancel" and not told:
        return None
    root = _header(notice, source, kind)
    if kind != "Cancel":
        _info(root, notice, source)
    message: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return message


def write_moment(at: datetime, zone: tzinfo) -> str:
    """A moment as CAP has it: to the second, with an offset, and UTC as ``-00:00``."""
    local = at.astimezone(zone).replace(microsecond=0)
    text = local.isoformat()
    return f"{text[:-6]}-00:00" if local.utcoffset() == UTC.utcoffset(None) else text


def _header(notice: Notice, source: CapSource, kind: str) -> Element:
    due, zone = notice.due, source.zone
    root = Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", due.event_id)
    _add(root, "sender", source.sender)
    _add(root, "sent", write_moment(due.at, zone))
    _add(root, "status", source.status)
    _add(root, "msgType", kind)
    _add(root, "scope", "Private")
    _add(root, "addresses", " ".join(_quoted(address) for address in source.addresses))
    if kind == "Cancel":
        _add(root, "note", "false alarm")
    if due.told:
        earlier = (
            f"{source.sender},{one.event_id},{write_moment(one.at, zone)}" for one in due.told
        )
        _add(root, "references", " ".join(earlier))
    return root


def _info(root: Element, notice: Notice, source: CapSource) -> None:
    alert, zone = notice.alert, source.zone
    info = SubElement(root, "info")
    _add(info, "language", source.language)
    _add(info, "category", "Security")
    _add(info, "event", alert.rule_title)
    _add(info, "responseType", "AllClear" if notice.step == "closed" else "Assess")
    _add(info, "urgency", "Past" if notice.step == "closed" else _URGENCY[alert.severity])
    _add(info, "severity", _SEVERITY[alert.severity])
    _add(info, "certainty", _certainty(notice))
    _add(info, "effective", write_moment(notice.due.at, zone))
    _add(info, "onset", write_moment(alert.first_seen_at, zone))
    _add(info, "expires", write_moment(notice.due.at + source.valid_for, zone))
    _add(info, "senderName", source.sender_name)
    _add(info, "headline", f"{alert.rule_title}: {alert.site} / {alert.gate}")
    _add(info, "description", alert.reason)
    for name, value in (
        ("alert", alert.alert_id),
        ("step", notice.step),
        ("certainty", alert.certainty),
        ("rule", alert.rule_id),
        ("category", alert.category),
        ("observation", alert.observation_id),
    ):
        parameter = SubElement(info, "parameter")
        _add(parameter, "valueName", f"gatehouse.{name}")
        _add(parameter, "value", value)
    _add(SubElement(info, "area"), "areaDesc", f"{alert.site} / {alert.gate} / {alert.camera}")


def _certainty(notice: Notice) -> str:
    alert = notice.alert
    if alert.certainty == "confirmed":
        return "Observed"
    suspected = isinstance(alert.match, PlateMatch) and alert.match.how == "suspected"
    return "Possible" if suspected else "Likely"


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NO_XML.sub("\ufffd", text)


def _quoted(address: str) -> str:
    return f'"{address}"' if " " in address else address
