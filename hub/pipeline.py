"""The hub's pipeline, on one screen: a batch of messages -> one transaction -> what to say about it.

    verify        bytes -> signed messages, or rejections                        hub/incoming.py
    deduplicate   leave out what is committed already                            hub/deduplicate.py
    identify      face -> enrolled subject, plate -> listed one; rows     hub/decide.py, hub/identify.py
    rules         sighting x rules, the past, the register -> matches            hub/decide.py, hub/rules/
    alerts        match -> alert, or one more of an alert; pictures; outbox rows hub/raise_alerts.py
    commit        all of that, dead letters and sequences, or none of it         hub/store/

In: messages as the broker delivered them. Out: `Outcome`, which is true once `run` has returned.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.decide import Identified, Identifier, Match, matches_of
from hub.deduplicate import acks_of, boots_of, committed_after, fresh_of
from hub.edges import EdgeBook
from hub.evidence_replies import hear_of_evidence
from hub.incoming import Incoming, KnownEdge, Rejected, Verified, redacted, verify
from hub.raise_alerts import Raiser
from hub.rule_store import RuleKeeper
from hub.rules import Context
from hub.sent_replies import hear_of_versions
from hub.store import Store, dead_letters, edges, observations, signed
from hub.store.registry import StoredRegister
from hub.store.windows import StoredWindows, add_recognitions
from hub.watch import WatchKeeper
from wire.messages import CommittedUpTo


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one batch came to.

    `acks` says for each edge how far its boots are committed; `book` what is known of the edges now;
    `reasons` counts what identification said.
    """

    acks: Mapping[str, tuple[CommittedUpTo, ...]]
    book: EdgeBook
    committed: int = 0
    repeated: int = 0
    rejected: int = 0
    raised: int = 0
    joined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps, and what they need."""

    known_edges: Mapping[str, KnownEdge]
    store: Store
    watch: WatchKeeper
    identifier: Identifier
    rules: RuleKeeper
    raiser: Raiser

    def run(self, batch: Sequence[Incoming], book: EdgeBook, now: datetime) -> Outcome:
        """Take a batch. All of it is durable when this returns; none of it when it raises."""
        checked = [verify(incoming, self.known_edges) for incoming in batch]
        messages = [item for item in checked if isinstance(item, Verified)]
        rejected = [item for item in checked if isinstance(item, Rejected)]
        with self.store.write() as tx:
            windows = observations.windows(tx, boots_of(messages, rejected))
            sequenced = [message for message in messages if message.position is not None]
            known = observations.known_ids(tx, [message.event.id for message in sequenced])
            fresh = fresh_of(sequenced, windows, known)
            watched = self.watch.current(tx, now)
            found = [self.identifier.identify(item, watched, now) for item in fresh.messages]
            rejected += [item for item in found if isinstance(item, Rejected)]
            stored = [item for item in found if isinstance(item, Identified)]
            matches = self._decide(tx, stored, now)
            signed.keep(tx, _as_signed(fresh.messages, matches), now)
            raised = sum(self.raiser.take(tx, match, now) for match in matches)
            dead_letters.add(tx, [_dead_letter(item, now) for item in rejected])
            after = committed_after(windows, messages, rejected)
            observations.save_windows(tx, after, now)
            next_book = book.after((message.event for message in messages), now)
            _save_edges(tx, book, next_book)
            hear_of_evidence(tx, messages, self.known_edges, book, now)
            hear_of_versions(tx, messages, book, now)
        return Outcome(
            acks=acks_of(after),
            book=next_book,
            committed=len(stored),
            repeated=fresh.repeated,
            rejected=len(rejected),
            raised=raised,
            joined=len(matches) - raised,
            reasons=Counter(item.why for item in stored),
        )

    def _decide(self, tx: Connection, stored: Sequence[Identified], now: datetime) -> list[Match]:
        """Store the observations, then ask the rules: what came together is in each other's past."""
        observations.add(tx, [item.row for item in stored])
        add_recognitions(tx, [item.recognition for item in stored if item.recognition])
        context = Context(StoredWindows(tx), StoredRegister(tx), now)
        book = self.rules.current(tx)
        matches = [match for item in stored for match in matches_of(item, book, context)]
        observations.mark_matched(tx, sorted({match.sighting.observation_id for match in matches}))
        return matches

    def give_up(
        self, incoming: Incoming, error: Exception, book: EdgeBook, now: datetime
    ) -> Outcome:
        """Make a dead letter of one message that breaks the pipeline, and let its edge go on."""
        place = verify(incoming, self.known_edges).position
        item = Rejected(incoming, "internal_error", type(error).__name__, None, place)
        with self.store.write() as tx:
            dead_letters.add(tx, [_dead_letter(item, now)])
            windows = observations.windows(tx, boots_of((), (item,)))
            after = committed_after(windows, (), (item,))
            observations.save_windows(tx, after, now)
        return Outcome(acks_of(after), book, rejected=1)


def _dead_letter(item: Rejected, now: datetime) -> dict[str, Any]:
    name = f"{item.reason}\n{item.position}\n".encode() + item.incoming.payload
    return {
        "digest": hashlib.sha256(name).hexdigest(),
        "topic": item.incoming.topic[:400],
        "edge": item.edge,
        "reason": item.reason,
        "detail": item.detail[:400],
        "size_bytes": len(item.incoming.payload),
        "payload": redacted(item.incoming),
        "last_at": now,
    }


def _as_signed(messages: Sequence[Verified], matches: Sequence[Match]) -> dict[str, bytes]:
    """What the edges signed, of the observations that matched a rule; not of whom no picture may be kept."""
    kept = {match.sighting.observation_id for match in matches if match.rule.KEEPS_PICTURES}
    return {m.event.id: m.incoming.payload for m in messages if m.event.id in kept}


def _save_edges(tx: Connection, before: EdgeBook, after: EdgeBook) -> None:
    edges.save(
        tx,
        [asdict(s) for key, s in after.edges.items() if s is not before.edges.get(key)],
        [asdict(s) for key, s in after.cameras.items() if s is not before.cameras.get(key)],
    )
