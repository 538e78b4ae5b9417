"""A site of real processes for end-to-end tests: mosquitto, the hub, an edge, and a stub command centre."""

import base64
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from demo.centre import CommandCentre
from demo.processes import command
from demo.site import CameraPlan, SitePlan
from tests.servers import Mosquitto, free_port, wait_for_port


def wait_until(what: Callable[[], Any], timeout_s: float, why: str) -> Any:
    """Wait for a true value of `what` and return it."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{why}: not within {timeout_s} s")


@dataclass
class Site:
    """Everything between a camera and the command centre. Use as a context manager."""

    folder: Path
    cameras: Sequence[CameraPlan] = (CameraPlan("gate-in", "unused.mp4"),)
    refuse: float = 0.0
    seed: int = 0
    face_pack: str = "dlib-resnet"
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.centre = CommandCentre(secret, refuse=self.refuse, seed=self.seed)
        self.broker = Mosquitto(self.folder / "mosquitto")
        self.api_port = free_port()
        self.plan = SitePlan(
            folder=self.folder,
            broker_port=self.broker.port,
            cameras=self.cameras,
            api_port=self.api_port,
            webhook=f"http://127.0.0.1:{self.centre.start()}/alerts",
            secret=secret,
            face_pack=self.face_pack,
        )
        self.plan.write()
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.token = ""

    def __enter__(self) -> "Site":
        self.broker.start()
        self.start_hub()
        log = self.folder / "hub.log"
        found = wait_until(
            lambda: re.search(r"shown this once: (\S+)", log.read_text("utf-8")), 60, "no token"
        )
        self.token = found.group(1)
        self.approver = command(
            ["hub", "token", "add", "approver", "--role", "approver", "-c", str(self.plan.hub_file)]
        )
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.processes):
            self.stop(name)
        self.broker.stop()
        self.centre.stop()

    def start_hub(self, *, wait: bool = True) -> None:
        self.start("hub", "gatehouse", "hub", "serve", "-c", str(self.plan.hub_file))
        if wait:
            wait_for_port(self.api_port, 60)

    def start(self, name: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(timeout=30)

    def kill(self, name: str) -> None:
        self.stop(name, signal.SIGKILL)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", errors="replace")

    def api(self, method: str, path: str, *, token: str | None = None, **arguments: Any) -> Any:
        headers = {
            "authorization": f"Bearer {token or self.token}",
            **arguments.pop("headers", {}),
        }
        if method != "GET":
            headers["idempotency-key"] = os.urandom(8).hex()
        answer = httpx.request(
            method, f"{self.url}/api/v1{path}", headers=headers, timeout=30, **arguments
        )
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        if answer.headers["content-type"].startswith("application/json"):
            return answer.json()
        return answer.content

    def all(self, path: str, **parameters: Any) -> list[Any]:
        """Every item of a paged list."""
        items, cursor = [], None
        while True:
            page = self.api(
                "GET",
                path,
                params={**parameters, "limit": 200, **({"cursor": cursor} if cursor else {})},
            )
            items += page["items"]
            if (cursor := page["next_cursor"]) is None:
                return items

    def list_plate(self, plate: str, category: str = "stolen_vehicle") -> str:
        return self._entry("plates", {"plate": plate, "label": plate, "category": category})

    def list_person(self, label: str, photos: Sequence[bytes]) -> str:
        """Enrol a person, put them on the watchlist, have it approved; returns the subject's id."""
        subject = self.api(
            "POST",
            "/subjects",
            data={
                "label": label,
                "purpose": "test",
                "basis": "test",
                "reference": "t-1",
                "expires_at": _in_days(30),
            },
            files=[("photo", (f"{n}.jpg", photo)) for n, photo in enumerate(photos)],
        )["id"]
        self._entry("faces", {"subject_id": subject, "label": label, "category": "missing_person"})
        return subject

    def _entry(self, kind: str, wanted: dict[str, str]) -> str:
        why = {"basis": "test", "reference": "t-1", "expires_at": _in_days(30)}
        entry = self.api("POST", f"/watchlists/{kind}", json={**wanted, **why})["id"]
        self.api("POST", f"/watchlists/{kind}/{entry}/approve", token=self.approver)
        return entry


def _in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()
