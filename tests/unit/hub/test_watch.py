"""What is watched for follows the store, one change at a time as well as all at once."""

import pytest

from hub.gallery import Gallery
from hub.store import watchlists
from hub.watch import WatchKeeper
from hub.watchlist import EntryState
from tests.unit.hub.kit import NOW, PACK_SHA, PLATE, HubBench, accept, at, entry, unit


@pytest.fixture
def keeper(bench: HubBench) -> WatchKeeper:
    return WatchKeeper(bench.vault, Gallery("test-pack", PACK_SHA, 128, accept))


def seen(bench: HubBench, keeper: WatchKeeper, seconds: float = 0.0):
    with bench.store.read() as tx:
        watched = keeper.current(tx, at(seconds))
    subjects = {s for s in watched.entries if watched.gallery.templates_of(s)}
    return subjects, {plate for plate in watched.entries if plate in watched.plates}


def test_each_change_is_seen_at_once_and_is_as_if_all_were_read(
    bench: HubBench, keeper: WatchKeeper
) -> None:
    assert seen(bench, keeper) == (set(), set())
    wang, li = bench.enrol(unit(1), "Wang"), bench.enrol(unit(2), "Li")
    assert seen(bench, keeper) == ({wang, li}, set())
    listed = bench.watch(entry())
    assert seen(bench, keeper) == ({wang, li}, {PLATE})
    with bench.store.write() as tx:
        watchlists.remove_entries_of(tx, wang)
        watchlists.set_state(tx, listed, EntryState.REMOVED)
    assert seen(bench, keeper) == ({li}, set())
    with bench.store.write() as tx:
        watchlists.erase_subject(tx, li, NOW)
    assert seen(bench, keeper) == (set(), set())
    assert len(keeper._watched.gallery) == 0


def test_only_what_changed_is_read(bench: HubBench, keeper: WatchKeeper, monkeypatch) -> None:
    bench.enrol(unit(1))
    seen(bench, keeper)
    opened = []
    inner = bench.vault.open
    monkeypatch.setattr(
        type(bench.vault), "open", lambda self, *a: opened.append(a[1]) or inner(*a)
    )
    bench.enrol(unit(2))
    seen(bench, keeper)
    assert len(opened) == 1


def test_what_expires_is_gone_from_that_second(bench: HubBench, keeper: WatchKeeper) -> None:
    wang = bench.enrol(unit(1), expires_at=at(100))
    bench.watch(entry(expires_at=at(50)))
    assert seen(bench, keeper) == ({wang}, {PLATE})
    assert seen(bench, keeper, 50) == ({wang}, set())
    assert seen(bench, keeper, 99) == ({wang}, set())
    assert seen(bench, keeper, 100) == (set(), set())


def test_changes_that_were_forgotten_mean_that_all_is_read(bench: HubBench) -> None:
    with bench.store.write() as tx:
        since = watchlists.version(tx)
        watchlists.changed(tx, "a")
        watchlists.changed(tx, "b")
        assert watchlists.changes(tx, since, since + 2) == {"a", "b"}
        assert watchlists.changes(tx, since + 1, since + 2) == {"b"}
        assert watchlists.changes(tx, since - 1, since + 2) is None
        assert watchlists.changes(tx, None, since) is None
        assert watchlists.changes(tx, since + 5, since) is None
        watchlists.changed(tx)
        assert watchlists.changes(tx, since, since + 3) is None
