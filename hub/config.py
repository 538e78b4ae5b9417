"""The hub's one configuration file: read, checked and made absolute, once, at start.

In: a TOML file. Out: a frozen `HubConfig`, or `ConfigError` that names the file and every wrong key.
Unknown keys are refused. Paths in the file are relative to the file's own folder. Opens nothing else:
secrets are read from their files by whoever uses them, through `read_secret`.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from hub.allow_list import AllowListSection
from hub.escalation import EscalationSection
from hub.section import Section
from hub.sinks.sections import SinkSection
from hub.viid.section import ViidSection
from hub.visitors.section import VisitorsSection
from wire.errors import ConfigError
from wire.keys import verifying_key
from wire.messages import Identifier

M = TypeVar("M", bound=BaseModel)


def _is_verifying_key(text: str) -> str:
    verifying_key(text)
    return text


Port = Annotated[int, Field(ge=0, le=65535)]


class BrokerSection(Section):
    """The MQTT broker. `ca_file`, `cert_file` and `key_file` are for TLS; the last two for mutual TLS."""

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65535)] = 1883
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


class StoreSection(Section):
    """The database. Without `url` it is SQLite, ``hub.sqlite`` in `data_dir`."""

    url: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\+[a-z0-9_]+)?://")] | None = None


class ApiSection(Section):
    """Where the API listens; with `cert_file` and `key_file` over TLS. Port 0 takes any free one."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port = 8080
    cert_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _files_go_together(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


class EdgeSection(Section):
    """One edge box: `public_key` is the base64 that `gatehouse edge check` prints."""

    id: Identifier
    site: Identifier
    public_key: Annotated[str, AfterValidator(_is_verifying_key)]


class CameraSection(Section):
    """Where a camera of an edge is. Cameras that are not named here work too; their gate is ""."""

    id: Identifier
    edge: Identifier
    gate: Identifier
    title: str = ""


class ModelsSection(Section):
    """The face pack for enrolment and matching; "" for a hub that matches plates only.

    `face_calibration` is a file of `gatehouse eval faces --calibrate`: the site's own threshold and margin.
    """

    face_pack: str = "dlib-resnet"
    face_calibration: Path | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class EnrolmentSection(Section):
    """`keep_reference` keeps one picture of each enrolled face, encrypted, to be shown beside an alert's."""

    keep_reference: bool = False


class SliceSection(Section):
    """How long a box may match with what it was given, without word of the hub.

    `valid_hours` is how long it names people through an outage, and how long it may still hold somebody who
    has been erased meanwhile.
    """

    valid_hours: Annotated[int, Field(ge=1, le=24 * 14)] = 24


class RetentionSection(Section):
    """After how many days what is stored is deleted; alerts outlive their pictures."""

    observations_days: Annotated[int, Field(ge=1, le=3650)] = 30
    evidence_days: Annotated[int, Field(ge=1, le=3650)] = 30
    alerts_days: Annotated[int, Field(ge=1, le=3650)] = 365
    passes_days: Annotated[int, Field(ge=0, le=365)] = 7


class HubConfig(Section):
    """All of the file."""

    data_dir: Path
    rules_dir: Path
    broker: BrokerSection
    store: StoreSection = StoreSection()
    api: ApiSection = ApiSection()
    models: ModelsSection = ModelsSection()
    enrolment: EnrolmentSection = EnrolmentSection()
    retention: RetentionSection = RetentionSection()
    escalation: EscalationSection = EscalationSection()
    allow_list: AllowListSection = AllowListSection()
    gallery_slice: SliceSection = SliceSection()
    visitors: VisitorsSection | None = None
    viid: ViidSection | None = None
    edges: tuple[EdgeSection, ...] = ()
    cameras: tuple[CameraSection, ...] = ()
    sinks: tuple[SinkSection, ...] = ()

    @model_validator(mode="after")
    def _names_are_sound(self) -> Self:
        _differ("edges", [edge.id for edge in self.edges])
        _differ("sinks", [sink.id for sink in self.sinks])
        _differ("cameras", [f"{camera.edge}/{camera.id}" for camera in self.cameras])
        edges = {edge.id for edge in self.edges}
        for camera in self.cameras:
            if camera.edge not in edges:
                raise ValueError(
                    f"camera {camera.id!r} is on edge {camera.edge!r}, which is not in [[edges]]"
                )
        for section in self.allow_list.devices:
            if section.edge not in edges:
                raise ValueError(
                    f"allow_list: device {section.device!r} is on edge {section.edge!r}, which is not in"
                    " [[edges]]"
                )
        if any(sink.id == MQTT_SINK for sink in self.sinks):
            raise ValueError(f"a sink cannot be called {MQTT_SINK!r}: that one is built in")
        return self

    @property
    def database_url(self) -> str:
        """The database's URL, the default filled in."""
        return self.store.url or f"sqlite:///{self.data_dir / 'hub.sqlite'}"

    @property
    def sites(self) -> tuple[str, ...]:
        """Every site that has an edge, sorted."""
        return tuple(sorted({edge.site for edge in self.edges}))

    def gate_of(self, edge: str, camera: str) -> str:
        """The gate that a camera looks at; "" where the file does not say."""
        return next(
            (c.gate for c in self.cameras if c.edge == edge and c.id == camera),
            "",
        )


MQTT_SINK = "mqtt"
"""The built-in sink that publishes every alert on the broker."""


def _differ(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two {what} are called {name!r}")


def load_config(path: Path) -> HubConfig:
    """Read and check the file at `path`. ConfigError names the file and each key that is wrong."""
    config = load_toml(path, HubConfig, example="configs/hub.toml")
    return _make_absolute(config, path.resolve().parent)


def load_toml(path: Path, model: type[M], *, example: str) -> M:
    """Read a TOML file as `model`. ConfigError names the file and each key that is wrong."""
    try:
        return model.model_validate(load_table(path))
    except ValidationError as error:
        raise ConfigError(f"{path}:\n{explain(error, example)}") from error


def load_table(path: Path) -> dict[str, Any]:
    """Read a TOML file. ConfigError says why it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def explain(error: ValidationError, example: str) -> str:
    """Say each problem on a line of its own, with its key as TOML writes it."""
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        key = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in _keys(problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = f"there is no such key; see {example} for those there are"
        if problem["type"].startswith("union_tag"):
            kinds, given = problem["ctx"].get("expected_tags"), problem["ctx"].get("tag")
            key = f"{key}.kind"
            message = f"it must be one of {kinds}, not {given!r}" if kinds else "it is missing"
        lines.append(f"  {key.removeprefix('.')}: {message}" if key else f"  {message}")
    return "\n".join(lines)


def _keys(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The keys of the file alone: of a sink, pydantic also names the kind that it was read as."""
    if len(loc) > 2 and loc[0] == "sinks" and isinstance(loc[2], str):
        return (*loc[:2], *loc[3:])
    return loc


def read_secret(path: Path) -> list[str]:
    """Return the lines of a secret file, without blank ones. ConfigError when it is not there or empty."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the secret file {path} cannot be read: {error}") from error
    secrets = [line for line in lines if line]
    if not secrets:
        raise ConfigError(f"the secret file {path} is empty")
    return secrets


def _make_absolute(config: HubConfig, folder: Path) -> HubConfig:
    def absolute(section: M) -> M:
        return section.model_copy(
            update={
                name: folder / value
                for name in type(section).model_fields
                if isinstance(value := getattr(section, name), Path)
            }
        )

    return absolute(config).model_copy(
        update={
            "broker": absolute(config.broker),
            "api": absolute(config.api),
            "models": absolute(config.models),
            "viid": config.viid
            and config.viid.model_copy(
                update={"peers": tuple(absolute(peer) for peer in config.viid.peers)}
            ),
            "sinks": tuple(absolute(sink) for sink in config.sinks),
        }
    )
