"""A clip's hash is known once it is made: the hub believes the edge's signature, and nothing else."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.evidence import EvidenceKeeper
from hub.vault import FileVault
from tests.unit.hub.kit import SCENE, FakeEdge, HubBench, at, entry
from tests.unit.hub.test_pipeline import SCENE_ITEM
from tests.unit.hub.test_workers import FakeDownlink
from wire.codec import decode
from wire.errors import StoreError
from wire.evidence import Exhibit
from wire.messages import ClipOffer, PlateObservation
from wire.topics import Topic, parse

CLIP = b"\x00\x00\x00\x18ftypisom" * 40
OFFER = ClipOffer(before_s=6, after_s=6)


@pytest.fixture
def down() -> FakeDownlink:
    return FakeDownlink()


@pytest.fixture
def keeper(bench: HubBench, down: FakeDownlink) -> EvidenceKeeper:
    return EvidenceKeeper(bench.store, bench.files, down, lambda: bench.now)


@pytest.fixture
def observation(bench: HubBench, edge: FakeEdge) -> str:
    bench.watch(entry())
    bench.run(edge.plate(pictures=(SCENE_ITEM,), clip=OFFER))
    return bench.rows("observations")[0]["id"]


def row(bench: HubBench, name: str = "clip") -> dict:
    return next(r for r in bench.rows("evidence") if r["name"] == name)


def topic(observation: str, name: str = "clip") -> Topic:
    found = parse(f"gatehouse/v1/rosegarden/box-1/evidence/{observation}/{name}")
    assert found is not None
    return found


def test_a_clip_is_asked_for_once_a_rule_has_matched_and_never_before(
    bench: HubBench, edge: FakeEdge, keeper: EvidenceKeeper, down: FakeDownlink
) -> None:
    bench.run(edge.plate(clip=OFFER))
    assert bench.rows("evidence") == bench.rows("signed_observations") == []
    bench.watch(entry())
    bench.run(edge.plate(clip=OFFER))
    keeper.ask()
    assert [names for _, _, names in down.asked] == [("clip",)]
    bench.run(edge.plate())
    assert len(bench.rows("evidence")) == 3  # two crops, one clip: the third joined, without one


def test_what_the_edge_signed_is_kept_byte_for_byte(bench: HubBench, edge: FakeEdge) -> None:
    bench.watch(entry())
    message = edge.plate(clip=OFFER)
    bench.run(message, edge.plate("京B00001"))
    (kept,) = bench.rows("signed_observations")
    assert kept["body"] == message.payload
    data = decode(kept["body"]).verify(edge.key.public_key()).data
    assert isinstance(data, PlateObservation)
    assert data.clip == OFFER


def test_a_clip_is_kept_as_its_edge_has_signed_it(
    bench: HubBench, edge: FakeEdge, keeper: EvidenceKeeper, observation: str
) -> None:
    assert keeper.keep(topic(observation), CLIP) is None  # nobody has said yet what it is
    bench.run(edge.sends(observation, "clip", CLIP))
    assert keeper.keep(topic(observation), CLIP + b"x") is False
    assert keeper.keep(topic(observation), CLIP) is True
    kept = row(bench)
    assert (kept["state"], kept["size_bytes"]) == ("stored", len(CLIP))
    assert (kept["starts_at"], kept["ends_at"]) == (at(-6), at(6))
    assert kept["sha256"] == hashlib.sha256(CLIP).hexdigest()
    exhibit = Exhibit("rosegarden", "box-1", observation, "clip", kept["sha256"])
    assert exhibit.is_signed(kept["signature"], edge.key.public_key())
    assert bench.files.read(observation, "clip", "video/mp4") == CLIP


def test_one_that_overtakes_its_announcement_waits_for_it(
    bench: HubBench, edge: FakeEdge, keeper: EvidenceKeeper, observation: str
) -> None:
    name = f"gatehouse/v1/rosegarden/box-1/evidence/{observation}/clip"
    message = edge.sends(observation, "clip", CLIP)
    keeper.offer(type(message)(name, CLIP))
    keeper._take_received()
    assert row(bench)["state"] == "pending"
    bench.run(message)
    keeper._take_received()
    assert row(bench)["state"] == "stored"
    assert keeper.refused == 0


def test_a_signature_of_somebody_else_announces_nothing(
    bench: HubBench, edge: FakeEdge, observation: str
) -> None:
    bench.run(edge.sends(observation, "clip", CLIP, signer=Ed25519PrivateKey.generate()))
    assert row(bench)["sha256"] is None


def test_a_picture_is_never_another_than_its_observation_said(
    bench: HubBench, edge: FakeEdge, observation: str
) -> None:
    bench.run(edge.sends(observation, "scene", b"another"))
    assert row(bench, "scene")["signature"] is None
    assert row(bench, "scene")["sha256"] == SCENE_ITEM.sha256
    bench.run(edge.sends(observation, "scene", SCENE))
    assert row(bench, "scene")["signature"] is not None


def test_a_clip_that_is_made_again_is_announced_again(
    bench: HubBench, edge: FakeEdge, keeper: EvidenceKeeper, observation: str
) -> None:
    bench.run(edge.sends(observation, "clip", CLIP))
    bench.run(edge.sends(observation, "clip", CLIP + b"longer"))
    assert keeper.keep(topic(observation), CLIP + b"longer") is True


def test_why_a_clip_is_gone_is_kept(bench: HubBench, edge: FakeEdge, observation: str) -> None:
    bench.run(edge.gone(observation, "clip", "it was asked for too late"))
    assert (row(bench)["state"], row(bench)["reason"]) == ("gone", "it was asked for too late")


def test_evidence_on_the_disk_shows_nothing_and_tells_a_change(
    bench: HubBench, keeper: EvidenceKeeper, observation: str
) -> None:
    keeper.keep(topic(observation, "scene"), SCENE)
    path = bench.files.path(observation, "scene", "image/jpeg")
    assert b"scene" not in path.read_bytes()
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match="was changed"):
        bench.files.read(observation, "scene", "image/jpeg")
    assert bench.files.read(observation, "clip", "video/mp4") is None


def test_a_file_is_bound_to_its_observation_and_its_name() -> None:
    vault = FileVault(bytes(32))
    sealed = vault.seal(CLIP, "one", "clip")
    assert vault.open(sealed, "one", "clip") == CLIP
    for other in (("two", "clip"), ("one", "scene")):
        with pytest.raises(StoreError):
            vault.open(sealed, *other)
