"""MQTT topics of version 1: built here and parsed here, nowhere else.

``gatehouse/v1/<site>/<edge>/status`` and so on, as docs/messages.md lists them. Site, edge and camera
are lower-case identifiers; the edge name ``hub`` is the hub's own, and ``status``, ``ack``, ``command``,
``reply`` and ``evidence`` cannot name a camera.
"""

import re
from dataclasses import dataclass

ROOT = "gatehouse/v1"
HUB = "hub"
RESERVED = frozenset({HUB, "status", "ack", "command", "reply", "evidence", "alert"})
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def check_identifier(value: str) -> str:
    """Return `value` when it can name a site, edge, camera, zone or rule; ValueError says why not."""
    if not _IDENTIFIER.fullmatch(value):
        raise ValueError(
            f"{value!r} is no identifier: use 1 to 63 of a-z, 0-9 and '-', not beginning with '-'"
        )
    if value in RESERVED:
        raise ValueError(f"{value!r} is a reserved word of the topic tree")
    return value


@dataclass(frozen=True, slots=True)
class EdgeTopics:
    """The topics of one edge box."""

    site: str
    edge: str

    @property
    def base(self) -> str:
        """``gatehouse/v1/<site>/<edge>``: the only tree that this edge may publish under."""
        return f"{ROOT}/{self.site}/{self.edge}"

    @property
    def status(self) -> str:
        """Retained birth and last will of the edge."""
        return f"{self.base}/status"

    @property
    def ack(self) -> str:
        """Where the hub says up to which sequence it has committed."""
        return f"{self.base}/ack"

    @property
    def hub_status(self) -> str:
        """Retained birth and last will of the hub, as this site sees it."""
        return f"{ROOT}/{self.site}/{HUB}/status"

    def observation(self, camera: str, kind: str) -> str:
        """Where observations of one kind by one camera go."""
        return f"{self.base}/{camera}/observation/{kind}"

    def health(self, camera: str) -> str:
        """Frame rate, drops and lag of one camera; QoS 0."""
        return f"{self.base}/{camera}/health"

    def live(self, camera: str) -> str:
        """Live pictures of one camera, while the hub wants them; QoS 0."""
        return f"{self.base}/{camera}/live"

    def evidence(self, observation_id: str, name: str) -> str:
        """Binary evidence that the hub has asked for."""
        return f"{self.base}/evidence/{observation_id}/{name}"

    def command(self, name: str) -> str:
        """Commands of the hub to this edge."""
        return f"{self.base}/command/{name}"

    def reply(self, name: str) -> str:
        """Answers of this edge to commands."""
        return f"{self.base}/reply/{name}"


def alert(site: str, alert_id: str) -> str:
    """Where the hub publishes one alert of a site."""
    return f"{ROOT}/{site}/alert/{alert_id}"


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic. `channel` is ``status``, ``observation``, ``health``, ``live``,
    ``evidence``, ``reply``.

    `camera` is None where the channel has none; `name` is the kind, the command or the evidence's
    name; `subject` is the observation id of an evidence topic.
    """

    site: str
    edge: str
    channel: str
    camera: str | None = None
    name: str | None = None
    subject: str | None = None


#: What the hub subscribes to.
HUB_SUBSCRIPTIONS = (
    f"{ROOT}/+/+/status",
    f"{ROOT}/+/+/+/observation/+",
    f"{ROOT}/+/+/+/health",
    f"{ROOT}/+/+/+/live",
    f"{ROOT}/+/+/evidence/+/+",
    f"{ROOT}/+/+/reply/+",
)


def parse(topic: str) -> Topic | None:
    """Return what an edge's topic means, or None for a topic that is not one of version 1."""
    prefix, _, rest = topic.partition(f"{ROOT}/")
    parts = rest.split("/")
    if prefix or not rest or not all(parts):
        return None
    match parts:
        case [site, edge, "status"]:
            return Topic(site, edge, "status")
        case [site, edge, "reply", name]:
            return Topic(site, edge, "reply", name=name)
        case [site, edge, "evidence", subject, name]:
            return Topic(site, edge, "evidence", name=name, subject=subject)
        case [site, edge, camera, "observation", kind] if camera not in RESERVED:
            return Topic(site, edge, "observation", camera=camera, name=kind)
        case [site, edge, camera, "health"] if camera not in RESERVED:
            return Topic(site, edge, "health", camera=camera)
        case [site, edge, camera, "live"] if camera not in RESERVED:
            return Topic(site, edge, "live", camera=camera)
        case _:
            return None
