"""The face that raised an alert beside the one that was enrolled, where pictures of enrolment are kept.

Each look is in the audit log before its answer is given. Nothing is stored.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import allowed, record
from hub.api.alerts import AlertId
from hub.api.lists import files
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.comparison import figures_of, side_by_side
from hub.store import alerts, evidence, watchlists
from wire.messages import FaceMatch

router = APIRouter(prefix="/alerts", tags=["evidence"], responses=documented(404, 409, 410))
_READ = allowed(Scope.EVIDENCE_READ)
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Seen on the left, enrolled on the right, the figures of the decision below.",
        "content": files("image/jpeg"),
    }
}
_CROP = "crop"


@router.get("/{alert_id}/comparison", response_class=Response, responses=_PICTURE)
def compare(hub: Hub, who: Annotated[Actor, _READ], alert_id: AlertId) -> Response:
    """The two faces side by side, with similarity, lead over the next person and quality.

    409 `no_face` where the alert is about no face, `pending` while a picture is on its way; 404
    `no_reference` where no picture of the enrolment is kept; 410 `gone` where the alert's was deleted.
    """
    with hub.store.read() as tx:
        alert = alerts.get(tx, alert_id)
        if alert is None:
            raise not_found("alert")
        if alert["match"].get("kind") != "face":
            raise Problem(
                409, "no_face", "the alert is not about a face: there is nothing to compare"
            )
        match = FaceMatch.model_validate(alert["match"])
        enrolled = _enrolled(hub, tx, match.subject_id)
        seen = _seen(hub, tx, alert["observation_id"])
    record(hub, who, "comparison.viewed", alert_id, subject=match.subject_id)
    picture = side_by_side(seen, enrolled, figures_of(match))
    headers = {"cache-control": "private, no-store"}
    return Response(picture, media_type="image/jpeg", headers=headers)


def _enrolled(hub: Services, tx: Connection, subject_id: str) -> bytes:
    sealed = watchlists.reference_of(tx, subject_id)
    if sealed is not None:
        return hub.vault.open_picture(sealed, subject_id)
    if watchlists.get_subject(tx, subject_id) is None:
        raise Problem(404, "no_reference", "the person was erased, and their picture with them")
    how = (
        "the person was enrolled before pictures were kept: enrol them anew"
        if hub.keep_reference
        else "this hub keeps no picture of an enrolment: [enrolment] keep_reference of its file"
    )
    raise Problem(404, "no_reference", how)


def _seen(hub: Services, tx: Connection, observation_id: str) -> bytes:
    row = evidence.get(tx, observation_id, _CROP)
    if row is not None and row["state"] == "pending":
        raise Problem(409, "pending", "the picture is on its way: try again in a moment")
    data: bytes | None = None
    if row is not None:
        data = row["data"] or hub.files.read(observation_id, _CROP, row["media_type"])
    if data is None:
        raise Problem(
            410, "gone", "the picture of the face that was seen was deleted, or never came"
        )
    return data
