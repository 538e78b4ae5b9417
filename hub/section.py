"""The base of every section of a configuration file: read once, never changed, unknown keys refused."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """One table of a TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
