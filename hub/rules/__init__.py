"""Watch rules: typed documents, one kind a file, read from a folder of TOML files.

In: `configs/rules/*.toml`. Out: a `RuleBook`. A broken file never takes the others down: it is kept as
broken, with a message that names file and key, and shown as such.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import Field, RootModel

from hub.config import load_toml
from hub.identify import FaceSighting, PlateSighting, Sighting
from hub.rules.base import Decision, RuleDocument, Why
from hub.rules.face_watchlist import FaceWatchlist
from hub.rules.plate_watchlist import PlateWatchlist
from wire.errors import ConfigError

__all__ = ["Decision", "FaceWatchlist", "PlateWatchlist", "Rule", "RuleBook", "Why", "load_rules"]

Rule = FaceWatchlist | PlateWatchlist


class _AnyRule(RootModel[Annotated[Rule, Field(discriminator="kind")]]):
    """A rule of whichever kind its file says."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules of a folder; `broken` are the messages of the files that could not be read."""

    rules: tuple[Rule, ...] = ()
    broken: tuple[str, ...] = field(default=())

    def decide(self, sighting: Sighting) -> Iterator[tuple[RuleDocument, Decision]]:
        """Ask every enabled rule of the sighting's kind."""
        for rule in self.rules:
            if rule.enabled:
                match rule, sighting.what:
                    case FaceWatchlist(), FaceSighting() as what:
                        yield rule, rule.decide(sighting, what)
                    case PlateWatchlist(), PlateSighting() as what:
                        yield rule, rule.decide(sighting, what)


def load_rules(folder: Path) -> RuleBook:
    """Read every ``*.toml`` of `folder`. ConfigError when there is no such folder."""
    if not folder.is_dir():
        raise ConfigError(f"rules_dir: there is no folder {folder}")
    rules: dict[str, Rule] = {}
    broken = []
    for path in sorted(folder.glob("*.toml")):
        try:
            rule = load_toml(path, _AnyRule, example="configs/rules/").root
            if rule.id in rules:
                raise ConfigError(f"{path}:\n  id: another file has a rule {rule.id!r} too")
        except ConfigError as error:
            broken.append(str(error))
        else:
            rules[rule.id] = rule
    return RuleBook(tuple(rules.values()), tuple(broken))
