"""Evidence, as files: ``<data_dir>/evidence/<id's first two>/<observation id>/<name>.<ext>.sealed``.

A file is encrypted under a key that is not beside it (`hub.vault`), and whole or not there: it is written
beside its place, flushed to the disk, then moved. Readable by the hub's user alone.
"""

import os
from pathlib import Path
from typing import Final

from hub.vault import FileVault

_EXTENSION: Final = {"image/jpeg": "jpg", "video/mp4": "mp4"}


class EvidenceFiles:
    """The folder of evidence."""

    def __init__(self, folder: Path, vault: FileVault) -> None:
        self._folder, self._vault = folder, vault

    def path(self, observation_id: str, name: str, media_type: str) -> Path:
        """Where a picture is, or would be. The arguments are validated by the message that named them."""
        extension = _EXTENSION[media_type]
        return self._folder / observation_id[:2] / observation_id / f"{name}.{extension}.sealed"

    def read(self, observation_id: str, name: str, media_type: str) -> bytes | None:
        """A picture as it was written, None where there is none. StoreError when it was changed."""
        try:
            sealed = self.path(observation_id, name, media_type).read_bytes()
        except FileNotFoundError:
            return None
        return self._vault.open(sealed, observation_id, name)

    def write(self, observation_id: str, name: str, media_type: str, data: bytes) -> None:
        """Keep a picture; durable when this returns. Writing it again changes nothing."""
        path = self.path(observation_id, name, media_type)
        for folder in (self._folder, path.parent.parent, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_name(f".{path.name}.part")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._vault.seal(data, observation_id, name))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def delete(self, observation_id: str, name: str, media_type: str) -> None:
        """Delete a picture, if it is there, and its folder with the last one."""
        path = self.path(observation_id, name, media_type)
        path.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            try:
                folder.rmdir()
            except OSError:
                return
