"""From a finding to the outbox: only the hub can open what was seen of a face."""

import base64
import itertools
from dataclasses import replace
from datetime import timedelta

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.behaviours import BehaviourEvent
from edge.emit import Emitter, Origin
from edge.evidence import EvidenceRing
from edge.findings import (
    BehaviourFinding,
    FaceFinding,
    ObjectFinding,
    PassageFinding,
    PlateFinding,
)
from edge.observe import Reason
from edge.outbox import MemoryOutbox
from edge.passages import Member, Passage
from edge.zones import PlaceEvent
from tests.unit.edge.fakes import T0, FakeFaceDetector, embedding_of, frame, picture
from tests.unit.edge.moments import thing
from wire.codec import decode
from wire.errors import InvalidMessage
from wire.messages import (
    BehaviourObservation,
    CameraObservation,
    Event,
    FaceObservation,
    ObjectObservation,
    PassageMember,
    PassageObservation,
    PlateObservation,
    PlateText,
)
from wire.sealing import unseal
from wire.topics import EdgeTopics

KEY, HUB = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
SCENE = picture(("ann", (100, 80, 190, 170)), ("bob", (400, 80, 490, 170)))


class Box:
    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.outbox, self.ring = MemoryOutbox("0" * 16), EvidenceRing(1 << 20)
        self.detector = FakeFaceDetector()
        self.emitter = Emitter(
            Origin(EdgeTopics("yard", "box"), KEY, lambda: 12),
            self.outbox,
            self.ring,
            hub_key=HUB.public_key(),
            face_detector=self.detector,
            new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}",
            now=lambda: T0,
        )

    def sent(self) -> tuple[str, Event, bytes]:
        (message,) = self.outbox.after(0, 9)
        return message.topic, decode(message.payload).verify(KEY.public_key()), message.payload


COMMON = {
    "track_id": "b-gate-1",
    "revision": 2,
    "reason": Reason.HIGH_QUALITY,
    "first_seen_at": T0,
    "last_seen_at": T0 + timedelta(seconds=2),
    "frames": 7,
    "frame": frame(SCENE, 1.0),
    "box": (100.0, 80.0, 190.0, 170.0),
    "quality": 0.8,
    "detector_score": 0.9,
}
FACE = FaceFinding(
    **COMMON,  # type: ignore[arg-type]
    faces=np.array([[100, 80, 190, 170], [400, 80, 490, 170]], np.float32),
    embedding=embedding_of("ann"),
    seen=None,
    crops=3,
    pack="fake",
    pack_sha256="f" * 64,
)
PLATE = PlateFinding(
    **COMMON,  # type: ignore[arg-type]
    faces=None,
    plate=PlateText(
        text="京A88731",
        plate_type="ordinary",
        colour="blue",
        confidence=0.9,
        province_confidence=0.9,
        char_confidences=(0.9,) * 7,
    ),
    state="confirmed",
    reads=3,
)


def open_jpeg(data: bytes | None) -> np.ndarray:
    assert data is not None
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))


def test_that_a_face_stayed_is_told_with_what_was_told_of_it_and_without_any_picture() -> None:
    box = Box()
    until = T0 + timedelta(seconds=9)
    told = replace(FACE, resumes="b-gate-0", seen=embedding_of("eve"))
    stay = replace(told.without_picture(), revision=3, last_seen_at=until, frames=40)
    observation_id = box.emitter.tell(stay)
    topic, event, payload = box.sent()
    assert topic == "gatehouse/v1/yard/box/gate/observation/face"
    data = event.data
    assert isinstance(data, FaceObservation)
    assert (data.track_id, data.revision, data.frames) == ("b-gate-1", 3, 40)
    assert (data.captured_at, data.last_seen_at) == (T0 + timedelta(seconds=1), until)
    assert (data.evidence, data.clip, data.resumes) == ((), None, "b-gate-0")
    assert box.ring.get(observation_id, "scene") is None
    probe = unseal(data.probe, observation_id, HUB)  # type: ignore[arg-type]
    assert np.array_equal(probe.embedding, FACE.embedding)
    assert probe.seen is not None
    assert np.array_equal(probe.seen, embedding_of("eve"))
    assert probe.crop_jpeg == b""
    assert len(payload) < 2500


def test_a_face_is_sealed_to_the_hub_and_bound_to_its_observation() -> None:
    box = Box()
    observation_id = box.emitter.tell(FACE)
    topic, event, payload = box.sent()
    assert topic == "gatehouse/v1/yard/box/gate/observation/face"
    assert (event.id, event.camera, event.sequence) == (observation_id, "gate", 1)
    assert event.clock_offset_ms == 12
    data = event.data
    assert isinstance(data, FaceObservation)
    assert (data.track_id, data.revision, data.frames) == ("b-gate-1", 2, 7)
    assert data.captured_at == T0 + timedelta(seconds=1)
    probe = unseal(data.probe, observation_id, HUB)
    assert np.array_equal(probe.embedding, embedding_of("ann"))
    assert probe.seen is None
    assert (probe.pack, probe.pack_sha256) == ("fake", "f" * 64)
    assert open_jpeg(probe.crop_jpeg).shape[0] > 90
    with pytest.raises(InvalidMessage):
        unseal(data.probe, "00000000-0000-4000-8000-000000000099", HUB)
    assert probe.crop_jpeg not in payload
    assert base64.b64encode(probe.crop_jpeg)[8:40] not in payload


