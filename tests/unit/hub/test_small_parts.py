"""Vault, access, enrolment's own rules, deduplication of wills: what needs no database."""

import pytest

from hub.access import SCOPES, Actor, Role, Scope, new_token, token_hash
from hub.audit import Act, append, first_break
from hub.vault import Vault
from hub.watchlist import CATEGORIES, MOVES, Category, EntryState, ListKind, Refused, check_move
from tests.unit.hub.kit import at, entry, unit
from wire.errors import StoreError


class TestVault:
    def test_a_template_comes_back_as_it_was(self) -> None:
        vault, embedding = Vault(bytes(32)), unit(1, 512)
        sealed = vault.seal(embedding, "t", "s", "p")
        assert (vault.open(sealed, "t", "s", "p") == embedding).all()
        assert sealed != vault.seal(embedding, "t", "s", "p")  # never twice the same
        assert embedding.tobytes()[:16] not in sealed

    @pytest.mark.parametrize("place", [("t2", "s", "p"), ("t", "s2", "p"), ("t", "s", "p2")])
    def test_it_cannot_be_given_to_another(self, place: tuple[str, str, str]) -> None:
        vault = Vault(bytes(32))
        sealed = vault.seal(unit(1), "t", "s", "p")
        with pytest.raises(StoreError):
            vault.open(sealed, *place)
        for damaged in (sealed[:-1], b"", sealed[:20]):
            with pytest.raises(StoreError):
                vault.open(damaged, "t", "s", "p")
        with pytest.raises(StoreError, match=r"templates\.key"):
            Vault(bytes([1]) * 32).open(sealed, "t", "s", "p")


class TestAccess:
    def test_approving_is_apart_from_requesting_but_for_an_admin(self) -> None:
        both = {Scope.WATCHLISTS_WRITE, Scope.WATCHLISTS_APPROVE}
        assert [role for role, scopes in SCOPES.items() if both <= scopes] == [Role.ADMIN]
        assert set(SCOPES) == set(Role)

    def test_tokens_are_long_and_their_hashes_say_nothing(self) -> None:
        one, two = new_token(), new_token()
        assert one != two
        assert len(one) >= 43
        assert token_hash(one) != token_hash(two)
        assert one not in token_hash(one)
        assert Actor("a", Role.GUARD).may(Scope.ALERTS_READ)
        assert not Actor("a", Role.GUARD).may(Scope.LOOK_UP)


class TestWatchlist:
    def test_every_category_is_of_some_list(self) -> None:
        assert set().union(*CATEGORIES.values()) == set(Category)
        assert set(CATEGORIES) == set(ListKind)

    def test_what_has_ended_never_comes_back(self) -> None:
        assert MOVES[EntryState.REMOVED] == MOVES[EntryState.EXPIRED] == frozenset()
        for state in (EntryState.REMOVED, EntryState.EXPIRED):
            for to in EntryState:
                with pytest.raises(Refused):
                    check_move(entry(state=state), to)

    def test_active_is_approved_and_not_expired(self) -> None:
        listed = entry(expires_at=at(10))
        assert listed.is_active(at(9.99))
        assert not listed.is_active(at(10))
        assert not entry(state=EntryState.PENDING).is_active(at(0))


def test_the_chain_shows_what_was_taken_out_changed_or_put_in() -> None:
    records, last = [], None
    for n in range(4):
        last = append(Act("ann", "x", f"t{n}", details={"n": n}), at(n), last)
        records.append(last)
    assert first_break(records) is None
    assert first_break([]) is None
    assert first_break(records[1:]) == 2
    assert first_break([records[0], *records[2:]]) == 3
    forged = append(Act("eve", "x", "t"), at(1), records[0])
    assert first_break([records[0], forged, *records[2:]]) == 3
