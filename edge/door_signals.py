"""What controllers of doors and barriers tell: their releases and refusals, and that they are there.

In: what came from a controller, the time by the box's clock. Out: grants and the state of their signal in
the `GrantBook`, and an observation for each event. Pure. Safe for use by several threads.

A device's grants count as heard while its signal is there, and no longer: what nobody could have heard
accuses nobody.

    its signal              it is there                             it is away
    mqtt, no status topic   while the local broker is connected     otherwise
    mqtt, status topic      while that and its status is online     otherwise
    http                    for `alive_s` after any of its calls    otherwise
    relay                   always: nothing else releases it        never
"""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge.config_devices import DeviceSection, HttpSignalSection, MqttSignalSection
from edge.grants import Grant, GrantBook
from wire.errors import InvalidMessage
from wire.messages import AccessMethod, AccessObservation

LARGEST_BYTES: Final = 8192
_IDS_KEPT: Final = 512
_MOST_EVENTS: Final = 60  # of one device within `_WINDOW`: no door is opened more often
_WINDOW: Final = timedelta(seconds=60)
_LATE: Final = timedelta(seconds=60)
_EARLY: Final = timedelta(seconds=5)

Heard = Literal["taken", "repeated", "too_many"]


class DoorEvent(BaseModel):
    """One release or refusal, as a controller tells it. Fields that are not known are ignored.

    `id` tells a repetition; a release that this box asked for is told with the order's id, or not at all.
    `at` is believed when it is about now. A `method` that is not one of ours is a ``signal``.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Annotated[str, Field(max_length=64)] = ""
    decision: Literal["granted", "refused"] = "granted"
    method: AccessMethod = "signal"
    reference: Annotated[str, Field(max_length=64)] = ""
    reason: Annotated[str, Field(max_length=200)] = ""
    at: AwareDatetime | None = None

    @field_validator("method", mode="before")
    @classmethod
    def _ours_or_a_signal(cls, value: Any) -> Any:
        return value if value in get_args(AccessMethod) else "signal"


def parse_event(payload: bytes) -> DoorEvent:
    """The event in what a controller sent. InvalidMessage says what is wrong with it."""
    value = _json(payload)
    try:
        return DoorEvent.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise InvalidMessage("invalid_data", f"{where}: {problem['msg']}".lstrip(": ")) from error


def parse_status(payload: bytes) -> bool:
    """Whether a controller says that it is there: ``online`` or ``offline``, plain or as JSON's `state`."""
    text = payload[:LARGEST_BYTES].decode("utf-8", "replace").strip()
    if text.startswith("{"):
        text = str(_json(payload).get("state"))
    if text not in ("online", "offline"):
        raise InvalidMessage("invalid_data", f"{text[:40]!r} is neither online nor offline")
    return text == "online"


def _json(payload: bytes) -> dict[str, Any]:
    if len(payload) > LARGEST_BYTES:
        raise InvalidMessage("too_large", f"{len(payload)} bytes; at most {LARGEST_BYTES}")
    try:
        value = json.loads(payload)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InvalidMessage("not_json", str(error)[:200]) from error
    if not isinstance(value, dict):
        raise InvalidMessage("not_json", f"a JSON {type(value).__name__}, not an object")
    return value


@dataclass(slots=True)
class _Signal:
    """One device's signal. `online` is what its status says; without a status topic it is always so."""

    device: DeviceSection
    online: bool
    linked: bool = False
    heard_at: datetime | None = None
    times: deque[datetime] = field(default_factory=deque)
    ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    @property
    def is_there(self) -> bool:
        """Whether every release would be heard now."""
        match self.device.signal:
            case MqttSignalSection():
                return self.linked and self.online
            case HttpSignalSection():
                return self.heard_at is not None
        return True

    def knows(self, name: str) -> bool:
        """Whether this id has come before; it is remembered."""
        if not name:
            return False
        if name in self.ids:
            return True
        self.ids[name] = None
        if len(self.ids) > _IDS_KEPT:
            self.ids.popitem(last=False)
        return False


