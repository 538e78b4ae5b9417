"""What the hub has given the box, on the box's disk: the hub's own signed messages, as they came.

In: messages as they came. Out: the same, after the box was started again. A slice of the gallery lies here
sealed, to be opened with ``opening.key`` of the same box only; the list of allowed plates is plain. Either is
believed only while the hub's signature holds; the least version that may be taken is kept beside, so that an
old one cannot be brought back. Every write is whole or not there.
"""

import json
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from wire.errors import StoreError

log = logging.getLogger(__name__)

_STATE: Final = "state.json"


class SliceStore:
    """A folder of parts. Used by one thread."""

    def __init__(self, folder: Path) -> None:
        """Make `folder` if it is not there. StoreError when it cannot be used."""
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder} cannot be made: {error.strerror}") from error

    @property
    def oldest_version(self) -> int:
        """The least version that may be taken; 1 at first."""
        try:
            value = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
            return max(1, int(value["oldest_version"]))
        except FileNotFoundError:
            return 1
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{self._folder / _STATE} cannot be read: {error}") from error

    def parts(self) -> list[bytes]:
        """The messages that were kept, in the order of their parts."""
        return [path.read_bytes() for path in sorted(self._folder.glob("*.part"))]

    def keep(self, version: int, part: int, payload: bytes) -> None:
        """Keep one message."""
        self._write(f"{version:012}-{part:05}.part", payload)

    def settle(self, oldest_version: int) -> None:
        """Note the least version that may be taken, and erase all parts of older ones."""
        state = json.dumps({"oldest_version": oldest_version}).encode()
        self._write(_STATE, state)
        self._erase(
            path
            for path in self._folder.glob("*.part")
            if int(path.name.partition("-")[0]) < oldest_version
        )

    def erase(self) -> None:
        """Erase all parts."""
        self._erase(self._folder.glob("*.part"))

    def _erase(self, paths: Iterable[Path]) -> None:
        for path in list(paths):
            size = path.stat().st_size
            with path.open("r+b") as file:  # nothing is left in free blocks
                file.write(bytes(size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()

    def _write(self, name: str, content: bytes) -> None:
        path = self._folder / name
        temporary = path.with_suffix(".tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}") from error
