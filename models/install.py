"""Getting packs: from the internet (`pull`) and from a folder or a zip (`import_packs`).

In: a name or a path, and the hashes that a person has said to trust. Out: verified packs in the store.
What the registry has no hash for is refused at first, with the hash that was found and the command that
trusts it. Prints nothing: progress goes to a callback.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.download import Downloader, DownloadError, OnProgress, Progress, discard
from models.packs import InstalledPack, PackStore, sha256_of
from models.registry import Pack, PackFile
from models.sources import MAX_FILE_BYTES, Candidate, candidates
from wire.errors import ModelError

_DOWNLOADS: Final = ".downloads"
NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: packs that were installed, and those of which only some files were there."""

    installed: tuple[str, ...]
    incomplete: tuple[tuple[str, tuple[str, ...]], ...]


def no_progress(_: Progress) -> None:
    """Tell nobody."""


def pull(
    store: PackStore,
    name: str,
    downloader: Downloader,
    *,
    trust: Collection[str] = NOTHING,
    on_progress: OnProgress = no_progress,
) -> InstalledPack:
    """Download a pack, verify it and install it; a pack that is whole already is left as it is.

    Args:
        store: where it goes.
        name: of a pack that the registry has addresses for.
        downloader: fetches; a broken download goes on where it stopped at the next call.
        trust: SHA-256 of files that the registry knows no hash of.
        on_progress: called while bytes arrive.

    Raises:
        ModelError: it cannot be downloaded, is not what it must be, or its hash is not known.
    """
    pack = store.pack(name)
    if store.status(pack).state == "ready":
        return store.open(name)
    if not pack.can_be_pulled:
        raise ModelError(f"pack {name} cannot be downloaded; run: {pack.command}")
    with store.staging() as staged:
        if pack.archive is not None:
            pins = _pull_archive(store, pack, downloader, staged, trust, on_progress)
        else:
            pins = _pull_files(store, pack, downloader, staged, trust, on_progress)
        return store.install(pack, staged, pins)


def _pull_archive(
    store: PackStore,
    pack: Pack,
    downloader: Downloader,
    staged: Path,
    trust: Collection[str],
    on_progress: OnProgress,
) -> Mapping[str, str]:
    archive = pack.archive
    assert archive is not None
    part = store.folder / _DOWNLOADS / f"{pack.name}.zip.part"
    expected = _Expected(f"{pack.name}.zip", archive.sha256, archive.size_bytes, archive.urls)
    _fetch(pack, expected, part, downloader, trust, on_progress)
    whole = part.with_suffix("")
    part.rename(whole)
    try:
        with candidates(whole) as found:
            pins = _stage_by_name(pack, found, staged)
    finally:
        whole.unlink()
        discard(part)
    return pins


def _pull_files(
    store: PackStore,
    pack: Pack,
    downloader: Downloader,
    staged: Path,
    trust: Collection[str],
    on_progress: OnProgress,
) -> Mapping[str, str]:
    pins = {}
    for file in pack.files:
        part = store.folder / _DOWNLOADS / f"{pack.name}-{file.name}.part"
        expected = _Expected(file.name, file.sha256, file.size_bytes, file.urls)
        pins[file.name] = _fetch(pack, expected, part, downloader, trust, on_progress)
    for file in pack.files:  # only now: until all are there, each can be gone on with
        part = store.folder / _DOWNLOADS / f"{pack.name}-{file.name}.part"
        part.rename(staged / file.name)
        discard(part)
    return pins


@dataclass(frozen=True, slots=True)
class _Expected:
    name: str
    sha256: str | None
    size_bytes: int | None
    urls: Sequence[str]


def _fetch(
    pack: Pack,
    expected: _Expected,
    part: Path,
    downloader: Downloader,
    trust: Collection[str],
    on_progress: OnProgress,
) -> str:
    """Fetch one file from the first address that has the right bytes; return its SHA-256."""
    problems = []
    for url in expected.urls:
        try:
            downloader.fetch(
                url,
                part,
                limit_bytes=expected.size_bytes or MAX_FILE_BYTES,
                on_progress=on_progress,
            )
        except DownloadError as error:
            problems.append(f"{url}: {error}")
            continue
        found = sha256_of(part)
        if expected.sha256 is None:
            check_trusted(f"gatehouse models pull {pack.name}", {expected.name: found}, trust)
            return found
        if found == expected.sha256:
            return found
        discard(part)
        problems.append(f"{url} gave SHA-256 {found}, expected {expected.sha256}: thrown away")
    raise ModelError(
        f"cannot download {expected.name}: {'; '.join(problems)}. Run the command again to go on where it"
        f" stopped; with no internet, bring the file and run: gatehouse models import FILE"
    )


def check_trusted(command: str, found: Mapping[str, str], trust: Collection[str]) -> None:
    """Raise ModelError unless all of `found` (name -> SHA-256) are in `trust`; it says how to trust them.

    `command` is what was run, without its ``--trust``.
    """
    if all(sha256 in trust for sha256 in found.values()):
        return
    lines = "".join(f"\n  {sha256}  {name}" for name, sha256 in found.items())
    flags = " ".join(f"--trust {sha256}" for sha256 in found.values())
    raise ModelError(
        f"this release does not know the SHA-256 of:{lines}\nCompare it with what the publisher states."
        f" If it is right, run: {command} {flags}"
    )