def test_the_ring_has_what_the_observation_names_with_bystanders_hidden() -> None:
    box = Box()
    observation_id = box.emitter.tell(FACE)
    data = box.sent()[1].data
    assert isinstance(data, FaceObservation)
    assert [item.name for item in data.evidence] == ["scene", "close"]
    scene = open_jpeg(box.ring.get(observation_id, "scene"))
    assert scene.shape == SCENE.shape
    assert np.abs(scene[125, 145].astype(int) - SCENE[125, 145]).max() < 20  # the subject is shown
    hidden, shown = scene[60:190, 380:510], SCENE[60:190, 380:510]
    assert np.abs(hidden.astype(int) - shown).mean() > 15  # the other is not
    assert box.detector.calls == 0  # the camera's own detections served


def test_a_plate_hides_every_face_even_where_the_camera_looks_for_none() -> None:
    box = Box()
    observation_id = box.emitter.tell(PLATE)
    topic, event, _ = box.sent()
    assert topic.endswith("/gate/observation/plate")
    assert isinstance(event.data, PlateObservation)
    assert event.data.crop is not None
    assert open_jpeg(base64.b64decode(event.data.crop.data)).size
    assert box.detector.calls == 1
    scene = open_jpeg(box.ring.get(observation_id, "scene"))
    assert np.abs(scene[60:190, 380:510].astype(int) - SCENE[60:190, 380:510]).mean() > 15


@pytest.mark.parametrize(
    "event",
    [
        PlaceEvent("dwelt", "yard", "zone", thing("b-gate-1", (0.2, 0.5)), 2, stay_s=31.26),
        PlaceEvent("crossed", "in", "line", thing("b-gate-1", (0.2, 0.5)), 7, direction="out"),
    ],
)
def test_an_object_names_its_place_and_hides_every_face(event: PlaceEvent) -> None:
    box = Box()
    finding = ObjectFinding(**COMMON, faces=FACE.faces, event=event)  # type: ignore[arg-type]
    observation_id = box.emitter.tell(finding)
    topic, sent, _ = box.sent()
    data = sent.data
    assert topic.endswith("/gate/observation/object")
    assert isinstance(data, ObjectObservation)
    assert (data.label, data.event, data.count) == ("person", event.event, event.count)
    assert (data.zone, data.line) == (("yard", None) if event.event == "dwelt" else (None, "in"))
    assert (data.direction, data.stay_s) == (event.direction, event.stay_s and 31.3)
    scene = open_jpeg(box.ring.get(observation_id, "scene")).astype(int)
    for x in (145, 445):  # both faces, the one in the object's own box too
        around = slice(60, 190), slice(x - 65, x + 65)
        assert np.abs(scene[around] - SCENE[around]).mean() > 15


def test_a_behaviour_and_a_passage_as_the_wire_has_them() -> None:
    who, ids = thing("b-gate-1", (0.2, 0.5)), "00000000-0000-4000-8000-000000000009"
    event = BehaviourEvent(
        "loitering", who, T0 + timedelta(seconds=90), ("b-gate-1",), 1, T0, "why", zone="yard"
    )
    member = PassageMember(track_id="b-gate-1", label="person", crossed_at=T0, faces=(ids,))
    passage = Passage("gate", "in", (Member(who, T0),), 1)
    common = {**COMMON, "faces": FACE.faces}
    one, other = Box(), Box()
    one.emitter.tell(BehaviourFinding(**common, event=event))  # type: ignore[arg-type]
    other.emitter.tell(
        PassageFinding(**common, passage=passage, members=(member,))  # type: ignore[arg-type]
    )
    told, came = one.sent()[1].data, other.sent()[1].data
    assert isinstance(told, BehaviourObservation)
    assert (told.behaviour, told.zone, told.line, told.stay_s) == ("loitering", "yard", None, 90.0)
    assert (told.since_at, told.reason, told.count) == (T0, "why", 1)
    assert isinstance(came, PassageObservation)
    assert (came.line, came.direction, came.grants) == ("gate", "in", 1)
    assert came.members == (member,)


def test_each_telling_has_an_id_and_a_sequence_of_its_own() -> None:
    box = Box()
    ids = [box.emitter.tell(replace(FACE, revision=n)) for n in range(3)]
    events = [decode(m.payload).event for m in box.outbox.after(0, 9)]
    assert [event.id for event in events] == ids
    assert [event.sequence for event in events] == [1, 2, 3]
    assert len(set(ids)) == 3


def test_a_camera_that_went_away() -> None:
    box = Box()
    box.emitter.tell_camera("gate", CameraObservation(state="offline", captured_at=T0, reason="x"))
    topic, event, _ = box.sent()
    assert topic.endswith("/gate/observation/camera")
    assert event.camera == "gate"
