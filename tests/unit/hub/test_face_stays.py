"""A face that stayed, told again without a picture: one alert that lasts longer; of a stranger, no trace."""

import uuid

from hub.incoming import Incoming
from tests.unit.hub.kit import FakeEdge, HubBench, at, near, unit
from wire.messages import FaceObservation
from wire.sealing import FaceProbe, seal

TRACK = {
    "track_id": "0000-gate-1",
    "frames": 9,
    "box_px": (812.5, 440.0, 934.25, 478.0),
    "frame_size_px": (1920, 1080),
    "quality": 0.91,
    "detector_score": 0.97,
    "crops": 3,
}


def seen(
    bench: HubBench, edge: FakeEdge, embedding, revision: int, until_s: float, crop: bytes = b""
) -> Incoming:
    """One revision of a track that was seen best at 1 s."""
    event_id = str(uuid.uuid4())
    probe = FaceProbe(embedding, "test-pack", "ab" * 32, crop)
    data = FaceObservation.model_validate(
        {
            **TRACK,
            "revision": revision,
            "first_seen_at": at(0),
            "captured_at": at(1),
            "last_seen_at": at(until_s),
            "probe": seal(probe, event_id, bench.opening.public_key()),
        }
    )
    return edge.observation(data, when=at(until_s), event_id=event_id)


def test_a_watched_person_who_stayed_is_one_alert_until_they_went(
    bench: HubBench, edge: FakeEdge
) -> None:
    wang = unit(1)
    bench.enrol(wang)
    face = near(wang, 0.8)
    first = bench.run(seen(bench, edge, face, 0, 1, b"\xff\xd8a face\xff\xd9"))
    bench.now = at(95)
    stayed = bench.run(seen(bench, edge, face, 1, 95))
    assert (first.raised, stayed.raised, stayed.joined) == (1, 0, 1)
    (alert,) = bench.rows("alerts")
    assert (alert["first_seen_at"], alert["last_seen_at"]) == (at(0), at(95))
    assert [row["name"] for row in bench.rows("evidence")] == ["crop"]  # the one that there was
    assert len(bench.rows("events")) == 1  # nobody is told twice


def test_who_is_seen_anew_after_a_stay_longer_than_the_window_raises_no_second_alert(
    bench: HubBench, edge: FakeEdge
) -> None:
    wang = unit(1)
    bench.enrol(wang)
    face = near(wang, 0.8)
    bench.run(seen(bench, edge, face, 0, 1, b"\xff\xd8a face\xff\xd9"))
    bench.run(seen(bench, edge, face, 1, 900))  # they never went away: the window is 600 s
    bench.now = at(910)
    again = bench.run(edge.face(face, bench.opening.public_key(), at(910)))
    assert (again.raised, again.joined, len(bench.rows("alerts"))) == (0, 1, 1)


def test_of_a_stranger_who_stayed_nothing_but_times_and_places_is_left(
    bench: HubBench, edge: FakeEdge
) -> None:
    bench.enrol(unit(1))
    for revision, until_s in enumerate((1, 95)):
        outcome = bench.run(seen(bench, edge, unit(2), revision, until_s))
        assert (outcome.committed, outcome.raised) == (1, 0)
    assert all("probe" not in row["data"] for row in bench.rows("observations"))
    for table in ("evidence", "rule_matches", "recognitions", "alerts"):
        assert bench.rows(table) == []
