"""The pages that a visitor sees. Pure.

In: words, and what to show. Out: HTML for a narrow screen, whole in itself: no script, font or picture from
elsewhere. Nothing here decides anything.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from hub.passes import PassKind, PassState
from hub.visitors.form import Filled
from hub.visitors.markup import Html, document, join, tag
from hub.visitors.words import Words

STYLE: Final = Html("""
:root { color-scheme: light; --ink: #17212b; --soft: #5b6875; --line: #d9dfe5; --main: #1f5f8b;
  --bad: #b3261e;
  --paper: #fff; --ground: #f2f5f7; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.6 -apple-system, "PingFang SC",
  "Microsoft YaHei", "Noto Sans CJK SC", "Segoe UI", Roboto, sans-serif;
  -webkit-text-size-adjust: 100%; }
header { display: flex; justify-content: space-between; align-items: center; gap: 12px;
  max-width: 480px;
  margin: 0 auto; padding: 14px 20px; }
header strong { font-weight: 600; overflow-wrap: anywhere; }
header a { flex: none; color: var(--main); text-decoration: none; padding: 6px 12px;
  border: 1px solid var(--line);
  border-radius: 999px; background: var(--paper); font-size: 14px; line-height: 1.4; }
main { max-width: 480px; margin: 0 auto 32px; padding: 22px 20px 24px; background: var(--paper);
  border: 1px solid var(--line); border-width: 1px 0; }
@media (min-width: 500px) { main { border-width: 1px; border-radius: 14px; padding: 28px; } }
h1 { font-size: 22px; line-height: 1.3; margin: 0 0 6px; }
h2 { font-size: 16px; margin: 0 0 6px; }
p { margin: 0 0 14px; }
.soft, .hint { color: var(--soft); font-size: 14px; }
.hint { display: block; font-weight: 400; line-height: 1.45; }
fieldset { border: 0; margin: 0 0 18px; padding: 0; min-width: 0; }
legend, label.field { display: block; font-weight: 600; margin: 0 0 8px; padding: 0; }
label.field { margin-bottom: 20px; }
input[type=text], input[type=tel], input[type=datetime-local] { width: 100%; min-height: 48px;
  padding: 10px 12px;
  font: inherit; font-weight: 400; color: inherit; background: var(--paper); border: 1px solid #a9b4be;
  border-radius: 10px;
  margin-top: 6px; -webkit-appearance: none; appearance: none; }