class DoorSignals:
    """The signals of all devices that have one."""

    def __init__(
        self,
        devices: Sequence[DeviceSection],
        book: GrantBook,
        tell: Callable[[str, AccessObservation], None],
    ) -> None:
        """`tell` stores an observation of a camera."""
        self._book, self._tell = book, tell
        self._lock = threading.Lock()
        self._signals = {
            device.id: _Signal(device, online=not _has_status(device))
            for device in devices
            if device.signal is not None
        }

    def begin(self, now: datetime) -> None:
        """The box begins to watch: what only it releases is heard from now on."""
        for name, signal in self._signals.items():
            if signal.device.signal is not None and signal.device.signal.kind == "relay":
                self._book.connected(name, now)

    def event(self, device: str, event: DoorEvent, now: datetime) -> Heard:
        """A controller tells of a release or a refusal."""
        with self._lock:
            signal = self._signals[device]
            if signal.knows(event.id):
                return "repeated"
            while signal.times and signal.times[0] <= now - _WINDOW:
                signal.times.popleft()
            if len(signal.times) >= _MOST_EVENTS:
                return "too_many"
            signal.times.append(now)
            signal.heard_at = now
        at = now
        if event.at is not None and -_LATE <= event.at - now <= _EARLY:
            at = event.at
        if event.decision == "granted":
            self._book.add(Grant(device, at, event.method, event.reference))
        self._tell(signal.device.camera, _observation(device, event, at))
        return "taken"

    def own(self, grant: Grant, release_id: str) -> None:
        """This box's relay has released a device: its controller may tell of it again, under this id.

        It makes no signal that is away one that is there: others may have released it unheard.
        """
        with self._lock:
            signal = self._signals.get(grant.device)
            if signal is None or signal.knows(release_id) or not signal.is_there:
                return
        self._book.add(grant)

    def linked(self, now: datetime, *, there: bool) -> None:
        """The local broker is connected, or not any more."""
        with self._lock:
            for name, signal in self._signals.items():
                if isinstance(signal.device.signal, MqttSignalSection):
                    signal.linked = there
                    self._follow(name, signal, now)

    def status(self, device: str, now: datetime, *, online: bool) -> None:
        """A controller says on its status topic that it is there, or its last will that it is not."""
        with self._lock:
            signal = self._signals[device]
            signal.online = online
            self._follow(device, signal, now)

    def alive(self, device: str, now: datetime) -> None:
        """A controller has called."""
        with self._lock:
            self._signals[device].heard_at = now
            self._book.connected(device, now)

    def tick(self, now: datetime) -> None:
        """Time has passed: who has not called for long is away."""
        with self._lock:
            for name, signal in self._signals.items():
                section = signal.device.signal
                if not isinstance(section, HttpSignalSection) or signal.heard_at is None:
                    continue
                if now - signal.heard_at > timedelta(seconds=section.alive_s):
                    signal.heard_at = None
                    self._book.lost(name)

    def _follow(self, name: str, signal: _Signal, now: datetime) -> None:
        """Under the lock: tell the book whether it is there."""
        if signal.is_there:
            self._book.connected(name, now)
        else:
            self._book.lost(name)


def _has_status(device: DeviceSection) -> bool:
    section = device.signal
    return isinstance(section, MqttSignalSection) and section.status_topic is not None


def _observation(device: str, event: DoorEvent, at: datetime) -> AccessObservation:
    said = f": {event.reason}" if event.reason else ""
    verb = "released" if event.decision == "granted" else "refused"
    return AccessObservation(
        device=device,
        decision=event.decision,
        method=event.method,
        reference=event.reference,
        captured_at=at,
        reason=f"its own controller {verb} it, by {event.method}{said}",
    )
