"""Presence of a camera, as timelines: away, back, and no flapping."""

from edge.online import Change, OnlineState


def play(
    pictures: list[float], until_s: float, failures: dict[float, str] | None = None
) -> list[tuple[float, str]]:
    """Changes as (time, state): pictures at these seconds, a tick every tenth."""
    state, changes = OnlineState(0.0), []
    events = {round(t, 1): "picture" for t in pictures}
    for tenth in range(int(until_s * 10)):
        t = tenth / 10
        if failures and t in failures:
            state.failed(failures[t])
        change = state.picture(t) if t in events else None
        for found in (change, state.tick(t)):
            if isinstance(found, Change):
                changes.append((t, found.state))
    return changes


def every(step_s: float, start_s: float, end_s: float) -> list[float]:
    count = round((end_s - start_s) / step_s)
    return [round(start_s + n * step_s, 1) for n in range(count)]


def test_the_first_picture_counts_at_once() -> None:
    assert play([0.5], 5.0) == [(0.5, "online")]


def test_a_camera_that_never_comes_is_away_once() -> None:
    assert play([], 60.0) == [(8.0, "offline")]


def test_short_gaps_are_no_change() -> None:
    assert play([0.0, 5.0, 12.0, 19.0], 25.0) == [(0.0, "online")]


def test_away_and_back_is_told_once_each() -> None:
    pictures = every(0.2, 0.0, 10.0) + every(0.2, 40.0, 60.0)
    changes = play(pictures, 60.0)
    assert [state for _, state in changes] == ["online", "offline", "online"]
    assert 17.0 < changes[1][0] < 18.5
    assert 43.0 <= changes[2][0] < 43.5  # after three steady seconds


def test_a_flapping_camera_stays_offline() -> None:
    pictures = [0.0] + [20.0 + 12.0 * n for n in range(10)]  # one picture now and then
    assert play(pictures, 140.0) == [(0.0, "online"), (8.0, "offline")]


def test_the_reason_and_the_time_are_those_of_the_loss() -> None:
    state = OnlineState(0.0)
    state.picture(1.0)
    state.failed("Connection refused")
    change = state.tick(12.0)
    assert change == Change("offline", 1.0, "Connection refused")


def test_while_we_are_too_slow_to_take_a_picture_its_silence_says_nothing() -> None:
    state = OnlineState(0.0)
    state.picture(1.0)
    state.held_up(60.0)
    assert state.tick(60.1) is None
    assert state.tick(67.9) is None
    change = state.tick(68.1)
    assert change is not None
    assert change.state == "offline"


def test_a_camera_whose_first_picture_nobody_took_has_not_stayed_away() -> None:
    state = OnlineState(0.0)
    state.held_up(30.0)
    assert state.tick(37.0) is None