input:focus-visible, button:focus-visible, a:focus-visible, summary:focus-visible {
  outline: 3px solid #8fc1e3; outline-offset: 1px; }
.wrong input[type] { border-color: var(--bad); }
.why { display: block; color: var(--bad); font-size: 14px; font-weight: 400; margin-top: 4px; }
.choice { display: flex; gap: 12px; align-items: flex-start; padding: 12px;
  border: 1px solid var(--line);
  border-radius: 10px; margin-bottom: 8px; font-weight: 600; }
.choice:has(:checked) { border-color: var(--main); background: #eef5fa; }
input[type=radio], input[type=checkbox] { flex: none; width: 22px; height: 22px; margin: 2px 0 0;
  accent-color: var(--main); }
.note { background: var(--ground); border-radius: 10px; padding: 14px; margin: 0 0 14px;
  font-size: 14px; }
.note p:last-child { margin: 0; }
.alarm { background: #fdecea; color: var(--bad); border-radius: 10px; padding: 12px 14px; }
button { width: 100%; min-height: 50px; border: 0; border-radius: 10px; background: var(--main);
  color: #fff;
  font: inherit; font-weight: 600; }
button.grave { background: var(--paper); color: var(--bad); border: 1px solid var(--bad); }
.badge { display: inline-block; padding: 5px 14px; border-radius: 999px; font-weight: 600;
  background: #fff4d6;
  color: #6b4e00; margin: 4px 0 12px; }
.approved { background: #dff3e4; color: #14532d; } .declined { background: #fdecea; color: var(--bad); }
.ended, .expired { background: #e8ecef; color: #3a4652; }
dl { margin: 0 0 16px; border-top: 1px solid var(--line); }
dl div { display: flex; justify-content: space-between; gap: 16px; padding: 10px 0;
  border-bottom: 1px solid var(--line); }
dt { color: var(--soft); flex: none; } dd { margin: 0; text-align: right; overflow-wrap: anywhere; }
.code { font-family: ui-monospace, Menlo, Consolas, monospace; letter-spacing: .06em; font-weight: 600;
  }
summary { color: var(--bad); padding: 10px 0; cursor: pointer; }
""")


def csp(style: str) -> str:
    """What a page with this style may load and do: its style, and forms to this hub. Nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Whose page it is. `site` is the community's title."""

    site: str
    unit: str
    controller: str
    contact: str
    kept_days: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A pass as its visitor sees it."""

    reference: str
    kind: PassKind
    state: PassState
    name: str
    plate: str | None
    valid_from: datetime
    valid_until: datetime


def form_page(
    words: Words, place: Place, filled: Filled, token: str, *, ask_phone: bool, message: str = ""
) -> Html:
    """The form, as it is filled in, with what is wrong beside each field."""
    alarm = message or (words.mend if filled.wrong else "")
    return _page(
        words,
        words.title,
        place.site,
        tag("h1", words.title),
        tag("p", words.lead, class_="soft"),
        tag("p", alarm, class_="alarm", role="alert") if alarm else "",
        tag("p", f"{words.unit} ", tag("strong", place.unit)),
        tag(
            "form",
            _kinds(words, filled),
            _field(words.name, words.name_hint, filled, "name", maxlength="40", required=True),
            _field(words.plate, words.plate_hint, filled, "plate", maxlength="16"),
            _field(words.phone, words.phone_hint, filled, "phone", type="tel", maxlength="20")
            if ask_phone
            else "",
            _field(
                words.since, words.limits, filled, "since", type="datetime-local", required=True
            ),
            _field(words.until, "", filled, "until", type="datetime-local", required=True),
            _consent(words, place, filled, ask_phone),
            tag("input", type="hidden", name="token", value=token),
            tag("input", type="hidden", name="lang", value=words.language),
            tag("button", words.send, type="submit"),
            method="post",
            autocomplete="off",
        ),
    )


def status_page(words: Words, place: Place, shown: Shown, zone: ZoneInfo, withdraw_to: str) -> Html:
    """What became of a request, and the way to withdraw it."""
    state = {
        PassState.PENDING: (words.pending, words.pending_next),
        PassState.APPROVED: (words.approved, words.approved_next),
        PassState.DECLINED: (words.declined, words.declined_next.format(contact=place.contact)),
        PassState.ENDED: (words.ended, words.over_next.format(days=place.kept_days)),
        PassState.EXPIRED: (words.expired, words.over_next.format(days=place.kept_days)),
    }[shown.state]
    rows = [
        (words.reference, tag("span", shown.reference, class_="code")),
        (words.unit, place.unit),
        (words.kind_label, words.visit if shown.kind is PassKind.VISIT else words.tenant_car),
        (words.name_label, shown.name),
        *([(words.plate, shown.plate)] if shown.plate else []),
        (words.since, _time(shown.valid_from, zone)),
        (words.until, _time(shown.valid_until, zone)),
    ]
    return _page(
        words,
        words.sent_title,
        place.site,
        tag("h1", words.sent_title),
        tag("span", state[0], class_=f"badge {shown.state}", role="status"),
        tag("p", state[1]),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows)),
        tag("p", words.keep_link, class_="soft"),
        tag(
            "details",
            tag("summary", words.withdraw),
            tag("p", words.withdraw_sure),
            tag(
                "form",
                tag("input", type="hidden", name="lang", value=words.language),
                tag("button", words.withdraw_now, type="submit", class_="grave"),
                method="post",
                action=withdraw_to,
            ),
        ),
    )


def message_page(words: Words, title: str, text: str, site: str = "", again: str = "") -> Html:
    """A page that says one thing."""
    link = tag("p", tag("a", words.home, href=again)) if again else ""
    return _page(words, title, site, tag("h1", title), tag("p", text), link)


def _page(words: Words, title: str, site: str, *body: str) -> Html:
    return document(
        words.html_language,
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="robots", content="noindex"),
            tag("title", f"{title} · {site}" if site else title),
            tag("style", STYLE),
        ),
        tag(
            "body",
            tag(
                "header",
                tag("strong", site),
                tag("a", words.other_name, href=f"?lang={words.other}", lang=words.other),
            ),
            tag("main", *body),
        ),
    )


def _kinds(words: Words, filled: Filled) -> Html:
    choices = [
        tag(
            "label",
            tag("input", type="radio", name="kind", value=value, required=True,
                checked=filled.values.get("kind") == value),
            tag("span", title, tag("span", hint, class_="hint")),
            class_="choice",
        )
        for value, title, hint in (
            ("visit", words.visit, words.visit_hint),
            ("tenant_car", words.tenant_car, words.tenant_car_hint),
        )
    ]  # fmt: skip
    return tag("fieldset", tag("legend", words.what), *choices, _why(filled, "kind"))


def _field(title: str, hint: str, filled: Filled, name: str, **attributes: str | bool) -> Html:
    given = {"type": "text", **attributes}
    box = tag("input", name=name, value=filled.values.get(name, ""), **given)
    wrong = " wrong" if name in filled.wrong else ""
    shown = tag("span", hint, class_="hint") if hint else ""
    return tag("label", title, shown, box, _why(filled, name), class_=f"field{wrong}")


def _consent(words: Words, place: Place, filled: Filled, ask_phone: bool) -> Html:
    text = words.consent.format(
        controller=place.controller,
        contact=place.contact,
        phone=words.consent_phone if ask_phone else "",
        days=place.kept_days,
    )
    return join(
        tag("div", tag("h2", words.consent_title), tag("p", text), class_="note"),
        tag(
            "fieldset",
            tag(
                "label",
                tag("input", type="checkbox", name="agree", value="yes", required=True),
                tag("span", words.agree),
                class_="choice",
            ),
            _why(filled, "agree"),
        ),
    )


def _why(filled: Filled, name: str) -> Html:
    message = filled.wrong.get(name)
    return tag("span", message, class_="why") if message else Html("")


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
