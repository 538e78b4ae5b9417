"""Live pictures at the hub: tickets, shared sessions, and only what the right box has signed."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from hub.access import Role
from hub.incoming import Incoming
from hub.live import LEASE, MOST_SESSIONS, LiveDesk, Ticket
from tests.unit.hub.kit import CAMERA, NOW, FakeEdge, at
from tests.unit.hub.test_api import Api, problem
from wire.codec import encode
from wire.errors import InvalidMessage
from wire.messages import LiveCommand, LivePicture, LiveReply
from wire.sealing import seal_live

JPEG = b"\xff\xd8 a picture \xff\xd9"
MINUTE = timedelta(seconds=60)


@dataclass
class Commands:
    given: list[LiveCommand] = field(default_factory=list)
    there: bool = True

    def command(self, edge: str, name: str, command: LiveCommand) -> bool:
        assert (edge, name) == ("box-1", "live")
        if self.there:
            self.given.append(command)
        return self.there


class Hub:
    """A desk with a clock of its own, and one box."""

    def __init__(self) -> None:
        self.now, self.edge, self.commands = NOW, FakeEdge(), Commands()
        self.opening = X25519PrivateKey.generate()
        known = {self.edge.id: self.edge.known}
        self.desk = LiveDesk(known, self.commands, self.opening, lambda: self.now)

    def open(self, actor: str = "li", faces: str = "blurred", camera: str = CAMERA) -> Ticket:
        ticket = self.desk.open(actor, self.edge.id, camera, faces, MINUTE)
        assert isinstance(ticket, Ticket)
        return ticket

    def picture(
        self, session: str, number: int = 1, *, faces: str = "blurred",
        key: Ed25519PrivateKey | None = None, sealed_for: str = "", seconds: float = 0.0,
    ) -> Incoming:  # fmt: skip
        data = LivePicture(
            session_id=session,
            number=number,
            captured_at=at(seconds or number),
            size_px=(960, 540),
            faces=faces,
            sealed=seal_live(JPEG, sealed_for or session, number, self.opening.public_key()),
        )
        event = self.edge.event(data, when=NOW)
        return Incoming(self.edge.topics.live(CAMERA), encode(event, key or self.edge.key))

    def reply(self, session: str, state: str, reason: str) -> Incoming:
        data = LiveReply(session_id=session, camera=CAMERA, state=state, reason=reason)
        event = self.edge.event(data, when=NOW, camera=None)
        return Incoming(self.edge.topics.reply("live"), encode(event, self.edge.key))


@pytest.fixture
def hub() -> Hub:
    return Hub()


class TestTickets:
    def test_a_ticket_opens_once_and_not_for_long(self, hub: Hub) -> None:
        first, second = hub.open(), hub.open()
        assert hub.desk.enter(first.secret) is first
        assert hub.desk.enter(first.secret) is None
        assert hub.desk.enter("guessed") is None
        hub.now = NOW + LEASE + timedelta(seconds=1)
        assert hub.desk.enter(second.secret) is None

    def test_several_viewers_share_a_session_and_each_look_has_its_own(self, hub: Hub) -> None:
        first, second = hub.open("li"), hub.open("wu")
        assert first.session is second.session
        assert hub.open(faces="whole").session is not first.session
        assert len({command.session_id for command in hub.commands.given}) == 2

    def test_the_box_goes_on_only_while_somebody_watches(self, hub: Hub) -> None:
        first, second = hub.open("li"), hub.open("wu")
        hub.desk.enter(first.secret)
        hub.desk.enter(second.secret)
        hub.commands.given.clear()
        hub.now = at(4)
        hub.desk.renew()
        (again,) = hub.commands.given
        assert again.until == at(4) + LEASE
        hub.desk.leave(first)
        assert len(hub.commands.given) == 1
        hub.desk.leave(second)
        assert hub.commands.given[-1].until == at(4)
        hub.commands.given.clear()
        hub.desk.renew()
        assert hub.commands.given == []

    def test_who_never_comes_is_not_waited_for(self, hub: Hub) -> None:
        session = hub.open().session
        hub.now = NOW + LEASE + timedelta(seconds=1)
        hub.commands.given.clear()
        hub.desk.renew()
        assert hub.commands.given == []
        assert hub.open().session is not session

    def test_a_viewer_who_was_lost_from_sight_is_gone_at_the_end_of_their_time(
        self, hub: Hub
    ) -> None:
        hub.desk.enter(hub.open().secret)
        hub.now = NOW + MINUTE + timedelta(seconds=1)
        hub.commands.given.clear()
        hub.desk.renew()
        assert hub.commands.given == []

    def test_there_are_not_too_many_and_a_box_that_is_away_is_said(self, hub: Hub) -> None:
        for n in range(MOST_SESSIONS):
            hub.open(camera=f"cam-{n}")
        assert hub.desk.open("li", "box-1", "one-more", "blurred", MINUTE) == "busy"
        hub.commands.there = False
        assert hub.desk.open("li", "box-1", "cam-1", "blurred", MINUTE) == "unreachable"


class TestPictures:
    def test_the_newest_picture_is_shown(self, hub: Hub) -> None:
        session = hub.open().session
        for number in (1, 3, 2):
            hub.desk.take(hub.picture(session.id, number))
        assert (session.picture, session.shown) == (JPEG, 2)
        hub.desk.take(hub.picture(session.id, 1, seconds=9))  # the box was started again
        assert session.shown == 3

    def test_nothing_is_shown_but_what_was_asked_for_and_is_signed_by_its_box(
        self, hub: Hub
    ) -> None:
        session = hub.open().session
        hub.desk.take(hub.picture(str(uuid.uuid4())))
        hub.desk.take(hub.picture(session.id, faces="whole"))
        hub.desk.take(hub.picture(session.id, key=Ed25519PrivateKey.generate()))
        assert hub.desk.refused == 1
        with pytest.raises(InvalidMessage):
            hub.desk.take(hub.picture(session.id, sealed_for=str(uuid.uuid4())))
        assert session.picture == b""

    def test_a_box_that_refuses_says_why_until_it_is_asked_again(self, hub: Hub) -> None:
        session = hub.open().session
        hub.desk.take(hub.reply(session.id, "refused", "its `live` is off"))
        assert session.refused == "its `live` is off"
        hub.open()
        assert session.refused == ""

    def test_nothing_is_kept_of_a_session_that_has_ended(self, hub: Hub) -> None:
        ticket = hub.open()
        hub.desk.enter(ticket.secret)
        hub.desk.take(hub.picture(ticket.session.id))
        hub.desk.leave(ticket)
        assert ticket.session.picture == b""


class TestApi:
    def ask(self, api: Api, role: Role = Role.GUARD, **changes: object):
        body = {"purpose": "a guard heard a noise", "seconds": 5, **changes}
        path = f"/cameras/{api.bench.edge.id}/{CAMERA}/live"
        return api.call("POST", path, who=f"a-{role}", role=role, json=body)

    def test_asking_needs_a_purpose_a_scope_and_a_known_box(self, api: Api) -> None:
        assert self.ask(api).status_code == 201
        problem(self.ask(api, purpose=""), 422, "invalid_request")
        problem(self.ask(api, seconds=3600), 422, "invalid_request")
        problem(self.ask(api, Role.AUDITOR), 403, "forbidden")
        problem(self.ask(api, Role.GUARD, faces="whole"), 403, "forbidden")
        assert self.ask(api, Role.CENTRE, faces="whole").status_code == 201
        body = {"purpose": "a noise"}
        problem(
            api.call(
                "POST", f"/cameras/no-box/{CAMERA}/live", role=Role.ADMIN, who="adm", json=body
            ),
            404,
            "not_found",
        )

    def test_asking_and_watching_are_in_the_audit_log(self, api: Api) -> None:
        ticket = self.ask(api).json()
        session = api.services.live._sessions[api.bench.edge.id, CAMERA, "blurred"]
        session.refused = "its `live` is off"
        problem(api.client.get(ticket["path"]), 409, "refused")
        problem(api.client.get(ticket["path"]), 401, "no_token")
        acts = [(row["action"], row["actor"], row["purpose"]) for row in api.bench.rows("audit")]
        assert acts == [
            ("live.asked", "a-guard", "a guard heard a noise"),
            ("live.watched", "a-guard", ""),
        ]

    def test_a_ticket_shows_the_picture_until_its_time_is_up(self, api: Api) -> None:
        ticket = self.ask(api).json()
        session = api.services.live._sessions[api.bench.edge.id, CAMERA, "blurred"]
        session.picture, session.shown = JPEG, 1
        moments = iter([at(0)] * 8 + [at(10)] * 100)
        object.__setattr__(api.services, "now", lambda: next(moments))
        answer = api.client.get(ticket["path"])
        assert (
            answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=gatehouse-live"
        )
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.content.count(JPEG) == 1
        assert session.viewers == set()
