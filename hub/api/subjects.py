"""Subjects: enrol by photo, enrol anew, look at, erase. The photos are gone with the request."""

import uuid
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from hub.access import Actor, Scope
from hub.api.access import Write, Writes, allowed, record
from hub.api.lists import Cursor, Limit, page_of
from hub.api.photo_form import Form, form_schema, read_form
from hub.api.problems import Problem, documented, not_found
from hub.api.services import Hub, Services
from hub.api.shapes import (
    ConsentOut,
    EnrolmentStatus,
    Erased,
    Label,
    Note,
    PackOut,
    PageOf,
    SubjectDetail,
    SubjectOut,
    TemplateOut,
    Text,
)
from hub.api.shapes import Request as Sent
from hub.audit import Act
from hub.comparison import as_jpeg
from hub.consent import Given, check_withdrawal, ledger_entry
from hub.duplicates import Duplicate
from hub.enrolment import Enroller, NewTemplate
from hub.store import audit, consents, watchlists
from hub.watchlist import LONGEST, Refused

router = APIRouter(prefix="/subjects", tags=["subjects"], responses=documented())
_READ, _WRITE = allowed(Scope.WATCHLISTS_READ), allowed(Scope.SUBJECTS_WRITE)

SubjectId = Annotated[str, Path(max_length=64)]
Short = Annotated[str, Field(min_length=1, max_length=63)]
DryRun = Annotated[
    bool, Query(description="Check all of it and answer 200 as if; store nothing but the audit.")
]


class Photos(Sent):
    """The fields of a form with photos.

    `allow_duplicate` takes a face that is another subject's already; that is in the audit log.
    """

    allow_duplicate: bool = False


class Enrolment(Photos):
    """Who, what for, by which right, until when.

    `external_id` is the site's own number of the person: nobody is enrolled twice under it. `consent_text`
    is the version of the text that the person consented to, or the `guardian` of a child; without it the
    basis is in law.
    """

    label: Label
    purpose: Text
    basis: Text
    reference: Text
    expires_at: AwareDatetime
    external_id: Short | None = None
    consent_text: Short | None = None
    consent_given_at: AwareDatetime | None = None
    under_14: bool = False
    guardian: Label | None = None


async def enrolment_form(request: Request) -> Form[Enrolment]:
    """A dependency: the form of an enrolment."""
    return await read_form(request, Enrolment)


async def photos_form(request: Request) -> Form[Photos]:
    """A dependency: a form with photos alone."""
    return await read_form(request, Photos)


@router.post(
    "",
    status_code=201,
    responses=documented(409, 413, 415),
    response_model=SubjectDetail,
    openapi_extra=form_schema(Enrolment),
)
def enrol(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    form: Annotated[Form[Enrolment], Depends(enrolment_form)],
    dry_run: DryRun = False,
) -> Response:
    """Enrol a person from one or more photos, each with one face. The photos are not kept.

    409 `enrolled_already` when the external id is taken, `duplicate` when the face is another subject's.
    """
    enroller, sent, now = _enroller(hub), form.fields, hub.now()
    if not now < sent.expires_at <= now + LONGEST:
        raise Refused("expires_at", f"expires_at must be within {LONGEST.days} days from now")
    subject_id = str(uuid.uuid4())
    given = Given(
        sent.purpose, sent.basis, sent.reference, sent.consent_text, sent.consent_given_at,
        sent.under_14, sent.guardian,
    )  # fmt: skip
    consent = ledger_entry(given, str(uuid.uuid4()), subject_id, who.name, now)
    made: list[NewTemplate] = []
    if not _is_taken(
        hub, sent.external_id
    ):  # refused below, in the transaction, without any network
        made = enroller.templates(form.photos)
    subject = {
        "id": subject_id,
        **sent.model_dump(include={"label", "purpose", "basis", "reference", "expires_at"}),
        "external_id": sent.external_id,
        "enrolled_by": who.name,
        "enrolled_at": now,
    }

    def add(tx: Connection) -> tuple[int, SubjectDetail]:
        _check_external_id(tx, sent.external_id)
        if not made:
            raise Problem(
                409, "erased_meanwhile", "the subject of this external_id was just erased"
            )
        duplicates = _check_duplicates(hub, tx, made, allowed=sent.allow_duplicate)
        rows, shown = _template_rows(hub, enroller, subject_id, made)
        if dry_run:
            audit.add(tx, Act(who.name, "subject.checked", "", sent.purpose), now)
            return 200, SubjectDetail(**subject, templates=shown)
        watchlists.add_subject(tx, subject, rows)
        consents.add(tx, consent)
        _keep_reference(hub, tx, subject_id, made)
        details = {"templates": len(rows), "reference": sent.reference, **_named(duplicates)}
        audit.add(tx, Act(who.name, "subject.enrolled", subject_id, sent.purpose, details), now)
        return 201, SubjectDetail(**subject, templates=shown)

    return _carry_out(hub, who, write, form, sent.purpose, add, dry_run=dry_run)


