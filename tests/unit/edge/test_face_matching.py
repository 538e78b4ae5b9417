"""The slice of the gallery in a box, as a timeline; and that nothing of a face but candidates leaves it."""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.emit import Emitter, Origin
from edge.evidence import EvidenceRing
from edge.face_matching import FaceMatcher
from edge.face_matching_box import BoxMatching
from edge.findings import FaceFinding
from edge.outbox import SqliteOutbox
from models.faces.decision import Evidence
from tests.unit.edge.fakes import T0, FakeEmbedder, FakeFaceDetector, embedding_of
from tests.unit.edge.test_emit import FACE
from wire.codec import decode, encode
from wire.errors import InvalidMessage
from wire.keys import load_or_create_signing_key, sealing_key
from wire.messages import Event, FaceObservation, GalleryErase, GallerySlice
from wire.sealing import unseal_crop
from wire.slices import SliceTerms, Templates, open_part, slice_parts
from wire.topics import EdgeTopics

HUB, OPENING = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
TOPICS = EdgeTopics("yard", "box-1")
SURE, UNSURE = Evidence(0.9, 5), Evidence(0.5, 1)
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
OBSERVATION = "0192f7a0-1111-4222-8333-444455556666"


def somebody(seed: int) -> np.ndarray:
    """An embedding that cannot be in a file by chance."""
    row = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    return row / np.linalg.norm(row)


def traces(folder: Path, *needles: bytes) -> list[str]:
    """The files that hold one of the needles, raw or in base64 at any alignment."""
    forms = [form for needle in needles for form in _forms(needle)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]


def _forms(needle: bytes) -> list[bytes]:
    return [needle, *(base64.b64encode(needle[shift : shift + 36]) for shift in range(3))]


def hours(count: float) -> datetime:
    return NOW + timedelta(hours=count)


def templates(*names: str) -> Templates:
    return Templates(
        tuple(f"id-of-{name}" for name in names), np.stack([*map(embedding_of, names)])
    )


@dataclass
class Box:
    """A box, and the hub's side of it."""

    folder: Path
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.matching = BoxMatching(
            self.folder, TOPICS, FakeEmbedder(), hub_key=HUB.public_key(), now=lambda: self.now
        )

    def parts(self, version: int, given: Templates, **changes) -> list[GallerySlice]:
        terms = SliceTerms("yard", "box-1", version, "fake", "f" * 64, 0.5, 0.1, hours(24))
        key = sealing_key(self.matching.status.sealing_key)
        return list(slice_parts(replace(terms, **changes), given, key))

    def give(self, version: int, *names: str, **changes):
        return [self.command(part) for part in self.parts(version, templates(*names), **changes)][
            -1
        ]

    def command(self, command: GallerySlice | GalleryErase):
        event = Event(
            id=OBSERVATION,
            site="yard",
            origin="hub",
            time=self.now,
            data=command,
        )
        return self.matching.command(command, encode(event, HUB))

    def who(self, name: str, evidence: Evidence = SURE):
        found = self.matching.search(embedding_of(name), "f" * 64, evidence)
        return found.reason, [candidate.subject_id for candidate in found.candidates]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "gallery")


def test_without_a_slice_nobody_is_anybody(box: Box) -> None:
    assert box.who("ann") == ("no_slice", [])
    assert box.matching.status.held.version == 0


def test_who_is_in_the_slice_is_found_and_nobody_else(box: Box) -> None:
    reply = box.give(3, "ann", "bob")
    assert (reply.state, reply.version, reply.templates) == ("active", 3, 2)
    assert box.who("ann") == ("match", ["id-of-ann"])
    assert box.who("eve") == ("below_threshold", [])
    assert box.matching.search(embedding_of("ann"), "e" * 64, SURE).reason == "other_pack"
    assert box.matching.status.held.templates == 2


def test_an_empty_slice_is_in_force_too(box: Box) -> None:
    empty = Templates((), np.zeros((0, 16), np.float32))
    (part,) = box.parts(1, empty)
    assert box.command(part).state == "active"
    assert box.who("ann") == ("empty_gallery", [])


def test_the_answer_is_the_decision_of_the_hub(box: Box) -> None:
    box.give(1, "ann", "bob")
    row = 0.53 * embedding_of("ann") + np.sqrt(1 - 0.53**2) * embedding_of("eve")
    strong = box.matching.search(row.astype(np.float32), "f" * 64, SURE)
    assert (strong.reason, strong.threshold) == ("weak_evidence", 0.5)  # among two alone
    between = ((embedding_of("ann") + embedding_of("bob")) / np.sqrt(2)).astype(np.float32)
    assert box.matching.search(between, "f" * 64, SURE).reason == "no_margin"
    sure = box.matching.search(embedding_of("ann"), "f" * 64, UNSURE)
    assert (sure.reason, sure.margin) == ("match", pytest.approx(1.0))


