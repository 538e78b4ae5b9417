"""The desk between plates and barriers: a plate that was read -> decision -> relay -> observation.

In: plate findings of all cameras, with the time that passes. Out: orders to the relays; one observation for
each grant and each refusal of a track. A grant is given at once. A refusal waits `SETTLE_S` for the track to
be read better, so that a car that is refused in one frame and let in in the next is told of once. It never
waits for a controller.

    what happens to a track at a device         what is told
    allowed, and the relay released it          granted, once
    allowed, and the relay failed               refused, and why; it may be tried again
    anything else, and not better soon          refused, once
    read again after it was granted             nothing
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from edge.access import Decision, Grounds, Reading, Reason, decide
from edge.allow_list_box import BoxAllowList
from edge.config_devices import DeviceSection
from edge.findings import PlateFinding
from edge.grants import Grant
from edge.relays import Order, Relay
from edge.releaser import Releaser
from wire.messages import AccessObservation
from wire.plates import normalise

log = logging.getLogger(__name__)

SETTLE_S: Final = 3.0
_KEPT_S: Final = 600.0  # as long a track is known again; nobody waits longer at a barrier


@dataclass(slots=True)
class AccessCounts:
    """What became of plates at doors and barriers. `release_ms` is of the latest releases."""

    granted: int = 0
    refused: int = 0
    failed: int = 0
    release_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DeskOutlets:
    """Where the desk's words go: observations by camera, grants to whom it may concern."""

    tell: Callable[[str, AccessObservation], None]
    granted: Callable[[Grant, str], None]


@dataclass(frozen=True, slots=True)
class _Read:
    """One reading of a track, for one device: what was decided, by which observation, and when."""

    device: DeviceSection
    decision: Decision
    observation_id: str
    captured_at: datetime
    read_s: float


@dataclass(slots=True)
class _Track:
    """What is known of one track at one device. `order` is set from a grant on, `refusal` until told."""

    last_s: float
    order: str = ""
    refusal: _Read | None = None
    since_s: float = 0.0
    was_refused: bool = False


class AccessDesk:
    """Decides for all devices of one box. Safe for use by several threads."""

    def __init__(
        self,
        devices: Sequence[DeviceSection],
        relays: Mapping[str, Relay],
        plates: BoxAllowList,
        outlets: DeskOutlets,
        *,
        new_id: Callable[[], str],
        monotonic_s: Callable[[], float],
    ) -> None:
        """`relays` has one for each device that opens for something; nothing else opens one."""
        self._plates, self._outlets = plates, outlets
        self._new_id, self._monotonic_s = new_id, monotonic_s
        self._at_camera: dict[str, list[DeviceSection]] = {}
        for device in devices:
            if device.open_for:
                self._at_camera.setdefault(device.camera, []).append(device)
        self._releasers = {
            name: Releaser(name, relay, self._done, monotonic_s) for name, relay in relays.items()
        }
        self._lock = threading.Lock()
        self._tracks: dict[tuple[str, str], _Track] = {}
        self._orders: dict[str, tuple[tuple[str, str], _Read]] = {}
        self._released: dict[str, dict[str, datetime]] = {}
        self.counts = AccessCounts()

    def start(self) -> None:
        """Start the relays' threads."""
        for releaser in self._releasers.values():
            releaser.start()

    def stop(self, timeout_s: float) -> None:
        """End what is in hand, and tell what is yet to be told."""
        for releaser in self._releasers.values():
            releaser.stop(timeout_s)
        self.settle(all_of_them=True)

    def read(self, finding: PlateFinding, observation_id: str, read_s: float) -> None:
        """A track's plate reads like this since `read_s`. Returns at once."""
        reading = Reading(finding.plate.text, finding.plate.confidence, finding.state)
        for device in self._at_camera.get(finding.frame.camera, ()):
            with self._lock:
                order = self._decide(device, reading, finding, observation_id, read_s)
            if order is not None:
                self._releasers[device.id].release(order)

    def _decide(
        self,
        device: DeviceSection,
        reading: Reading,
        finding: PlateFinding,
        observation_id: str,
        read_s: float,
    ) -> Order | None:
        """Under the lock: what becomes of it; the order when the device is to be released."""
        key = (device.id, finding.track_id)
        track = self._tracks.setdefault(key, _Track(read_s))
        track.last_s = read_s
        if track.order:
            return None
        plates, expired = self._plates.plates()
        released, now = self._released.setdefault(device.id, {}), self._plates.now
        decision = decide(reading, device, Grounds(plates, expired, released, now))
        read = _Read(device, decision, observation_id, finding.frame.captured_at, read_s)
        if not decision.opens:
            if not track.was_refused:
                track.since_s = track.since_s if track.refusal else read_s
                track.refusal = read
            return None
        released[normalise(reading.text)] = now
        order = Order(self._new_id(), device.id, self._monotonic_s() + device.give_up_s)
        track.order, track.refusal = order.id, None
        self._orders[order.id] = (key, read)
        return order

    def settle(self, *, all_of_them: bool = False) -> None:
        """Time has passed: tell the refusals that nothing better has followed."""
        now_s = self._monotonic_s()
        due: list[_Read] = []
        with self._lock:
            for key, track in list(self._tracks.items()):
                if track.refusal and (all_of_them or now_s - track.since_s >= SETTLE_S):
                    due.append(track.refusal)
                    track.refusal, track.was_refused = None, True
                if now_s - track.last_s > _KEPT_S:
                    del self._tracks[key]
            self._forget_releases()
            self.counts.refused += len(due)
        for read in due:
            self._tell(read, "refused", read.decision.sentence, None)

    def _forget_releases(self) -> None:
        """Under the lock: who came when is of no use once the device is not held off any more."""
        now = self._plates.now
        for devices in self._at_camera.values():
            for device in devices:
                released = self._released.get(device.id, {})
                for plate, at in list(released.items()):
                    if now - at > timedelta(seconds=device.hold_off_s):
                        del released[plate]

    def _done(self, order: Order, why: str | None) -> None:
        """From a relay's thread: the device was released, or `why` not."""
        after_s = self._monotonic_s()
        with self._lock:
            key, read = self._orders.pop(order.id)
            release_ms = 1000.0 * (after_s - read.read_s)
            if why is None:
                self.counts.granted += 1
                self.counts.release_ms = [*self.counts.release_ms[-999:], release_ms]
            else:
                self.counts.failed += 1
                self._tracks.setdefault(key, _Track(after_s)).order = ""
                released = self._released.get(order.device, {})
                released.pop(normalise(read.decision.text), None)
        if why is not None:
            log.warning("device %s was not released: %s", order.device, why)
            sentence = f"{read.decision.text} {Reason.RELAY_FAILED}: {why}"
            self._tell(read, "refused", sentence, None)
            return
        log.info("device %s: released %.0f ms after the reading", order.device, release_ms)
        at = read.captured_at + timedelta(milliseconds=release_ms)
        self._outlets.granted(Grant(order.device, at, "plate", read.decision.text), order.id)
        self._tell(read, "granted", read.decision.sentence, release_ms)

    def _tell(self, read: _Read, decision: str, sentence: str, release_ms: float | None) -> None:
        at = read.captured_at + timedelta(milliseconds=release_ms or 0.0)
        observation = AccessObservation.model_validate(
            {
                "device": read.device.id,
                "decision": decision,
                "method": "plate",
                "reference": read.decision.text,
                "observation_id": read.observation_id,
                "captured_at": at,
                "reason": sentence[:400],
                "release_ms": release_ms,
            }
        )
        self._outlets.tell(read.device.camera, observation)
