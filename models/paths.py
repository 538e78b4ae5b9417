"""Where Gatehouse keeps its files on this machine. Asks the environment; makes and opens nothing."""

import os
from collections.abc import Mapping
from pathlib import Path


def gatehouse_home(environ: Mapping[str, str] = os.environ) -> Path:
    """``$GATEHOUSE_HOME``, else ``gatehouse`` in the XDG data folder (``~/.local/share``)."""
    if home := environ.get("GATEHOUSE_HOME"):
        return Path(home).expanduser()
    data = environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path("~/.local/share").expanduser()) / "gatehouse"


def packs_folder(home: Path | None = None) -> Path:
    """The folder that holds one folder per pack; `home` None means `gatehouse_home`."""
    return (gatehouse_home() if home is None else home) / "packs"
