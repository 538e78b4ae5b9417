"""The edge's one configuration file: read, checked and made absolute, once, at start.

In: a TOML file. Out: a frozen `EdgeConfig`, or `ConfigError` that names the file and every wrong key.
Unknown keys are refused. Paths in the file are relative to the file's own folder.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from edge.behaviours import AnyBehaviour, AtDevice
from edge.config_devices import (
    DeviceSection,
    SignalsSection,
    check_devices,
    check_signals,
    with_absolute_paths,
)
from edge.config_meters import MeterSection, check_meters
from edge.config_view import (
    LineSection,
    PerspectiveSection,
    PolygonPoints,
    ZoneSection,
    missing_place,
)
from edge.passages import PassageSettings
from edge.zones import Places
from wire.errors import ConfigError
from wire.keys import sealing_key, verifying_key
from wire.messages import Identifier

FACE_MEMORY_S: Final = 30.0
"""How long a face that was lost can be taken up again, at most and unless a camera says less."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _is_verifying_key(text: str) -> str:
    verifying_key(text)
    return text


def _is_sealing_key(text: str) -> str:
    sealing_key(text)
    return text


class EdgeSection(_Section):
    """Who this box is.

    `data_dir` holds its key and its outbox. `analysis_threads` 0 means one for each core.
    `outbox_mb` bounds what waits on disk for the hub: beyond it the oldest are dropped.
    """

    site: Identifier
    id: Identifier
    data_dir: Path
    analysis_threads: Annotated[int, Field(ge=0, le=64)] = 0
    outbox_mb: Annotated[int, Field(ge=1, le=65536)] = 512


class BrokerSection(_Section):
    """The MQTT broker. `ca_file`, `cert_file` and `key_file` are for TLS; the last two for mutual TLS.

    `protocol` is the version of MQTT to speak; ``auto`` tries 5 and then 3.1.1.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    username: str | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _tls_files_need_tls(self) -> Self:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file have no effect without tls = true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class HubSection(_Section):
    """The hub's public keys, base64, as `gatehouse hub check` prints them."""

    verify_key: Annotated[str, AfterValidator(_is_verifying_key)]
    sealing_key: Annotated[str, AfterValidator(_is_sealing_key)]


class ModelsSection(_Section):
    """Networks. `threads` are those inside one network call: with several cameras 1 is best.

    `objects` names the pack that finds people and vehicles; without it none is loaded. With
    ``face_matching = "edge"`` no embedding leaves the box: it matches with what the hub gives it. `liveness`
    names the pack that tells living faces from pictures of faces; without it none is loaded.
    """

    face_pack: Annotated[str, Field(min_length=1)] = "dlib-resnet"
    face_matching: Literal["hub", "edge"] = "hub"
    plates: bool = True
    objects: Annotated[str, Field(min_length=1)] | None = None
    liveness: Annotated[str, Field(min_length=1)] | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    providers: Annotated[tuple[str, ...], Field(min_length=1)] = ("cpu",)


class EvidenceSection(_Section):
    """Pictures that wait in memory until the hub asks for them; the oldest make room.

    A clip is cut from a camera's own packets, of which `clip_ring_mb` are kept for each camera (0: no
    clips). It begins `clip_before_s` before what was observed and ends `clip_after_s` after it.
    """

    ring_mb: Annotated[int, Field(ge=1, le=16384)] = 64
    clip_ring_mb: Annotated[int, Field(ge=0, le=1024)] = 24
    clip_before_s: Annotated[float, Field(ge=0, le=60)] = 6.0
    clip_after_s: Annotated[float, Field(ge=0, le=60)] = 6.0


