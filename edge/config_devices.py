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


class DeviceSection(_Section):
    """One door or barrier.

    `camera` is the one that looks at whoever wants in. With ``open_for = ["plate"]`` the box releases it by
    its `relay` for a plate of the hub's list that was read with `min_confidence` at least, inside `schedule`,
    and not again for the same plate within `hold_off_s`. What could not be released within `give_up_s` is
    given up: a barrier that opens later opens for another.
    """

    id: Identifier
    title: str = ""
    camera: Identifier
    open_for: frozenset[Literal["plate"]] = frozenset()
    relay: RelaySection | None = None
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
