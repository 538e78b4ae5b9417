"""Subjects: enrol by photo, look at, erase.

The photos are read into memory, made into templates, and gone with the request: the form is parsed here so
that no part of it is ever spooled to a disk, as the framework would do with large ones.
"""

import hashlib
import uuid
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hub.access import Actor, Scope
from hub.api.access import Write, allowed
from hub.api.lists import Cursor, Limit, page_of
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import Erased, Label, PageOf, SubjectDetail, SubjectOut, TemplateOut, Text
from hub.api.shapes import Request as Sent
from hub.audit import Act
from hub.enrolment import NewTemplate
from hub.store import audit, watchlists
from hub.watchlist import LONGEST, Refused

router = APIRouter(prefix="/subjects", tags=["subjects"], responses=documented())
_READ, _WRITE = allowed(Scope.WATCHLISTS_READ), allowed(Scope.SUBJECTS_WRITE)

_MOST_BYTES: Final = 64 << 20
_MOST_PHOTOS: Final = 8
SubjectId = Annotated[str, Path(max_length=64)]


class Enrolment(Sent):
    """The fields of the form: who, what for, by which right, until when."""

    label: Label
    purpose: Text
    basis: Text
    reference: Text
    expires_at: AwareDatetime


class Form(BaseModel):
    """A form as it was sent."""

    fields: Enrolment
    photos: list[bytes]

    def fingerprint(self) -> bytes:
        """What tells this form from another."""
        digests = [hashlib.sha256(photo).hexdigest() for photo in self.photos]
        return "\n".join((self.fields.model_dump_json(), *digests)).encode()


class _InMemory(MultiPartParser):
    """A parser that keeps every part in memory: they are bounded in sum."""

    spool_max_size = _MOST_BYTES + 1


async def enrolment_form(request: Request) -> Form:
    """Read the form. Problems say what is wrong with it; nothing of it touches a disk."""

    async def bounded() -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > _MOST_BYTES:
                raise Problem(413, "too_large", f"at most {_MOST_BYTES >> 20} MB in all")
            yield chunk

    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Problem(415, "no_form", "send multipart/form-data with one or more `photo`")
    try:
        parser = _InMemory(request.headers, bounded(), max_files=_MOST_PHOTOS, max_fields=20)
        form = await parser.parse()
    except MultiPartException as error:
        raise Problem(422, "broken_form", error.message) from error
    try:
        photos = [await p.read() for p in form.getlist("photo") if isinstance(p, UploadFile)]
        texts = {k: v for k, v in form.multi_items() if isinstance(v, str)}
    finally:
        await form.close()
    try:
        fields = Enrolment.model_validate(texts)
    except ValidationError as error:
        problems = [{**p, "loc": ("body", *p["loc"])} for p in error.errors(include_input=False)]
        raise RequestValidationError(problems) from error
    if not photos:
        raise Problem(422, "no_photo", "send at least one file in a part named `photo`")
    return Form(fields=fields, photos=photos)


_FORM_SCHEMA: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["label", "purpose", "basis", "reference", "expires_at", "photo"],
                    "properties": {
                        **{name: {"type": "string"} for name in ("label", "purpose", "basis")},
                        "reference": {"type": "string"},
                        "expires_at": {"type": "string", "format": "date-time"},
                        "photo": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "maxItems": _MOST_PHOTOS,
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    status_code=201,
    responses=documented(409, 413, 415),
    response_model=SubjectDetail,
    openapi_extra=_FORM_SCHEMA,
)
def enrol(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    form: Annotated[Form, Depends(enrolment_form)],
) -> Response:
    """Enrol a person from one or more photos, each with one face. The photos are not kept."""
    if hub.enroller is None:
        raise Problem(409, "no_face_pack", "this hub has no face pack: see [models] of its file")
    now, expires_at = hub.now(), form.fields.expires_at
    if not now < expires_at <= now + LONGEST:
        raise Refused("expires_at", f"expires_at must be within {LONGEST.days} days from now")
    made = hub.enroller.templates(form.photos)
    subject_id = str(uuid.uuid4())
    subject = {
        "id": subject_id,
        **form.fields.model_dump(),
        "enrolled_by": who.name,
        "enrolled_at": now,
    }
    rows, shown = _template_rows(hub, subject_id, made)

    def add(tx: Connection) -> tuple[int, SubjectDetail]:
        watchlists.add_subject(tx, subject, rows)
        details = {"templates": len(rows), "reference": form.fields.reference}
        act = Act(who.name, "subject.enrolled", subject_id, form.fields.purpose, details)
        audit.add(tx, act, now)
        return 201, SubjectDetail(**subject, templates=shown)

    return write.run(who, form.fingerprint(), add)


@router.get("")
def list_subjects(
    hub: Hub, _: Annotated[Actor, _READ], cursor: Cursor = None, limit: Limit = 50
) -> PageOf[SubjectOut]:
    """Subjects, newest first."""
    with hub.store.read() as tx:
        page = watchlists.find_subjects(tx, cursor, limit)
    return page_of(SubjectOut, page, (SubjectOut(**row) for row in page.items))


@router.get("/{subject_id}", responses=documented(404))
def get_subject(hub: Hub, _: Annotated[Actor, _READ], subject_id: SubjectId) -> SubjectDetail:
    """One subject, and what there is of its templates; never the templates."""
    with hub.store.read() as tx:
        row = watchlists.get_subject(tx, subject_id)
        if row is None:
            raise not_found("subject")
        templates = [TemplateOut(**t) for t in watchlists.templates_of(tx, subject_id)]
    return SubjectDetail(**row, templates=templates)


@router.delete("/{subject_id}", responses=documented(404), response_model=Erased)
def erase_subject(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, subject_id: SubjectId
) -> Response:
    """Erase a subject, its templates and its entries for good; the next search does not see them."""

    def carry_out(tx: Connection) -> tuple[int, Erased]:
        if watchlists.get_subject(tx, subject_id) is None:
            raise not_found("subject")
        watchlists.remove_entries_of(tx, subject_id)
        count = watchlists.erase_subject(tx, subject_id)
        audit.add(tx, Act(who.name, "subject.erased", subject_id), hub.now())
        return 200, Erased(id=subject_id, templates=count)

    answer = write.run(who, b"", carry_out)
    hub.store.forget_erased()
    return answer


def _template_rows(
    hub: Services, subject_id: str, made: list[NewTemplate]
) -> tuple[list[dict[str, Any]], list[TemplateOut]]:
    """The rows to store, encrypted, and what to answer."""
    enroller, rows, shown = hub.enroller, [], []
    assert enroller is not None
    for template in made:
        template_id = str(uuid.uuid4())
        sealed = hub.vault.seal(template.embedding, template_id, subject_id, enroller.pack_sha256)
        rows.append(
            {
                "id": template_id,
                "subject_id": subject_id,
                "pack": enroller.pack,
                "pack_sha256": enroller.pack_sha256,
                "sealed": sealed,
                "quality": template.quality,
                "created_at": hub.now(),
            }
        )
        shown.append(
            TemplateOut(
                id=template_id,
                pack=enroller.pack,
                quality=template.quality,
                advice=list(template.advice),
            )
        )
    return rows, shown
