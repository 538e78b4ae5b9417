"""What the inbound side of GA/T 1400 needs, put together: peers, their sessions, their dispositions."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.config import read_secret
from hub.dispositions import DispositionDesk
from hub.store import Store
from hub.throttle import Throttle, network_of
from hub.viid.digest import DigestGate
from hub.viid.peers import Peer, Sessions
from hub.viid.section import ViidSection

_WRONG_PASSWORDS: Final = 20
_WITHIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class ViidDesk:
    """Serves ``/VIID``. `passwords` are by user name; `wrong` counts failed proofs by address."""

    section: ViidSection
    store: Store
    now: Callable[[], datetime]
    dispositions: DispositionDesk
    passwords: Mapping[str, str] = field(repr=False)
    gate: DigestGate
    sessions: Sessions
    wrong: Throttle = field(default_factory=lambda: Throttle(_WRONG_PASSWORDS, _WITHIN))

    def peer(self, device_id: str) -> Peer | None:
        """The peer that calls itself so."""
        for peer in self.section.peers:
            if peer.device_id == device_id:
                return Peer(peer.id, peer.device_id, peer.username)
        return None

    def failed(self, address: str, now: datetime) -> None:
        """Count a wrong password."""
        self.wrong.hit(network_of(address), now)

    def is_blocked(self, address: str, now: datetime) -> bool:
        """Whether too many wrong passwords came from there."""
        return self.wrong.is_full(network_of(address), now)


def make_desk(section: ViidSection, store: Store, now: Callable[[], datetime]) -> ViidDesk:
    """The desk of a configuration. ConfigError when a password cannot be read."""
    return ViidDesk(
        section=section,
        store=store,
        now=now,
        dispositions=DispositionDesk(section, store, now),
        passwords={peer.username: read_secret(peer.password_file)[0] for peer in section.peers},
        gate=DigestGate(secrets.token_bytes(32), secrets.token_urlsafe),
        sessions=Sessions(timedelta(seconds=section.session_s)),
    )
