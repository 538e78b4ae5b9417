"""`gatehouse demo`: video -> faces and plates -> MQTT -> hub -> watch rule -> alert -> command centre.

Everything is the real thing but the broker (embedded) and the command centre (a stub), each in a process
of its own but the stub; all of it on 127.0.0.1, in a folder that is deleted at the end.
"""

import base64
import contextlib
import os
import queue
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from demo.centre import CommandCentre, Delivery
from demo.processes import Running, command, start
from demo.site import CameraPlan, SitePlan
from wire.errors import GatehouseError, InputError
from wire.messages import AlertChanged, FaceMatch

CLIP_PLATE = "京A12F45"
_CAMERA = "gate-in"
_LABEL = "person of the group photo"
_STEPS = 5
_CHANGES = {
    "moved": "it is taken further",
    "escalated": "nobody took it in time, the next level is told",
    "assigned": "it is somebody's now",
    "noted": "a note was added",
    "joined": "it belongs to an incident with another alert of this gate",
}


def demo(
    source: Annotated[
        str | None, typer.Option(help="A video file or RTSP URL instead of the made clip.")
    ] = None,
    plate: Annotated[
        str | None, typer.Option(help="The plate to watch for, with --source.", metavar="京A12345")
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(help="A photo of the person to watch for, with --source.", dir_okay=False),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all running at the end, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="The API's port; 0 takes any free one.")] = 0,
) -> None:
    """Show the whole path on this machine: needs no server, no download and no camera.

    Makes a gate clip, starts an embedded broker, the hub and an edge worker, enrols one person, lists one
    plate, and prints each alert as the stub command centre receives it. Takes about a minute.
    """
    if source is None and (plate or photo):
        raise InputError("--plate and --photo go with --source: the made clip has its own")
    if source is not None and "://" not in source and not Path(source).exists():
        raise InputError(f"--source: there is no file {source}")
    if photo is not None and not photo.is_file():
        raise InputError(f"--photo: there is no file {photo}")
    console = Console(highlight=False, soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="gatehouse-demo-"))
    try:
        with contextlib.ExitStack() as stack:
            signal.signal(signal.SIGTERM, lambda *_: _interrupt())
            _Demo(console, folder, stack, source, plate, photo, port).play(keep=keep)
    except KeyboardInterrupt:
        console.print("\nstopped")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _interrupt() -> None:
    raise KeyboardInterrupt


