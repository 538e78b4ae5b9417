"""Inhibition: an alert that explains others mutes them. Pure.

In: a new alert and those that are not closed. Out: the one that mutes it, if any. An edge box that is offline
is told of once; that its cameras are offline too is no news.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

MUTED_BY: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"camera_fault": frozenset({"edge_fault"})}
)
"""From the kind of rule of an alert to the kinds that mute it, where they are of the same edge box."""


def inhibited_by(
    alert: Mapping[str, Any], unclosed: Iterable[Mapping[Any, Any]]
) -> Mapping[Any, Any] | None:
    """The alert that mutes this one: the oldest of those that do."""
    stronger = MUTED_BY.get(alert["rule_kind"], frozenset())
    muting = [
        other
        for other in unclosed
        if other["rule_kind"] in stronger and other["edge"] == alert["edge"]
    ]
    return min(muting, key=lambda other: (other["raised_at"], other["id"]), default=None)
