"""HTTP Digest (RFC 7616) with MD5, the one algorithm that peers of GA/T 1400 know.

Pure but for the numbers of the nonces in use; time and randomness are arguments. In: an Authorization
header, method and target of the request, passwords. Out: the user name, None when it is not proven, or the
challenge to answer with. A nonce is ours for five minutes, and each of its counts is taken once, so a
recorded request proves nothing.
"""

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

REALM: Final = "gatehouse"
_LASTS: Final = timedelta(minutes=5)
_PARAMETER: Final = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^",\s]+))')
_NONE_KNOWN: Final = "no such user"


class DigestGate:
    """Safe for use by several threads. `key` is this process's own; `random` makes texts nobody can guess."""

    def __init__(self, key: bytes, random: Callable[[], str]) -> None:
        self._key, self._random = key, random
        self._opaque = self._mac("opaque")
        self._counts: dict[str, tuple[datetime, int]] = {}
        self._lock = threading.Lock()

    def challenge(self, now: datetime) -> str:
        """The value of WWW-Authenticate."""
        named = f"{int(now.timestamp()):x}.{self._random()}"
        nonce = f"{named}.{self._mac(named)}"
        return (
            f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", opaque="{self._opaque}",'
            " algorithm=MD5"
        )

    def user(
        self,
        header: str,
        method: str,
        target: str,
        passwords: Mapping[str, str],
        now: datetime,
    ) -> str | None:
        """Who has proven to know their password; None for nobody."""
        given = _parameters(header)
        name, nonce = given.get("username", ""), given.get("nonce", "")
        if not self._is_for_us(given, target) or not self._is_fresh(nonce, now):
            return None
        password = passwords.get(name, _NONE_KNOWN)
        right = _md5(
            _md5(name, REALM, password),
            nonce,
            given["nc"],
            given["cnonce"],
            "auth",
            _md5(method, target),
        )
        if not hmac.compare_digest(given.get("response", "").encode(), right.encode()):
            return None
        if name not in passwords or not self._is_next(nonce, int(given["nc"], 16), now):
            return None
        return name

    def _is_for_us(self, given: Mapping[str, str], target: str) -> bool:
        return (
            (given.get("realm"), given.get("qop"), given.get("uri")) == (REALM, "auth", target)
            and given.get("opaque", self._opaque) == self._opaque
            and given.get("algorithm", "MD5").upper() == "MD5"
            and re.fullmatch(r"[0-9a-fA-F]{8}", given.get("nc", "")) is not None
            and bool(given.get("cnonce"))
        )

    def _is_fresh(self, nonce: str, now: datetime) -> bool:
        named, _, mac = nonce.rpartition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(named).encode()):
            return False
        made_s = int(named.partition(".")[0], 16)
        return 0 <= now.timestamp() - made_s <= _LASTS.total_seconds()

    def _is_next(self, nonce: str, count: int, now: datetime) -> bool:
        with self._lock:
            for old in [n for n, (at, _) in self._counts.items() if now - at > _LASTS]:
                del self._counts[old]
            _, last = self._counts.get(nonce, (now, 0))
            if count <= last:
                return False
            self._counts[nonce] = (now, count)
            return True

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()[:32]


def _parameters(header: str) -> dict[str, str]:
    scheme, _, rest = header[:2000].partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {
        name.lower(): bare or quoted.replace("\\", "")
        for name, quoted, bare in _PARAMETER.findall(rest)
    }


def _md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()  # noqa: S324 - what GA/T 1400 prescribes
