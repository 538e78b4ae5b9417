"""Files that packs can be installed from: a folder, a zip, or a single file.

In: a path that a person gave. Out: `Candidate` values that can be read with a byte limit. Never writes,
and never uses a name inside an archive as a path: only the registry's own names are ever written.
"""

import hashlib
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from wire.errors import InputError, ModelError

MAX_ENTRIES: Final = 10_000
MAX_FILE_BYTES: Final = 1 << 30
"""No network of ours is nearly as large; more is a mistake or a bomb."""

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may belong to a pack.

    Attributes:
        name: its name without folders.
        shown: where it is, for messages.
        size_bytes: what the folder or the archive says it has.
        opener: opens it for reading.
    """

    name: str
    shown: str
    size_bytes: int
    opener: Callable[[], IO[bytes]]

    def sha256(self) -> str:
        """Read it through once; ModelError when it holds more than `MAX_FILE_BYTES`."""
        digest = hashlib.sha256()
        for chunk in self.chunks(MAX_FILE_BYTES):
            digest.update(chunk)
        return digest.hexdigest()

    def copy_to(self, target: Path, limit_bytes: int | None = None) -> None:
        """Copy it to `target`, which must not exist; ModelError past `limit_bytes`."""
        with target.open("xb") as file:
            for chunk in self.chunks(limit_bytes or MAX_FILE_BYTES):
                file.write(chunk)

    def chunks(self, limit_bytes: int) -> Iterator[bytes]:
        """Its bytes. What an archive declares is never believed: the limit is on what comes out."""
        done = 0
        try:
            with self.opener() as file:
                while chunk := file.read(_CHUNK):
                    done += len(chunk)
                    if done > limit_bytes:
                        raise ModelError(
                            f"{self.shown} holds more than {limit_bytes:,} bytes: refused"
                        )
                    yield chunk
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise ModelError(f"{self.shown} is damaged: {error}; copy the archive again") from error


@contextmanager
def candidates(source: Path) -> Iterator[tuple[Candidate, ...]]:
    """The files in `source`, readable while the context lasts.

    Raises:
        InputError: there is nothing at `source`.
        ModelError: an archive that is damaged, encrypted, or has unsafe paths in it.
    """
    with ExitStack() as stack:
        if source.is_dir():
            yield _in_folder(source)
        elif source.is_file() and source.suffix.lower() == ".zip":
            yield stack.enter_context(_in_zip(source))
        elif source.is_file():
            yield (_of_file(source),)
        else:
            raise InputError(f"{source}: no such file or folder")


def _of_file(path: Path) -> Candidate:
    return Candidate(path.name, str(path), path.stat().st_size, lambda: path.open("rb"))


def _in_folder(folder: Path) -> tuple[Candidate, ...]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            found.append(_of_file(path))
        if len(found) > MAX_ENTRIES:
            raise InputError(
                f"{folder} has more than {MAX_ENTRIES:,} files: give the packs' own folder"
            )
    return tuple(sorted(found, key=lambda candidate: candidate.shown))


@contextmanager
def _in_zip(path: Path) -> Iterator[tuple[Candidate, ...]]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise ModelError(f"{path} is no whole zip: {error}; copy or download it again") from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) > MAX_ENTRIES:
            raise ModelError(f"{path} has {len(members):,} entries: refused")
        for member in members:
            _check_member(path, member)
        yield tuple(_of_member(path, archive, member) for member in members)


def _of_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Candidate:
    name = PurePosixPath(member.filename).name
    return Candidate(
        name, f"{path}:{member.filename}", member.file_size, lambda: archive.open(member)
    )


def _check_member(path: Path, member: zipfile.ZipInfo) -> None:
    inner = PurePosixPath(member.filename.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in inner.parts[0]:
        raise ModelError(
            f"{path} has the unsafe path {member.filename!r} in it: refused as a whole"
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(f"{path}: {member.filename} is a link: refused as a whole")
    if member.flag_bits & 1:
        raise ModelError(f"{path}: {member.filename} is encrypted: unpack it first")
