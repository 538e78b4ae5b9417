"""Puts sinks together, as their sections say. ConfigError when a secret or a certificate cannot be used."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hub.config import read_secret
from hub.sinks.base import Sink
from hub.sinks.cap import CapSink
from hub.sinks.cap_message import CapSource
from hub.sinks.chat import ChatSink
from hub.sinks.email import EmailSink, Letter, MailServer
from hub.sinks.filter import Filter
from hub.sinks.gat1400 import Gat1400Sink
from hub.sinks.network import Guard, GuardedClient
from hub.sinks.sections import (
    CapSection,
    ChatSection,
    EmailSection,
    Gat1400Section,
    HttpSink,
    SinkSection,
    WebhookSection,
)
from hub.sinks.template import Writer
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
            case CapSection():
                return _cap(section)
            case EmailSection():
                return _email(section)
            case ChatSection():
                return self._chat(section)

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

    def _chat(self, section: ChatSection) -> Sink:
        url = read_secret(section.url_file)[0]
        try:
            section.check_url(url)
        except ValueError as error:
            raise ConfigError(f"sink {section.id}: url_file: {error}") from error
        secret = read_secret(section.secret_file)[0] if section.secret_file else None
        writer = Writer(section.language, ZoneInfo(section.time_zone))
        return ChatSink(
            section.id,
            url,
            section.style,
            secret,
            section.template,
            writer,
            _client(section),
            self.now,
        )


def _cap(section: CapSection) -> Sink:
    source = CapSource(
        sender=section.sender,
        sender_name=section.sender_name,
        addresses=section.addresses,
        status=section.status,
        language=section.language,
        zone=ZoneInfo(section.time_zone),
        valid_for=timedelta(hours=section.valid_for_h),
    )
    return CapSink(section.id, source, section.url, section.folder, _client(section))


def _email(section: EmailSection) -> Sink:
    server = MailServer(
        host=section.host,
        port=section.port,
        security=section.security,
        username=section.username,
        password=read_secret(section.password_file)[0] if section.password_file else None,
        timeout_s=section.timeout_s,
        ca_file=section.ca_file,
    )
    letter = Letter(section.sender, section.recipients, section.subject, section.text)
    return EmailSink(
        section.id, server, letter, Writer(section.language, ZoneInfo(section.time_zone))
    )


def _client(section: HttpSink) -> GuardedClient:
    try:
        return GuardedClient(Guard(section.networks), section.timeout_s, section.ca_file)
    except ConfigError as error:
        raise ConfigError(f"sink {section.id}: {error}") from error
