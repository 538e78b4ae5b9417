"""Frames picked, times smoothed, retries spread: as timelines."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from edge.timing import Backoff, FramePicker, Increasing, LiveClock


def picked(rate_hz: float, times: list[float]) -> list[float]:
    picker = FramePicker(rate_hz)
    return [t for t in times if picker.picks(t)]


@pytest.mark.parametrize("stream_hz", [5.0, 12.5, 15.0, 24.0, 25.0, 29.97, 50.0])
def test_picks_at_the_analysis_rate_whatever_the_stream_has(stream_hz: float) -> None:
    times = [n / stream_hz for n in range(int(20 * stream_hz))]
    assert len(picked(5.0, times)) == pytest.approx(100, abs=2)


def test_a_stream_slower_than_the_rate_is_picked_whole() -> None:
    times = [n / 3.0 for n in range(30)]
    assert picked(5.0, times) == times


def test_after_a_gap_it_does_not_catch_up() -> None:
    times = [0.0, 0.2, 0.4, 1.3, 1.34, 1.38, 1.42, 1.5]
    assert picked(5.0, times) == [0.0, 0.2, 0.4, 1.3, 1.5]


def test_a_clock_that_jumps_either_way_starts_anew() -> None:
    assert picked(1.0, [100.0, 100.5, 3.0, 3.5, 4.0, 9000.0]) == [100.0, 3.0, 4.0, 9000.0]


def test_live_time_is_smoothed_by_the_stream_and_never_in_the_future() -> None:
    random, clock = Random(1), LiveClock()
    errors = []
    for n in range(500):
        pts_s = n / 25.0
        arrived_s = 1000.0 + pts_s + 0.02 + random.random() * 0.2  # jitter of the network
        captured_s = clock.captured_s(pts_s, arrived_s)
        assert captured_s <= arrived_s + 1e-9
        errors.append(captured_s - (1000.0 + pts_s))
    assert max(errors[100:]) - min(errors[100:]) < 0.03
    assert max(errors[100:]) < 0.05


def test_live_time_follows_a_stream_that_starts_anew_or_falls_behind() -> None:
    clock = LiveClock()
    clock.captured_s(50.0, 100.0)
    assert clock.captured_s(0.0, 130.0) == pytest.approx(130.0)  # the camera was restarted
    assert clock.captured_s(0.04, 140.0) == pytest.approx(140.0)  # ten seconds were lost on the way


def test_times_strictly_increase() -> None:
    increasing, at = Increasing(), datetime(2026, 1, 1, tzinfo=UTC)
    first = increasing.after_last(at)
    second = increasing.after_last(at - timedelta(seconds=5))
    assert second - first == timedelta(milliseconds=1)
    assert increasing.after_last(at + timedelta(seconds=1)) == at + timedelta(seconds=1)


def test_backoff_doubles_within_bounds_and_starts_anew() -> None:
    backoff = Backoff(Random(3), first_s=1.0, most_s=8.0)
    waits = [backoff.next_wait_s() for _ in range(6)]
    for wait_s, whole_s in zip(waits, (1, 2, 4, 8, 8, 8), strict=True):
        assert whole_s / 2 <= wait_s <= whole_s
    assert len(set(waits)) == 6
    backoff.reset()
    assert backoff.next_wait_s() <= 1.0
