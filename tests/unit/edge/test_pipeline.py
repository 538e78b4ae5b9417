"""The pipeline of one camera on painted frames, as timelines of findings."""

import gc
import itertools
import weakref
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.camera import _steps
from edge.closer import RecentFrames
from edge.config import CameraSection, EdgeConfig
from edge.counters import CameraCounters
from edge.findings import (
    BehaviourFinding,
    FaceFinding,
    FaceStay,
    ObjectFinding,
    PassageFinding,
    PlateFinding,
)
from edge.frame import Image, SceneEnd
from edge.grants import Grant, GrantBook
from edge.observe import Reason
from edge.outbox import MemoryOutbox
from edge.pipeline import Finding, Pipeline
from edge.worker import Parts, run
from tests.unit.edge.clips import write_clip
from tests.unit.edge.fakes import (
    PEOPLE,
    T0,
    FakeObjects,
    FakePlates,
    Placed,
    embedding_of,
    fake_networks,
    picture,
    raw,
)
from tests.unit.edge.scenes import Scene as Yard
from tests.unit.edge.test_config import SEAL, VERIFY
from wire.codec import decode

Scene = Callable[[int], list[Placed]]


class Gate:
    """A camera at 5 Hz whose frames are painted."""

    def __init__(self, main_stream: RecentFrames | None = None, **settings: object) -> None:
        numbers = itertools.count(1)
        options = {"id": "gate", "source": "x", "min_face_px": 20, **settings}
        section = CameraSection.model_validate(options)
        self.objects, self.grants = FakeObjects(), GrantBook()
        networks = fake_networks(FakePlates(), self.objects)
        self.counters, self.findings = CameraCounters(), list[tuple[int, Any]]()
        steps = _steps(
            section, networks, main_stream, lambda: f"b-gate-{next(numbers)}", self.grants
        )
        self.pipeline = Pipeline(steps, self.counters, self._tell)
        self.number = 0

    def _tell(self, finding: Finding | FaceStay) -> str:
        self.findings.append((self.number, finding))
        return f"00000000-0000-4000-8000-{len(self.findings):012d}"

    def show(self, *placed: Placed, size: tuple[int, int] = (640, 360)) -> None:
        self.pipeline.process(
            raw(picture(*placed, size=size), 0.2 * self.number, sequence=self.number)
        )
        self.number += 1

    def show_image(self, image: Image) -> None:
        self.pipeline.process(raw(image, 0.2 * self.number, sequence=self.number))
        self.number += 1

    def play(self, frames: int, scene: Scene) -> None:
        for n in range(frames):
            self.show(*scene(n))

    def told(self) -> list[tuple[int, str, int, Reason]]:
        return [(n, f.track_id, f.revision, f.reason) for n, f in self.findings]


class Scenery:
    """What is behind the people: grey walls and windows, other ones for each `seed`."""

    def __init__(self, seed: int) -> None:
        grey = cv2.resize(Yard(seed, noise=0.0).at(0.0), (640, 360)) // 2 + 60
        self._image = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)

    def with_face(self, name: str, box: tuple[int, int, int, int]) -> Image:
        x1, y1, x2, y2 = box
        image = self._image.copy()
        image[y1:y2, x1:x2] = PEOPLE[name]
        return image


def nearest_person(embedding: np.ndarray) -> str:
    return max(PEOPLE, key=lambda name: float(embedding_of(name) @ embedding))


def walker(name: str, side: int, *, speed: int = 10, x: int = 50, y: int = 80) -> Scene:
    return lambda n: [(name, (x + speed * n, y, x + speed * n + side, y + side))]


def test_nobody_nothing() -> None:
    gate = Gate()
    gate.play(20, lambda n: [])
    gate.pipeline.end_scene(SceneEnd("over"))
    assert gate.findings == []
    assert gate.counters.analysed + gate.counters.still == 20
    assert gate.counters.still > 10  # no network ran while nothing moved


