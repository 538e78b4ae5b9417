"""A mailbox as a sink: one message for each event, over SMTP.

In: an event. Out: a plain-text message whose Message-ID is the event's id, so that a repetition is known,
and which answers the alert's first one, so that a mail program shows an alert as one thread. No picture
leaves.
"""

import contextlib
import logging
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Literal

from hub.sinks.base import Attempt, Sink
from hub.sinks.notice import Notice
from hub.sinks.sections import Security
from hub.sinks.template import Writer
from wire.errors import ConfigError

log = logging.getLogger(__name__)

_PERMANENT: Final = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server and how to speak to it."""

    host: str
    port: int
    security: Security
    username: str | None
    password: str | None
    timeout_s: float
    ca_file: Path | None


@dataclass(frozen=True, slots=True)
class Letter:
    """From whom, to whom, with which templates."""

    sender: str
    recipients: Sequence[str]
    subject: str
    text: str


class EmailSink(Sink):
    """Some mailboxes behind one server."""

    kind = "email"

    def __init__(self, sink_id: str, server: MailServer, letter: Letter, writer: Writer) -> None:
        """ConfigError when `ca_file` holds no certificates."""
        self._id, self._server, self._letter, self._writer = sink_id, server, letter, writer
        try:
            self._tls = ssl.create_default_context(cafile=server.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"sink {sink_id}: ca_file: {server.ca_file} cannot be used: {error}"
            ) from error

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        message = self._compose(notice)
        try:
            with self._connect() as server:
                refused = server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            result: Literal["refused", "retry"] = "refused" if min(codes) >= _PERMANENT else "retry"
            return Attempt(result, f"every recipient was refused: SMTP {min(codes)}")
        except smtplib.SMTPAuthenticationError as error:  # a password that somebody will mend
            return Attempt("retry", f"SMTP {error.smtp_code}: the login was refused")
        except smtplib.SMTPResponseException as error:
            result = "refused" if error.smtp_code >= _PERMANENT else "retry"
            return Attempt(result, f"SMTP {error.smtp_code}: {error.smtp_error!r}"[:300])
        except (OSError, smtplib.SMTPException) as error:
            return Attempt("retry", f"{type(error).__name__}: {error}"[:300])
        if refused:
            log.warning("sink %s: %d recipients were refused", self._id, len(refused))
        return Attempt("delivered", f"{len(refused)} recipients were refused" if refused else "")

    def _compose(self, notice: Notice) -> EmailMessage:
        letter, due = self._letter, notice.due
        domain = letter.sender.rpartition("@")[2]
        message = EmailMessage()
        message["From"] = letter.sender
        message["To"] = ", ".join(letter.recipients)
        message["Subject"] = " ".join(self._writer.fill(letter.subject, notice).split())
        message["Date"] = format_datetime(due.at)
        message["Message-ID"] = f"<{due.event_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        if due.told:
            first = f"<{due.told[0].event_id}@{domain}>"
            message["In-Reply-To"], message["References"] = first, first
        message.set_content(self._writer.fill(letter.text, notice))
        return message

    @contextlib.contextmanager
    def _connect(self) -> Iterator[smtplib.SMTP]:
        where = self._server
        if where.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                where.host, where.port, timeout=where.timeout_s, context=self._tls
            )
        else:
            server = smtplib.SMTP(where.host, where.port, timeout=where.timeout_s)
        with server:
            if where.security == "starttls":
                server.starttls(context=self._tls)
            if where.username is not None and where.password is not None:
                server.login(where.username, where.password)
            yield server
