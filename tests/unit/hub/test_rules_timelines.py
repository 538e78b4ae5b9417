"""Every kind of rule on a timeline, through the real pipeline and store: at 01:25:00 this, expect that."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.rules import KINDS
from tests.unit.hub.kit import FakeEdge
from tests.unit.hub.timeline import Timeline

Play = Callable[[str, str], Timeline]


@pytest.fixture
def play(tmp_path: Path, edge: FakeEdge, empty_database: Path) -> Iterator[Play]:
    started: list[Timeline] = []

    def run(rule: str, text: str) -> Timeline:
        timeline = Timeline(tmp_path, edge, empty_database, rule)
        started.append(timeline)
        timeline.play(text)
        return timeline

    yield run
    for timeline in started:
        timeline.bench.store.close()


def test_plate_watchlist(play: Play) -> None:
    play(
        'kind = "plate_watchlist"\nseverity = "red"\n',
        """
        12:00:01 浙G12345 is listed
        12:10:00 car 浙G99999 at gate-in
        expect nothing
        12:11:00 car 浙G12345 at gate-in
        expect red alert "read exactly as listed: 浙G12345"
        12:12:00 car 浙G12345 at gate-in
        expect nothing
        """,
    )


def test_face_watchlist(play: Play) -> None:
    play(
        'kind = "face_watchlist"\nseverity = "yellow"\n',
        """
        12:00:01 Wang is missing
        12:05:00 Zhao's face
        expect nothing
        12:06:00 Wang's face
        expect yellow alert "the face is Wang's: similarity 1.00 (at least 0.53), nobody else to compare with"
        """,
    )


def test_missing_person(play: Play) -> None:
    play(
        'kind = "missing_person"\n',
        """
        12:00:01 Wang is missing
        12:06:00 Wang's face
        expect red alert "missing: Wang is seen at gate north; the face is Wang's: similarity 1.00 (at least 0.53), nobody else to compare with"
        12:07:00 Wang's face
        expect nothing
        """,  # noqa: E501 - what a guard reads
    )


def test_unregistered_vehicle(play: Play) -> None:
    play(
        """
        kind = "unregistered_vehicle"
        severity = "blue"
        gates = ["north"]
        [[schedule.hours]]
        since = "22:00"
        until = "06:00"
        """,
        """
        22:30:00 car 京C00001 at gate-in
        # a site without a register is no site of strangers
        expect nothing
        22:31:00 京A00001 is registered
        22:32:00 car 京A00001 at gate-in
        22:33:00 京B00002 gets a pass of 3-1502 until 23:00
        22:34:00 car 京B00002 at gate-in
        22:35:00 car 京C00001 at gate-in read with 0.5
        22:36:00 car 京C00001 at south-in
        expect nothing
        22:37:00 car 京C00001 at gate-in
        expect blue alert "京C00001 is not registered here and has no pass"
        23:30:00 car 京B00002 at gate-in
        expect blue alert "京B00002 is not registered here and has no pass"
        06:00:00 car 京D00003 at gate-in
        expect nothing
        """,
    )


def test_a_registered_plate_that_may_have_been_misread_is_let_be(play: Play) -> None:
    play(
        'kind = "unregistered_vehicle"\nseverity = "blue"\n',
        """
        12:01:00 京A12346 is registered
        # every reading in these tests has the alternative 京A12346
        12:02:00 car 京A12345 at gate-in
        expect nothing
        """,
    )


def test_unregistered_person(play: Play) -> None:
    timeline = play(
        'kind = "unregistered_person"\nseverity = "blue"\ncameras = ["gate-in"]\n',
        """
        12:01:00 Zhao's face
        # nobody is enrolled: nobody is a stranger
        expect nothing
        12:02:00 Wang is enrolled as a resident of 3-1502
        12:03:00 Wang's face
        expect nothing
        12:04:00 Zhao's face
        expect blue alert "somebody who is not enrolled is where only enrolled persons belong"
        """,
    )
    # Of the stranger nothing is kept: no picture came along or was asked for.
    assert timeline.bench.rows("evidence") == []
    assert [row["subject_id"] for row in timeline.bench.rows("recognitions")] == [
        timeline.people["Wang"]
    ]


def test_accompanied_entry(play: Play) -> None:
    timeline = play(
        'kind = "accompanied_entry"\nseverity = "red"\ncompanions = 3\n',
        """
        12:02:00 Wang is enrolled as a resident of 3-1502
        12:02:30 Li is enrolled as a resident of 3-1502
        13:00:00 come in together: Zhao, Qian, Sun, Zhou
        13:10:00 come in together: Wang, Li, Zhao
        13:20:00 come out together: Wang, Zhao, Qian, Sun
        expect nothing
        13:29:59 the hub is restarted
        13:30:00 come in together: Wang, Zhao, Qian, somebody unseen
        expect red alert "a resident of 3-1502 came through with 3 who are no resident"
        13:31:00 come in together: Wang, Zhao, Qian, Sun
        expect nothing
        """,
    )
    (alert,) = timeline.bench.rows("alerts")
    facts = alert["match"]["facts"]
    assert facts == {"residents": 1, "others": 2, "not_seen": 1, "units": "3-1502"}
    assert len(alert["match"]["observations"]) == 3


def test_accompanied_entry_by_faces_at_a_gate_without_a_line(play: Play) -> None:
    play(
        'kind = "accompanied_entry"\nseverity = "yellow"\ncompanions = 2\ntogether_s = 10\n',
        """
        12:02:00 Wang is enrolled as a resident of 3-1502
        13:00:00 Zhao's face
        13:00:20 Wang's face
        13:00:21 the hub is restarted
        13:00:23 Qian's face
        expect nothing
        13:00:26 Sun's face
        expect yellow alert "a resident of 3-1502 came through with 2 who are no resident"
        """,
    )


def test_tailgating(play: Play) -> None:
    play(
        'kind = "accompanied_entry"\nseverity = "blue"\ncompanions = 5\ntailgating = true\n',
        """
        13:00:00 come in together: Zhao on 1 release
        13:01:00 come in together: Zhao, Qian on 2 releases
        expect nothing
        13:02:00 come in together: Zhao, somebody unseen on 1 release
        expect blue alert "2 people came through on 1 release of the door"
        13:30:00 edge says person tailgating at gate, 2, for 3 s
        expect blue alert "somebody followed through the gate: as the edge saw it"
        """,
    )


def test_restricted_zone(play: Play) -> None:
    play(
        """
        kind = "restricted_zone"
        severity = "yellow"
        zones = ["roof", "plant-room"]
        min_stay_s = 30
        """,
        """
        13:00:00 person enters roof
        13:00:20 person stays in roof for 20 s
        13:01:00 person stays in lobby for 90 s
        13:01:10 car stays in roof for 90 s
        expect nothing
        13:02:00 person stays in roof for 45 s
        expect yellow alert "a person is in roof of camera gate-in for 45 s"
        """,
    )


def test_line_crossing(play: Play) -> None:
    play(
        """
        kind = "line_crossing"
        severity = "blue"
        zones = ["wall"]
        direction = "in"
        violations = ["wrong_way"]
        labels = ["person", "car"]
        """,
        """
        13:00:00 person crosses wall going out
        13:00:10 person crosses gate going in
        13:00:20 bicycle crosses wall going in
        expect nothing
        13:01:00 person crosses wall going in
        expect blue alert "a person crossed wall of camera gate-in, going in"
        13:20:00 edge says car wrong_way at wall, 1, for 2 s
        expect blue alert "a car at wall of camera gate-in: as the edge saw it"
        """,
    )


def test_loitering(play: Play) -> None:
    play(
        'kind = "loitering"\nseverity = "blue"\nmin_stay_s = 120\nzones = ["entrance"]\n',
        """
        13:00:00 person stays in entrance for 60 s
        expect nothing
        13:02:00 person stays in entrance for 125 s
        expect blue alert "a person has been at entrance of camera gate-in for 2 min"
        13:20:00 edge says person loitering at entrance, 1, for 300 s
        expect blue alert "a person has been at entrance of camera gate-in for 5 min"
        """,
    )


def test_crowding(play: Play) -> None:
    play(
        'kind = "crowding"\nseverity = "yellow"\nat_least = 8\n',
        """
        13:00:00 person enters square making 7
        13:00:10 car enters square making 9
        expect nothing
        13:00:30 person enters square making 8
        expect yellow alert "8 are at square of camera gate-in at once"
        13:20:00 edge says person crowding at square, 12, for 60 s
        expect yellow alert "12 are at square of camera gate-in at once"
        """,
    )


def test_vehicle_prowling(play: Play) -> None:
    play(
        """
        kind = "vehicle_prowling"
        severity = "red"
        vehicles = 2
        [[schedule.hours]]
        days = ["thu", "holiday"]
        since = "23:00"
        until = "05:00"
        """,
        """
        22:59:59 person prowls 3 cars in parking for 90 s
        01:20:00 person prowls 1 cars in parking for 20 s
        expect nothing
        # Thursday's hours reach into Friday
        01:25:00 person prowls 3 cars in parking for 90 s
        expect red alert "a person went to 3 parked vehicles within 90 s at parking of camera gate-in"
        01:29:00 person prowls 4 cars in parking for 200 s
        expect nothing
        05:00:00 person prowls 4 cars in parking for 200 s
        expect nothing
        """,
    )


def test_blocked_lane(play: Play) -> None:
    play(
        'kind = "blocked_lane"\nseverity = "yellow"\nzones = ["fire-lane"]\nmin_stay_s = 60\n',
        """
        13:00:00 car stays in fire-lane for 90 s
        13:00:10 car stays in fire-lane for 30 s parked
        13:00:20 person stays in fire-lane for 90 s
        expect nothing
        13:02:00 car stays in fire-lane for 61 s parked
        expect yellow alert "a car has blocked fire-lane of camera gate-in for 61 s"
        """,
    )


def test_ebike_indoors(play: Play) -> None:
    play(
        'kind = "ebike_indoors"\nseverity = "yellow"\nzones = ["lift"]\n',
        """
        13:00:00 bicycle enters lift
        13:00:10 ebike enters yard
        expect nothing
        13:01:00 ebike enters lift
        expect yellow alert "an e-bike is at lift of camera gate-in"
        """,
    )


def test_overstay(play: Play) -> None:
    play(
        """
        kind = "overstay"
        severity = "blue"
        exit_cameras = ["gate-out"]
        grace_s = 600
        """,
        """
        13:00:00 京B00002 gets a pass of 3-1502 until 15:00
        13:00:01 京B00003 gets a pass of 3-1503 until 15:00
        13:00:02 京B00004 gets a pass of 3-1504 until 15:00
        13:01:00 car 京B00002 at gate-in
        13:02:00 car 京B00003 at gate-in
        14:59:00 car 京B00003 at gate-out
        15:09:00 nothing happens
        # the third never came, the second has left
        expect nothing
        15:09:59 the hub is restarted
        15:10:00 nothing happens
        expect blue alert "京B00002, a visitor of 3-1502, is still here 10 min after its pass ended"
        15:10:05 the hub is restarted
        16:10:00 nothing happens
        expect nothing
        """,
    )


def test_cloned_plate(play: Play) -> None:
    play(
        """
        kind = "cloned_plate"
        severity = "yellow"
        min_travel_s = 60
        [[ways]]
        between = ["north", "yard"]
        min_travel_s = 10
        """,
        """
        13:00:00 car 京B00002 at gate-in
        13:00:05 car 京B00002 at gate-out
        13:00:20 car 京B00002 at yard
        13:00:40 car 京B00002 at south-in read with 0.7
        expect nothing
        13:00:41 the hub is restarted
        13:00:50 car 京B00002 at south-in
        expect yellow alert "京B00002 was at south of rosegarden and at yard of rosegarden within 30 s"
        """,
    )


def test_absence(play: Play) -> None:
    play(
        'kind = "absence"\nseverity = "yellow"\nhours = 24\n',
        """
        12:01:00 Wang is enrolled as a resident of 3-1502
        12:01:30 Wang lives alone
        12:02:00 Wang's face
        1d+11:00:00 Zhao's face
        1d+12:03:00 nothing happens
        expect yellow alert "a resident of 3-1502 who lives alone has not been seen for 24 h"
        1d+12:04:00 the hub is restarted
        1d+15:00:00 nothing happens
        expect nothing
        1d+16:00:00 Wang's face
        2d+15:00:00 Zhao's face
        2d+15:59:00 nothing happens
        expect nothing
        """,
    )


def test_water_is_a_sign_of_life_and_a_blind_hub_says_nothing(play: Play) -> None:
    play(
        'kind = "absence"\nseverity = "yellow"\nhours = 24\n',
        """
        12:01:00 Wang is enrolled as a resident of 3-1502
        12:01:30 Wang lives alone
        12:02:00 Wang's face
        # no camera of the site has seen anybody since
        1d+13:00:00 nothing happens
        expect nothing
        1d+14:00:00 flat 3-1502: water 10.0
        1d+15:00:00 flat 3-1502: water 10.1
        1d+16:00:00 Zhao's face
        expect nothing
        """,
    )


def test_vacant_unit(play: Play) -> None:
    play(
        """
        kind = "vacant_unit"
        severity = "blue"
        medium = "water"
        over_h = 24
        vacant_above = 0.2
        occupied_below = 0.01
        """,
        """
        12:01:00 flat 3-1502 is vacant
        12:01:01 flat 3-1503 is occupied
        12:02:00 flat 3-1502: water 10.0
        12:02:01 flat 3-1503: water 10.0
        12:02:02 flat 3-9999: water 10.0
        18:00:00 flat 3-1502: water 10.1
        18:00:01 flat 3-1503: water 10.0
        expect nothing
        18:30:00 the hub is restarted
        20:02:00 flat 3-1502: water 10.3
        expect blue alert "3-1502 is said to be empty and used 0.30 m³ of water in 8 h"
        1d+12:02:01 flat 3-1503: water 10.0
        expect blue alert "3-1503 is occupied and used 0.00 m³ of water in 24 h"
        1d+12:05:00 flat 3-9999: water 90.0
        expect nothing
        """,
    )


def test_camera_fault(play: Play) -> None:
    play(
        'kind = "camera_fault"\nseverity = "blue"\nfor_s = 60\nstates = ["offline", "covered"]\n',
        """
        13:00:00 camera is offline
        13:00:30 camera is online
        13:01:30 camera is too_dark
        13:05:00 nothing happens
        expect nothing
        14:00:00 camera is covered
        14:00:30 the hub is restarted
        14:00:59 nothing happens
        expect nothing
        14:01:01 nothing happens
        expect blue alert "camera gate-in is covered for 60 s: no frame for 10 s"
        14:30:00 nothing happens
        expect nothing
        """,
    )


def test_a_camera_fault_that_raises_at_once(play: Play) -> None:
    play(
        'kind = "camera_fault"\nseverity = "blue"\nfor_s = 0\n',
        """
        13:00:00 camera is offline
        expect blue alert "camera gate-in is offline: no frame for 10 s"
        13:00:05 nothing happens
        expect nothing
        """,
    )


def test_edge_fault(play: Play) -> None:
    play(
        'kind = "edge_fault"\nseverity = "yellow"\noffline_s = 120\nclock_off_ms = 2000\n',
        """
        13:00:00 the box is online
        13:01:00 car 京B00002 at gate-in
        13:01:30 the box's clock is off by 1500 ms
        13:02:00 car 京B00002 at gate-in
        expect nothing
        13:02:10 the box's clock is off by -5200 ms
        13:02:30 car 京B00002 at gate-in
        expect yellow alert "the clock of edge box box-1 is 5.2 s fast"
        13:02:40 the box's clock is off by 0 ms
        13:03:00 the box is offline
        13:04:59 nothing happens
        expect nothing
        13:05:00 nothing happens
        expect yellow alert "edge box box-1 has gone offline, 2 min ago last heard of"
        13:06:00 the hub is restarted
        13:09:00 nothing happens
        expect nothing
        """,
    )


def test_every_kind_has_its_timeline() -> None:
    """The tests above are named for the kinds."""
    named = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(KINDS) <= named