class CameraSection(_Section):
    """One camera.

    `source` is an rtsp:// or http:// address, a video file, a folder of pictures, or a USB camera
    (`/dev/video0`, or its number). With `detect_source` (the camera's sub-stream) detection runs on
    that, and crops are cut from `source`. `pace` is for files and folders: ``realtime`` plays them as a
    camera would, ``asap`` analyses every frame that the analysis rate picks, however long it takes.
    A face that was lost at most `face_memory_s` ago is taken up again, out of memory alone; 0: never.
    `health` watches whether the camera still shows its scene; `frozen_after_s` wants to be longer where the
    camera sends a still scene without any change, as some that save bandwidth do. `objects` follows people
    and vehicles, which `zones` and `lines` are about. `liveness` judges whether a face is a living one: told
    of only (``observe``), or a spoof is never named (``enforce``). What lies in a polygon of `privacy` is
    black to everything behind the decoder.
    `live` is the most that this camera gives when the hub asks to see it live: nothing, its picture with
    faces blurred, or also the whole picture, to those who may see that.
    `starts_at` is when the file's first frame was captured; without it, when it is opened.
    """

    id: Identifier
    title: str = ""
    source: Annotated[str, Field(min_length=1)]
    detect_source: Annotated[str, Field(min_length=1)] | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    analysis_fps: Annotated[float, Field(gt=0, le=60)] = 5.0
    faces: bool = True
    plates: bool = True
    objects: bool = False
    liveness: Literal["off", "observe", "enforce"] = "off"
    motion_gate: bool = True
    min_face_px: Annotated[int, Field(ge=12, le=1000)] = 40
    face_memory_s: Annotated[float, Field(ge=0, le=FACE_MEMORY_S)] = FACE_MEMORY_S
    health: bool = True
    frozen_after_s: Annotated[float, Field(ge=3, le=86400)] = 7.0
    live: Literal["off", "blurred", "whole"] = "blurred"
    pace: Literal["realtime", "asap"] = "realtime"
    starts_at: AwareDatetime | None = None
    privacy: tuple[PolygonPoints, ...] = ()
    perspective: PerspectiveSection | None = None
    zones: tuple[ZoneSection, ...] = ()
    lines: tuple[LineSection, ...] = ()
    behaviours: tuple[AnyBehaviour, ...] = ()
    passages: tuple[PassageSettings, ...] = ()

    @field_validator("source", "detect_source", mode="before")
    @classmethod
    def _device_number(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not (self.faces or self.plates or self.objects):
            raise ValueError("looks for nothing: set faces, plates or objects to true")
        return self

    @model_validator(mode="after")
    def _places_differ_and_are_watched(self) -> Self:
        named = [zone.id for zone in self.zones] + [line.id for line in self.lines]
        if (named or self.perspective) and not self.objects:
            raise ValueError("zones, lines and perspective are about objects: set objects to true")
        for name in named:
            if named.count(name) > 1:
                raise ValueError(f"two zones or lines are called {name!r}")
        return self

    @model_validator(mode="after")
    def _behaviours_are_somewhere(self) -> Self:
        if (self.behaviours or self.passages) and not self.objects:
            raise ValueError("behaviours and passages are about objects: set objects to true")
        for number, behaviour in enumerate(self.behaviours):
            if missing := missing_place(behaviour, self.places):
                raise ValueError(f"behaviours[{number}], {behaviour.kind}: {missing}")
        for number, passage in enumerate(self.passages):
            if missing := missing_place(passage, self.places):
                raise ValueError(f"passages[{number}]: {missing}")
        return self

    @property
    def places(self) -> Places:
        """What is watched in the picture."""
        return Places(
            zones=tuple(section.zone for section in self.zones),
            lines=tuple(section.line for section in self.lines),
            perspective=None if self.perspective is None else self.perspective.perspective,
        )


class EdgeConfig(_Section):
    """All of the file. `local_broker` is that of the doors, barriers and meters; without it, `broker` is."""

    edge: EdgeSection
    broker: BrokerSection
    local_broker: BrokerSection | None = None
    hub: HubSection
    models: ModelsSection = ModelsSection()
    evidence: EvidenceSection = EvidenceSection()
    cameras: Annotated[tuple[CameraSection, ...], Field(min_length=1)]
    devices: Annotated[tuple[DeviceSection, ...], Field(max_length=64)] = ()
    signals: SignalsSection | None = None
    meters: tuple[MeterSection, ...] = ()

    @model_validator(mode="after")
    def _cameras_differ(self) -> Self:
        seen: set[str] = set()
        for camera in self.cameras:
            if camera.id in seen:
                raise ValueError(f"two cameras are called {camera.id!r}")
            seen.add(camera.id)
        return self

    @model_validator(mode="after")
    def _devices_are_somewhere(self) -> Self:
        plates = {camera.id: camera.plates and self.models.plates for camera in self.cameras}
        check_devices(self.devices, plates)
        wanted = {
            watch.device: f"camera {camera.id!r}: {getattr(watch, 'kind', 'a passage')}"
            for camera in self.cameras
            for watch in (*camera.behaviours, *camera.passages)
            if isinstance(watch, AtDevice | PassageSettings) and watch.device is not None
        }
        check_signals(self.devices, self.signals, wanted)
        return self

    @model_validator(mode="after")
    def _meters_differ(self) -> Self:
        check_meters(self.meters, {camera.id for camera in self.cameras})
        return self

    @model_validator(mode="after")
    def _objects_have_a_network(self) -> Self:
        if self.models.objects is None:
            for camera in self.cameras:
                if camera.objects:
                    raise ValueError(
                        f"camera {camera.id!r} looks for objects: name their pack in [models],"
                        ' as objects = "yolo11n"'
                    )
        return self

    @model_validator(mode="after")
    def _liveness_has_a_network(self) -> Self:
        for camera in self.cameras:
            if camera.liveness != "off" and self.models.liveness is None:
                raise ValueError(
                    f"camera {camera.id!r} wants liveness: name its pack in [models],"
                    ' as liveness = "minifasnet"'
                )
        return self


def load_config(path: Path) -> EdgeConfig:
    """Read and check the file at `path`. ConfigError names the file and each key that is wrong."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        config = EdgeConfig.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{path}:\n{_explain(error)}") from error
    return _make_absolute(config, path.resolve().parent)


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        key = _key(problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "there is no such key; see configs/edge.toml for those there are"
        lines.append(f"  {key}: {message}" if key else f"  {message}")
    return "\n".join(lines)


def _key(location: tuple[int | str, ...]) -> str:
    """``("cameras", 1, "fps")`` -> ``cameras[1].fps``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _make_absolute(config: EdgeConfig, folder: Path) -> EdgeConfig:
    local, signals = config.local_broker, config.signals
    if signals is not None:
        signals = signals.model_copy(update={"token_file": folder / signals.token_file})
    cameras = tuple(
        camera.model_copy(
            update={
                name: _absolute_source(value, folder)
                for name in ("source", "detect_source")
                if (value := getattr(camera, name)) is not None
            }
        )
        for camera in config.cameras
    )
    edge = config.edge.model_copy(update={"data_dir": folder / config.edge.data_dir})
    return config.model_copy(
        update={
            "edge": edge,
            "broker": _with_absolute_files(config.broker, folder),
            "local_broker": None if local is None else _with_absolute_files(local, folder),
            "cameras": cameras,
            "signals": signals,
            "devices": tuple(with_absolute_paths(device, folder) for device in config.devices),
        }
    )


def _with_absolute_files(broker: BrokerSection, folder: Path) -> BrokerSection:
    return broker.model_copy(
        update={
            name: folder / value
            for name in ("password_file", "ca_file", "cert_file", "key_file")
            if (value := getattr(broker, name)) is not None
        }
    )


def _absolute_source(source: str, folder: Path) -> str:
    """A path made absolute; addresses and device numbers as they are."""
    if "://" in source or source.isdigit():
        return source
    return str(folder / source)
