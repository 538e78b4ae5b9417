"""E-mail through a real SMTP server of the test's own, with TLS where it is asked for."""

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.config import load_config
from hub.sinks.base import Attempt
from hub.sinks.email import EmailSink, Letter, MailServer
from hub.sinks.make import SinkMaker
from hub.sinks.notice import Told
from hub.sinks.template import LONG, SHORT, Writer
from tests.servers import free_port
from tests.unit.hub.kit import NOW, FakeEdge, at, write_config
from tests.unit.hub.notices import a_change, a_notice
from wire.errors import ConfigError

LETTER = Letter("hub@rosegarden.example", ("guard@x.example", "chief@x.example"), SHORT, LONG)
WRITER = Writer("zh", dt.UTC)


@dataclass
class Mailbox:
    """Takes mail; `answers` are given first, to RCPT or DATA as they say."""

    letters: list[EmailMessage] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd asks for this name
        self, server, session: Session, envelope: Envelope, address, options
    ) -> str:
        answer = self.rcpt.pop(0) if self.rcpt else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data.pop(0)
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data) -> AuthResult:
    right = isinstance(data, LoginPassword) and data.password == b"right"
    return AuthResult(success=right, handled=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        .not_valid_after(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(pem) + private)
    return path


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def plain(mailbox: Mailbox) -> Iterator[Controller]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
def secure(mailbox: Mailbox, certificate: Path) -> Iterator[Controller]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=free_port(), tls_context=context,
        require_starttls=True, authenticator=login, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield controller
    controller.stop()


def sink_to(controller: Controller, security="none", password=None, ca=None) -> EmailSink:
    username = None if password is None else "hub"
    server = MailServer("127.0.0.1", controller.port, security, username, password, 5, ca)
    return EmailSink("mail", server, LETTER, WRITER)


def test_a_letter(plain: Controller, mailbox: Mailbox) -> None:
    notice = a_notice(rule_title="Plates\r\nBcc: evil@x.example")
    assert sink_to(plain).deliver(notice) == Attempt("delivered")
    (letter,) = mailbox.letters
    assert letter["to"] == "guard@x.example, chief@x.example"
    assert letter["subject"].startswith("[红色·报警] Plates Bcc: evil@x.example · rosegarden/north")
    assert letter["bcc"] is None
    assert letter["message-id"] == f"<{notice.due.event_id}@rosegarden.example>"
    assert letter["auto-submitted"] == "auto-generated"
    assert notice.alert.alert_id in letter.get_content()


def test_one_alert_is_one_thread(plain: Controller, mailbox: Mailbox) -> None:
    first = a_notice()
    told = (Told(first.due.event_id, first.alert.TYPE, at(0)),)
    sink_to(plain).deliver(a_change("verified", told=told))
    assert mailbox.letters[0]["in-reply-to"] == f"<{first.due.event_id}@rosegarden.example>"


def test_over_starttls_with_a_login(
    secure: Controller, mailbox: Mailbox, certificate: Path
) -> None:
    sink = sink_to(secure, "starttls", "right", certificate)
    assert sink.deliver(a_notice()) == Attempt("delivered")
    assert len(mailbox.letters) == 1


def test_a_wrong_password_may_be_mended(secure: Controller, certificate: Path) -> None:
    attempt = sink_to(secure, "starttls", "wrong", certificate).deliver(a_notice())
    assert attempt == Attempt("retry", "SMTP 535: the login was refused")


def test_a_certificate_that_nobody_vouches_for_gets_no_password(secure, mailbox: Mailbox) -> None:
    attempt = sink_to(secure, "starttls", "right").deliver(a_notice())
    assert attempt.result == "retry"
    assert "CERTIFICATE_VERIFY_FAILED" in attempt.detail
    assert mailbox.letters == []


def test_a_server_without_starttls_gets_nothing(plain: Controller, mailbox: Mailbox) -> None:
    attempt = sink_to(plain, "starttls").deliver(a_notice())
    assert attempt.result == "retry"
    assert "STARTTLS" in attempt.detail
    assert mailbox.letters == []


@pytest.mark.parametrize(
    ("rcpt", "data", "result"),
    [
        (["550 no such user", "550 no such user"], [], "refused"),
        (["450 busy", "550 no such user"], [], "retry"),
        ([], ["451 later"], "retry"),
        ([], ["554 spam"], "refused"),
        (["550 no such user"], [], "delivered"),
    ],
)
def test_what_a_refusal_means(plain, mailbox: Mailbox, rcpt, data, result: str) -> None:
    mailbox.rcpt, mailbox.data = rcpt, data
    assert sink_to(plain).deliver(a_notice()).result == result


def test_nobody_there_is_worth_another_try() -> None:
    server = MailServer("127.0.0.1", free_port(), "none", None, None, 1, None)
    assert EmailSink("mail", server, LETTER, WRITER).deliver(a_notice()).result == "retry"


MAIL = (
    '[[sinks]]\nid = "mail"\nkind = "email"\nhost = "mail.example"\nsender = "hub@x.example"\n'
    'recipients = ["guard@x.example"]\n'
)


def test_its_section_of_the_file(tmp_path: Path, edge: FakeEdge) -> None:
    path, _ = write_config(
        tmp_path, edge, more=MAIL + 'username = "hub"\npassword_file = "secret"\n'
    )
    (section,) = load_config(path).sinks
    route = SinkMaker(lambda: NOW, lambda _: None).route(section)
    assert (route.sink.id, route.sink.kind, route.filter.unverified) == ("mail", "email", "all")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ('username = "hub"\n', "go together"),
        ('username = "h"\npassword_file = "secret"\nsecurity = "none"\n', "in the clear"),
        ('subject = "$plate"\n', r"subject: there is no \$plate"),
    ],
)
def test_its_section_is_checked(tmp_path: Path, edge: FakeEdge, more: str, complaint: str) -> None:
    path, _ = write_config(tmp_path, edge, more=MAIL + more)
    with pytest.raises(ConfigError, match=complaint):
        load_config(path)


def test_certificates_that_are_none_are_an_error(tmp_path: Path, edge: FakeEdge) -> None:
    (tmp_path / "ca").write_text("x")
    path, _ = write_config(tmp_path, edge, more=MAIL + 'ca_file = "ca"\n')
    (section,) = load_config(path).sinks
    with pytest.raises(ConfigError, match="sink mail: ca_file"):
        SinkMaker(lambda: NOW, lambda _: None).route(section)