def _stage_by_name(pack: Pack, found: Sequence[Candidate], staged: Path) -> Mapping[str, str]:
    """Take the pack's own files, and nothing else, out of an archive whose hash was right."""
    pins = {}
    for file in pack.files:
        matching = [candidate for candidate in found if candidate.name == file.name]
        if len(matching) != 1:
            raise ModelError(
                f"pack {pack.name}: the archive has {len(matching)} files {file.name}, not one"
            )
        matching[0].copy_to(staged / file.name, file.size_bytes)
        pins[file.name] = sha256_of(staged / file.name)
    return pins


def import_packs(
    store: PackStore,
    source: Path,
    *,
    only: str | None = None,
    trust: Collection[str] = NOTHING,
    told: Callable[[str], None] = lambda _: None,
) -> ImportReport:
    """Install every pack whose files are in `source`, recognised by their SHA-256, not their names.

    Args:
        store: where they go.
        source: a folder, a zip or one file; a folder may hold the publishers' zips as they are.
        only: this pack alone; needed for a pack whose hashes the registry does not know.
        trust: SHA-256 of such files.
        told: called with one line per pack that was installed.

    Raises:
        InputError: there is nothing at `source`.
        ModelError: no pack is whole in it, or one has unknown hashes that are not trusted.
    """
    wanted = [store.pack(only)] if only is not None else list(store.registry.packs.values())
    wanted = [pack for pack in wanted if pack.location == "home"]
    if only is not None and not wanted:
        raise ModelError(f"pack {only} cannot be imported; run: {store.pack(only).command}")
    installed = []
    incomplete = []
    with candidates(source) as found:
        by_hash = _by_hash(found, wanted)
        for pack in wanted:
            if _install_archive(store, pack, found) or _install_files(
                store, pack, found, by_hash, source, trust if only is not None else None
            ):
                installed.append(pack.name)
                told(f"{pack.name}: installed and verified")
            elif have := [f.name for f in pack.files if f.sha256 in by_hash]:
                lacking = tuple(f.name for f in pack.files if f.name not in have)
                incomplete.append((pack.name, lacking))
        if not installed:
            raise ModelError(_nothing_found(source, wanted, incomplete, found, only))
    return ImportReport(tuple(installed), tuple(incomplete))


def _by_hash(found: Sequence[Candidate], wanted: Sequence[Pack]) -> Mapping[str, Candidate]:
    """Candidates by SHA-256; only those are read that have the size of a file which is wanted."""
    sizes = {file.size_bytes for pack in wanted for file in pack.files if file.sha256}
    return {c.sha256(): c for c in found if c.size_bytes in sizes}


def _install_archive(store: PackStore, pack: Pack, found: Sequence[Candidate]) -> bool:
    """Install `pack` from its publisher's own zip, if that lies among the candidates."""
    archive = pack.archive
    if archive is None or archive.sha256 is None:
        return False
    for candidate in found:
        if candidate.size_bytes == archive.size_bytes and candidate.sha256() == archive.sha256:
            with store.staging() as staged:
                copy = staged / "archive.zip"
                candidate.copy_to(copy, archive.size_bytes)
                with candidates(copy) as inner:
                    pins = _stage_by_name(pack, inner, staged)
                copy.unlink()
                store.install(pack, staged, pins)
            return True
    return False


def _install_files(
    store: PackStore,
    pack: Pack,
    found: Sequence[Candidate],
    by_hash: Mapping[str, Candidate],
    source: Path,
    trust: Collection[str] | None,
) -> bool:
    """Install `pack` from loose files. `trust` None: only files whose hashes the registry knows."""
    chosen: dict[str, Candidate] = {}
    pins: dict[str, str] = {}
    for file in pack.files:
        if file.sha256 is not None:
            candidate = by_hash.get(file.sha256)
        else:
            candidate = _by_name(pack, file, found) if trust is not None else None
            if candidate is not None:
                pins[file.name] = candidate.sha256()
        if candidate is None:
            return False
        chosen[file.name] = candidate
    if pins:
        command = f"gatehouse models import {source} --pack {pack.name}"
        check_trusted(command, pins, trust or NOTHING)
    with store.staging() as staged:
        for name, candidate in chosen.items():
            candidate.copy_to(staged / name)
        store.install(pack, staged, pins)
    return True


def _by_name(pack: Pack, file: PackFile, found: Sequence[Candidate]) -> Candidate | None:
    matching = [candidate for candidate in found if candidate.name == file.name]
    if len(pack.files) == 1 and len(found) == 1:
        matching = list(found)
    return matching[0] if len(matching) == 1 else None


def _nothing_found(
    source: Path,
    wanted: Sequence[Pack],
    incomplete: Sequence[tuple[str, tuple[str, ...]]],
    found: Sequence[Candidate],
    only: str | None,
) -> str:
    if incomplete:
        parts = "; ".join(f"{name} lacks {', '.join(files)}" for name, files in incomplete)
        return f"{source} has no whole pack: {parts}"
    names = {file.name: file for pack in wanted for file in pack.files if file.sha256}
    for candidate in found:
        if (file := names.get(candidate.name)) is not None:
            return (
                f"{candidate.shown} is not the {file.name} that this release knows: {candidate.size_bytes:,}"
                f" bytes, SHA-256 {candidate.sha256()}, expected {file.sha256}. It is truncated, altered or"
                f" another version: copy it again"
            )
    what = f"the pack {only}" if only else "any pack that this release knows"
    return (
        f"{source} ({len(found)} files) has no file of {what}; to see them: gatehouse models list"
    )
