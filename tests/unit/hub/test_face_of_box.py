"""Faces that the box has matched, and faces that are no living ones, as the hub takes them."""

import uuid

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.unit.hub.kit import NOW, PACK_SHA, FakeEdge, HubBench, near, unit
from tests.unit.hub.test_privacy import traces
from wire.messages import FaceCandidate, FaceCandidates, FaceObservation, Liveness
from wire.sealing import FaceProbe, seal, seal_crop

CROP = b"\xff\xd8" + bytes(range(256)) * 8 + b"\xff\xd9"
NOT_LIVE = Liveness(score=0.02, state="spoof", mode="enforce", crops=3, pack_sha256="cd" * 32)


def told_by_box(edge: FakeEdge, bench: HubBench, subject_id: str, key=None, **changes):
    event_id = str(uuid.uuid4())
    known_as = bench.slice_ids.pseudonym(edge.id, subject_id)
    found = {
        "reason": "match",
        "pack": "test-pack",
        "pack_sha256": PACK_SHA,
        "slice_version": 3,
        "threshold": 0.5,
        "candidates": (FaceCandidate(subject_id=known_as, similarity=0.75),),
        "margin": 0.3,
    }
    crop = seal_crop(CROP, event_id, key or bench.opening.public_key())
    if changes.get("reason", "match") != "match":
        found.update(candidates=(), margin=None)
        crop = None
    data = FaceObservation(
        **edge._track(NOW, ()), candidates=FaceCandidates(**{**found, **changes}), crop=crop
    )
    return edge.observation(data, when=NOW, event_id=event_id)


def test_a_match_of_the_box_raises_an_alert_with_its_picture(
    bench: HubBench, edge: FakeEdge
) -> None:
    subject = bench.enrol(unit(1))
    outcome = bench.run(told_by_box(edge, bench, subject))
    assert (outcome.raised, dict(outcome.reasons)) == (1, {"face.match": 1})
    (alert,) = bench.rows("alerts")
    assert (alert["match"]["subject_id"], alert["match"]["similarity"]) == (subject, 0.75)
    (picture,) = [row for row in bench.rows("evidence") if row["name"] == "crop"]
    assert picture["data"] == CROP


def test_a_subject_that_is_watched_for_no_more_raises_nothing(
    bench: HubBench, edge: FakeEdge
) -> None:
    """The box may still hold a slice that the hub has since replaced."""
    outcome = bench.run(told_by_box(edge, bench, str(uuid.uuid4())))
    assert (outcome.committed, outcome.raised) == (1, 0)
    assert traces(bench.folder, CROP) == []


def test_an_id_that_the_hub_never_gave_to_this_box_is_nobody(
    bench: HubBench, edge: FakeEdge
) -> None:
    subject = bench.enrol(unit(1))
    anothers = bench.slice_ids.pseudonym("box-2", subject)
    for forged in (subject, anothers):
        candidates = (FaceCandidate(subject_id=forged, similarity=0.9),)
        outcome = bench.run(told_by_box(edge, bench, subject, candidates=candidates))
        assert dict(outcome.reasons) == {"face.unknown_subject": 1}
        assert outcome.raised == 0
    assert traces(bench.folder, CROP) == []


def test_why_it_is_nobody_is_counted_and_no_more(bench: HubBench, edge: FakeEdge) -> None:
    outcome = bench.run(told_by_box(edge, bench, str(uuid.uuid4()), reason="expired"))
    assert dict(outcome.reasons) == {"face.expired": 1}
    (row,) = bench.rows("observations")
    assert not {"candidates", "crop", "probe"} & set(row["data"])


def test_a_crop_sealed_to_another_hub_is_a_dead_letter(bench: HubBench, edge: FakeEdge) -> None:
    subject = bench.enrol(unit(1))
    other = X25519PrivateKey.generate().public_key()
    outcome = bench.run(told_by_box(edge, bench, subject, key=other))
    assert (outcome.rejected, outcome.raised) == (1, 0)
    assert bench.rows("dead_letters")[0]["reason"] == "wrong_key"


def test_a_spoof_is_nobody_where_liveness_is_enforced(bench: HubBench, edge: FakeEdge) -> None:
    wang = unit(1)
    bench.enrol(wang)
    why = {}
    for liveness in (NOT_LIVE, NOT_LIVE.model_copy(update={"mode": "observe"})):
        event_id = str(uuid.uuid4())
        probe = FaceProbe(near(wang, 0.9), "test-pack", PACK_SHA, CROP)
        data = FaceObservation(
            **edge._track(NOW, ()),
            probe=seal(probe, event_id, bench.opening.public_key()),
            liveness=liveness,
        )
        outcome = bench.run(edge.observation(data, when=NOW, event_id=event_id))
        why[liveness.mode] = (dict(outcome.reasons), outcome.raised)
    assert why == {"enforce": ({"face.spoof": 1}, 0), "observe": ({"face.match": 1}, 1)}
    first, _ = bench.rows("observations")
    assert first["data"]["liveness"]["state"] == "spoof"
