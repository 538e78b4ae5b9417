"""Keeps the rules in force in memory, as the files and the store have them: a `RuleBook`.

In: a folder of TOML files, a transaction. Out: the present book. The store says by a number that
something has changed, files by their times; both are looked at whenever somebody asks, files at most
twice a second, so that a change is in force within a second and without a restart. What cannot be read is
shown as broken and takes nothing else down; a file that was sound before stays in force as it was until
it is mended.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from hub.escalation import EscalationSection
from hub.rules import Rule, RuleBook, dump_rule, load_rule, parse_rule
from hub.store import rules
from wire.errors import ConfigError

_LOOK_EVERY_S: Final = 0.5
Stamp = tuple[int, int, int]
"""Time of the last change, size and inode of a file."""


@dataclass(frozen=True, slots=True)
class _File:
    """What a file said when it was last read: its rule, or the one before that, and what is wrong with it."""

    stamp: Stamp
    rule: Rule | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FileRules:
    """What the files say at one moment: documents for the history, and which of them are enabled."""

    files: tuple[_File, ...]
    saved: tuple[rules.Saved, ...]
    enabled: frozenset[str]


class RuleKeeper:
    """The rules in force. Safe for use by several threads. ConfigError when there is no such folder."""

    def __init__(
        self,
        folder: Path,
        escalation: EscalationSection,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not folder.is_dir():
            raise ConfigError(f"rules_dir: there is no folder {folder}")
        self._folder, self._escalation, self._clock = folder, escalation, clock
        self._lock = threading.Lock()
        self._files: dict[Path, _File] = {}
        self._stored: dict[str, tuple[int, Rule | str]] = {}
        self._folder_problem = ""
        self._version = -1
        self._looked_at = float("-inf")
        self._book = RuleBook()
        self._recorded: tuple[_File, ...] = ()

    @property
    def broken(self) -> tuple[str, ...]:
        """What could not be read, as it was last found."""
        return self._book.broken

    def current(self, tx: Connection) -> RuleBook:
        """The rules in force now."""
        with self._lock:
            fresh = self._look_at_files()
            version = rules.version(tx)
            if version != self._version:
                self._load_stored(tx)
                self._version, fresh = version, True
            if fresh:
                self._book = self._compose()
            return self._book

    def unrecorded(self) -> "FileRules | None":
        """What the files say; None when that is what was `recorded` last."""
        by_path = self._files
        files = tuple(by_path.values())
        if files == self._recorded:
            return None
        found: dict[str, rules.Saved] = {}
        enabled = set()
        for path, file in sorted(by_path.items()):
            rule = file.rule
            if rule is not None and rule.id not in found:
                actor = f"file {path.name}"[:63]
                found[rule.id] = rules.Saved(
                    rule.id, rule.kind, rule.title, "file", dump_rule(rule), actor
                )
                enabled |= {rule.id} if rule.enabled else set()
        return FileRules(files, tuple(found.values()), frozenset(enabled))

    def recorded(self, found: "FileRules") -> None:
        """This is in the history now."""
        self._recorded = found.files

    def _look_at_files(self) -> bool:
        """Read what has changed; whether anything has."""
        if self._clock() - self._looked_at < _LOOK_EVERY_S:
            return False
        self._looked_at = self._clock()
        try:
            stamps = {path: _stamp(path) for path in self._folder.glob("*.toml")}
            problem = (
                "" if stamps or self._folder.is_dir() else f"there is no folder {self._folder}"
            )
        except OSError as error:
            problem = str(error)
        if problem:
            # Rules do not end because a disk is away.
            changed, self._folder_problem = problem != self._folder_problem, problem
            return changed
        changed = bool(self._folder_problem) or stamps.keys() != self._files.keys()
        self._folder_problem = ""
        files = {}
        for path, stamp in stamps.items():
            known = self._files.get(path)
            if known is None or known.stamp != stamp:
                known, changed = _read(path, stamp, known), True
            files[path] = known
        self._files = files
        return changed

    def _load_stored(self, tx: Connection) -> None:
        """Read what has changed in the store, and nothing else: one of ten thousand is quickly read."""
        wanted = rules.in_force(tx)
        kept = {
            rule_id: known
            for rule_id, known in self._stored.items()
            if known[0] == wanted.get(rule_id)
        }
        changed = {rule_id: number for rule_id, number in wanted.items() if rule_id not in kept}
        for rule_id, document in rules.documents(tx, changed).items():
            number = changed[rule_id]
            kept[rule_id] = (number, _parse(rule_id, number, document))
        self._stored = dict(sorted(kept.items()))

    def _compose(self) -> RuleBook:
        found: dict[str, Rule] = {}
        broken = [f"rules_dir: {self._folder_problem}"] if self._folder_problem else []
        for rule_id, (number, rule) in self._stored.items():
            if isinstance(rule, str):
                broken.append(rule)
            else:
                found[rule_id] = rule
                broken += self._misled(rule, f"store: rule {rule_id!r}, version {number}")
        for path, file in sorted(self._files.items()):
            if file.problem:
                broken.append(file.problem)
            if file.rule is None:
                continue
            if file.rule.id in found:
                broken.append(f"{path}:\n  id: there is another rule {file.rule.id!r}")
            else:
                found[file.rule.id] = file.rule
                broken += self._misled(file.rule, f"{path}: rule {file.rule.id!r}")
        return RuleBook(tuple(found.values()), tuple(broken))

    def _misled(self, rule: Rule, where: str) -> list[str]:
        """What there is to say of a rule whose escalation policy is not there. It stays in force: its alerts
        go the way of their colour, and nobody is left without them."""
        problem = self._escalation.problem(rule.escalation)
        return (
            [f"{where}:\n  {problem}; until then its alerts follow {rule.severity}"]
            if problem
            else []
        )


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(path: Path, stamp: Stamp, before: _File | None) -> _File:
    try:
        return _File(stamp, load_rule(path))
    except ConfigError as error:
        if before is None or before.rule is None:
            return _File(stamp, None, str(error))
        still = f"{error}\n  rule {before.rule.id!r} stays in force as it was before"
        return replace(before, stamp=stamp, problem=still)


def _parse(rule_id: str, number: int, document: rules.Document) -> Rule | str:
    """The rule, or why it is broken: a document of an older version of Gatehouse may be."""
    try:
        return parse_rule(document, f"store: rule {rule_id!r}, version {number}")
    except ConfigError as error:
        return str(error)
