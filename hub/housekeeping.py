"""What time does: entries and subjects end, what was kept long enough is deleted.

In: the store and the time. Out: rows and files that are no more. An entry is inert from the second it
expires (`hub.watchlist.Entry.is_active`); this erases what is left of it, within a minute.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from hub.audit import Act
from hub.config import RetentionSection
from hub.evidence_files import EvidenceFiles
from hub.store import (
    Store,
    access,
    alerts,
    audit,
    consents,
    dispositions,
    evidence,
    incidents,
    observations,
    passes,
    signed,
    silences,
    watchlists,
)
from hub.watchlist import EntryState, ListKind

EVERY_S: Final = 60.0
_FILES_AT_ONCE: Final = 500
_ANSWERS_KEPT: Final = timedelta(hours=24)
_CONSENTS_KEPT: Final = timedelta(days=3 * 366)
"""After the subject was erased: as long as an impact assessment is kept (PIPL 56)."""
_BOOTS_KEPT: Final = timedelta(days=365)
CLOCK: Final = "clock"
"""Who did it, in the audit log."""


@dataclass(slots=True)
class Housekeeper:
    """Tidies up, a round at a time."""

    store: Store
    files: EvidenceFiles
    retention: RetentionSection
    now: Callable[[], datetime]

    def round(self) -> None:
        """Do one round."""
        now = self.now()
        with self.store.write() as tx:
            erased = _expire(tx, now)
            observations.delete_before(tx, now - timedelta(days=self.retention.observations_days))
            observations.delete_windows_before(tx, now - _BOOTS_KEPT)
            alerts.delete_before(tx, now - timedelta(days=self.retention.alerts_days))
            incidents.delete_empty(tx)
            silences.delete_before(tx, now - timedelta(days=self.retention.alerts_days))
            erased += len(passes.expire(tx, now))
            erased += dispositions.erase_over(tx, now)
            erased += passes.erase_before(tx, now - timedelta(days=self.retention.passes_days))
            alerts.delete_events_before(tx, now - timedelta(days=self.retention.evidence_days))
            signed.delete_before(tx, now - timedelta(days=self.retention.evidence_days))
            access.delete_answers_before(tx, now - _ANSWERS_KEPT)
            consents.delete_erased_before(tx, now - _CONSENTS_KEPT)
        if erased:
            self.store.forget_erased()
        self._delete_pictures(now - timedelta(days=self.retention.evidence_days))

    def _delete_pictures(self, before: datetime) -> None:
        """The file first: what is interrupted here is taken up in the next round."""
        with self.store.read() as tx:
            rows = evidence.take_before(tx, before, _FILES_AT_ONCE)
        for row in rows:
            self.files.delete(row["observation_id"], row["name"], row["media_type"])
        if rows:
            with self.store.write() as tx:
                for row in rows:
                    evidence.delete_row(tx, row["observation_id"], row["name"])


def _expire(tx: Connection, now: datetime) -> int:
    """Mark what has ended and erase its templates; returns how many were erased."""
    erased = 0
    for entry in watchlists.lapsed_entries(tx, now):
        watchlists.set_state(tx, entry, EntryState.EXPIRED)
        details = {"kind": entry.kind.value}
        audit.add(tx, Act(CLOCK, "entry.expired", entry.id, details=details), now)
        if entry.kind is ListKind.FACE and not watchlists.is_needed(tx, entry.target):
            count = watchlists.erase_templates(tx, entry.target)
            audit.add(tx, Act(CLOCK, "templates.erased", entry.target), now)
            erased += count
    for subject_id in watchlists.lapsed_subjects(tx, now):
        watchlists.remove_entries_of(tx, subject_id)
        erased += watchlists.erase_subject(tx, subject_id, now)
        audit.add(tx, Act(CLOCK, "subject.erased", subject_id), now)
    return erased
