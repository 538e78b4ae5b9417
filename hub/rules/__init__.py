"""Watch rules: typed documents, one kind a file here, and the book of all that are in force.

In: documents. Out: a `RuleBook`, which finds the rules that a sighting may concern without asking the
others. A document that cannot be read never takes the others down: it is kept as broken, with a message
that names where it is, the rule and the field, and shown as such.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

from pydantic import Field, TypeAdapter, ValidationError

from hub.config import explain, load_table
from hub.identify import Sighting
from hub.places import Filed, PlaceIndex
from hub.rules.absence import Absence
from hub.rules.accompanied_entry import AccompaniedEntry
from hub.rules.base import (
    Context,
    Decision,
    Finding,
    RuleDocument,
    TimedRule,
    Why,
    topics_of,
)
from hub.rules.blocked_lane import BlockedLane
from hub.rules.camera_fault import CameraFault
from hub.rules.cloned_plate import ClonedPlate
from hub.rules.crowding import Crowding
from hub.rules.ebike_indoors import EbikeIndoors
from hub.rules.edge_fault import EdgeFault
from hub.rules.face_watchlist import FaceWatchlist
from hub.rules.line_crossing import LineCrossing
from hub.rules.loitering import Loitering
from hub.rules.missing_person import MissingPerson
from hub.rules.overstay import Overstay
from hub.rules.plate_watchlist import PlateWatchlist
from hub.rules.restricted_zone import RestrictedZone
from hub.rules.unregistered_person import UnregisteredPerson
from hub.rules.unregistered_vehicle import UnregisteredVehicle
from hub.rules.vacant_unit import VacantUnit
from hub.rules.vehicle_prowling import VehicleProwling
from wire.errors import ConfigError

__all__ = [
    "KINDS",
    "AnyRule",
    "Context",
    "Decision",
    "FaceWatchlist",
    "Finding",
    "PlateWatchlist",
    "Rule",
    "RuleBook",
    "Why",
    "dump_rule",
    "load_rule",
    "load_rules",
    "parse_rule",
]

Rule = (
    FaceWatchlist
    | PlateWatchlist
    | MissingPerson
    | UnregisteredVehicle
    | UnregisteredPerson
    | AccompaniedEntry
    | RestrictedZone
    | LineCrossing
    | Loitering
    | Crowding
    | VehicleProwling
    | BlockedLane
    | EbikeIndoors
    | Overstay
    | ClonedPlate
    | Absence
    | VacantUnit
    | CameraFault
    | EdgeFault
)
AnyRule = Annotated[Rule, Field(discriminator="kind")]

KINDS: Final[Mapping[str, type[RuleDocument]]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(Rule)
}
"""Every kind, and its document."""

_ADAPTER: Final[TypeAdapter[Rule]] = TypeAdapter(AnyRule)


class RuleBook:
    """All rules that are known; `broken` are the messages of those that could not be read. Immutable."""

    def __init__(self, rules: Sequence[Rule] = (), broken: Sequence[str] = ()) -> None:
        # Whoever is missing is told of first.
        self.rules = tuple(sorted(rules, key=lambda rule: not isinstance(rule, MissingPerson)))
        self.broken = tuple(broken)
        enabled = [cast(RuleDocument, rule) for rule in self.rules if rule.enabled]
        self.timed = tuple(rule for rule in enabled if isinstance(rule, TimedRule))
        self._index = PlaceIndex(
            Filed(order, rule.topics(), rule, rule) for order, rule in enumerate(enabled)
        )

    def decide(
        self, sighting: Sighting, context: Context
    ) -> Iterator[tuple[RuleDocument, Decision]]:
        """Ask every enabled rule that may have to do with this sighting, here."""
        for rule in self._index.at(topics_of(sighting), sighting.spot):
            yield rule, rule.consider(sighting, context)

    def due(self, context: Context) -> Iterator[tuple[RuleDocument, Finding]]:
        """Ask every enabled rule that a timer asks."""
        for rule in self.timed:
            for finding in rule.due(context):
                yield rule, finding


def parse_rule(document: Any, where: str) -> Rule:
    """Check a document. ConfigError names `where` it is, and every field that is wrong."""
    try:
        return _ADAPTER.validate_python(document)
    except ValidationError as error:
        named = (
            f": rule {document['id']!r}" if isinstance(document, dict) and "id" in document else ""
        )
        raise ConfigError(f"{where}{named}:\n{_explained(error)}") from error


def _explained(error: ValidationError) -> str:
    """The problems, a line each; a field is named without the kind that the union puts before it."""
    kinds = "|".join(sorted(KINDS, key=len, reverse=True))
    return re.sub(rf"(?m)^  (?:{kinds})\.?", "  ", explain(error, "docs/rules.md"))


def dump_rule(rule: RuleDocument) -> dict[str, Any]:
    """The document of a rule as JSON: what it says, and nothing that only defaults say; sets are sorted."""
    return cast(dict[str, Any], _plain(rule.model_dump(mode="json", exclude_defaults=True)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return sorted(value)
    return [_plain(one) for one in value] if isinstance(value, list) else value


def load_rule(path: Path) -> Rule:
    """Read one rule from a TOML file. ConfigError names the file, the rule and every key that is wrong."""
    return parse_rule(load_table(path), str(path))


def load_rules(folder: Path) -> RuleBook:
    """Read every ``*.toml`` of `folder`. ConfigError when there is no such folder."""
    if not folder.is_dir():
        raise ConfigError(f"rules_dir: there is no folder {folder}")
    rules: dict[str, Rule] = {}
    broken = []
    for path in sorted(folder.glob("*.toml")):
        try:
            rule = load_rule(path)
            if rule.id in rules:
                raise ConfigError(f"{path}:\n  id: another file has a rule {rule.id!r} too")
        except ConfigError as error:
            broken.append(str(error))
        else:
            rules[rule.id] = rule
    return RuleBook(tuple(rules.values()), tuple(broken))
