"""Every message that the hub has not yet committed, on disk, in order.

In: a message with its topic, once; the hub's acknowledgements. Out: what is still to be sent. A message
is numbered, encoded and stored in one transaction, and forgotten only when a verified `Ack` of the hub
names it: a broker's PUBACK is transport, not safety.

Capacity is bounded. When it is full the oldest messages go first, a sixteenth of the capacity at a time,
and never the newest; the loss is counted and logged, and the next `EdgeStatus` tells the hub the lowest
sequence that is still held, so that it waits for none that are gone. Pictures are not in here to be
dropped first: those in the evidence ring never reach a disk (DESIGN section 8.4).
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wire.errors import StoreError
from wire.messages import PendingBoot

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    boot_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (boot_id, sequence)
)
"""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """One message that waits: its place among all, its name to the hub, and its exact bytes."""

    position: int
    boot_id: str
    sequence: int
    topic: str
    payload: bytes


class Outbox(Protocol):
    """What keeps messages until the hub has committed them. Safe for use by several threads."""

    @property
    def boot_id(self) -> str:
        """The 16 hex digits under which this run of the worker counts its messages."""
        ...

    def append(self, topic: str, encode: Callable[[int], bytes]) -> int:
        """Keep one message; `encode` gets its sequence. Durable when this returns the sequence."""
        ...

    def after(self, position: int, limit: int) -> list[Stored]:
        """The first `limit` messages behind `position`, oldest first."""
        ...

    def forget(self, boot_id: str, sequence: int) -> int:
        """The hub has committed this boot's messages up to this one. Returns how many went."""
        ...

    def waiting(self, up_to: int | None = None) -> int:
        """How many messages wait, up to a position if given."""
        ...

    def pending(self) -> tuple[PendingBoot, ...]:
        """For each boot the lowest sequence still held; for this one, the next if none is."""
        ...

    @property
    def dropped(self) -> int:
        """How many messages this run has dropped for want of room."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class SqliteOutbox:
    """The outbox of a worker: one SQLite file, written through to the disk at each message.

    `secure_delete` overwrites what is forgotten.
    """

    def __init__(self, path: Path, boot_id: str, *, capacity_bytes: int) -> None:
        """Open or make the file at `path`. StoreError says why it cannot be used."""
        self._path, self._boot_id, self._capacity = path, boot_id, capacity_bytes
        self._lock = threading.Lock()
        self._sequence = 0
        self._dropped = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the outbox {path} cannot be used: {error}") from error

    def _prepare(self) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "busy_timeout = 5000",
        ):
            self._db.execute(f"PRAGMA {pragma}")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise StoreError(
                f"the outbox {self._path} was made by a newer version of Gatehouse"
                f" (format {version}, this one knows {_VERSION}): update the edge"
            )
        self._db.execute(_SCHEMA)
        self._db.execute(f"PRAGMA user_version = {_VERSION}")
        self._path.chmod(0o600)
        row = self._db.execute("SELECT coalesce(sum(length(payload)), 0) FROM messages").fetchone()
        self._bytes = int(row[0])

    @property
    def boot_id(self) -> str:
        """The name of this run."""
        return self._boot_id

    @property
    def dropped(self) -> int:
        """How many messages this run has dropped for want of room."""
        return self._dropped

    def append(self, topic: str, encode: Callable[[int], bytes]) -> int:
        """Number, encode and store one message. StoreError when the disk does not take it."""
        with self._lock:
            sequence = self._sequence + 1
            payload = encode(sequence)
            if self._bytes + len(payload) > self._capacity:
                self._drop_until(self._capacity - max(len(payload), self._capacity // 16))
            try:
                self._insert_with_room(sequence, topic, payload)
            except sqlite3.OperationalError as error:
                raise StoreError(f"the outbox {self._path} takes nothing: {error}") from error
            self._sequence = sequence
            self._bytes += len(payload)
            return sequence

    def _insert_with_room(self, sequence: int, topic: str, payload: bytes) -> None:
        """Insert; where the disk is full before our own bound is, drop half of what waits for it."""
        try:
            self._insert(sequence, topic, payload)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self._drop_until(min(self._bytes // 2, self._bytes - len(payload)))
            self._insert(sequence, topic, payload)

    def _insert(self, sequence: int, topic: str, payload: bytes) -> None:
        self._db.execute(
            "INSERT INTO messages (boot_id, sequence, topic, payload) VALUES (?, ?, ?, ?)",
            (self._boot_id, sequence, topic, payload),
        )

    def _drop_until(self, goal_bytes: int) -> None:
        """Drop the oldest messages until no more than `goal_bytes` wait."""
        rows = self._db.execute("SELECT position, length(payload) FROM messages ORDER BY position")
        last, count, left = 0, 0, self._bytes
        for position, size in rows:
            if left <= goal_bytes:
                break
            last, count, left = position, count + 1, left - size
        rows.close()
        try:
            self._db.execute("DELETE FROM messages WHERE position <= ?", (last,))
        except sqlite3.OperationalError:
            log.exception("the outbox %s cannot make room", self._path)
            return
        self._bytes, self._dropped = left, self._dropped + count
        log.error(
            "the outbox is full: dropped the %d oldest messages that the hub never took", count
        )

    def after(self, position: int, limit: int) -> list[Stored]:
        """The first `limit` messages behind `position`, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT position, boot_id, sequence, topic, payload FROM messages"
                " WHERE position > ? ORDER BY position LIMIT ?",
                (position, limit),
            ).fetchall()
        return [Stored(*row) for row in rows]

    def forget(self, boot_id: str, sequence: int) -> int:
        """Delete this boot's messages up to and including `sequence`."""
        named = "FROM messages WHERE boot_id = ? AND sequence <= ?"
        with self._lock:
            count, size = self._db.execute(
                f"SELECT count(*), coalesce(sum(length(payload)), 0) {named}", (boot_id, sequence)
            ).fetchone()
            if count:
                self._db.execute(f"DELETE {named}", (boot_id, sequence))
                self._bytes -= size
        return int(count)

    def waiting(self, up_to: int | None = None) -> int:
        """How many messages wait, up to a position if given."""
        with self._lock:
            row = self._db.execute(
                "SELECT count(*) FROM messages WHERE ? IS NULL OR position <= ?", (up_to, up_to)
            ).fetchone()
        return int(row[0])

    def pending(self) -> tuple[PendingBoot, ...]:
        """For each boot the lowest sequence still held; for this one, the next if none is."""
        with self._lock:
            rows = self._db.execute(
                "SELECT boot_id, min(sequence) FROM messages GROUP BY boot_id ORDER BY min(position)"
            ).fetchall()
            floors: dict[str, int] = dict(rows)
            floors.setdefault(self._boot_id, self._sequence + 1)
        return tuple(PendingBoot(boot_id=b, first_sequence=s) for b, s in floors.items())

    def close(self) -> None:
        """Close the file; what waits in the write-ahead log is moved into it first."""
        with self._lock:
            self._db.close()


