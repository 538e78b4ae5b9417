"""What is watched in an ordinary clip: everything in the whole picture, and what its own place wants.

In: a TOML file that sets clips up as an installer would set up their cameras. Out: `ClipSection` by the
clip's name, or `ConfigError` that names the file and the key. A behaviour that needs a line, a forbidden
direction or a gate is watched only where the file gives it one.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from edge.behaviours import AnyBehaviour, BehaviourSettings
from edge.config_view import LineSection, ZoneSection, missing_place
from edge.zones import Places
from wire.errors import ConfigError

GATE: Final = "gate"
_SETTINGS: Final[TypeAdapter[BehaviourSettings]] = TypeAdapter(AnyBehaviour)
_PICTURE: Final = {"id": "picture", "polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}
#: What needs neither a gate's signal nor a direction in which nobody may go.
_EVERYWHERE: Final = (
    {"kind": "loitering", "zone": "picture"},
    {"kind": "crowding", "zone": "picture", "people": 20},
    {"kind": "vehicle_prowling"},
    {"kind": "blocked_lane", "zone": "picture"},
    {"kind": "ebike_indoors", "zone": "picture"},
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClipSection(_Section):
    """One clip. `grants_s`: when the gate was released, in seconds of the clip."""

    name: str
    lines: tuple[LineSection, ...] = ()
    behaviours: tuple[AnyBehaviour, ...] = ()
    grants_s: tuple[Annotated[float, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _behaviours_have_what_they_need(self) -> Self:
        for behaviour in self.behaviours:
            if missing := missing_place(behaviour, self.places):
                raise ValueError(f"{behaviour.kind}: {missing}")
            if getattr(behaviour, "device", GATE) != GATE:
                raise ValueError(f"{behaviour.kind}: the device of a clip is called {GATE!r}")
        return self

    @property
    def places(self) -> Places:
        """The whole picture as one zone, and the clip's lines."""
        zone = ZoneSection.model_validate(_PICTURE).zone
        return Places(zones=(zone,), lines=tuple(line.line for line in self.lines))

    @property
    def watched(self) -> tuple[BehaviourSettings, ...]:
        """All that is watched for: everywhere, and at the clip's own lines."""
        return (*map(_SETTINGS.validate_python, _EVERYWHERE), *self.behaviours)


class _File(_Section):
    clips: tuple[ClipSection, ...]


def load_places(path: Path) -> Mapping[str, ClipSection]:
    """The clips of the file, by name."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        sections = _File.model_validate(table).clips
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(f"{path}: {key}: {problem['msg']}") from error
    return {section.name: section for section in sections}
