"""The processes of a site, started as their users start them and stopped by their id."""

import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wire.errors import GatehouseError, HubError

_STOP_S = 15.0


@dataclass
class Running:
    """A process whose output goes to a log file and, line by line, to `lines`."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    lines: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, name=f"log-{self.name}", daemon=True).start()

    def wait_for(self, pattern: str, timeout_s: float) -> str:
        """Return the first group of `pattern` in the output; HubError when it ends or takes too long."""
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=min(left, 0.2))
            except queue.Empty:
                if self.process.poll() is not None and self.lines.empty():
                    break
                continue
            if found := re.search(pattern, line):
                return found.group(1)
        raise HubError(f"{self.name} did not start; its last words:\n{self.last_words()}")

    def last_words(self, count: int = 8) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-count:]) or "(none)"

    def stop(self) -> None:
        """Ask it to end, and see to it that it does."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.log.open("a", encoding="utf-8") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                self.lines.put(line)


def start(name: str, arguments: Sequence[str], folder: Path) -> Running:
    """Start ``python -m …`` with its log in `folder`."""
    process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-m", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    return Running(name, process, folder / f"{name}.log")


def command(arguments: Sequence[str], *, token: str | None = None, url: str | None = None) -> str:
    """Run one `gatehouse` command and return what it printed; its own message when it fails."""
    environment = dict(os.environ)
    if token is not None:
        environment["GATEHOUSE_TOKEN"] = token
    if url is not None:
        environment["GATEHOUSE_URL"] = url
    done = subprocess.run(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-m", "gatehouse", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        failure = GatehouseError(done.stderr.strip().removeprefix("error: "))
        failure.exit_code = done.returncode  # type: ignore[assignment]
        raise failure
    return done.stdout.strip()