@router.get("")
def list_subjects(
    hub: Hub,
    _: Annotated[Actor, _READ],
    outdated: Annotated[
        bool, Query(description="Only those to be enrolled anew: all templates of another pack.")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[SubjectOut]:
    """Subjects, newest first."""
    current = hub.enroller.pack_sha256 if hub.enroller else ""
    with hub.store.read() as tx:
        page = watchlists.find_subjects(tx, cursor, limit, current if outdated else None)
    return page_of(SubjectOut, page, (SubjectOut(**row) for row in page.items))


@router.get("/status")
def enrolment_status(hub: Hub, _: Annotated[Actor, _READ]) -> EnrolmentStatus:
    """How many are enrolled, with which packs, and how many have to be enrolled anew."""
    enroller = hub.enroller
    digest = enroller.pack_sha256 if enroller else ""
    with hub.store.read() as tx:
        return EnrolmentStatus(
            pack=enroller.pack if enroller else "",
            pack_sha256=digest,
            subjects=watchlists.count_subjects(tx),
            outdated=watchlists.count_subjects(tx, digest),
            packs=[PackOut.model_validate(dict(row)) for row in watchlists.packs(tx)],
        )


@router.get("/{subject_id}", responses=documented(404))
def get_subject(hub: Hub, _: Annotated[Actor, _READ], subject_id: SubjectId) -> SubjectDetail:
    """One subject, and what there is of its templates; never the templates."""
    with hub.store.read() as tx:
        row = watchlists.get_subject(tx, subject_id)
        if row is None:
            raise not_found("subject")
        templates = [TemplateOut(**t) for t in watchlists.templates_of(tx, subject_id)]
    return SubjectDetail(**row, templates=templates)


@router.post(
    "/{subject_id}/templates",
    status_code=201,
    responses=documented(404, 409, 413, 415),
    response_model=SubjectDetail,
    openapi_extra=form_schema(Photos),
)
def enrol_anew(
    hub: Hub,
    who: Annotated[Actor, _WRITE],
    write: Write,
    subject_id: SubjectId,
    form: Annotated[Form[Photos], Depends(photos_form)],
    dry_run: DryRun = False,
) -> Response:
    """Replace a subject's templates by those of new photos, made with the pack of now."""
    enroller = _enroller(hub)
    made = enroller.templates(form.photos)

    def replace(tx: Connection) -> tuple[int, SubjectDetail]:
        subject, now = watchlists.get_subject(tx, subject_id), hub.now()
        if subject is None:
            raise not_found("subject")
        duplicates = _check_duplicates(
            hub, tx, made, allowed=form.fields.allow_duplicate, but=subject_id
        )
        rows, shown = _template_rows(hub, enroller, subject_id, made)
        if dry_run:
            audit.add(tx, Act(who.name, "subject.checked", subject_id, subject["purpose"]), now)
            return 200, SubjectDetail(**subject, templates=shown)
        watchlists.replace_templates(tx, subject_id, rows)
        _keep_reference(hub, tx, subject_id, made)
        details = {"templates": len(rows), "pack": enroller.pack, **_named(duplicates)}
        audit.add(tx, Act(who.name, "subject.enrolled_anew", subject_id, details=details), now)
        return 201, SubjectDetail(**subject, templates=shown)

    answer = _carry_out(hub, who, write, form, "", replace, dry_run=dry_run)
    hub.store.forget_erased()
    return answer


@router.get("/{subject_id}/consents")
def list_consents(
    hub: Hub,
    _: Annotated[Actor, _READ],
    subject_id: SubjectId,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PageOf[ConsentOut]:
    """Why the subject was enrolled, also of one that was erased; newest first."""
    with hub.store.read() as tx:
        page = consents.find(tx, subject_id, cursor, limit)
    return page_of(ConsentOut, page, (ConsentOut.model_validate(entry) for entry in page.items))


@router.post("/{subject_id}/withdraw", responses=documented(404, 409), response_model=Erased)
def withdraw_consent(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, subject_id: SubjectId, note: Note
) -> Response:
    """The person no longer consents: everything of theirs is erased at once, but for the ledger."""

    def carry_out(tx: Connection) -> tuple[int, Erased]:
        now = hub.now()
        entries = consents.of(tx, subject_id)
        if not entries:
            raise not_found("subject")
        check_withdrawal(entries)
        consents.withdraw(tx, subject_id, who.name, now)
        audit.add(tx, Act(who.name, "consent.withdrawn", subject_id, note.note), now)
        return 200, _erase(hub, tx, who, subject_id)

    answer = write.run(who, note.model_dump_json().encode(), carry_out)
    hub.store.forget_erased()
    return answer


@router.delete("/{subject_id}", responses=documented(404), response_model=Erased)
def erase_subject(
    hub: Hub, who: Annotated[Actor, _WRITE], write: Write, subject_id: SubjectId
) -> Response:
    """Erase a subject, its templates and its entries for good; the next search does not see them."""

    def carry_out(tx: Connection) -> tuple[int, Erased]:
        if watchlists.get_subject(tx, subject_id) is None:
            raise not_found("subject")
        return 200, _erase(hub, tx, who, subject_id)

    answer = write.run(who, b"", carry_out)
    hub.store.forget_erased()
    return answer


class DuplicateFace(Problem):
    """A face is another subject's already; `subjects` are whose."""

    def __init__(self, detail: str, subjects: Sequence[str]) -> None:
        super().__init__(409, "duplicate", detail)
        self.subjects = sorted(set(subjects))


def _carry_out(
    hub: Services,
    who: Actor,
    write: Writes,
    form: Form[Any],
    purpose: str,
    carry_out: Callable[[Connection], tuple[int, SubjectDetail]],
    *,
    dry_run: bool,
) -> Response:
    """Run the write. That a face was told to be somebody's is a look-up, and is recorded as one."""
    sent = form.fingerprint() + (b"\ndry_run" if dry_run else b"")
    try:
        return write.run(who, sent, carry_out)
    except DuplicateFace as duplicate:
        for subject_id in duplicate.subjects:
            record(hub, who, "subject.duplicate_found", subject_id, purpose)
        raise


def _erase(hub: Services, tx: Connection, who: Actor, subject_id: str) -> Erased:
    watchlists.remove_entries_of(tx, subject_id)
    count = watchlists.erase_subject(tx, subject_id, hub.now())
    audit.add(tx, Act(who.name, "subject.erased", subject_id), hub.now())
    return Erased(id=subject_id, templates=count)


def _enroller(hub: Services) -> Enroller:
    if hub.enroller is None:
        raise Problem(409, "no_face_pack", "this hub has no face pack: see [models] of its file")
    return hub.enroller


def _is_taken(hub: Services, external_id: str | None) -> bool:
    if external_id is None:
        return False
    with hub.store.read() as tx:
        return watchlists.by_external_id(tx, external_id) is not None


def _check_external_id(tx: Connection, external_id: str | None) -> None:
    taken = external_id and watchlists.by_external_id(tx, external_id)
    if taken:
        raise Problem(409, "enrolled_already", f"the external_id is that of subject {taken}")


def _check_duplicates(
    hub: Services,
    tx: Connection,
    made: Sequence[NewTemplate],
    *,
    allowed: bool,
    but: str | None = None,
) -> list[Duplicate]:
    """The subjects that these faces are already; a problem when there are any, unless that is allowed."""
    assert hub.duplicates is not None
    found = hub.duplicates.find(tx, [template.embedding for template in made], but)
    if found and not allowed:
        words = "; ".join(
            f"photo {d.photo}: this face is already subject {d.subject_id}"
            f" ({_name(tx, d.subject_id)}, similarity {d.similarity:.2f})"
            for d in found
        )
        raise DuplicateFace(
            f"{words}: use that one, or send allow_duplicate=true", [d.subject_id for d in found]
        )
    return found


def _name(tx: Connection, subject_id: str) -> str:
    """How people know the subject: label, and the site's own number."""
    subject = watchlists.get_subject(tx, subject_id)
    assert subject is not None
    number = subject["external_id"]
    return f"{subject['label']}, {number}" if number else str(subject["label"])


def _named(duplicates: Sequence[Duplicate]) -> dict[str, Any]:
    """For the audit log: whose face it was taken in spite of."""
    if not duplicates:
        return {}
    return {"duplicate_of": sorted({d.subject_id for d in duplicates})}


def _keep_reference(
    hub: Services, tx: Connection, subject_id: str, made: Sequence[NewTemplate]
) -> None:
    """Keep the best picture, where the policy says so."""
    if hub.keep_reference:
        best = max(made, key=lambda template: template.quality)
        sealed = hub.vault.seal_picture(as_jpeg(best.picture), subject_id)
        watchlists.keep_reference(tx, subject_id, sealed, hub.now())


def _template_rows(
    hub: Services, enroller: Enroller, subject_id: str, made: Sequence[NewTemplate]
) -> tuple[list[dict[str, Any]], list[TemplateOut]]:
    """The rows to store, encrypted, and what to answer."""
    rows, shown = [], []
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
