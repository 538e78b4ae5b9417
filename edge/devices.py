"""Doors and barriers of one box, put together: what ``[[devices]]`` of the configuration comes to.

In: the configuration, plate findings, the time. Out: released devices, observations of grants and refusals,
the state of the list of allowed plates for the publisher.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.access_desk import AccessCounts, AccessDesk, DeskOutlets
from edge.allow_list_box import BoxAllowList
from edge.config import EdgeConfig
from edge.config_devices import (
    DeviceSection,
    HttpRelaySection,
    HttpSignalSection,
    MqttRelaySection,
    MqttSignalSection,
    SimulatorRelaySection,
)
from edge.door_http import DoorHttp
from edge.door_mqtt import hear_doors
from edge.door_signals import DoorSignals
from edge.findings import FaceStay, Finding, PlateFinding
from edge.grants import GrantBook
from edge.local_broker import LocalBroker
from edge.relays import HttpRelay, MqttRelay, Relay, SimulatorRelay
from wire.messages import AccessObservation
from wire.topics import EdgeTopics


@dataclass(frozen=True, slots=True)
class DeviceClocks:
    """`now` is the box's clock, by which frames and grants are compared; `hub_now` the hub's as far as it is
    known; `monotonic_s` never jumps."""

    now: Callable[[], datetime]
    hub_now: Callable[[], datetime]
    monotonic_s: Callable[[], float]


class Devices:
    """All devices of one box. Connects to nothing before `start`."""

    def __init__(
        self,
        config: EdgeConfig,
        clocks: DeviceClocks,
        *,
        hub_key: Ed25519PublicKey,
        new_id: Callable[[], str],
        tell: Callable[[str, AccessObservation], None],
        grants: GrantBook,
    ) -> None:
        """`tell` stores an observation of a camera; `grants` hears of all releases. ConfigError, StoreError
        for what cannot be used."""
        self._now = clocks.now
        opening = [device for device in config.devices if device.open_for]
        self._broker = local_broker(config)
        self._signals = DoorSignals(config.devices, grants, tell)
        if self._broker is not None:
            hear_doors(self._broker, config.devices, self._signals, clocks.now)
        self._http = _door_http(config, self._signals, clocks.now)
        self.plates: BoxAllowList | None = None
        self._desk: AccessDesk | None = None
        if opening:
            self.plates = BoxAllowList(
                allow_list_folder(config),
                EdgeTopics(config.edge.site, config.edge.id),
                [device.id for device in opening],
                hub_key=hub_key,
                now=clocks.hub_now,
            )
            self._desk = AccessDesk(
                opening,
                {d.id: make_relay(d, self._broker, clocks.monotonic_s) for d in opening},
                self.plates,
                DeskOutlets(tell, self._signals.own),
                new_id=new_id,
                monotonic_s=clocks.monotonic_s,
            )

    def start(self) -> None:
        """Start to hear, to connect, and to release."""
        self._signals.begin(self._now())
        if self._http is not None:
            self._http.start()
        if self._broker is not None:
            self._broker.start()
        if self._desk is not None:
            self._desk.start()

    def stop(self, timeout_s: float) -> None:
        """Carry out what is in hand, tell what is yet to be told, and end."""
        if self._http is not None:
            self._http.stop(timeout_s)
        if self._desk is not None:
            self._desk.stop(timeout_s)
        if self._broker is not None:
            self._broker.stop(timeout_s)

    def read(self, finding: Finding | FaceStay, observation_id: str, read_s: float) -> None:
        """Something was found; of plates the desk decides. Returns at once."""
        if self._desk is not None and isinstance(finding, PlateFinding):
            self._desk.read(finding, observation_id, read_s)

    def tick(self) -> None:
        """Time has passed."""
        self._signals.tick(self._now())
        if self._desk is not None:
            self._desk.settle()

    @property
    def counts(self) -> AccessCounts | None:
        """What became of plates; None where nothing opens by plate."""
        return None if self._desk is None else self._desk.counts


def allow_list_folder(config: EdgeConfig) -> Path:
    """Where the list of allowed plates is kept."""
    return config.edge.data_dir / "allowed"


def local_broker(config: EdgeConfig) -> LocalBroker | None:
    """The connection to the devices' broker, where one of them needs it; not started."""
    if not any(
        isinstance(device.relay, MqttRelaySection) or isinstance(device.signal, MqttSignalSection)
        for device in config.devices
    ):
        return None
    broker = config.local_broker or config.broker
    return LocalBroker(broker, f"gatehouse-{config.edge.site}-{config.edge.id}-devices")


def _door_http(
    config: EdgeConfig, signals: DoorSignals, now: Callable[[], datetime]
) -> DoorHttp | None:
    """The endpoint for controllers that call, where there is one."""
    callers = frozenset(d.id for d in config.devices if isinstance(d.signal, HttpSignalSection))
    if not callers or config.signals is None:
        return None
    return DoorHttp(config.signals, callers, signals, now)


def make_relay(
    device: DeviceSection, broker: LocalBroker | None, monotonic_s: Callable[[], float]
) -> Relay:
    """The relay that a device's section names. ConfigError when its files cannot be used."""
    match device.relay:
        case HttpRelaySection() as section:
            return HttpRelay(section, monotonic_s)
        case MqttRelaySection() as section:
            assert broker is not None  # `local_broker` has made it for this one
            return MqttRelay(section, broker, monotonic_s)
        case SimulatorRelaySection():
            return SimulatorRelay()
    raise AssertionError(f"device {device.id} opens for something without a relay")
