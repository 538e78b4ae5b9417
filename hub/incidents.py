"""Incidents: alerts that are handled together. Pure.

In: a new alert and those that are not closed. Out: the one it belongs with, if any: the same person or
vehicle anywhere on the site, or what another rule saw at the same camera, within minutes. Two alerts of one
rule about different persons or vehicles are two matters. An alert alone makes no incident.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

WITHIN: Final = timedelta(minutes=10)
"""So close, from the last sighting of one to the first of the other, alerts may belong together."""

_NAMESPACE: Final = uuid.UUID("0c6c1b1e-4a35-5d0e-8d07-5a9f5d2c9a44")


@dataclass(frozen=True, slots=True)
class Belonging:
    """The alert that a new one belongs with, and why."""

    alert_id: str
    incident_id: str
    reason: Literal["same_target", "same_camera"]


def belongs_with(
    alert: Mapping[str, Any], unclosed: Iterable[Mapping[Any, Any]]
) -> Belonging | None:
    """What a new alert belongs with: of several the one seen last."""
    found: list[tuple[Any, Mapping[Any, Any], Literal["same_target", "same_camera"]]] = []
    for other in unclosed:
        gap = max(
            alert["first_seen_at"] - other["last_seen_at"],
            other["first_seen_at"] - alert["last_seen_at"],
        )
        reason = _reason(alert, other)
        if gap <= WITHIN and reason is not None:
            found.append((other["last_seen_at"], other, reason))
    if not found:
        return None
    _, other, reason = max(found, key=lambda item: (item[0], item[1]["id"]))
    return Belonging(other["id"], other["incident_id"] or incident_id(other["id"]), reason)


def incident_id(first_alert: str) -> str:
    """The id of the incident that begins with this alert: the same in every replay."""
    return str(uuid.uuid5(_NAMESPACE, first_alert))


def _reason(
    alert: Mapping[str, Any], other: Mapping[Any, Any]
) -> Literal["same_target", "same_camera"] | None:
    if alert["site"] != other["site"] or alert["id"] == other["id"]:
        return None
    if alert["target"] and alert["target"] == other["target"]:
        return "same_target"
    if alert["rule_id"] != other["rule_id"] and alert["camera"] == other["camera"]:
        return "same_camera"
    return None
