"""Tokens, by their hashes, and the answers to writes that may be sent again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from hub.store.tables import idempotency_keys, tokens


def count_tokens(tx: Connection) -> int:
    """How many tokens were ever made."""
    return tx.scalar(select(func.count()).select_from(tokens)) or 0


def add_token(tx: Connection, name: str, role: str, sha256: str, now: datetime) -> bool:
    """Store a token's hash; False when the name is taken."""
    if tx.execute(select(tokens.c.name).where(tokens.c.name == name)).first() is not None:
        return False
    tx.execute(insert(tokens).values(name=name, role=role, sha256=sha256, created_at=now))
    return True


def token_by_hash(tx: Connection, sha256: str) -> RowMapping | None:
    """The token of this hash, unless it was revoked."""
    query = select(tokens).where(tokens.c.sha256 == sha256, tokens.c.revoked_at.is_(None))
    return tx.execute(query).mappings().one_or_none()


def list_tokens(tx: Connection) -> Sequence[RowMapping]:
    """All tokens, without their hashes."""
    query = select(tokens.c.name, tokens.c.role, tokens.c.created_at, tokens.c.revoked_at)
    return tx.execute(query.order_by(tokens.c.name)).mappings().all()


def revoke_token(tx: Connection, name: str, now: datetime) -> bool:
    """Revoke a token; False when there is none of this name that is valid."""
    query = update(tokens).where(tokens.c.name == name, tokens.c.revoked_at.is_(None))
    return bool(tx.execute(query.values(revoked_at=now)).rowcount)


def answer_of(tx: Connection, actor: str, key: str) -> RowMapping | None:
    """What was answered to this actor's write with this key."""
    query = select(idempotency_keys).where(
        idempotency_keys.c.actor == actor, idempotency_keys.c.key == key
    )
    return tx.execute(query).mappings().one_or_none()


def keep_answer(tx: Connection, **row: Any) -> None:
    """Remember the answer to a write, in its transaction."""
    tx.execute(insert(idempotency_keys).values(**row))


def delete_answers_before(tx: Connection, moment: datetime) -> None:
    """Forget the answers given before `moment`."""
    tx.execute(delete(idempotency_keys).where(idempotency_keys.c.at < moment))
