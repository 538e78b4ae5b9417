from dataclasses import replace

import pytest

from hub.consent import Consent, Given, ReasonKind, check_withdrawal, ledger_entry
from hub.watchlist import Refused
from tests.unit.hub.kit import NOW, at

LAW = Given("search", "police case", "2026-7")
CONSENT = Given("residents' gate", "consent", "form 12", text_version="2026-03")


def entered(given: Given) -> Consent:
    return ledger_entry(given, "c1", "s1", "ann", NOW)


def test_without_a_text_the_basis_is_in_law() -> None:
    entry = entered(LAW)
    assert (entry.kind, entry.text_version, entry.given_at) == (ReasonKind.LAW, "", NOW)


def test_consent_names_its_text_and_when_it_was_given() -> None:
    entry = entered(replace(CONSENT, given_at=at(-60)))
    assert (entry.kind, entry.text_version) == (ReasonKind.CONSENT, "2026-03")
    assert (entry.given_at, entry.recorded_at, entry.recorded_by) == (at(-60), NOW, "ann")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (replace(CONSENT, under_14=True), "guardian_needed"),
        (replace(CONSENT, given_at=at(1)), "consent_in_future"),
        (replace(LAW, guardian="Wang Wu"), "no_consent_text"),
        (replace(LAW, given_at=at(-1)), "no_consent_text"),
    ],
)
def test_what_does_not_allow_an_enrolment_is_refused(given: Given, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        entered(given)
    assert refused.value.reason == reason


def test_a_guardian_consents_for_a_child_and_the_law_needs_none() -> None:
    assert entered(replace(CONSENT, under_14=True, guardian="Wang Wu")).guardian == "Wang Wu"
    assert entered(replace(LAW, under_14=True)).kind is ReasonKind.LAW


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([entered(LAW)], "no_consent"),
        ([replace(entered(CONSENT), withdrawn_at=NOW)], "withdrawn_already"),
    ],
)
def test_only_consent_that_stands_can_be_withdrawn(entries: list[Consent], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        check_withdrawal(entries)
    assert refused.value.reason == reason
    check_withdrawal([*entries, entered(CONSENT)])
