"""Codes, tickets and tokens: only this hub makes them, each for one purpose."""

import string
import uuid
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.throttle import Throttle, network_of
from hub.visitors.codes import FORM_LASTS, LONGEST_CODE, Codes, unit_named
from tests.unit.hub.kit import NOW, at

CODES, OTHER = Codes(bytes(32)), Codes(b"k" * 32)
PASS = str(uuid.UUID(int=7))


def test_a_code_is_of_one_unit_one_number_and_one_key() -> None:
    code = CODES.of_unit("rose", "1-101", 1)
    assert unit_named(code) == ("rose", "1-101")
    assert CODES.is_of_unit(code, "rose", "1-101", 1)
    assert not CODES.is_of_unit(code, "rose", "1-101", 2)  # rotated
    assert not CODES.is_of_unit(code, "rose", "1-102", 1)
    assert not OTHER.is_of_unit(code, "rose", "1-101", 1)
    assert set(code) <= set(string.ascii_letters + string.digits + "-_.")


@given(st.text(max_size=40))
def test_what_is_no_code_names_no_unit_of_ours(text: str) -> None:
    named = unit_named(text)
    if named is not None:
        assert not CODES.is_of_unit(text, *named, 1)
    assert CODES.read_ticket(text) is None
    assert CODES.read_form_token(text, text, NOW) is None


@pytest.mark.parametrize("changed", range(0, 41, 4))
def test_a_changed_character_is_noticed(changed: int) -> None:
    code, ticket = CODES.of_unit("rose", "3栋1502", 1), CODES.ticket(PASS)
    for text in (code, ticket):
        other = "A" if text[changed] != "A" else "B"
        forged = text[:changed] + other + text[changed + 1 :]
        named = unit_named(forged)
        assert named is None or not CODES.is_of_unit(forged, *named, 1)
        assert CODES.read_ticket(forged) is None


def test_a_ticket_is_no_code_and_a_code_no_ticket() -> None:
    assert CODES.read_ticket(CODES.ticket(PASS)) == PASS
    assert OTHER.read_ticket(CODES.ticket(PASS)) is None
    assert CODES.read_ticket(CODES.of_unit("rose", "1-101", 1)) is None


def test_a_form_counts_for_its_code_and_its_time() -> None:
    token = CODES.form_token("code", PASS, NOW)
    assert CODES.read_form_token(token, "code", NOW) == PASS
    assert CODES.read_form_token(token, "code", NOW + FORM_LASTS) == PASS
    assert CODES.read_form_token(token, "code", NOW + FORM_LASTS + timedelta(seconds=1)) is None
    assert CODES.read_form_token(token, "other", NOW) is None
    later = token.replace(str(int(NOW.timestamp())), str(int(at(3600).timestamp())))
    assert CODES.read_form_token(later, "code", NOW) is None


def test_the_longest_names_still_make_a_code() -> None:
    code = CODES.of_unit("s" * 63, "u" * 63, 1 << 31)
    assert len(code) <= LONGEST_CODE
    assert unit_named(code) == ("s" * 63, "u" * 63)


class TestThrottle:
    def test_a_burst_then_as_many_as_the_period_allows(self) -> None:
        throttle = Throttle(3, timedelta(seconds=30))
        assert [throttle.hit("a", at(0)) for _ in range(3)] == [None] * 3
        assert throttle.hit("a", at(0)) == timedelta(seconds=10)
        assert throttle.hit("b", at(0)) is None
        assert throttle.hit("a", at(9)) == timedelta(seconds=1)
        assert throttle.hit("a", at(10)) is None
        assert throttle.hit("a", at(10)) is not None
        assert [throttle.hit("a", at(99)) for _ in range(4)][:3] == [None] * 3

    def test_it_remembers_so_many_and_no_more(self) -> None:
        throttle = Throttle(1, timedelta(hours=1))
        for number in range(20_100):
            assert throttle.hit(str(number), at(0)) is None
        assert len(throttle._free_at) == 20_000
        assert throttle.hit("20099", at(0)) is not None

    def test_a_household_is_one_address(self) -> None:
        assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
        assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
        assert network_of("192.0.2.1") != network_of("192.0.2.2")
        assert network_of("testclient") == "testclient"
