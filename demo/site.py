"""A whole site in a folder: configuration files and keys for one hub and one edge box.

In: ports, the camera's source and the command centre's secret. Out: `hub.toml`, `edge.toml`, two
rules and the keys of both sides, each known to the other, as an installer would have put them there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wire.keys import load_or_create_opening_key, load_or_create_signing_key, public_text

SITE, EDGE = "rosegarden", "box-1"

_RULES = {
    "watched-persons": """\
id = "watched-persons"
title = "Wanted or missing person 在逃、走失人员"
kind = "face_watchlist"
owner = "demo"
severity = "red"
dedup_window_s = 300
""",
    "watched-vehicles": """\
id = "watched-vehicles"
title = "Stolen or wanted vehicle 布控车辆"
kind = "plate_watchlist"
owner = "demo"
severity = "red"
dedup_window_s = 600
""",
}


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """One camera of the site."""

    id: str
    source: str
    analysis_fps: float = 5.0
    pace: str = "realtime"
    faces: bool = True
    plates: bool = True


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What a site is made of. `api_port` 0 takes any free one; without `webhook` there is no sink.

    With `face_pack` "" the hub matches no faces; the edge still needs a pack, to blur them. `mqtt` is the
    version that the edge speaks, see `edge.config.BrokerSection`.
    """

    folder: Path
    broker_port: int
    cameras: Sequence[CameraPlan]
    api_port: int = 0
    webhook: str | None = None
    secret: str = ""
    face_pack: str = "dlib-resnet"
    mqtt: str = "auto"

    @property
    def hub_file(self) -> Path:
        """The hub's configuration."""
        return self.folder / "hub.toml"

    @property
    def edge_file(self) -> Path:
        """The edge's configuration."""
        return self.folder / "edge.toml"

    def write(self) -> None:
        """Make the folder, or bring its files up to date; keys that are there stay."""
        rules = self.folder / "rules"
        rules.mkdir(parents=True, exist_ok=True)
        for name, text in _RULES.items():
            (rules / f"{name}.toml").write_text(text, encoding="utf-8")
        if self.webhook:
            secret = self.folder / "command-centre.secret"
            secret.write_text(self.secret + "\n", encoding="utf-8")
            secret.chmod(0o600)
        self.hub_file.write_text(self._hub_toml(), encoding="utf-8")
        self.edge_file.write_text(self._edge_toml(), encoding="utf-8")

    def _hub_toml(self) -> str:
        edge_key = load_or_create_signing_key(self.folder / "edge" / "signing.key")
        cameras = "".join(
            f'[[cameras]]\nid = "{camera.id}"\nedge = "{EDGE}"\ngate = "north"\n\n'
            for camera in self.cameras
        )
        sink = (
            f'[[sinks]]\nid = "command-centre"\nkind = "webhook"\nurl = "{self.webhook}"\n'
            'allow_networks = ["127.0.0.0/8"]\n'
            f'secret_file = "command-centre.secret"\n'
            if self.webhook
            else ""
        )
        return (
            f'data_dir = "hub"\nrules_dir = "rules"\n\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\n\n'
            f'[api]\nhost = "127.0.0.1"\nport = {self.api_port}\n\n'
            f'[models]\nface_pack = "{self.face_pack}"\n\n'
            f'[[edges]]\nid = "{EDGE}"\nsite = "{SITE}"\n'
            f'public_key = "{public_text(edge_key.public_key())}"\n\n'
            f"{cameras}{sink}"
        )

    def _edge_toml(self) -> str:
        signing = load_or_create_signing_key(self.folder / "hub" / "signing.key")
        opening = load_or_create_opening_key(self.folder / "hub" / "opening.key")
        cameras = "".join(
            f'[[cameras]]\nid = "{camera.id}"\nsource = {_quoted(camera.source)}\n'
            f'analysis_fps = {camera.analysis_fps}\npace = "{camera.pace}"\n'
            f"faces = {str(camera.faces).lower()}\nplates = {str(camera.plates).lower()}\n\n"
            for camera in self.cameras
        )
        return (
            f'[edge]\nsite = "{SITE}"\nid = "{EDGE}"\ndata_dir = "edge"\n\n'
            f'[broker]\nhost = "127.0.0.1"\nport = {self.broker_port}\nprotocol = "{self.mqtt}"\n\n'
            f'[hub]\nverify_key = "{public_text(signing.public_key())}"\n'
            f'sealing_key = "{public_text(opening.public_key())}"\n\n'
            f'[models]\nface_pack = "{self.face_pack or "dlib-resnet"}"\n'
            f"plates = {str(any(camera.plates for camera in self.cameras)).lower()}\n\n"
            f"{cameras}"
        )


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
