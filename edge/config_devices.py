"""The sections ``[[devices]]`` of the edge's file: doors and barriers at its gates.

In: what the file says. Out: frozen sections. A face opens nothing, alone or beside something else: the
validator refuses it and says why.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wire.messages import Identifier
from wire.schedule import Schedule

_NO_FACE = (
    "a face opens no door and no barrier: a face must never be the only way in, and this box takes it for"
    ' none at all; write "plate", or let the door system decide by card, code or guard'
)

MqttTopic = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^#+\x00]+$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HttpRelaySection(_Section):
    """A controller that releases at an HTTP POST of JSON; `token_file` holds a bearer token.

    `timeout_s` bounds one attempt. `ca_file` is for a certificate of the site's own.
    """

    kind: Literal["http"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$", max_length=400)]
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout_s: Annotated[float, Field(ge=0.1, le=10)] = 2.0


class MqttRelaySection(_Section):
    """A controller that releases at a message on `topic` of the local broker.

    Without `confirm_topic` it counts as released once the broker has taken the message.
    """

    kind: Literal["mqtt"]
    topic: MqttTopic
    confirm_topic: MqttTopic | None = None


class SimulatorRelaySection(_Section):
    """Releases nothing: the log and the observations say what it would have. To try a gate out."""

    kind: Literal["simulator"]


RelaySection = Annotated[
    HttpRelaySection | MqttRelaySection | SimulatorRelaySection, Field(discriminator="kind")
]


class MqttSignalSection(_Section):
    """A controller that tells of its releases and refusals on `topic` of the local broker.

    On `status_topic` it says, retained, that it is online, and its last will that it is not.
    """

    kind: Literal["mqtt"]
    topic: MqttTopic
    status_topic: MqttTopic | None = None


class HttpSignalSection(_Section):
    """A controller that calls this box (``[signals]``); one silent for longer than `alive_s` is away."""

    kind: Literal["http"]
    alive_s: Annotated[float, Field(ge=5, le=3600)] = 90.0


class RelaySignalSection(_Section):
    """Nothing but this box's relay releases the device, no button and no card: so nobody need tell."""

    kind: Literal["relay"]


SignalSection = Annotated[
    MqttSignalSection | HttpSignalSection | RelaySignalSection, Field(discriminator="kind")
]


class SignalsSection(_Section):
    """Where controllers with an HTTP signal call. `token_file` holds the bearer token that they show."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8971
    token_file: Path


class DeviceSection(_Section):
    """One door or barrier.

    `camera` is the one that looks at whoever wants in. With ``open_for = ["plate"]`` the box releases it by
    its `relay` for a plate of the hub's list that was read with `min_confidence` at least, inside `schedule`,
    and not again for the same plate within `hold_off_s`. What could not be released within `give_up_s` is
    given up: a barrier that opens later opens for another. `signal` says how it is known who else was let in;
    without it nobody is said to have followed or to have run the barrier.
    """

    id: Identifier
    title: str = ""
    camera: Identifier
    open_for: frozenset[Literal["plate"]] = frozenset()
    relay: RelaySection | None = None
    signal: SignalSection | None = None
    min_confidence: Annotated[float, Field(ge=0.9, lt=1)] = 0.95
    hold_off_s: Annotated[float, Field(ge=0, le=3600)] = 20.0
    give_up_s: Annotated[float, Field(ge=1, le=30)] = 5.0
    schedule: Schedule = Schedule()

    @field_validator("open_for", mode="before")
    @classmethod
    def _never_by_face(cls, value: Any) -> Any:
        wanted = [value] if isinstance(value, str) else value
        if isinstance(wanted, list | tuple | set | frozenset) and "face" in wanted:
            raise ValueError(_NO_FACE)
        return value

    @model_validator(mode="after")
    def _opens_by_something(self) -> Self:
        if bool(self.open_for) != (self.relay is not None):
            raise ValueError(
                f"device {self.id!r}: open_for and [devices.relay] go together: the one says for what it is"
                " opened, the other how"
            )
        if not self.open_for and self.signal is None:
            raise ValueError(
                f"device {self.id!r} does nothing: it is neither opened (open_for) nor heard (signal)"
            )
        if isinstance(self.signal, RelaySignalSection) and self.relay is None:
            raise ValueError(f'device {self.id!r}: signal "relay" needs a [devices.relay]')
        return self


def check_devices(devices: tuple[DeviceSection, ...], plate_cameras: dict[str, bool]) -> None:
    """ValueError where devices share a name, or a camera is not there or reads no plates."""
    names = [device.id for device in devices]
    for device in devices:
        if names.count(device.id) > 1:
            raise ValueError(f"two devices are called {device.id!r}")
        if device.camera not in plate_cameras:
            raise ValueError(f"device {device.id!r}: there is no camera {device.camera!r}")
        if device.open_for and not plate_cameras[device.camera]:
            raise ValueError(
                f"device {device.id!r} opens by plate, but camera {device.camera!r} reads none: set plates"
                " to true, there and in [models]"
            )


def check_signals(
    devices: tuple[DeviceSection, ...], signals: SignalsSection | None, wanted: dict[str, str]
) -> None:
    """ValueError where a signal has nowhere to come, or somebody waits for one that is not there.

    `wanted` maps the devices whose grants somebody asks for to who that is.
    """
    by_http = [device.id for device in devices if isinstance(device.signal, HttpSignalSection)]
    if by_http and signals is None:
        raise ValueError(
            f'device {by_http[0]!r} has signal "http": say in [signals] where its controller calls, as'
            ' token_file = "controllers.token"'
        )
    heard = {device.id for device in devices if device.signal is not None}
    for device, who in wanted.items():
        if device not in heard:
            raise ValueError(
                f"{who} asks when device {device!r} was released, but no [[devices]] of that id has a"
                " [devices.signal]: it would never say anything"
            )


def with_absolute_paths(device: DeviceSection, folder: Path) -> DeviceSection:
    """The section with the paths of its relay made absolute."""
    if not isinstance(device.relay, HttpRelaySection):
        return device
    relay = device.relay.model_copy(
        update={
            name: folder / value
            for name in ("token_file", "ca_file")
            if (value := getattr(device.relay, name)) is not None
        }
    )
    return device.model_copy(update={"relay": relay})
