"""What visitors type, and in which language they are answered."""

from dataclasses import fields
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest

from hub.passes import LONGEST, PassKind
from hub.visitors.form import check, empty, read_form
from hub.visitors.markup import Html, join, tag
from hub.visitors.words import WORDS, choose
from tests.unit.hub.kit import NOW, PLATE

ZONE = ZoneInfo("Asia/Shanghai")  # where NOW is 2026-11-06 01:25
GOOD = {
    "kind": "visit", "name": "赵女士", "plate": "京a·12345", "since": "2026-11-06T09:00",
    "until": "2026-11-06T18:00", "agree": "yes",
}  # fmt: skip


def wrong(ask_phone: bool = False, **changes: str) -> dict[str, str]:
    return dict(check({**GOOD, **changes}, WORDS["en"], ZONE, NOW, ask_phone=ask_phone).wrong)


def test_what_is_right() -> None:
    filled = check(GOOD, WORDS["zh"], ZONE, NOW, ask_phone=False)
    assert filled.wrong == {}
    assert (filled.name, filled.plate, filled.kind) == ("赵女士", PLATE, PassKind.VISIT)
    assert filled.valid_from is not None
    assert filled.valid_from.isoformat() == "2026-11-06T09:00:00+08:00"
    assert wrong(plate="") == {}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"kind": "party"}, "kind", "choose"),
        ({"name": ""}, "name", "what to call you"),
        ({"name": "x" * 41}, "name", "at most 40"),
        ({"name": "a\u202eb"}, "name", "what to call you"),
        ({"plate": "hello"}, "plate", "does not look like a number plate"),
        ({"plate": "京A12345" * 9}, "plate", "does not look like"),
        ({"kind": "tenant_car", "plate": ""}, "plate", "needs its number plate"),
        ({"since": "tomorrow"}, "since", "a date and a time"),
        ({"until": "2026-11-06T08:59"}, "until", "end after it begins"),
        ({"until": "2026-11-13T09:01"}, "until", "at most 7 days"),
        ({"since": "2026-12-07T09:00", "until": "2026-12-07T10:00"}, "since", "30 days ahead"),
        ({"agree": ""}, "agree", "if you agree"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(changes, field: str, message: str) -> None:
    found = wrong(**changes)
    assert list(found) == [field]
    assert message in found[field]


def test_a_tenants_car_may_stay_longer() -> None:
    assert LONGEST[PassKind.TENANT_CAR].days == 366
    assert wrong(kind="tenant_car", until="2027-11-06T09:00") == {}
    assert "366 days" in wrong(kind="tenant_car", until="2027-11-08T09:00")["until"]


def test_a_telephone_number_is_taken_only_where_it_is_asked_for() -> None:
    unasked = check({**GOOD, "phone": "138 0000 0000"}, WORDS["en"], ZONE, NOW, ask_phone=False)
    assert (unasked.phone, dict(unasked.wrong)) == (None, {})
    asked = check({**GOOD, "phone": "138 0000 0000"}, WORDS["en"], ZONE, NOW, ask_phone=True)
    assert asked.phone == "138 0000 0000"
    assert wrong(ask_phone=True) == {}
    assert "telephone" in wrong(ask_phone=True, phone="call me")["phone"]


def test_a_form_is_read_as_far_as_it_is_known() -> None:
    body = urlencode({**GOOD, "name": "  赵\r\n 女士 ", "role": "admin"}).encode()
    assert read_form(body) == {**GOOD, "name": "赵 女士"}
    for bad in (b"\xff", b"name=%ff", b"&".join(b"a=%d" % n for n in range(99))):
        with pytest.raises(ValueError, match=r"."):
            read_form(bad)


def test_an_empty_form_is_a_visit_from_now() -> None:
    values = empty(NOW, ZONE).values
    assert (values["since"], values["until"]) == ("2026-11-06T01:25", "2026-11-06T05:25")
    assert wrong(since=values["since"], until=values["until"]) == {}


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [
        ("", "", "zh"),
        ("", "en-GB,en;q=0.9", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "en;q=0.5, zh;q=0.8", "zh"),
        ("", "fr, en;q=0.1", "en"),
        ("", "en;q=0, fr", "zh"),
        ("", "en;q=lots;;,,", "zh"),
        ("en", "zh-CN", "en"),
        ("xx", "en", "en"),
    ],
)
def test_the_language(asked: str, header: str, language: str) -> None:
    assert choose(asked, header).language == language


def test_both_languages_say_the_same_things() -> None:
    for one in fields(WORDS["zh"]):
        texts = [getattr(WORDS[name], one.name) for name in ("zh", "en")]
        assert all(texts), one.name
        places = [sorted(text.split("{")[n].split("}")[0] for n in range(1, text.count("{") + 1))
                  for text in texts]  # fmt: skip
        assert places[0] == places[1], one.name


def test_text_is_never_markup() -> None:
    assert tag("p", "<b>&", title='"<') == '<p title="&quot;&lt;">&lt;b&gt;&amp;</p>'
    assert tag("input", name="x", checked=True, value=None) == '<input name="x" checked>'
    assert join("<", Html("<br>")) == "&lt;<br>"
