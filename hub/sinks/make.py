"""Puts sinks together, as their sections say. ConfigError when a secret or a certificate cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.config import read_secret
from hub.sinks.base import Sink
from hub.sinks.filter import Filter
from hub.sinks.gat1400 import Gat1400Sink
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.sections import Gat1400Section, HttpSink, SinkSection, WebhookSection
from hub.sinks.webhook import WebhookSink
from hub.viid.messages import Shown
from hub.viid.session import Library, Session
from wire.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Route:
    """A sink, what it is told of, and for how long that is tried."""

    sink: Sink
    filter: Filter
    give_up_after: timedelta


@dataclass(frozen=True, slots=True)
class SinkMaker:
    """What sinks need of the hub: the time, and what an observation showed."""

    now: Callable[[], datetime]
    shown: Callable[[str], Shown | None]

    def route(self, section: SinkSection) -> Route:
        """The sink of one section."""
        give_up_after = timedelta(hours=section.give_up_after_h)
        return Route(self._sink(section), section.made_filter(), give_up_after)

    def _sink(self, section: SinkSection) -> Sink:
        match section:
            case WebhookSection():
                secrets = read_secret(section.secret_file)
                return WebhookSink(section.id, section.url, secrets, _client(section), self.now)
            case Gat1400Section():
                return self._gat1400(section)

    def _gat1400(self, section: Gat1400Section) -> Sink:
        password, client = read_secret(section.password_file)[0], _client(section)
        library = Library(section.url, section.device_id, section.username, password)
        return Gat1400Sink(
            section.id,
            Session(library, client, self.now),
            client,
            section.device_of,
            section.organ,
            self.shown,
            section.keepalive_s,
        )


def _client(section: HttpSink) -> GuardedClient:
    try:
        return GuardedClient(Guard(section.networks), section.timeout_s, section.ca_file)
    except ConfigError as error:
        raise ConfigError(f"sink {section.id}: {error}") from error