def test_what_was_seen_before_helps_only_whom_the_face_is_most_like_now(box: Box) -> None:
    box.give(1, "ann", "bob")

    def who(now: str, share: float, before: str):
        row = share * embedding_of(now) + np.sqrt(1 - share**2) * embedding_of("eve")
        found = box.matching.search(embedding_of(before), "f" * 64, SURE, row.astype(np.float32))
        return found.reason, [candidate.subject_id for candidate in found.candidates]

    assert who("ann", 0.3, "ann") == ("match", ["id-of-ann"])
    assert who("bob", 0.3, "ann") == ("below_threshold", [])
    assert who("bob", 0.9, "ann") == ("match", ["id-of-bob"])
    assert who("bob", 0.9, "eve") == ("match", ["id-of-bob"])
    assert who("bob", 0.3, "eve") == ("below_threshold", [])


def test_parts_may_come_in_any_order_and_count_once_all_are_there(box: Box) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(9000, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    many = Templates(tuple(f"s{n}" for n in range(9000)), rows)
    parts = box.parts(1, many)
    assert len(parts) > 2
    replies = [box.command(part) for part in [*reversed(parts[1:]), parts[1], parts[0]]]
    assert [reply.state for reply in replies if reply] == ["active"]
    found = box.matching.search(rows[8999], "f" * 64, SURE)
    assert found.candidates[0].subject_id == "s8999"


def test_several_templates_of_one_subject_are_one_candidate(box: Box) -> None:
    twice = Templates(("a", "a"), np.stack([embedding_of("ann"), embedding_of("bob")]))
    (part,) = box.parts(1, twice)
    box.command(part)
    assert box.who("ann") == box.who("bob") == ("match", ["a"])


def test_a_newer_version_replaces_the_one_before_and_no_older_one_comes_back(box: Box) -> None:
    box.give(2, "ann")
    box.give(5, "bob")
    assert (box.who("ann")[0], box.who("bob")[0]) == ("below_threshold", "match")
    reply = box.give(4, "ann")
    assert (reply.state, reply.version) == ("refused", 4)
    assert "older than 5" in reply.reason
    assert box.give(5, "bob").state == "active"  # sent again
    box.start()
    assert box.give(2, "ann").state == "refused"  # also after it was started again
    assert box.who("bob")[0] == "match"


def test_a_slice_works_through_an_outage_until_it_expires(box: Box) -> None:
    box.give(1, "ann")
    box.now = hours(23.9)
    box.start()  # nothing was heard of the hub meanwhile, and the power failed
    assert box.who("ann")[0] == "match"
    box.now = hours(24)
    assert box.who("ann")[0] == "expired"
    assert box.matching.tick().state == "erased"
    assert box.matching.tick() is None
    box.now = hours(1)  # a clock that is set back makes nothing valid again
    assert box.who("ann")[0] == "expired"
    assert box.give(2, "ann", expires_at=hours(20)).state == "refused"
    assert list(box.folder.glob("*.part")) == []


def test_what_has_expired_while_the_box_was_off_is_erased_at_start(box: Box) -> None:
    box.give(1, "ann")
    box.now = hours(30)
    box.start()
    assert box.who("ann")[0] == "no_slice"
    assert list(box.folder.glob("*.part")) == []


def test_it_erases_on_command_and_for_good(box: Box) -> None:
    parts = box.parts(3, templates("ann"))
    box.command(parts[0])
    reply = box.command(GalleryErase(up_to_version=3))
    assert (reply.state, reply.version) == ("erased", 3)
    assert box.who("ann") == ("no_slice", [])
    assert list(box.folder.glob("*.part")) == []
    assert box.command(parts[0]).state == "refused"
    box.start()
    assert box.command(parts[0]).state == "refused"
    assert box.matching.status.oldest_version == 4
    assert box.give(4, "ann").state == "active"


def test_erasing_an_older_version_leaves_the_newer_one(box: Box) -> None:
    box.give(5, "ann")
    box.command(GalleryErase(up_to_version=4))
    assert box.who("ann")[0] == "match"


def test_templates_of_other_networks_or_for_another_box_are_refused(box: Box) -> None:
    assert "made with" in box.give(1, "ann", pack_sha256="e" * 64).reason
    assert "cannot be opened" in box.give(2, "ann", edge="box-2").reason
    narrow = Templates(("a",), np.ones((1, 1), np.float32))
    (part,) = box.parts(3, narrow)
    assert "templates of 1" in box.command(part).reason
    (part,) = box.parts(4, templates("ann"))
    short = part.model_copy(update={"templates": 2})
    assert "were announced" in box.command(short).reason
    assert box.who("ann") == ("no_slice", [])


def test_the_memory_of_what_is_erased_is_overwritten() -> None:
    matcher = FaceMatcher("fake", "f" * 64, 16)
    given = templates("ann")
    terms = SliceTerms("yard", "box-1", 1, "fake", "f" * 64, 0.5, 0.1, hours(24))
    (part,) = slice_parts(terms, given, OPENING.public_key())
    matcher.take(part, lambda: given, NOW)
    held = matcher._held
    assert held is not None
    matcher.erase(1)
    assert not held.rows.any()
    assert not given.rows.any()


def test_what_is_on_the_disk_is_sealed_and_only_the_hubs_is_believed(box: Box) -> None:
    (part,) = box.parts(1, Templates(("id-of-somebody",), somebody(1)[None]))
    assert box.command(part).state == "active"
    assert traces(box.folder, somebody(1).tobytes(), b"id-of-somebody") == []
    (file,) = box.folder.glob("*.part")
    assert file.stat().st_mode & 0o077 == (box.folder / "opening.key").stat().st_mode & 0o077 == 0
    (part,) = box.parts(2, templates("eve"))
    event = Event(id=OBSERVATION, site="yard", origin="hub", time=NOW, data=part)
    file.write_bytes(encode(event, Ed25519PrivateKey.generate()))
    box.start()
    assert box.who("eve") == ("no_slice", [])


def emit(
    box: Box, folder: Path, embedding: np.ndarray, face: FaceFinding = FACE
) -> FaceObservation:
    outbox = SqliteOutbox(folder / "outbox.db", "0" * 16, capacity_bytes=1 << 24)
    signing = load_or_create_signing_key(folder / "signing.key")
    emitter = Emitter(
        Origin(TOPICS, signing, lambda: 0),
        outbox,
        EvidenceRing(1 << 24),
        hub_key=OPENING.public_key(),
        face_detector=FakeFaceDetector(),
        new_id=lambda: OBSERVATION,
        now=lambda: T0,
        matching=box.matching,
    )
    emitter.tell(replace(face, embedding=embedding))
    (stored,) = outbox.after(0, 9)
    assert traces(folder, embedding.tobytes()) == []
    assert (folder / "outbox.db-wal").stat().st_size > 0  # it was looked at too
    outbox.close()
    assert not any(form in stored.payload for form in _forms(embedding.tobytes()))
    event = decode(stored.payload).verify(signing.public_key())
    assert isinstance(event.data, FaceObservation)
    assert event.data.probe is None
    return event.data


def test_the_search_for_traces_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" + base64.b64encode(b"y" + somebody(1).tobytes()))
    assert traces(tmp_path, somebody(1).tobytes()) == ["x"]


def test_of_a_match_candidates_and_a_sealed_crop_leave_the_box_and_no_embedding(
    box: Box, tmp_path: Path
) -> None:
    """Neither on the wire nor on the disk, and not in what is sealed to the hub either."""
    (part,) = box.parts(1, Templates(("id-of-somebody",), somebody(1)[None]))
    box.command(part)
    told = emit(box, tmp_path, somebody(1))
    assert told.candidates is not None
    assert [c.subject_id for c in told.candidates.candidates] == ["id-of-somebody"]
    assert told.crop is not None
    jpeg = unseal_crop(told.crop, OBSERVATION, OPENING)
    assert jpeg.startswith(b"\xff\xd8")
    assert jpeg.endswith(b"\xff\xd9")


def test_of_a_stranger_neither_crop_nor_candidates_leave_the_box(box: Box, tmp_path: Path) -> None:
    box.give(1, "ann", "bob")
    told = emit(box, tmp_path, somebody(2))
    assert told.candidates is not None
    assert (told.candidates.reason, told.candidates.candidates) == ("below_threshold", ())
    assert told.crop is None
    assert "id-of" not in told.model_dump_json()


def test_who_was_there_before_lends_no_name_to_a_face_that_is_unlike_it(
    box: Box, tmp_path: Path
) -> None:
    given = Templates(("id-of-somebody", "id-of-other"), np.stack([somebody(1), somebody(2)]))
    for part in box.parts(1, given):
        box.command(part)
    told = emit(box, tmp_path, somebody(1), replace(FACE, seen=somebody(2), resumes="b-gate-0"))
    assert told.candidates is not None
    assert told.candidates.candidates[0].subject_id == "id-of-other"


def test_a_part_is_opened_by_its_box_alone(box: Box) -> None:
    (part,) = box.parts(1, templates("ann"))
    with pytest.raises(InvalidMessage, match="sealed to key"):
        open_part(part, "yard", "box-1", OPENING)