def test_a_good_face_is_told_in_its_first_frame() -> None:
    gate = Gate()
    gate.play(8, walker("ann", 90))
    (number, finding), *_ = gate.findings
    assert (number, finding.track_id, finding.reason) == (0, "b-gate-1", Reason.HIGH_QUALITY)
    assert isinstance(finding, FaceFinding)
    assert np.array_equal(finding.embedding, embedding_of("ann"))
    assert finding.box == (50, 80, 140, 170)
    # And once more, when three crops agree: what they say together is surer.
    assert gate.told()[1:] == [(5, "b-gate-1", 1, Reason.AGREEING_CROPS)]


def test_poorer_crops_are_told_once_three_agree() -> None:
    gate = Gate()
    gate.play(10, walker("ann", 50))
    assert gate.told() == [(2, "b-gate-1", 0, Reason.AGREEING_CROPS)]
    assert gate.counters.recognised == 5  # the best five, not all ten


def test_a_face_that_passes_quickly_is_told_when_its_track_ends() -> None:
    gate = Gate()
    gate.play(2, walker("ann", 50))
    gate.play(12, lambda n: [])
    assert [(t, r) for _, t, _, r in gate.told()] == [("b-gate-1", Reason.TRACK_ENDED)]


def test_a_clearly_better_crop_is_told_again_under_the_same_track() -> None:
    gate = Gate()
    gate.play(30, lambda n: [("ann", (100, 50, 140 + 2 * n, 90 + 2 * n))])  # comes nearer
    told = gate.told()
    assert {track for _, track, _, _ in told} == {"b-gate-1"}
    assert [revision for _, _, revision, _ in told] == list(range(len(told)))
    assert {reason for _, _, _, reason in told[1:]} == {Reason.BETTER_CROP}
    qualities = [finding.quality for _, finding in gate.findings]
    assert all(b >= a + 0.15 for a, b in itertools.pairwise(qualities))
    frames = [finding.frames for _, finding in gate.findings]
    assert frames == sorted(frames)


def test_faces_too_small_are_not_followed_but_counted() -> None:
    gate = Gate(min_face_px=40)
    gate.play(8, walker("ann", 30))
    gate.pipeline.end_scene(SceneEnd("over"))
    assert gate.findings == []
    assert gate.counters.faces > 0


def test_two_people_are_two_tracks_and_each_knows_of_both_faces() -> None:
    gate = Gate()
    gate.play(6, lambda n: walker("ann", 80)(n) + walker("bob", 80, x=400)(n))
    findings = [finding for _, finding in gate.findings]
    assert len({finding.track_id for finding in findings}) == 2
    for finding in findings:
        assert finding.faces is not None
        assert len(finding.faces) == 2


def test_someone_else_on_the_same_track_becomes_a_track_of_its_own() -> None:
    gate = Gate()
    gate.play(6, walker("ann", 50, speed=0))
    gate.play(16, walker("bob", 50, speed=0))  # stepped into the very place
    gate.pipeline.end_scene(SceneEnd("over"))
    by_track = {f.track_id: f for _, f in gate.findings if isinstance(f, FaceFinding)}
    assert len(by_track) == 2
    people = [f.embedding for f in by_track.values()]
    assert np.array_equal(people[0], embedding_of("ann"))
    assert np.array_equal(people[1], embedding_of("bob"))


def test_a_plate_is_told_once_its_reading_is_confirmed() -> None:
    gate = Gate()
    gate.play(10, lambda n: [("京A88731", (50 + 40 * n, 200, 110 + 40 * n, 220))])
    (number, finding), *rest = gate.findings
    assert isinstance(finding, PlateFinding)
    assert (finding.plate.text, finding.state, finding.reads) == ("京A88731", "confirmed", 2)
    assert number == 1
    assert rest == []


def test_two_cars_in_line_are_two_plates() -> None:
    gate = Gate()
    gate.play(6, lambda n: [("京A88731", (50 + 30 * n, 200, 110 + 30 * n, 220))])
    gate.play(12, lambda n: [])
    gate.play(6, lambda n: [("沪B12345", (50 + 30 * n, 200, 110 + 30 * n, 220))])
    texts = [f.plate.text for _, f in gate.findings if isinstance(f, PlateFinding)]
    assert texts == ["京A88731", "沪B12345"]


