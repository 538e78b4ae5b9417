"""Who may do what: roles, the scopes they have, and tokens. Pure, but that a new token is random.

A token is shown once, when it is made; the store has only its SHA-256, which is enough since a token has 256
random bits and nobody can guess it.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Scope(StrEnum):
    """One thing that can be allowed."""

    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    ALERTS_SILENCE = "alerts:silence"
    EVIDENCE_READ = "evidence:read"
    EVIDENCE_WHOLE = "evidence:whole"
    EVIDENCE_EXPORT = "evidence:export"
    LIVE_VIEW = "live:view"
    OBSERVATIONS_READ = "observations:read"
    LOOK_UP = "lookup"
    WATCHLISTS_READ = "watchlists:read"
    WATCHLISTS_WRITE = "watchlists:write"
    WATCHLISTS_APPROVE = "watchlists:approve"
    SUBJECTS_WRITE = "subjects:write"
    DELIVERIES_READ = "deliveries:read"
    DELIVERIES_WRITE = "deliveries:write"
    REGISTER_READ = "register:read"
    REGISTER_WRITE = "register:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    PASSES_REQUEST = "passes:request"
    AUDIT_READ = "audit:read"
    HEALTH_READ = "health:read"
    METRICS_READ = "metrics:read"


class Role(StrEnum):
    """What somebody is, and with it what they may do."""

    GUARD = "guard"
    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    CENTRE = "centre"
    OFFICE = "office"
    METRICS = "metrics"
    ADMIN = "admin"


_SEES_ALERTS = {Scope.ALERTS_READ, Scope.EVIDENCE_READ, Scope.HEALTH_READ}

SCOPES: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.GUARD: frozenset(
            {*_SEES_ALERTS, Scope.ALERTS_WRITE, Scope.LIVE_VIEW, Scope.PASSES_REQUEST}
        ),
        Role.OPERATOR: frozenset(
            {
                *_SEES_ALERTS,
                Scope.ALERTS_WRITE,
                Scope.ALERTS_SILENCE,
                Scope.LIVE_VIEW,
                Scope.OBSERVATIONS_READ,
                Scope.LOOK_UP,
                Scope.EVIDENCE_EXPORT,
                Scope.WATCHLISTS_READ,
                Scope.WATCHLISTS_WRITE,
                Scope.SUBJECTS_WRITE,
                Scope.RULES_READ,
                Scope.RULES_WRITE,
                Scope.REGISTER_READ,
                Scope.REGISTER_WRITE,
                Scope.PASSES_REQUEST,
                Scope.DELIVERIES_READ,
                Scope.DELIVERIES_WRITE,
            }
        ),
        Role.APPROVER: frozenset(
            {Scope.WATCHLISTS_READ, Scope.WATCHLISTS_APPROVE, Scope.HEALTH_READ}
        ),
        Role.AUDITOR: frozenset(
            {
                Scope.AUDIT_READ,
                Scope.RULES_READ,
                Scope.WATCHLISTS_READ,
                Scope.DELIVERIES_READ,
                Scope.HEALTH_READ,
            }
        ),
        Role.CENTRE: frozenset(
            {
                *_SEES_ALERTS,
                Scope.ALERTS_WRITE,
                Scope.LIVE_VIEW,
                Scope.OBSERVATIONS_READ,
                Scope.EVIDENCE_WHOLE,
                Scope.EVIDENCE_EXPORT,
            }
        ),
        Role.OFFICE: frozenset(
            {
                Scope.REGISTER_READ,
                Scope.REGISTER_WRITE,
                Scope.PASSES_REQUEST,
                Scope.LOOK_UP,
                Scope.HEALTH_READ,
            }
        ),
        Role.METRICS: frozenset({Scope.METRICS_READ}),
        Role.ADMIN: frozenset(Scope),
    }
)
"""The scopes of each role. Even an admin cannot approve what they have requested themselves."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who has shown a valid token."""

    name: str
    role: Role

    def may(self, scope: Scope) -> bool:
        """Whether their role has the scope."""
        return scope in SCOPES[self.role]


def new_token() -> str:
    """A token that nobody can guess."""
    return "gh_" + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token, and looked for."""
    return hashlib.sha256(token.encode()).hexdigest()
