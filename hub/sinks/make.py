"""Puts sinks together, as their sections say. ConfigError when a secret or a certificate cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.config import read_secret
from hub.sinks.base import Sink
from hub.sinks.filter import Filter
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.sections import HttpSink, SinkSection
from hub.sinks.webhook import WebhookSink
from wire.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Route:
    """A sink, what it is told of, and for how long that is tried."""

    sink: Sink
    filter: Filter
    give_up_after: timedelta


def make_route(section: SinkSection, now: Callable[[], datetime]) -> Route:
    """The sink of one section."""
    return Route(
        _make(section, now), section.made_filter(), timedelta(hours=section.give_up_after_h)
    )


def _make(section: SinkSection, now: Callable[[], datetime]) -> Sink:
    return WebhookSink(
        section.id, section.url, read_secret(section.secret_file), _client(section), now
    )


def _client(section: HttpSink) -> GuardedClient:
    try:
        return GuardedClient(Guard(section.networks), section.timeout_s, section.ca_file)
    except ConfigError as error:
        raise ConfigError(f"sink {section.id}: {error}") from error