@dataclass
class _Demo:
    """One showing."""

    console: Console
    folder: Path
    stack: contextlib.ExitStack
    source: str | None
    plate: str | None
    photo: Path | None
    port: int
    _step: int = 0

    def play(self, *, keep: bool) -> None:
        """Play it all; raises when the made clip does not give its two alerts."""
        self._deliveries: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        source = self.source or self._make_clip()
        self._plan(source)
        self._start_hub()
        expected = self._watch()
        self._say("the edge worker starts: it finds, follows and recognises what the camera sees")
        edge = self._run("edge", "gatehouse", "edge", "run", "-c", str(self._site.edge_file))
        alerts = self._print_alerts(edge, expected if self.source is None else None)
        self._conclude(alerts, expected, edge)
        if keep:
            self.console.print("everything is left running; Ctrl-C ends it")
            signal.pause()

    def _say(self, what: str) -> None:
        self._step += 1
        self.console.print(f"[bold cyan]{self._step}/{_STEPS}[/] {what}")

    def _make_clip(self) -> str:
        from demo.clip import write_gate_clip

        self._say(
            f"a gate clip is made: people at the gate, then a car with the plate {CLIP_PLATE}"
        )
        clip = self.folder / "gate.mp4"
        write_gate_clip(clip, CLIP_PLATE)
        return str(clip)

    def _plan(self, source: str) -> None:
        if self.source is not None:
            self._say(f"the source is {escape(source)}")
        self._say("a broker and a stub command centre start")
        broker_port = _free_port()
        secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
        self.centre = CommandCentre(secret, on_alert=self._deliveries.put)
        centre_port = self.centre.start()
        self.stack.callback(self.centre.stop)
        resolved = source if "://" in source else str(Path(source).resolve())
        self._site = SitePlan(
            folder=self.folder,
            broker_port=broker_port,
            cameras=[CameraPlan(_CAMERA, resolved)],
            api_port=self.port,
            webhook=f"http://127.0.0.1:{centre_port}/alerts",
            secret=secret,
            mqtt="3.1.1",  # the embedded broker leaves a CONNECT of version 5 unanswered
        )
        self._site.write()
        self._run("broker", "demo.broker", str(broker_port))
        _wait_for_port(broker_port)

    def _start_hub(self) -> None:
        self._say("the hub starts: database, rules, networks, API")
        hub = self._run("hub", "gatehouse", "hub", "serve", "-c", str(self._site.hub_file))
        self._token = hub.wait_for(r"API token of 'admin', shown this once: (\S+)", 60)
        self._url = hub.wait_for(r"The hub serves (http://\S+)/api/v1", 60)

    def _watch(self) -> set[str]:
        """Enrol and list; two people, since nobody approves what they requested themselves."""
        self._say("one person is enrolled, one plate is listed; a second person approves both")
        approved_by = ["demo-approver", "--role", "approver", "-c", str(self._site.hub_file)]
        approver = command(["hub", "token", "add", *approved_by])
        why = ["--basis", "demonstration", "--reference", "demo-1", "--days", "1"]
        entries, expected = [], set[str]()
        if (photo := self._photo()) is not None:
            subject = self._ask(
                ["enrol", "add", _LABEL, str(photo), "--purpose", "demonstration", *why]
            )
            wanted = ["--category", "missing_person", *why]
            entries.append(self._ask(["watch", "add", "face", subject, *wanted]))
            expected.add("face")
        if plate := (self.plate if self.source else CLIP_PLATE):
            wanted = ["--category", "stolen_vehicle", *why]
            entries.append(self._ask(["watch", "add", "plate", plate, *wanted]))
            expected.add("plate")
        for entry in entries:
            command(["watch", "approve", entry], token=approver, url=self._url)
        return expected

    def _photo(self) -> Path | None:
        if self.source is not None:
            return self.photo
        from demo.clip import enrolment_photo

        path = self.folder / "enrolment.jpg"
        path.write_bytes(enrolment_photo())
        return path

    def _ask(self, arguments: list[str]) -> str:
        return command(arguments, token=self._token, url=self._url)

    def _run(self, name: str, *arguments: str) -> Running:
        running = start(name, arguments, self.folder)
        self.stack.callback(running.stop)
        return running

    def _print_alerts(self, edge: Running, expected: set[str] | None) -> list[Delivery]:
        """Print alerts until the edge has ended and nothing more comes."""
        alerts: list[Delivery] = []
        for delivery in _until_ended(self._deliveries, edge):
            if delivery.event["type"] == AlertChanged.TYPE:
                self._print_change(delivery)
                continue
            alerts.append(delivery)
            self._print_alert(delivery)
            if expected is not None and {a.alert["match"]["kind"] for a in alerts} >= expected:
                break
        return alerts

    def _print_alert(self, delivery: Delivery) -> None:
        alert = delivery.alert
        seen = datetime.fromisoformat(alert["captured_at"])
        raised = datetime.fromisoformat(alert["raised_at"])
        crop = alert.get("crop") or {}
        picture = len(base64.b64decode(crop.get("data", "")))
        self.console.print(
            f"[bold red]ALERT[/] {alert['severity']} · {escape(alert['rule_title'])} · gate"
            f" {alert['gate']}, camera {alert['camera']}\n"
            f"      {escape(alert['reason'])}\n"
            f"      {_details(alert['match'])} · picture of {picture / 1000:.1f} kB\n"
            f"      from the frame to the alert {_ms(raised, seen)}, to the command centre"
            f" {_ms(delivery.received_at, seen)}"
        )

    def _print_change(self, delivery: Delivery) -> None:
        alert = delivery.alert
        what = _CHANGES[alert["change"]]
        self.console.print(f"[bold]CHANGE[/] {escape(alert['rule_title'])}: {what}")

    def _conclude(self, alerts: list[Delivery], expected: set[str], edge: Running) -> None:
        got = {delivery.alert["match"]["kind"] for delivery in alerts}
        if self.source is None and got != expected:
            missing = ", ".join(sorted(expected - got))
            raise GatehouseError(
                f"the demonstration did not raise the alert for the {missing};"
                f" the edge's last words:\n{edge.last_words()}"
            )
        count = f"{len(alerts)} alert{'s' * (len(alerts) != 1)}"
        self.console.print(
            f"\n[bold green]{count}[/] reached the command centre, each signed and checked."
            f"\nAPI: {self._url}/api/v1 · documentation: {self._url}/docs · token: {self._token}"
        )


def _details(match: dict[str, Any]) -> str:
    if match["kind"] == "face":
        face = FaceMatch.model_validate(match)
        lead = "nobody else to compare with" if face.is_alone else f"lead {face.margin:.2f}"
        return f"similarity {face.similarity:.2f} (threshold {face.threshold:.2f}), {lead}, pack {face.pack}"
    return f"read {match['read']}, confidence {match['confidence']:.2f}, {match['how']}"


def _ms(later: datetime, earlier: datetime) -> str:
    return f"{(later.astimezone(UTC) - earlier.astimezone(UTC)).total_seconds() * 1000:.0f} ms"


def _until_ended(
    deliveries: "queue.SimpleQueue[Delivery]", edge: Running, linger_s: float = 3.0
) -> Iterator[Delivery]:
    """Deliveries as they come, until the edge has ended and none has come for a while."""
    ended_at: float | None = None
    while ended_at is None or time.monotonic() - ended_at < linger_s:
        with contextlib.suppress(queue.Empty):
            yield deliveries.get(timeout=0.2)
        if ended_at is None and edge.process.poll() is not None:
            if edge.process.returncode != 0:
                raise GatehouseError(f"the edge worker failed:\n{edge.last_words()}")
            ended_at = time.monotonic()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for_port(port: int, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise GatehouseError(f"the embedded broker did not start on port {port}")
