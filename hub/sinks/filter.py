"""Whether an event is for a sink. Pure.

In: a notice and the sink's filter. Out: a named verdict, which is kept with the delivery.

The law behind `Unverified` (DESIGN section 7): nothing leaves for the police before a person has verified it,
but for a missing person and for what is red, which may go at once, and then says that it is unverified.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from hub.sinks.notice import Notice
from hub.watchlist import Category
from wire.messages import Severity

Unverified = Literal["all", "urgent", "none"]
"""Which alerts a sink is told of before a person has verified them."""


class Verdict(StrEnum):
    """Why an event passes, or does not."""

    PASSES = "passes"
    SEVERITY = "other_severity"
    SITE = "other_site"
    RULE = "other_rule"
    CATEGORY = "other_category"
    STEP = "other_step"
    UNVERIFIED = "not_verified_yet"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a sink is told of; an empty set lets everything pass."""

    severities: frozenset[Severity] = frozenset()
    sites: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    unverified: Unverified = "all"

    def judge(self, notice: Notice) -> Verdict:
        """Say whether the event passes, or the first thing that it does not pass for."""
        alert = notice.alert
        wanted = (
            (Verdict.SEVERITY, self.severities, alert.severity),
            (Verdict.SITE, self.sites, alert.site),
            (Verdict.RULE, self.rules, alert.rule_id),
            (Verdict.CATEGORY, self.categories, alert.category),
            (Verdict.STEP, self.steps, notice.step),
        )
        for verdict, some, value in wanted:
            if some and value not in some:
                return verdict
        if alert.certainty != "confirmed" and not self._goes_unverified(notice):
            return Verdict.UNVERIFIED
        return Verdict.PASSES

    def _goes_unverified(self, notice: Notice) -> bool:
        if self.unverified == "urgent":
            alert = notice.alert
            return alert.severity == "red" or alert.category == Category.MISSING_PERSON
        return self.unverified == "all"
