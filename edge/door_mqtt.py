"""Controllers that tell of themselves on the local broker: their topics -> `DoorSignals`.

In: what comes on the topics of ``[devices.signal]``. Out: events and states. What cannot be read is named in
the log and changes nothing; an event that the broker had kept from before is none.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from edge.config_devices import DeviceSection, MqttSignalSection
from edge.door_signals import DoorSignals, parse_event, parse_status
from edge.local_broker import LocalBroker
from wire.errors import InvalidMessage

log = logging.getLogger(__name__)


def hear_doors(
    broker: LocalBroker,
    devices: Sequence[DeviceSection],
    signals: DoorSignals,
    now: Callable[[], datetime],
) -> None:
    """Let `signals` hear the controllers of `devices` on `broker`, which is yet to be started."""
    broker.watch(lambda there: signals.linked(now(), there=there))
    for device in devices:
        if isinstance(device.signal, MqttSignalSection):
            _hear(broker, device.id, device.signal, signals, now)


def _hear(
    broker: LocalBroker,
    device: str,
    section: MqttSignalSection,
    signals: DoorSignals,
    now: Callable[[], datetime],
) -> None:
    def event(payload: bytes) -> None:
        try:
            heard = signals.event(device, parse_event(payload), now())
        except InvalidMessage as error:
            log.warning("device %s: ignored what came on %s: %s", device, section.topic, error)
            return
        if heard == "too_many":
            log.warning("device %s: more events than any door has; ignored", device)

    def status(payload: bytes) -> None:
        try:
            signals.status(device, now(), online=parse_status(payload))
        except InvalidMessage as error:
            log.warning(
                "device %s: ignored what came on %s: %s", device, section.status_topic, error
            )

    broker.hear(section.topic, event)
    if section.status_topic is not None:
        broker.hear(section.status_topic, status, retained=True)
