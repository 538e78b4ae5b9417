"""Which cameras the hub wants to see live, how often, and until when. Pure.

In: the hub's commands, and the time. Out: what to answer, and for whom a picture is due. A session ends when
its time is up: a hub that has gone, or has forgotten it, keeps no camera watched. What a camera gives at most
is the box's to say, whoever asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from wire.messages import LiveCommand, LiveFaces, LiveReply

Allowed = Literal["off", "blurred", "whole"]
LONGEST_S: Final = 60.0
"""A session that is to go on for longer must be asked for again."""
MOST_SESSIONS: Final = 8


@dataclass(slots=True)
class LiveSession:
    """One session. Monotonic: when it ends, when its next picture is due. `number` is of the last picture."""

    id: str
    camera: str
    faces: LiveFaces
    every_s: float
    until_s: float
    due_s: float
    number: int = 0


@dataclass(slots=True)
class LiveBook:
    """The sessions of one box. `allowed` is the most that each camera gives."""

    allowed: Mapping[str, Allowed]
    _sessions: dict[str, LiveSession] = field(default_factory=dict, init=False)

    def command(self, command: LiveCommand, now_s: float, hub_now: datetime) -> LiveReply:
        """Begin, go on with, or end a session; `hub_now` is what the hub's clock shows."""
        self._forget_ended(now_s)
        left_s = (command.until - hub_now).total_seconds()
        reason = self._refusal(command) if left_s > 0 else None
        if left_s <= 0 or reason is not None:
            self._sessions.pop(command.session_id, None)
            return _reply(command, "off" if reason is None else "refused", reason or "")
        until_s = now_s + min(left_s, LONGEST_S)
        known = self._sessions.get(command.session_id)
        if known is not None:
            known.until_s, known.every_s = until_s, 1.0 / command.rate_hz
        else:
            self._sessions[command.session_id] = LiveSession(
                command.session_id,
                command.camera,
                command.faces,
                1.0 / command.rate_hz,
                until_s,
                now_s,
            )
        return _reply(command, "on", "")

    def cameras(self, now_s: float) -> frozenset[str]:
        """The cameras that are watched now."""
        self._forget_ended(now_s)
        return frozenset(session.camera for session in self._sessions.values())

    def due(self, camera: str, now_s: float) -> list[LiveSession]:
        """The sessions that get a picture of this camera taken now; each is due again after its pause."""
        self._forget_ended(now_s)
        found = [s for s in self._sessions.values() if s.camera == camera and s.due_s <= now_s]
        for session in found:
            session.number += 1
            session.due_s = max(session.due_s + session.every_s, now_s + session.every_s / 2)
        return found

    def _refusal(self, command: LiveCommand) -> str | None:
        allowed = self.allowed.get(command.camera)
        if allowed is None:
            return f"this box has no camera {command.camera!r}"
        if allowed == "off":
            return f"camera {command.camera!r} gives no live picture: its `live` is off"
        if command.faces == "whole" and allowed != "whole":
            return f"camera {command.camera!r} gives live pictures with faces blurred only"
        known = self._sessions.get(command.session_id)
        if known is None and len(self._sessions) >= MOST_SESSIONS:
            return f"this box shows {MOST_SESSIONS} live pictures already"
        if known is not None and (known.camera, known.faces) != (command.camera, command.faces):
            return "a session stays with its camera and what it shows"
        return None

    def _forget_ended(self, now_s: float) -> None:
        for name, session in tuple(self._sessions.items()):
            if session.until_s <= now_s:
                del self._sessions[name]


def _reply(command: LiveCommand, state: Literal["on", "off", "refused"], why: str) -> LiveReply:
    return LiveReply(session_id=command.session_id, camera=command.camera, state=state, reason=why)
