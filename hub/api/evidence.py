"""Evidence: the pictures behind alerts. Each download is in the audit log."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from hub.access import Actor, Scope
from hub.api.access import allowed, record
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub
from hub.store import evidence

router = APIRouter(prefix="/evidence", tags=["evidence"], responses=documented(404, 409, 410))
_READ = allowed(Scope.EVIDENCE_READ)
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture, as the edge made it; its ETag is its SHA-256.",
        "content": {"image/jpeg": {}, "video/mp4": {}},
    }
}


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
    record(hub, who, "evidence.downloaded", f"{observation_id}/{name}")
    headers = {"etag": f'"{row["sha256"]}"', "cache-control": "private, no-store"}
    return Response(content, media_type=row["media_type"], headers=headers)
