"""Clips, made when the hub asks: the camera's own packets around an observation, as one MP4 file.

In: which observation happened when in front of which camera, then the hub's wish for its clip. Out: the
signed reply and the clip, or that it is gone, and why. It works in a thread of its own and sends over a
connection of its own, so no observation waits for it; it decodes nothing and touches no disk. A wish that
comes before the clip's end waits for it.
"""

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from edge.config import EdgeConfig, EvidenceSection
from edge.mp4 import mux
from edge.packets import Cut, Limits, NoClip
from edge.sources import parse_source
from edge.tap import PacketTap
from wire.evidence import CLIP
from wire.messages import ClipOffer, EvidenceReply

log = logging.getLogger(__name__)

_REMEMBERED: Final = 4096  # observations: hours, where the ring has half a minute
_GRACE_S: Final = 3.0  # how much later than the clip's end its last picture may arrive
_LOOK_AGAIN_S: Final = 0.2
_WAITS_S: Final = 30.0  # for how long after its end a clip can be asked for


class Packets(Protocol):
    """One camera's latest packets (`edge.tap`)."""

    def reaches(self, moment: datetime) -> bool:
        """Whether all there will be until `moment` is there."""
        ...

    def cut(self, moment: datetime, before_s: float, after_s: float) -> Cut | NoClip:
        """The packets around `moment`."""
        ...


class Send(Protocol):
    """Sends a reply, and the clip that it speaks of."""

    def __call__(self, reply: EvidenceReply, data: bytes | None) -> None:
        """Returns at once."""
        ...


@dataclass(frozen=True, slots=True)
class _Wish:
    """A clip that was asked for; from `due_s`, monotonic, on it is cut with what there is."""

    observation_id: str
    camera: str
    moment: datetime
    due_s: float


class ClipMaker:
    """Makes the clips of all cameras of a box."""

    def __init__(
        self,
        packets: Mapping[str, Packets],
        offer: ClipOffer,
        send: Send,
        *,
        monotonic_s: Callable[[], float],
    ) -> None:
        """A camera that is not in `packets` has no clips."""
        self._packets, self._offer, self._send = packets, offer, send
        self._monotonic_s = monotonic_s
        self._known: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        self._wishes: dict[str, _Wish] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finish the clip in hand, and end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout_s)

    @property
    def busy(self) -> bool:
        """Whether any clip is still to be made."""
        with self._changed:
            return bool(self._wishes)

    def note(self, observation_id: str, camera: str, moment: datetime) -> ClipOffer | None:
        """Remember an observation; returns what may be asked for, None where the camera has no clips."""
        if camera not in self._packets:
            return None
        with self._changed:
            self._known[observation_id] = (camera, moment)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return self._offer

    def ask(self, observation_id: str) -> None:
        """The hub wants a clip. Returns at once; asking again for one that is being made changes nothing."""
        with self._changed:
            known = self._known.get(observation_id)
            if known is not None:
                if observation_id not in self._wishes:
                    camera, moment = known
                    due_s = self._monotonic_s() + self._offer.after_s + _GRACE_S
                    self._wishes[observation_id] = _Wish(observation_id, camera, moment, due_s)
                self._changed.notify()
                return
        self._gone(observation_id, "this box remembers no such observation: it was started since")

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S if self._wishes else None)
                if self._stopping:
                    return
                wishes = list(self._wishes.values())
            for wish in wishes:
                if self._is_ripe(wish):
                    self._grant(wish)

    def _is_ripe(self, wish: _Wish) -> bool:
        end = wish.moment + timedelta(seconds=self._offer.after_s)
        return self._packets[wish.camera].reaches(end) or self._monotonic_s() >= wish.due_s

    def _grant(self, wish: _Wish) -> None:
        """The outermost step of this thread: a clip that cannot be made costs only itself."""
        try:
            self._make(wish)
        except Exception:
            log.exception("camera %s: no clip of %s", wish.camera, wish.observation_id)
            self._gone(wish.observation_id, "the packets could not be put into a file")
        finally:
            with self._changed:
                self._wishes.pop(wish.observation_id, None)

    def _make(self, wish: _Wish) -> None:
        packets, offer = self._packets[wish.camera], self._offer
        cut = packets.cut(wish.moment, offer.before_s, offer.after_s)
        if isinstance(cut, NoClip):
            self._gone(wish.observation_id, cut.reason)
            return
        file = mux(cut)
        reply = EvidenceReply(
            observation_id=wish.observation_id,
            name=CLIP,
            state="sent",
            sha256=hashlib.sha256(file).hexdigest(),
            size_bytes=len(file),
            starts_at=cut.starts_at,
            ends_at=cut.ends_at,
        )
        self._send(reply, file)

    def _gone(self, observation_id: str, reason: str) -> None:
        log.info("no clip of observation %s: %s", observation_id, reason)
        reply = EvidenceReply(observation_id=observation_id, name=CLIP, state="gone", reason=reason)
        self._send(reply, None)


def clip_offer(section: EvidenceSection) -> ClipOffer:
    """What a clip reaches over, as the configuration says."""
    return ClipOffer(before_s=section.clip_before_s, after_s=section.clip_after_s)


def packet_taps(config: EdgeConfig, now: Callable[[], datetime]) -> dict[str, PacketTap]:
    """What keeps the packets of each camera that can have clips.

    Not of pictures in a folder, and not where privacy zones hide a part: the packets show it.
    """
    section = config.evidence
    if not section.clip_ring_mb:
        return {}
    seconds = section.clip_before_s + section.clip_after_s + _WAITS_S
    limits = Limits(seconds, section.clip_ring_mb << 20)
    sources = {camera.id: (camera, parse_source(camera.source)) for camera in config.cameras}
    return {
        name: PacketTap(limits, live=source.live, now=now, starts_at=camera.starts_at)
        for name, (camera, source) in sources.items()
        if source.continuous and not camera.privacy
    }