class MemoryOutbox:
    """An outbox without a disk, for benchmarks and tests. Holds to the same suite as the real one."""

    def __init__(self, boot_id: str, *, capacity_bytes: int = 1 << 30) -> None:
        self._boot_id, self._capacity = boot_id, capacity_bytes
        self._lock = threading.Lock()
        self._messages: list[Stored] = []
        self._sequence = 0
        self._dropped = 0

    @property
    def boot_id(self) -> str:
        """The name of this run."""
        return self._boot_id

    @property
    def dropped(self) -> int:
        """How many messages this run has dropped for want of room."""
        return self._dropped

    def append(self, topic: str, encode: Callable[[int], bytes]) -> int:
        """Number and keep one message."""
        with self._lock:
            payload = encode(self._sequence + 1)
            self._sequence += 1
            if self._bytes() + len(payload) > self._capacity:
                self._make_room(len(payload))
            self._messages.append(
                Stored(self._sequence, self._boot_id, self._sequence, topic, payload)
            )
            return self._sequence

    def _bytes(self) -> int:
        return sum(len(message.payload) for message in self._messages)

    def _make_room(self, need: int) -> None:
        goal = self._capacity - max(need, self._capacity // 16)
        while self._messages and self._bytes() > goal:
            del self._messages[0]
            self._dropped += 1

    def after(self, position: int, limit: int) -> list[Stored]:
        """The first `limit` messages behind `position`, oldest first."""
        with self._lock:
            return [message for message in self._messages if message.position > position][:limit]

    def forget(self, boot_id: str, sequence: int) -> int:
        """Drop this boot's messages up to and including `sequence`."""
        with self._lock:
            before = len(self._messages)
            self._messages = [
                m for m in self._messages if m.boot_id != boot_id or m.sequence > sequence
            ]
            return before - len(self._messages)

    def waiting(self, up_to: int | None = None) -> int:
        """How many messages wait, up to a position if given."""
        with self._lock:
            return sum(up_to is None or m.position <= up_to for m in self._messages)

    def pending(self) -> tuple[PendingBoot, ...]:
        """The lowest sequence still held, or the next."""
        with self._lock:
            first = self._messages[0].sequence if self._messages else self._sequence + 1
        return (PendingBoot(boot_id=self._boot_id, first_sequence=first),)

    def close(self) -> None:
        """Nothing to let go of."""
