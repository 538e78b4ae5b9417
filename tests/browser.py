"""Debian's Chromium, headless, driven through its pipe (Chrome DevTools Protocol): a page as on a phone."""

import base64
import json
import os
import select
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.chromium import chromium


class Browser:
    """One browser with one page of `width` x `height` CSS pixels. `problems` is what its console said."""

    def __init__(
        self, folder: Path, *, width: int = 360, height: int = 780, language: str = "zh-CN"
    ) -> None:
        path = chromium()
        assert path, "chromium is missing: run scripts/test_servers.sh"
        to_read, self._write_to = os.pipe()
        self._read_from, to_write = os.pipe()

        def hand_over() -> None:  # the browser's ends must be 3 and 4
            reading, writing = os.dup(to_read), os.dup(to_write)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        self._process = subprocess.Popen(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             f"--user-data-dir={folder / 'browser'}", "about:blank"],
            preexec_fn=hand_over, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        self._next_id, self._rest, self._session = 0, b"", ""
        self.problems: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2,
            mobile=True,
        )  # fmt: skip

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._write_to)
        os.close(self._read_from)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._next_id += 1
        message: dict[str, Any] = {"id": self._next_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write_to, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda told: told.get("id") == message["id"])
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self._loaded()

    def do(self, script: str) -> Any:
        """What a person's finger would do, said as a script of ours; its value."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, selector: str) -> None:
        """Press something that leads to another page."""
        self.do(f"document.querySelector({selector!r}).click()")
        self._loaded()

    def picture(self, path: Path) -> Path:
        """The whole page as PNG."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _loaded(self) -> None:
        self._wait(lambda told: told.get("method") == "Page.loadEventFired")

    def _wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            while b"\0" not in self._rest:
                ready, _, _ = select.select([self._read_from], [], [], 60)
                assert ready, "the browser says nothing"
                more = os.read(self._read_from, 1 << 20)
                assert more, "the browser has ended"
                self._rest += more
            line, _, self._rest = self._rest.partition(b"\0")
            told = json.loads(line)
            if told.get("method") == "Log.entryAdded":
                self.problems.append(told["params"]["entry"]["text"])
            if wanted(told):
                return told
