"""What a command centre's dispositions do here: request entries, narrow them, remove them.

In: what a registered peer sent, each item by itself. Out: a status for each item. A disposition is a
request: what it asks for matches only once a person here has approved it, and a person's only once somebody
here has enrolled them. Sent again it changes nothing; what was withdrawn, or removed here, does not come
back by sending it again.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from hub import watch_requests
from hub.audit import Act
from hub.store import Store, audit, dispositions, watchlists
from hub.viid.dispositions import (
    INVALID,
    Ask,
    Disposition,
    DispositionState,
    Wrong,
    asked,
    check_id,
    expiry,
    id_of,
    move,
    read_disposition,
)
from hub.viid.ids import write_time
from hub.viid.peers import Peer
from hub.viid.replies import OK, Status
from hub.viid.section import ViidSection
from hub.watch_requests import Wish
from hub.watchlist import Entry, EntryState, ListKind

log = logging.getLogger(__name__)

_LIVE = (EntryState.PENDING, EntryState.APPROVED)


@dataclass(frozen=True, slots=True)
class DispositionDesk:
    """Takes dispositions of registered peers."""

    section: ViidSection
    store: Store
    now: Callable[[], datetime]

    def take(self, peer: Peer, items: Iterable[Mapping[str, Any]]) -> list[Status]:
        """Carry out what each item asks for."""
        done = [self._status(peer, item, self._take) for item in items]
        self.store.forget_erased()
        return done

    def withdraw(self, peer: Peer, ids: Iterable[str]) -> list[Status]:
        """Withdraw dispositions by their ids."""
        named = ({"DispositionID": name} for name in ids)
        done = [self._status(peer, item, self._withdraw_by_id) for item in named]
        self.store.forget_erased()
        return done

    def _status(
        self,
        peer: Peer,
        item: Mapping[str, Any],
        carry_out: Callable[[Connection, Peer, Mapping[str, Any]], str],
    ) -> Status:
        name = str(item.get("DispositionID") or "")[:40]
        try:
            with self.store.write() as tx:
                said = carry_out(tx, peer, item)
        except Wrong as wrong:
            log.info("%s: disposition refused: %s", peer.actor, wrong)
            return Status(wrong.code, str(wrong), name)
        return Status(OK, said, name)

    def _take(self, tx: Connection, peer: Peer, item: Mapping[str, Any]) -> str:
        if asked(item, self.section.operate_types) is Ask.WITHDRAW:
            return self._withdraw_by_id(tx, peer, item)
        now = self.now()
        kept = self._kept(tx, peer, id_of(item))
        wanted = read_disposition(item, now)
        if kept is None:
            return self._new(tx, peer, wanted, now)
        if kept["state"] == DispositionState.WITHDRAWN:
            raise Wrong(INVALID, "it was withdrawn: a new one needs an id of its own")
        return self._again(tx, peer, kept, wanted, now)

    def _new(self, tx: Connection, peer: Peer, wanted: Disposition, now: datetime) -> str:
        dispositions.put(tx, wanted, peer.id, DispositionState.WAITING, now, new=True)
        self._record(tx, peer, "disposition.received", wanted, now)
        if wanted.kind is ListKind.FACE:
            return (
                "taken: it waits until somebody here has enrolled the person; no picture is fetched"
            )
        return self._request(tx, peer, wanted, now)

    def _again(
        self, tx: Connection, peer: Peer, kept: RowMapping, wanted: Disposition, now: datetime
    ) -> str:
        before, live = dispositions.read(kept), self._live(tx, wanted.id)
        if kept["state"] == DispositionState.REQUESTED and not live:
            raise Wrong(INVALID, "it was removed here: a new one needs an id of its own")
        if wanted.says_the_same_as(before):
            return "known"
        if wanted.kind is not before.kind:
            raise Wrong(INVALID, "DispositionCategory: a new one needs an id of its own")
        state = DispositionState(kept["state"])
        if not wanted.narrows(before) and wanted.kind is ListKind.FACE:
            state = move(state, DispositionState.WAITING)
        dispositions.put(tx, wanted, peer.id, state, now, new=False)
        self._record(tx, peer, "disposition.changed", wanted, now)
        if wanted.narrows(before):
            self._shorten(tx, peer, live, wanted.ends_at, now)
            return "it ends earlier"
        if wanted.kind is ListKind.FACE:
            return "changed: it waits until somebody here has requested it anew"
        for entry in live:
            if entry.state is EntryState.PENDING or not wanted.prolongs(before):
                watch_requests.remove(tx, entry, peer.actor, now)
        return self._request(tx, peer, wanted, now)

    def _shorten(
        self, tx: Connection, peer: Peer, live: Sequence[Entry], ends_at: datetime, now: datetime
    ) -> None:
        """Less than what a person has approved needs nobody's approval."""
        for entry in live:
            if ends_at < entry.expires_at:
                watchlists.set_state(tx, entry, entry.state, expires_at=ends_at)
                audit.add(tx, Act(peer.actor, "entry.shortened", entry.id), now)

    def _request(self, tx: Connection, peer: Peer, wanted: Disposition, now: datetime) -> str:
        wish = self._wish(wanted, wanted.target, now)
        entry = watch_requests.request(tx, wish, peer.actor, now)
        dispositions.requested(tx, wanted.id, entry.id)
        until = (
            "" if wish.expires_at == wanted.ends_at else f"; until {write_time(wish.expires_at)}"
        )
        return f"requested: it counts once a person here has approved it{until}"

    def request_person(
        self, tx: Connection, disposition_id: str, subject_id: str, requester: str
    ) -> Entry:
        """Request the entry of a person's disposition, for the subject whom somebody here has enrolled. Wrong
        when it waits for nobody."""
        kept = dispositions.lock(tx, disposition_id)
        if kept is None:
            raise Wrong(INVALID, "there is no such disposition")
        move(DispositionState(kept["state"]), DispositionState.REQUESTED)
        wish = self._wish(dispositions.read(kept), subject_id, self.now())
        entry = watch_requests.request(tx, wish, requester, self.now())
        dispositions.requested(tx, disposition_id, entry.id)
        return entry

    def _wish(self, wanted: Disposition, target: str, now: datetime) -> Wish:
        face = wanted.kind is ListKind.FACE
        return Wish(
            kind=wanted.kind,
            target=target,
            label=wanted.title,
            category=self.section.person_category if face else self.section.vehicle_category,
            basis=wanted.basis,
            reference=wanted.id,
            expires_at=expiry(wanted, now),
        )

    def _withdraw_by_id(self, tx: Connection, peer: Peer, item: Mapping[str, Any]) -> str:
        disposition_id, now = id_of(item), self.now()
        kept = self._kept(tx, peer, disposition_id)
        if kept is None:
            raise Wrong(INVALID, "there is no such disposition")
        if kept["state"] == DispositionState.WITHDRAWN:
            return "known"
        move(DispositionState(kept["state"]), DispositionState.WITHDRAWN)
        for entry in self._live(tx, disposition_id):
            watch_requests.remove(tx, entry, peer.actor, now)
        dispositions.withdraw(tx, disposition_id)
        audit.add(tx, Act(peer.actor, "disposition.withdrawn", disposition_id), now)
        return "withdrawn"

    def _kept(self, tx: Connection, peer: Peer, disposition_id: str) -> RowMapping | None:
        kept = dispositions.lock(tx, check_id(disposition_id))
        if kept is not None and kept["peer"] != peer.id:
            raise Wrong(INVALID, "this DispositionID is another sender's")
        return kept

    def _live(self, tx: Connection, disposition_id: str) -> list[Entry]:
        found = (
            watchlists.get_entry(tx, kind, entry_id)
            for entry_id in dispositions.entries_of(tx, disposition_id)
            for kind in ListKind
        )
        return [entry for entry in found if entry is not None and entry.state in _LIVE]

    def _record(
        self, tx: Connection, peer: Peer, action: str, wanted: Disposition, now: datetime
    ) -> None:
        details = {"kind": wanted.kind.value, "until": write_time(wanted.ends_at)}
        audit.add(tx, Act(peer.actor, action, wanted.id, details=details), now)