def test_a_plate_alone_has_had_no_faces_looked_for_where_the_camera_does_none() -> None:
    gate = Gate(faces=False)
    gate.play(4, lambda n: [("京A88731", (50, 200, 110, 220)), ("ann", (300, 50, 400, 150))])
    assert [f.faces for _, f in gate.findings] == [None]


def test_who_stands_still_is_still_followed() -> None:
    gate = Gate()
    gate.play(40, walker("ann", 90, speed=0))
    assert gate.counters.still == 0
    assert [revision for _, _, revision, _ in gate.told()] == [0, 1]


def seconds(finding: Finding | FaceStay) -> tuple[float, float]:
    """From when until when it was seen."""
    times = (finding.first_seen_at, finding.last_seen_at)
    return tuple(round((at - T0).total_seconds(), 1) for at in times)  # type: ignore[return-value]


def test_until_when_a_face_stayed_is_told_once_it_has_gone() -> None:
    gate = Gate()
    gate.play(40, walker("ann", 90, speed=0))
    told = gate.findings[-1][1]
    gate.play(12, lambda n: [])
    ((_, stay),) = gate.findings[2:]
    assert isinstance(stay, FaceStay)
    assert (stay.track_id, stay.revision, stay.reason) == ("b-gate-1", 2, Reason.STAYED)
    assert (seconds(stay), stay.frames) == ((0.0, 7.8), 40)
    assert stay.captured_at == told.captured_at  # what was told last, again
    assert np.array_equal(stay.embedding, told.embedding)
    gate.pipeline.end_scene(SceneEnd("over"))
    assert len(gate.findings) == 3  # and that is all


def test_who_walks_by_is_not_told_of_once_more() -> None:
    gate = Gate()
    gate.play(15, walker("ann", 90))
    gate.play(12, lambda n: [])
    assert [reason for _, _, _, reason in gate.told()] == [
        Reason.HIGH_QUALITY,
        Reason.AGREEING_CROPS,
    ]


def test_who_waits_for_long_is_told_of_now_and_then_with_a_picture_of_that_moment() -> None:
    gate = Gate()
    gate.play(330, walker("ann", 90, speed=0))
    still = [f for _, f in gate.findings if f.reason is Reason.STILL_THERE]
    times = [seconds(f)[1] for _, f in gate.findings][1:]
    assert len(still) == 1
    assert 60.0 <= times[1] - times[0] < 63.0  # with the next look after a minute
    for finding in still:
        assert isinstance(finding, FaceFinding)
        assert finding.captured_at == finding.last_seen_at


def test_a_plate_that_stands_is_not_told_of_again() -> None:
    gate = Gate()
    gate.play(330, lambda n: [("京A88731", (50, 200, 110, 220))])
    gate.pipeline.end_scene(SceneEnd("over"))
    assert len(gate.findings) == 1


def test_whom_another_person_replaced_is_told_until_the_last_crop_that_was_surely_theirs() -> None:
    gate = Gate()
    gate.play(30, walker("ann", 90, speed=0))
    gate.play(30, walker("bob", 90, speed=0))  # stepped into the very place at 6 s
    gate.pipeline.end_scene(SceneEnd("over"))
    last = {f.track_id: seconds(f) for _, f in gate.findings}
    (ann_from, ann_until), (bob_from, bob_until) = last["b-gate-1"], last["b-gate-2"]
    assert (ann_from, bob_until) == (0.0, 11.8)
    assert 3.0 <= ann_until < 6.0 <= bob_from  # crops are looked at every 2 s


def test_a_face_in_another_view_is_another_track_though_it_is_in_the_same_place() -> None:
    gate, yard, lobby = Gate(), Scenery(1), Scenery(2)
    for n in range(16):
        scenery, name = (yard, "ann") if n < 8 else (lobby, "bob")
        gate.show_image(scenery.with_face(name, (300, 100, 390, 190)))
    by_track = {f.track_id: f for _, f in gate.findings if isinstance(f, FaceFinding)}
    assert [nearest_person(f.embedding) for f in by_track.values()] == ["ann", "bob"]
    first_of_bob = next(f for _, f in gate.findings if f.track_id == "b-gate-2")
    assert seconds(first_of_bob) == (1.6, 1.6)  # told at once, in the first frame of the new view
    assert all(seconds(f)[1] <= 1.4 for _, f in gate.findings if f.track_id == "b-gate-1")


