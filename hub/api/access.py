"""Who asks, whether they may, and writes that can be sent twice.

In: the bearer token, the idempotency key. Out: the `Actor`, or 401 or 403; the answer of a write, which is
kept in the transaction of the write and given again when the same request comes again.
"""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import Connection

from hub.access import Actor, Role, Scope, token_hash
from hub.api.problems import Problem
from hub.api.services import Hub, Services
from hub.audit import Act
from hub.store import access, audit

_bearer = HTTPBearer(auto_error=False, description="A token of `gatehouse hub token add`.")


def actor(
    hub: Hub,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Actor:
    """Whose token it is; 401 when there is none, or it is not valid."""
    challenge = {"www-authenticate": "Bearer"}
    if credentials is None:
        raise Problem(401, "no_token", "send Authorization: Bearer <token>", challenge)
    with hub.store.read() as tx:
        row = access.token_by_hash(tx, token_hash(credentials.credentials))
    if row is None:
        raise Problem(401, "unknown_token", "this token is not valid, or was revoked", challenge)
    return Actor(row["name"], Role(row["role"]))


def allowed(scope: Scope) -> Any:
    """A dependency: the actor, if they have the scope; else 403."""

    def check(who: Annotated[Actor, Depends(actor)]) -> Actor:
        if not who.may(scope):
            raise Problem(403, "forbidden", f"a {who.role} has no scope {scope}")
        return who

    return Depends(check)


IdempotencyKey = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Any text; a write sent again with it is done once and answered alike.",
    ),
]


class Writes:
    """Carries out the writes of one request."""

    def __init__(self, hub: Services, request: Request, key: str | None) -> None:
        self._hub, self._key = hub, key
        self._path = f"{request.method} {request.url.path}"

    def run(
        self,
        who: Actor,
        sent: bytes,
        write: Callable[[Connection], tuple[int, BaseModel]],
    ) -> Response:
        """Answer with what `write` returns, a status and a body, in one transaction with it.

        `sent` is what makes this request different from another: the same key with other content is refused.
        """
        fingerprint = self._fingerprint(sent)
        with self._hub.store.write() as tx:
            kept = self._kept(tx, who, fingerprint)
            if kept is not None:
                return kept
            status, body = write(tx)
            content = body.model_dump_json().encode()
            if self._key is not None:
                access.keep_answer(
                    tx,
                    actor=who.name,
                    key=self._key,
                    fingerprint=fingerprint,
                    status=status,
                    body=content,
                    at=self._hub.now(),
                )
        return Response(content, status, media_type="application/json")

    def answered(self, who: Actor, sent: bytes) -> Response | None:
        """What was answered to this request before; None when it is new. For what takes long to find out, and
        is not to be found out within the transaction that `run` makes."""
        with self._hub.store.read() as tx:
            return self._kept(tx, who, self._fingerprint(sent))

    def _fingerprint(self, sent: bytes) -> str:
        return hashlib.sha256(self._path.encode() + b"\n" + sent).hexdigest()

    def _kept(self, tx: Connection, who: Actor, fingerprint: str) -> Response | None:
        if self._key is None:
            return None
        kept = access.answer_of(tx, who.name, self._key)
        if kept is None:
            return None
        if kept["fingerprint"] != fingerprint:
            raise Problem(
                422,
                "key_reused",
                "this Idempotency-Key was used for another request: take a new one",
            )
        headers = {"idempotent-replayed": "true"}
        return Response(kept["body"], kept["status"], headers, media_type="application/json")


def writes(hub: Hub, request: Request, idempotency_key: IdempotencyKey = None) -> Writes:
    """A dependency: the writes of this request."""
    return Writes(hub, request, idempotency_key)


Write = Annotated[Writes, Depends(writes)]


def record(
    hub: Services, who: Actor, action: str, target: str, purpose: str = "", **details: Any
) -> None:
    """Write an act that changes nothing into the audit log, before its answer is given."""
    with hub.store.write() as tx:
        audit.add(tx, Act(who.name, action, target, purpose, details), hub.now())
