"""One file over HTTP, resumable: a ``.part`` file grows until it is whole.

In: an address and the path of the part file. Out: the same path, complete but not yet verified; whoever
asked checks its hash. Knows no pack, prints nothing; progress goes to a callback.

Resuming follows RFC 9110, sections 13.1.5 and 14: a Range request with If-Range, so that a file that has
changed at the server is sent whole again. A server that ignores Range answers 200 and is believed.
"""

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import httpx

from wire.errors import ModelError

_RETRY_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is. `total_bytes` is None while the server has not said."""

    name: str
    done_bytes: int
    total_bytes: int | None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the part file is a part of; kept beside it."""

    url: str
    validator: str | None
    complete: bool = False


class DownloadError(Exception):
    """The file could not be had from this address now. Another address, or a later call, may do."""


class _TryAgainError(Exception):
    """This attempt failed in a way that another may not."""


class _ChangedError(_TryAgainError):
    """The server's file is no longer the one that the part file is a part of."""


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches files. `sleep` waits between attempts; a test gives its own."""

    client: httpx.Client
    sleep: Callable[[float], None] = time.sleep
    attempts: int = 5

    def fetch(self, url: str, part: Path, *, limit_bytes: int, on_progress: OnProgress) -> None:
        """Fetch what `url` has into `part`, going on where an earlier call stopped.

        Args:
            url: address of the file.
            part: grows; survives a failure for the next call, and that it is whole is remembered.
            limit_bytes: more than this is refused.
            on_progress: called often.

        Raises:
            DownloadError: the whole file could not be had; `part` is kept.
            ModelError: another process downloads it at this moment.
        """
        part.parent.mkdir(parents=True, exist_ok=True)
        with _only_one(part):
            for attempt in range(self.attempts):
                if attempt:
                    self.sleep(0.5 * 2**attempt)
                try:
                    self._once(url, part, limit_bytes, on_progress)
                    return
                except (_TryAgainError, httpx.TransportError) as error:
                    if isinstance(error, _ChangedError):
                        discard(part)
                    if attempt + 1 == self.attempts or isinstance(error, httpx.ConnectError):
                        raise DownloadError(str(error)) from error
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise DownloadError(str(error).partition("\n")[0]) from error

    def _once(self, url: str, part: Path, limit_bytes: int, on_progress: OnProgress) -> None:
        mark = _read_mark(part)
        have = part.stat().st_size if part.exists() and mark and mark.url == url else 0
        if mark and mark.complete and have:
            return
        headers = {"Accept-Encoding": "identity"}
        if have and mark and mark.validator:
            headers |= {"Range": f"bytes={have}-", "If-Range": mark.validator}
        with self.client.stream("GET", url, headers=headers, follow_redirects=True) as response:
            start = _start_of(response, have)
            validator = _validator(response)
            _write_mark(part, _Mark(url, validator))
            total = _total(response, start)
            if total is not None and total > limit_bytes:
                raise DownloadError(
                    f"{total:,} bytes, more than the {limit_bytes:,} expected: refused"
                )
            done = _append(response, part, start, limit_bytes, lambda n: on_progress(
                Progress(part.stem, n, total)))  # fmt: skip
        if total is not None and done != total:
            raise _TryAgainError(f"the connection ended after {done:,} of {total:,} bytes")
        _write_mark(part, _Mark(url, validator, complete=True))


def discard(part: Path) -> None:
    """Forget a part file: the next fetch begins anew."""
    part.unlink(missing_ok=True)
    _mark_path(part).unlink(missing_ok=True)


def _start_of(response: httpx.Response, have: int) -> int:
    """Where the answer's bytes belong; 0 when the server sends the whole file."""
    if response.status_code in _RETRY_STATUS:
        raise _TryAgainError(f"the server answered {response.status_code}")
    if response.status_code == 416:  # our part is longer than the file: it has changed
        raise _ChangedError("the file has become shorter")
    response.raise_for_status()
    if response.status_code != 206:
        return 0
    unit, _, rest = response.headers.get("content-range", "").partition(" ")
    if unit != "bytes" or rest.partition("-")[0] != str(have):
        raise _ChangedError("the server sent another part than was asked for")
    return have


def _append(
    response: httpx.Response, part: Path, start: int, limit_bytes: int, told: Callable[[int], None]
) -> int:
    done = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        file.truncate()
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > limit_bytes:
                raise DownloadError(f"more than the {limit_bytes:,} expected bytes: refused")
            file.write(chunk)
            told(done)
    return done


def _total(response: httpx.Response, start: int) -> int | None:
    length = response.headers.get("content-length", "")
    return start + int(length) if length.isdigit() else None


def _validator(response: httpx.Response) -> str | None:
    """What If-Range may name: a strong ETag, else the time of last change."""
    etag: str | None = response.headers.get("etag")
    if etag and not etag.startswith("W/"):
        return etag
    changed: str | None = response.headers.get("last-modified")
    return changed


def _mark_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_mark(part: Path) -> _Mark | None:
    try:
        return _Mark(**json.loads(_mark_path(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write_mark(part: Path, mark: _Mark) -> None:
    _mark_path(part).write_text(json.dumps(asdict(mark)), encoding="utf-8")


@contextmanager
def _only_one(part: Path) -> Iterator[None]:
    with part.with_name(part.name + ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelError(
                f"{part.stem} is being downloaded by another process: wait for it"
            ) from error
        yield