def resumed(gate: Gate) -> dict[str, str | None]:
    """For each track that was told of, the one that it goes on from."""
    return {f.track_id: f.resumes for _, f in gate.findings}


def goes_and_somebody_comes(
    name: str, away: int, *, scene_ends: bool = False, keep: bool = False, **settings: object
) -> Gate:
    """Ann goes, and `name` comes after so many frames; with `keep` the scene then goes on."""
    gate = Gate(motion_gate=False, **settings)
    gate.play(10, walker("ann", 90, speed=0))
    gate.play(away, lambda n: [])
    if scene_ends:
        gate.pipeline.end_scene(SceneEnd("the camera went away"))
    gate.play(10, walker(name, 50, speed=0, x=400))  # not seen well enough for one crop to do
    if not keep:
        gate.pipeline.end_scene(SceneEnd("over"))
    return gate


def test_who_comes_back_within_seconds_is_taken_up_again_as_a_track_of_its_own() -> None:
    gate = goes_and_somebody_comes("ann", 60)
    assert resumed(gate) == {"b-gate-1": None, "b-gate-2": "b-gate-1"}
    again = [f for _, f in gate.findings if f.track_id == "b-gate-2"]
    assert seconds(again[0])[0] == 14.0  # its times are its own
    assert again[0].crops == 5
    assert again[0].quality == 0.5  # and so is how well it is seen
    assert isinstance(again[0], FaceFinding)
    assert again[0].seen is not None  # what is seen now can be told from what was seen before


@pytest.mark.parametrize(
    ("name", "away", "scene_ends"), [("bob", 60, False), ("ann", 160, False), ("ann", 10, True)]
)
def test_somebody_else_or_much_later_or_in_another_scene_nobody_is_taken_up(
    name: str, away: int, scene_ends: bool
) -> None:
    gate = goes_and_somebody_comes(name, away, scene_ends=scene_ends)
    assert resumed(gate) == {"b-gate-1": None, "b-gate-2": None}


@pytest.mark.parametrize(("memory_s", "taken_up"), [(0, None), (5, None), (20, "b-gate-1")])
def test_a_site_says_for_how_long_a_face_is_remembered(
    memory_s: float, taken_up: str | None
) -> None:
    gate = goes_and_somebody_comes("ann", 60, face_memory_s=memory_s)
    assert resumed(gate)["b-gate-2"] == taken_up


def test_who_is_seen_from_other_sides_when_she_comes_back_is_still_remembered() -> None:
    gate = goes_and_somebody_comes("ann", 20, keep=True)
    faces = gate.pipeline._steps.faces
    assert faces is not None
    sides = [(0.9, embedding_of(name)) for name in ("ann", "bob", "eve")]
    faces._tracks["b-gate-2"].fusion._seen = sides  # crops that no longer agree with one another
    gate.play(20, lambda n: [])
    gate.play(10, walker("ann", 50, speed=0, x=200))
    gate.pipeline.end_scene(SceneEnd("over"))
    assert resumed(gate) == {"b-gate-1": None, "b-gate-2": "b-gate-1", "b-gate-3": "b-gate-2"}
    assert faces._taken_up == {}


def test_a_memory_of_nothing_holds_nobody_for_a_moment() -> None:
    gate = Gate(motion_gate=False, face_memory_s=0)
    faces = gate.pipeline._steps.faces
    assert faces is not None
    gate.play(10, walker("ann", 90, speed=0))
    held = []
    for _ in range(12):
        gate.show()
        held.append(len(faces._recent))
    assert held == [0] * 12  # not even in the frame in which she is lost


