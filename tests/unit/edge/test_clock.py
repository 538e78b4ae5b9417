"""The offset from the hub's clock, from messages that took their time."""

from datetime import timedelta

from edge.clock import ClockOffset
from tests.unit.edge.fakes import T0


def hear(clock: ClockOffset, ahead_s: float, *delays_ms: int) -> None:
    for delay_ms in delays_ms:
        sent = T0 + timedelta(seconds=ahead_s)
        clock.heard(sent, T0 + timedelta(milliseconds=delay_ms))


def test_nothing_heard_nothing_known() -> None:
    assert ClockOffset().offset_ms is None


def test_the_message_with_the_least_delay_counts() -> None:
    clock = ClockOffset()
    hear(clock, 3.0, 80, 15, 200)
    assert clock.offset_ms == 2985


def test_drift_is_followed() -> None:
    clock = ClockOffset()
    hear(clock, 3.0, *[20] * 40)
    hear(clock, 2.5, *[20] * 40)
    assert clock.offset_ms == 2480


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    clock = ClockOffset()
    hear(clock, 1_700_000_000.0, 20, 30)  # this box had started in 1970
    hear(clock, 0.5, 20)
    assert clock.offset_ms == 480
