"""Why a person may be enrolled: their consent, or a basis in law. Pure.

In: what the enrolling person says of it. Out: the ledger's entry, or `Refused` with a named reason. An entry
says which text was consented to, and outlives the person's templates as the proof that they had a reason;
nothing in it says who the person is once they are erased.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.watchlist import Refused


class ReasonKind(StrEnum):
    """What allows an enrolment."""

    CONSENT = "consent"
    LAW = "law"


@dataclass(frozen=True, slots=True)
class Given:
    """What was said at enrolment.

    `text_version` names the text that was consented to; None where the basis is in law. `given_at` is
    None for now. Of a child `under_14` a guardian consents (PIPL 31).
    """

    purpose: str
    basis: str
    reference: str
    text_version: str | None = None
    given_at: datetime | None = None
    under_14: bool = False
    guardian: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """One entry of the ledger. `withdrawn_at` and `erased_at` are set when that happens."""

    id: str
    subject_id: str
    kind: ReasonKind
    purpose: str
    basis: str
    reference: str
    text_version: str
    given_at: datetime
    guardian: str
    recorded_by: str
    recorded_at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None
    erased_at: datetime | None = None


def ledger_entry(
    given: Given, consent_id: str, subject_id: str, recorded_by: str, now: datetime
) -> Consent:
    """The entry to keep. Refused where what was said does not allow an enrolment."""
    consents = given.text_version is not None
    if not consents and (given.given_at is not None or given.guardian):
        raise Refused(
            "no_consent_text",
            "consent_text is missing: say which version of the text was consented to",
        )
    if consents and given.under_14 and not given.guardian:
        raise Refused(
            "guardian_needed", "a child under 14 cannot consent: name the guardian who does"
        )
    given_at = given.given_at or now
    if given_at > now:
        raise Refused("consent_in_future", "consent_given_at must not be in the future")
    return Consent(
        id=consent_id,
        subject_id=subject_id,
        kind=ReasonKind.CONSENT if consents else ReasonKind.LAW,
        purpose=given.purpose,
        basis=given.basis,
        reference=given.reference,
        text_version=given.text_version or "",
        given_at=given_at,
        guardian=given.guardian or "",
        recorded_by=recorded_by,
        recorded_at=now,
    )


def check_withdrawal(entries: list[Consent]) -> None:
    """Raise Refused when there is no consent of this subject that could be withdrawn."""
    if any(e.kind is ReasonKind.CONSENT and e.withdrawn_at is None for e in entries):
        return
    if any(e.kind is ReasonKind.CONSENT for e in entries):
        raise Refused("withdrawn_already", "the consent was withdrawn before")
    raise Refused(
        "no_consent",
        "the subject is enrolled by law, not by consent: erase the subject, or remove its entries",
    )