def test_who_went_is_forgotten_though_nobody_comes() -> None:
    gate = Gate()
    gate.play(10, walker("ann", 90, speed=0))
    faces = gate.pipeline._steps.faces
    assert faces is not None
    gate.play(20, lambda n: [])
    assert len(faces._recent) == 1
    gate.play(180, lambda n: [])
    assert len(faces._recent) == 0


def test_the_end_of_a_scene_ends_the_tracks() -> None:
    gate = Gate()
    gate.play(2, walker("ann", 50))
    gate.pipeline.end_scene(SceneEnd("the camera went away"))
    assert [reason for _, _, _, reason in gate.told()] == [Reason.TRACK_ENDED]
    gate.play(1, walker("ann", 90))
    assert gate.told()[-1][1] == "b-gate-2"


@pytest.mark.parametrize("near_s", [0.1, 5.0])
def test_crops_come_from_the_main_stream_where_it_has_a_frame_near_in_time(near_s: float) -> None:
    main = RecentFrames()
    gate = Gate(main)
    big = picture(("ann", (300, 240, 620, 560)), size=(1920, 1080))
    main.add(raw(big, near_s))
    gate.show(("ann", (100, 80, 206, 186)))  # the same, at a third
    ((_, finding),) = gate.findings
    is_near = near_s < 1
    assert finding.frame.size_px == ((1920, 1080) if is_near else (640, 360))
    assert finding.box == ((300, 240, 620, 560) if is_near else (100, 80, 206, 186))
    assert (finding.faces is None) == is_near  # they are looked for in the picture that is shown
    assert finding.first_seen_at <= finding.frame.captured_at <= finding.last_seen_at


def test_a_face_too_small_on_the_sub_stream_is_large_enough_on_the_main_one() -> None:
    main = RecentFrames()
    gate = Gate(main, min_face_px=60)
    main.add(raw(picture(("ann", (300, 240, 390, 330)), size=(1920, 1080)), 0.0))
    gate.show(("ann", (100, 80, 130, 110)))
    assert [f.box for _, f in gate.findings] == [(300, 240, 390, 330)]


def test_frames_are_let_go_once_they_are_told() -> None:
    gate = Gate()
    kept = []
    for n in range(20):
        frame = raw(picture(*walker("ann", 90, speed=2)(n)), 0.2 * n, sequence=n)
        kept.append(weakref.ref(frame.pixels.image))  # type: ignore[attr-defined]
        gate.pipeline.process(frame)
        del frame
    gate.findings.clear()
    gc.collect()
    assert sum(reference() is not None for reference in kept) <= 1


RIGHT = {"id": "right", "polygon": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}
GATE = {"id": "gate", "start": [0.5, 1.0], "end": [0.5, 0.0]}
YARD = {"faces": False, "plates": False, "objects": True, "zones": [RIGHT], "lines": [GATE]}


def objects_told(gate: Gate) -> list[tuple[str, str, str | None]]:
    told = [finding for _, finding in gate.findings]
    assert all(isinstance(finding, ObjectFinding) for finding in told)
    return [(f.event.event, f.event.place, f.event.direction) for f in told]


def across(name: str, speed: int = 20) -> Scene:
    """From the left to the right half in 30 frames, and out of the picture."""
    return lambda n: [(name, (20 + speed * n, 100, 60 + speed * n, 220))]


def test_who_walks_over_the_line_into_the_zone_is_told_as_that() -> None:
    gate = Gate(**YARD)
    gate.play(32, across("person"))
    gate.play(30, lambda n: [])
    assert objects_told(gate) == [
        ("crossed", "gate", "in"),
        ("entered", "right", None),
        ("left", "right", None),
    ]
    tracks = {finding.track_id for _, finding in gate.findings}
    assert len(tracks) == 1
    crossed = gate.findings[0][1]
    assert crossed.frame.captured_at == crossed.last_seen_at
    assert 290 < (crossed.box[0] + crossed.box[2]) / 2 < 360  # it is shown where it crosses


