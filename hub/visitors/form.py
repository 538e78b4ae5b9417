"""What a visitor sends. Pure.

In: the body of a form, the words, the zone and the time. Out: `Filled`, with what they asked for and, for
each field that cannot be used, a sentence that a person understands. Nothing is looked up and nothing kept.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from hub.passes import AHEAD, LONGEST, PassKind, check_span
from hub.visitors.words import Words
from hub.watchlist import Refused
from wire.plates import parse

LARGEST_BYTES: Final = 8192
_FIELDS: Final = ("kind", "name", "plate", "phone", "since", "until", "agree", "token", "lang")
_NAME_LONGEST: Final = 40
_PHONE: Final = re.compile(r"\+?[0-9 -]{3,20}", re.ASCII)
_VISIT_LASTS: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it was filled in. What is asked for is only whole when `wrong` is empty."""

    values: Mapping[str, str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    kind: PassKind = PassKind.VISIT
    plate: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def name(self) -> str:
        """What to call them."""
        return self.values.get("name", "")

    @property
    def phone(self) -> str | None:
        """How to reach them, if they said so."""
        return self.values.get("phone") or None


def empty(now: datetime, zone: ZoneInfo) -> Filled:
    """A form that nobody has filled in yet: a visit of some hours, from now."""
    begin = now.astimezone(zone).replace(second=0, microsecond=0)
    return Filled(
        {"kind": "visit", "since": write_local(begin), "until": write_local(begin + _VISIT_LASTS)}
    )


def write_local(moment: datetime) -> str:
    """A moment as a form has it, in its own zone."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form, those that we know, each once. ValueError when it is none."""
    text = body.decode("utf-8")
    found = parse_qs(text, keep_blank_values=True, max_num_fields=2 * len(_FIELDS), errors="strict")
    return {name: " ".join(found[name][0].split()) for name in _FIELDS if name in found}


def check(
    values: Mapping[str, str], words: Words, zone: ZoneInfo, now: datetime, *, ask_phone: bool
) -> Filled:
    """Check what was filled in."""
    wrong: dict[str, str] = {}
    if values.get("kind") not in (PassKind.VISIT, PassKind.TENANT_CAR):
        wrong["kind"] = words.no_kind
    kind = PassKind.TENANT_CAR if values.get("kind") == PassKind.TENANT_CAR else PassKind.VISIT
    name = values.get("name", "")
    if not 1 <= len(name) <= _NAME_LONGEST or not name.isprintable():
        wrong["name"] = words.no_name
    plate = _plate(values.get("plate", ""), kind, words, wrong)
    phone = values.get("phone", "") if ask_phone else ""
    if phone and not _PHONE.fullmatch(phone):
        wrong["phone"] = words.bad_phone
    if values.get("agree") != "yes":
        wrong["agree"] = words.no_consent
    since = _moment("since", values, zone, words, wrong)
    until = _moment("until", values, zone, words, wrong)
    if since is not None and until is not None:
        try:
            check_span(kind, since, until, now)
        except Refused as refused:
            field_name = "since" if refused.reason == "too_early" else "until"
            wrong[field_name] = refusal(refused.reason, kind, words, "")
    kept = {**values, "phone": phone}
    return Filled(kept, wrong, kind, plate, since, until)


def refusal(reason: str, kind: PassKind, words: Words, contact: str) -> str:
    """A named reason of `hub.passes`, as a sentence."""
    return {
        "already_over": words.already_over,
        "too_early": words.too_early.format(days=AHEAD.days),
        "too_long": words.too_long.format(days=LONGEST[kind].days),
        "too_many_waiting": words.too_many_waiting.format(contact=contact),
    }[reason]


def _plate(text: str, kind: PassKind, words: Words, wrong: dict[str, str]) -> str | None:
    if not text:
        if kind is PassKind.TENANT_CAR:
            wrong["plate"] = words.no_plate
        return None
    plate = parse(text) if len(text) <= 32 else None
    if plate is None:
        wrong["plate"] = words.bad_plate
        return None
    return plate.text


def _moment(
    name: str, values: Mapping[str, str], zone: ZoneInfo, words: Words, wrong: dict[str, str]
) -> datetime | None:
    for form in ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(values.get(name, ""), form).replace(tzinfo=zone)
        except ValueError:
            continue
    wrong[name] = words.bad_time
    return None
