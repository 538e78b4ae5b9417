"""Fifth and sixth step: a rule match becomes an alert, or joins one, with its pictures and outbox rows.

In: a match, on the open transaction of its batch. Out: rows, all of them in that transaction. What to do is
decided in `hub.alerts` and by `hub.handling`; this only carries it out.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub import alerts as lifecycle
from hub.decide import Match
from hub.handling import Handler
from hub.identify import Sighting
from hub.store import alerts, evidence
from wire.evidence import CLIP
from wire.messages import EvidenceItem

CROP = "crop"
"""The name under which the picture that came with an observation is kept."""


@dataclass(frozen=True, slots=True)
class Raiser:
    """Carries matches out."""

    handler: Handler

    def take(self, tx: Connection, match: Match, now: datetime) -> bool:
        """Store one match. Returns whether it raised an alert of its own."""
        rule, seen = match.rule, match.sighting
        gate = seen.gate if rule.dedup_by_gate else None
        key = lifecycle.dedup_key(rule.id, match.decision.key, gate)
        window = timedelta(seconds=rule.dedup_window_s)
        standing = alerts.standing(tx, key, seen.captured_at - window, seen.captured_at + window)
        placement = lifecycle.place(seen.captured_at, rule.dedup_window_s, standing)
        pictures = self._keep_pictures(tx, match, now, whole=placement.joins is None)
        if placement.joins is None:
            alert = self.handler.prepare(tx, _new_alert(match, key, now), now)
            alerts.add(tx, alert)
        else:
            alert = {"id": placement.joins}
            alerts.join(tx, placement.joins, seen.first_seen_at, seen.last_seen_at)
        alerts.add_match(
            tx,
            {
                "rule_id": rule.id,
                "observation_id": seen.observation_id,
                "alert_id": alert["id"],
                "seen_at": seen.captured_at,
                "placement": placement.reason,
            },
        )
        if placement.joins is None:
            self.handler.teller.raised(tx, alert, pictures, match.crop_jpeg)
        return placement.joins is None

    def _keep_pictures(
        self, tx: Connection, match: Match, now: datetime, *, whole: bool
    ) -> list[Mapping[str, Any]]:
        """Keep the crop; with `whole`, want the others from the edge as well."""
        seen = match.sighting
        pictures: list[Mapping[str, Any]] = []
        if match.crop_jpeg is not None:
            crop = EvidenceItem(
                name=CROP,
                media_type="image/jpeg",
                size_bytes=len(match.crop_jpeg),
                sha256=hashlib.sha256(match.crop_jpeg).hexdigest(),
            )
            pictures.append(_picture(seen, crop, "stored", now, match.crop_jpeg))
        if whole:
            have = {picture["name"] for picture in pictures}
            pictures += [
                _picture(seen, item, "pending", now) for item in match.held if item.name not in have
            ]
            if match.has_clip:
                pictures.append(_clip(seen, now))
        evidence.add(tx, pictures)
        return pictures


def _new_alert(match: Match, key: str, now: datetime) -> dict[str, Any]:
    rule, seen, decision = match.rule, match.sighting, match.decision
    assert decision.match is not None
    entry = decision.entry
    return {
        "id": lifecycle.alert_id(rule.id, seen.observation_id),
        "site": seen.site,
        "gate": seen.gate,
        "camera": seen.camera,
        "rule_id": rule.id,
        "rule_title": rule.title,
        "severity": rule.severity,
        "state": lifecycle.State.OPEN.value,
        "certainty": "unverified",
        "disposition": None,
        "change_count": 0,
        "reason": decision.sentence,
        "match": decision.match.model_dump(mode="json"),
        "category": entry.category.value if entry else "",
        "basis": f"{entry.basis}: {entry.reference}" if entry else "",
        "target": decision.key,
        "edge": seen.edge,
        "rule_kind": rule.kind,
        "escalation": rule.escalation or "",
        "dedup_key": key,
        "captured_at": seen.captured_at,
        "first_seen_at": seen.first_seen_at,
        "last_seen_at": seen.last_seen_at,
        "raised_at": now,
        "observation_id": seen.observation_id,
        "observations": 1,
    }


def _picture(
    seen: Sighting, item: EvidenceItem, state: str, now: datetime, data: bytes | None = None
) -> dict[str, Any]:
    return {
        "observation_id": seen.observation_id,
        "name": item.name,
        "site": seen.site,
        "edge": seen.edge,
        "media_type": item.media_type,
        "state": state,
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "requested_at": now,
        "asked": 0,
        "next_ask_at": now,
        "settled_at": now if state == "stored" else None,
        "data": data,
    }


def _clip(seen: Sighting, now: datetime) -> dict[str, Any]:
    """A clip, of which nothing is known before its edge has made it."""
    return {
        "observation_id": seen.observation_id,
        "name": CLIP,
        "site": seen.site,
        "edge": seen.edge,
        "media_type": "video/mp4",
        "state": "pending",
        "sha256": None,
        "size_bytes": None,
        "requested_at": now,
        "asked": 0,
        "next_ask_at": now,
        "settled_at": None,
        "data": None,
    }