def test_a_car_that_parks_is_told_once_however_long_it_stands() -> None:
    gate = Gate(**{**YARD, "zones": [{**RIGHT, "dwell_s": 20}], "lines": []})

    def parks(n: int) -> list[Placed]:
        x = min(20 + 20 * n, 420)
        return [("car", (x, 100, x + 120, 180))]

    gate.play(20, parks)
    gate.play(900, lambda n: parks(99))  # three minutes
    assert objects_told(gate) == [("entered", "right", None), ("dwelt", "right", None)]
    assert gate.findings[-1][1].event.object.parked
    assert gate.counters.still > 600  # it does not keep the networks at work


def test_a_privacy_zone_hides_people_from_every_network(tmp_path: Path) -> None:
    """Through the camera itself: what is captured is masked before anything looks at it."""
    clip = write_clip(
        tmp_path / "gate.mp4",
        (picture(*across("person")(n), ("ann", (500, 20, 590, 110))) for n in range(30)),
        rate_hz=5,
    )
    objects = FakeObjects()
    section = {"id": "gate", "source": str(clip), "pace": "asap", **YARD, "faces": True}
    section["privacy"] = [[[0, 0], [0.6, 0], [0.6, 1], [0, 1]]]
    config = {
        "edge": {"site": "yard", "id": "box", "data_dir": tmp_path / "data"},
        "broker": {"host": "127.0.0.1"},
        "hub": {"verify_key": VERIFY, "sealing_key": SEAL},
        "models": {"objects": "x"},
        "cameras": [section],
    }
    outbox = MemoryOutbox("0" * 16)
    networks = fake_networks(objects=objects)
    parts = Parts(networks=networks, outbox=outbox, publish=False)
    run(EdgeConfig.model_validate(config), parts)
    assert len(objects.pictures) > 20
    assert all(not image[:, : round(0.6 * 640)].any() for image in objects.pictures)
    assert any((image[:, 400:] > 0).any() for image in objects.pictures)
    kinds = {decode(m.payload).event.data.kind for m in outbox.after(0, 99)}
    assert {"camera", "face"} <= kinds  # ann stands beside it and is seen


def test_two_on_one_grant_are_a_passage_with_the_face_that_was_seen_and_a_tailgater() -> None:
    door = {"line": "gate", "device": "door"}
    gate = Gate(
        objects=True,
        lines=[GATE],
        passages=[door],
        behaviours=[{"kind": "tailgating", "direction": "in", **door}],
    )
    gate.grants.connected("door", T0 - timedelta(minutes=1))
    gate.grants.add(Grant("door", T0 + timedelta(seconds=1), "card", "17"))

    def two(n: int) -> list[Placed]:
        """Ann, whose face is seen, and someone behind her."""
        x = 200 + 12 * n
        face = ("ann", (x + 20, 64, x + 60, 104))
        return [("person", (x, 60, x + 80, 260)), face, ("person", (x - 130, 60, x - 50, 260))]

    gate.play(34, two)
    gate.play(40, lambda n: [])
    told = [finding for _, finding in gate.findings]
    (passage,) = [f for f in told if isinstance(f, PassageFinding)]
    (tailgating,) = [f for f in told if isinstance(f, BehaviourFinding)]
    faces = {i + 1 for i, finding in enumerate(told) if isinstance(finding, FaceFinding)}
    first, second = passage.members
    assert {int(observation[-12:]) for observation in first.faces} == faces
    assert second.faces == ()
    assert passage.passage.grants == 1
    assert tailgating.event.tracks == (second.track_id, first.track_id)
    assert passage.frame.captured_at == first.crossed_at  # it is shown as they crossed
    assert tailgating.frame.captured_at == second.crossed_at


def test_a_car_in_the_fire_lane_is_told_once_while_nothing_else_moves() -> None:
    lane = {"kind": "blocked_lane", "zone": "right", "stay_s": 60}
    gate = Gate(**{**YARD, "lines": [], "behaviours": [lane]})
    gate.play(900, lambda n: [("car", (min(20 + 20 * n, 420), 100, min(140 + 20 * n, 540), 180))])
    (finding,) = [f for _, f in gate.findings if isinstance(f, BehaviourFinding)]
    assert 60 <= finding.event.stay_s < 66
    assert gate.counters.still > 600
