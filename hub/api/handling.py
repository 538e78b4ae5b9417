"""Who has an alert, and what people add to it: notes and pictures. Each is told of, as a move is."""

import hashlib
import io
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.alerts import State
from hub.api.access import Write, allowed
from hub.api.alerts import AlertId, detail_of, locked
from hub.api.lists import BINARY
from hub.api.problems import Problem, documented
from hub.api.services import Hub, Services
from hub.api.shapes import AlertDetail, Assignment, NoteText
from hub.audit import Act
from hub.store import audit, evidence, register
from hub.tell import Change
from wire.errors import InputError

router = APIRouter(prefix="/alerts", tags=["alerts"], responses=documented(404, 409))
_WRITE = allowed(Scope.ALERTS_WRITE)
MOST_PICTURE_BYTES = 12 << 20
MOST_PIXELS = 50_000_000
MOST_PICTURES = 20
_LONGEST_SIDE_PX = 2048


@router.post("/{alert_id}/assign", response_model=AlertDetail)
def assign(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, alert_id: AlertId, wanted: Assignment
) -> Response:
    """Give the alert to a person of the register."""

    def carry_out(tx: Connection) -> tuple[int, AlertDetail]:
        if register.get(tx, "people", (wanted.person,)) is None:
            raise InputError(f"person: people has no {wanted.person!r}")
        change = Change("assigned", who.name, hub.now(), wanted.note, {"assignee": wanted.person})
        return _carry_out(hub, tx, alert_id, change)

    return _write(hub, who, write, wanted.model_dump_json().encode(), carry_out)


@router.post("/{alert_id}/notes", response_model=AlertDetail)
def add_note(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, alert_id: AlertId, note: NoteText
) -> Response:
    """Add what there is to say."""

    def carry_out(tx: Connection) -> tuple[int, AlertDetail]:
        return _carry_out(hub, tx, alert_id, Change("noted", who.name, hub.now(), note.note))

    return _write(hub, who, write, note.model_dump_json().encode(), carry_out)


@router.post("/{alert_id}/pictures", response_model=AlertDetail, responses=documented(413))
def add_picture(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    alert_id: AlertId,
    picture: Annotated[
        UploadFile,
        File(description="A JPEG, PNG or WebP, up to 12 MiB.", json_schema_extra=BINARY),
    ],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Add a picture from the spot. It is kept as evidence is, made smaller and without what the phone wrote
    into it (place, device)."""
    sent = picture.file.read(MOST_PICTURE_BYTES + 1)
    if len(sent) > MOST_PICTURE_BYTES:
        raise Problem(413, "too_large", f"a picture has at most {MOST_PICTURE_BYTES >> 20} MiB")
    jpeg = clean_jpeg(sent)

    def carry_out(tx: Connection) -> tuple[int, AlertDetail]:
        alert, now = locked(tx, alert_id), hub.now()
        if len(evidence.of(tx, [alert_id])) >= MOST_PICTURES:
            raise Problem(409, "too_many", f"an alert has at most {MOST_PICTURES} added pictures")
        name = f"added_{alert['change_count'] + 1}"
        evidence.add(tx, [_row(alert, name, jpeg, now)])
        return _carry_out(hub, tx, alert_id, Change("noted", who.name, now, note or name))

    return _write(hub, who, write, sent + note.encode(), carry_out)


def clean_jpeg(sent: bytes) -> bytes:
    """The picture as JPEG, upright, with pixels only. InputError when it is none, or far too large."""
    try:
        with Image.open(io.BytesIO(sent), formats=("JPEG", "PNG", "WEBP")) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InputError(f"the picture has more than {MOST_PIXELS // 1_000_000} megapixels")
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except Image.DecompressionBombError as error:
        raise InputError(
            f"the picture has more than {MOST_PIXELS // 1_000_000} megapixels"
        ) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError("this is no picture: send a whole JPEG, PNG or WebP") from error
    upright.thumbnail((_LONGEST_SIDE_PX, _LONGEST_SIDE_PX))
    buffer = io.BytesIO()
    Image.frombytes("RGB", upright.size, upright.tobytes()).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _row(alert: Any, name: str, jpeg: bytes, now: Any) -> dict[str, Any]:
    return {
        "observation_id": alert["id"],  # evidence of the alert itself
        "name": name,
        "site": alert["site"],
        "edge": "",
        "media_type": "image/jpeg",
        "state": "stored",
        "sha256": hashlib.sha256(jpeg).hexdigest(),
        "size_bytes": len(jpeg),
        "requested_at": now,
        "asked": 0,
        "next_ask_at": now,
        "settled_at": now,
        "data": jpeg,
    }


def _carry_out(
    hub: Services, tx: Connection, alert_id: str, change: Change
) -> tuple[int, AlertDetail]:
    alert = locked(tx, alert_id)
    if change.kind == "assigned" and alert["state"] == State.CLOSED:
        raise Problem(409, "closed", "the alert is closed: it cannot be given to anybody")
    hub.teller.changed(tx, alert, change)
    details = {"change": change.kind, **change.values}
    audit.add(tx, Act(change.actor, "alert.changed", alert_id, details=details), change.at)
    return 200, detail_of(tx, alert_id)


def _write(hub: Services, who: Actor, write: Write, sent: bytes, carry_out: Any) -> Response:
    answer = write.run(who, sent, carry_out)
    hub.wake_sinks()
    return answer
