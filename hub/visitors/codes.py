"""What the links of the visitors' page say, and that only this hub can have made them. Pure.

In: a unit and its code number, a pass, a moment, and the hub's key. Out: texts for URLs and forms, and what
they name when they come back. Each ends in 128 bits of HMAC-SHA256 over its purpose and all that it names, so
none can be guessed, changed, or used for another purpose. A code names its unit's code number: counting that
up makes every older code of the unit worthless.
"""

import base64
import binascii
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_MAC_BYTES: Final = 16
FORM_LASTS: Final = timedelta(hours=2)
"""For how long a form can be sent once it was shown."""

LONGEST_CODE: Final = 240
"""No code of ours has more characters."""


@dataclass(frozen=True, slots=True)
class Codes:
    """Makes and reads codes of units, tickets of passes and tokens of forms with one key."""

    key: bytes

    def of_unit(self, site: str, unit: str, number: int) -> str:
        """The code of a unit, as its QR code has it."""
        return f"{_pack(f'{site}:{unit}'.encode())}.{self._mac('unit', site, unit, str(number))}"

    def is_of_unit(self, code: str, site: str, unit: str, number: int) -> bool:
        """Whether this is the unit's present code."""
        return hmac.compare_digest(code.encode(), self.of_unit(site, unit, number).encode())

    def ticket(self, pass_id: str) -> str:
        """What lets a visitor see and withdraw a pass."""
        return f"{_pack(uuid.UUID(pass_id).bytes)}.{self._mac('ticket', pass_id)}"

    def read_ticket(self, ticket: str) -> str | None:
        """The pass of a ticket; None for one that is not ours."""
        pass_id = _read_id(ticket.partition(".")[0])
        if pass_id is None or not hmac.compare_digest(
            ticket.encode(), self.ticket(pass_id).encode()
        ):
            return None
        return pass_id

    def form_token(self, code: str, pass_id: str, shown_at: datetime) -> str:
        """What a form carries: that it was shown, when, and the id of the pass that it makes."""
        seconds = str(int(shown_at.timestamp()))
        named = _pack(uuid.UUID(pass_id).bytes)
        return f"{seconds}.{named}.{self._mac('form', code, seconds, pass_id)}"

    def read_form_token(self, token: str, code: str, now: datetime) -> str | None:
        """The id in a form's token; None for one that is not ours, of another code, or too old."""
        seconds, _, rest = token.partition(".")
        pass_id = _read_id(rest.partition(".")[0])
        if pass_id is None or not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
            return None
        shown_at = datetime.fromtimestamp(int(seconds), UTC)
        right = self.form_token(code, pass_id, shown_at)
        if not hmac.compare_digest(token.encode(), right.encode()):
            return None
        return pass_id if now - shown_at <= FORM_LASTS else None

    def _mac(self, *parts: str) -> str:
        message = "\0".join(("gatehouse visitors", *parts)).encode()
        return _pack(hmac.digest(self.key, message, hashlib.sha256)[:_MAC_BYTES])


def unit_named(code: str) -> tuple[str, str] | None:
    """Site and unit that a code names, whether or not it is theirs; None for what is no code."""
    raw = _unpack(code.partition(".")[0]) if len(code) <= LONGEST_CODE else None
    try:
        site, colon, unit = (raw or b"").decode().partition(":")
    except UnicodeDecodeError:
        return None
    return (site, unit) if colon and site and unit else None


def _pack(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _unpack(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _read_id(text: str) -> str | None:
    raw = _unpack(text)
    return str(uuid.UUID(bytes=raw)) if raw is not None and len(raw) == 16 else None
