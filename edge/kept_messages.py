"""Messages of the hub that a box keeps on its disk, read back: only what the hub has signed is believed.

In: bytes as they were kept. Out: the events among them that this site's hub has signed; what is not is named
in the log.
"""

import logging
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from wire.codec import decode
from wire.errors import InvalidMessage
from wire.messages import Event
from wire.topics import HUB

log = logging.getLogger(__name__)


def of_hub(
    payloads: Iterable[bytes], hub_key: Ed25519PublicKey, site: str, what: str
) -> Iterator[Event]:
    """The events that this site's hub has signed. `what` they should be parts of, for the log."""
    for payload in payloads:
        try:
            event = decode(payload).verify(hub_key)
        except InvalidMessage as error:
            log.warning("a part of %s on disk is not the hub's: %s", what, error)
            continue
        if (event.site, event.origin) == (site, HUB):
            yield event
