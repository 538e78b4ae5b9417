"""Evidence: the pictures behind alerts. Each download is in the audit log."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from hub.access import Actor, Scope
from hub.api.access import allowed, record
from hub.api.alerts import detail_of
from hub.api.lists import files
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.evidence_export import Order
from hub.store import evidence
from wire.evidence import CLIP

router = APIRouter(prefix="/evidence", tags=["evidence"], responses=documented(404, 409, 410))
cases = APIRouter(tags=["evidence"], responses=documented(404))
_READ = allowed(Scope.EVIDENCE_READ)
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture, as the edge made it; its ETag is its SHA-256. A clip is blurred for"
        " those without the scope `evidence:whole`.",
        "content": files("image/jpeg", "video/mp4"),
    }
}
_CASE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The case.", "content": files("application/zip")},
}
_CANNOT_BLUR = (
    "you may see clips with faces blurred, and this hub has no face network to blur them with"
)


@router.get("/{observation_id}/{name}", response_class=Response, responses=_PICTURE)
def download(
    hub: Hub,
    who: Annotated[Actor, _READ],
    observation_id: Annotated[str, Path(max_length=64)],
    name: Annotated[str, Path(max_length=32)],
) -> Response:
    """One picture. 409 while the edge has not sent it yet, 410 when it no longer can."""
    with hub.store.read() as tx:
        row = evidence.get(tx, observation_id, name)
    if row is None:
        raise not_found("picture")
    if row["state"] == "pending":
        raise Problem(409, "pending", "the edge has been asked for it: try again in a moment")
    content = row["data"] or hub.files.read(observation_id, name, row["media_type"])
    if row["state"] == "gone" or content is None:
        why = row["reason"] or "the edge no longer had it when it was asked"
        raise Problem(410, "gone", why)
    shown = as_seen_by(hub, who, name, content)
    if shown is None:
        raise Problem(403, "cannot_blur", _CANNOT_BLUR)
    whole = shown == content
    record(hub, who, "evidence.downloaded", f"{observation_id}/{name}", blurred=not whole)
    sha256 = row["sha256"] if whole else hashlib.sha256(shown).hexdigest()
    headers = {"etag": f'"{sha256}"', "cache-control": "private, no-store"}
    return Response(shown, media_type=row["media_type"], headers=headers)


def as_seen_by(hub: Services, who: Actor, name: str, content: bytes) -> bytes | None:
    """Evidence as this person may see it: a clip blurred, unless they may see it whole.

    None for one that cannot be blurred here.
    """
    if name != CLIP or who.may(Scope.EVIDENCE_WHOLE):
        return content
    return None if hub.blurrer is None else hub.blurrer.blurred(content)


@cases.get("/alerts/{alert_id}/export", response_class=Response, responses=_CASE)
def export(
    hub: Hub,
    who: Annotated[Actor, allowed(Scope.EVIDENCE_EXPORT)],
    alert_id: Annotated[str, Path(max_length=64)],
    purpose: Annotated[
        str, Query(min_length=3, max_length=400, description="Why; goes into the audit log.")
    ],
) -> Response:
    """An alert with all that is behind it, as one signed ZIP file. `gatehouse evidence verify` checks it."""
    with hub.store.read() as tx:
        detail = detail_of(tx, alert_id)
    record(hub, who, "alert.exported", alert_id, purpose.strip())
    order = Order(
        alert_id=alert_id,
        alert_json=detail.model_dump(mode="json"),
        observation_ids=detail.observation_ids,
        site=detail.site,
        actor=who.name,
        purpose=purpose.strip(),
        show_clip=lambda clip: as_seen_by(hub, who, CLIP, clip),
    )
    headers = {
        "content-disposition": f'attachment; filename="case-{alert_id}.zip"',
        "cache-control": "private, no-store",
    }
    return Response(hub.exporter.export(order), media_type="application/zip", headers=headers)
