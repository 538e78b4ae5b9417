"""What time does to rules: those that a timer asks, and files that have changed.

In: the store, the rules, the time. Out: alerts about what has not happened, or has lasted; the history of
file rules. What it finds has an id that follows from the rule, whom it is about and since when: however
often it is found, on whichever process, it raises once. Decides nothing itself.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.decide import Match, match_of
from hub.raise_alerts import Raiser
from hub.rule_store import RuleKeeper
from hub.rules import Context
from hub.store import Store, rules
from hub.store.registry import StoredRegister
from hub.store.windows import StoredWindows

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5
_ASK_EVERY: Final = timedelta(seconds=5)


@dataclass(slots=True)
class Ticker:
    """Asks, a round at a time. `on_alerts` is called after one that raised any."""

    store: Store
    keeper: RuleKeeper
    raiser: Raiser
    now: Callable[[], datetime]
    on_alerts: Callable[[], None]
    _asked_at: datetime | None = None

    def round(self) -> None:
        """See whether rules have changed, and, where it is time, ask those that a timer asks."""
        now = self.now()
        self.look(now)
        if self._asked_at is None or now - self._asked_at >= _ASK_EVERY:
            self._asked_at = now
            if self.ask(now):
                self.on_alerts()

    def look(self, now: datetime) -> None:
        """See whether rules have changed, and keep the history of those in files."""
        with self.store.read() as tx:
            self.keeper.current(tx)
        if (found := self.keeper.unrecorded()) is not None:
            with self.store.write() as tx:
                changed = rules.record_files(tx, found.saved, found.enabled, now)
            self.keeper.recorded(found)
            if changed:
                log.info("%d rules in files are new or have changed", changed)

    def ask(self, now: datetime) -> int:
        """Ask the rules that a timer asks; returns how many alerts that raised."""
        with self.store.read() as tx:
            found = self._found(tx, now)
        if not found:
            return 0
        with self.store.write() as tx:
            known = rules.known_matches(tx, [_name(match) for match in found])
            return sum(
                self.raiser.take(tx, match, now) for match in found if _name(match) not in known
            )

    def _found(self, tx: Connection, now: datetime) -> list[Match]:
        """What holds now and has not been told of."""
        context = Context(StoredWindows(tx), StoredRegister(tx), now)
        due = self.keeper.current(tx).due(context)
        found = [match_of(rule, finding) for rule, finding in due]
        known = rules.known_matches(tx, [_name(match) for match in found])
        return [match for match in found if _name(match) not in known]


def _name(match: Match) -> tuple[str, str]:
    return match.rule.id, match.sighting.observation_id
