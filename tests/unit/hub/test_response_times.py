from hub.response_times import STEPS, Spread, report, response_times, spread
from tests.unit.hub.kit import at

NOTHING_YET = {name: None for step in STEPS.values() for name in step}
SEEN = {**NOTHING_YET, "captured_at": at(0), "raised_at": at(2)}


def test_the_times_of_one_alert() -> None:
    alert = {
        **SEEN, "told_at": at(3), "acknowledged_at": at(62), "on_scene_at": at(302),
        "closed_at": at(902),
    }  # fmt: skip
    assert response_times(alert) == {
        "seen_to_raised_s": 2.0,
        "raised_to_told_s": 1.0,
        "raised_to_acknowledged_s": 60.0,
        "acknowledged_to_on_scene_s": 240.0,
        "raised_to_on_scene_s": 300.0,
        "raised_to_closed_s": 900.0,
    }


def test_what_is_still_to_come_has_no_time() -> None:
    times = response_times(SEEN)
    assert times.pop("seen_to_raised_s") == 2.0
    assert set(times.values()) == {None}


def test_an_edge_whose_clock_is_ahead_gives_no_negative_time() -> None:
    assert response_times({**SEEN, "captured_at": at(9)})["seen_to_raised_s"] == 0.0


def test_the_spread_of_nothing() -> None:
    assert spread([]) == Spread(0, None, None, None)


def test_the_spread_is_by_nearest_rank() -> None:
    assert spread([float(n) for n in range(10, 0, -1)]) == Spread(10, 5.0, 9.0, 10.0)
    assert spread([7.0]) == Spread(1, 7.0, 7.0, 7.0)


def test_a_report_counts_only_what_has_happened() -> None:
    told = {**SEEN, "told_at": at(6)}
    figures = report([SEEN, told])
    assert figures["seen_to_raised_s"].count == 2
    assert figures["raised_to_told_s"] == Spread(1, 4.0, 4.0, 4.0)
    assert figures["raised_to_closed_s"].count == 0
