"""What the hub's tests share: an edge that signs, observations by the line, a hub of one process's own."""

import base64
import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from hub.config import load_config
from hub.decide import Identifier
from hub.edges import EdgeBook
from hub.evidence_files import EvidenceFiles
from hub.gallery import Gallery
from hub.handling import Handler
from hub.incoming import Incoming, KnownEdge
from hub.pipeline import Outcome, Pipeline
from hub.raise_alerts import Raiser
from hub.rule_store import RuleKeeper
from hub.slice_ids import SliceIds
from hub.store import open_store, watchlists
from hub.store.tables import metadata
from hub.tell import Teller
from hub.vault import FileVault, Vault
from hub.watch import WatchKeeper
from hub.watchlist import Category, Entry, EntryState, ListKind
from models.faces.calibration import Acceptance
from wire.codec import encode
from wire.evidence import Exhibit
from wire.keys import public_text
from wire.messages import (
    CameraObservation,
    ClipOffer,
    EdgeStatus,
    Event,
    EvidenceItem,
    EvidenceReply,
    FaceObservation,
    InlinePicture,
    Message,
    PendingBoot,
    PlateAlternative,
    PlateObservation,
    PlateText,
)
from wire.sealing import FaceProbe, seal
from wire.topics import EdgeTopics

SITE, EDGE, CAMERA = "rosegarden", "box-1", "gate-in"
NOW = datetime(2026, 11, 5, 17, 25, 0, tzinfo=UTC)
PLATE = "京A12345"
CROP = b"\xff\xd8crop of a plate\xff\xd9"
SCENE = b"\xff\xd8scene with a box\xff\xd9" * 50
PACK_SHA = "ab" * 32


def accept(people: int) -> Acceptance:
    return Acceptance(0.5, 0.05)


def at(seconds: float = 0.0, start: datetime = NOW) -> datetime:
    return start + timedelta(seconds=seconds)


def unit(seed: int, dimension: int = 128) -> np.ndarray:
    """An embedding that is like no other seed's."""
    vector = np.random.default_rng(seed).normal(size=dimension).astype(np.float32)
    return vector / np.linalg.norm(vector)


def near(embedding: np.ndarray, cosine: float, seed: int = 99) -> np.ndarray:
    """An embedding at this cosine to another."""
    other = unit(seed, embedding.size)
    other = other - (other @ embedding) * embedding
    other /= np.linalg.norm(other)
    return (cosine * embedding + np.sqrt(1 - cosine**2) * other).astype(np.float32)


def plate_text(text: str = PLATE, confidence: float = 0.96, weak: dict[int, float] | None = None):
    return PlateText(
        text=text,
        plate_type="ordinary",
        colour="blue",
        confidence=confidence,
        province_confidence=0.99,
        char_confidences=tuple((weak or {}).get(i, 0.99) for i in range(len(text))),
        alternatives=(PlateAlternative(text="京A12346", probability=0.02),),
    )


@dataclass
class FakeEdge:
    """An edge box as the hub sees it: signs, counts, and can send again."""

    id: str = EDGE
    site: str = SITE
    boot: str = "00112233445566aa"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    sequence: int = 0
    clock_offset_ms: int | None = None

    @property
    def known(self) -> KnownEdge:
        return KnownEdge(self.id, self.site, self.key.public_key())

    @property
    def topics(self) -> EdgeTopics:
        return EdgeTopics(self.site, self.id)

    @property
    def public_text(self) -> str:
        return public_text(self.key.public_key())

    def _track(self, when: datetime, pictures: tuple[EvidenceItem, ...] = ()) -> dict:
        return {
            "track_id": f"{self.boot}-{CAMERA}-{self.sequence}",
            "first_seen_at": when - timedelta(seconds=1),
            "captured_at": when,
            "last_seen_at": when,
            "frames": 12,
            "box_px": (812.5, 440.0, 934.25, 478.0),
            "frame_size_px": (1920, 1080),
            "quality": 0.75,
            "detector_score": 0.9375,
            "evidence": pictures,
        }

    def event(
        self, data: Message, *, when: datetime, camera: str | None = CAMERA, event_id: str = "",
        sequence: int | None = None, boot: str | None = None,
    ) -> Event:  # fmt: skip
        return Event(
            id=event_id or str(uuid.uuid4()),
            site=self.site,
            origin=self.id,
            camera=camera,
            time=when,
            boot_id=boot or (self.boot if sequence else None),
            sequence=sequence,
            clock_offset_ms=self.clock_offset_ms,
            data=data,
        )

    def observation(self, data, *, when: datetime, camera: str = CAMERA, event_id: str = ""):
        self.sequence += 1
        event = self.event(
            data, when=when, camera=camera, event_id=event_id, sequence=self.sequence
        )
        return Incoming(self.topics.observation(camera, data.kind), encode(event, self.key))

    def plate(
        self, text: str = PLATE, when: datetime = NOW, *, camera: str = CAMERA,
        confidence: float = 0.96, weak: dict[int, float] | None = None, crop: bytes = CROP,
        pictures: tuple[EvidenceItem, ...] = (), event_id: str = "", clip: ClipOffer | None = None,
    ) -> Incoming:  # fmt: skip
        data = PlateObservation(
            **self._track(when, pictures),
            clip=clip,
            plate=plate_text(text, confidence, weak),
            state="confirmed",
            reads=4,
            crop=InlinePicture(data=base64.b64encode(crop).decode()),
        )
        return self.observation(data, when=when, camera=camera, event_id=event_id)

    def face(
        self, embedding: np.ndarray, hub_key: X25519PublicKey, when: datetime = NOW, *,
        crop: bytes = b"\xff\xd8a face\xff\xd9", pack_sha256: str = PACK_SHA,
        pictures: tuple[EvidenceItem, ...] = (),
    ) -> Incoming:  # fmt: skip
        event_id = str(uuid.uuid4())
        probe = seal(FaceProbe(embedding, "test-pack", pack_sha256, crop), event_id, hub_key)
        data = FaceObservation(**self._track(when, pictures), probe=probe)
        return self.observation(data, when=when, event_id=event_id)

    def camera_state(self, state: str, when: datetime = NOW) -> Incoming:
        data = CameraObservation(state=state, captured_at=when, reason="no frame for 10 s")
        return self.observation(data, when=when)

    def status(
        self, *, online: bool = True, session: str = "", pending: dict[str, int] | None = None
    ) -> Incoming:
        data = EdgeStatus(
            session_id=session or str(uuid.uuid4()),
            online=online,
            version="0.1.0",
            cameras=(CAMERA,),
            pending=tuple(
                PendingBoot(boot_id=boot, first_sequence=first)
                for boot, first in (pending or {}).items()
            ),
        )
        return Incoming(
            self.topics.status, encode(self.event(data, when=NOW, camera=None), self.key)
        )

    def gone(self, observation_id: str, name: str, reason: str | None = None) -> Incoming:
        return self._reply(
            EvidenceReply(observation_id=observation_id, name=name, state="gone", reason=reason)
        )

    def sends(
        self, observation_id: str, name: str, data: bytes, signer: Ed25519PrivateKey | None = None
    ) -> Incoming:
        """The reply that goes before a piece of evidence."""
        sha256 = hashlib.sha256(data).hexdigest()
        exhibit = Exhibit(self.site, self.id, observation_id, name, sha256)
        return self._reply(
            EvidenceReply(
                observation_id=observation_id,
                name=name,
                state="sent",
                sha256=sha256,
                size_bytes=len(data),
                signature=exhibit.sign(signer or self.key),
                starts_at=at(-6),
                ends_at=at(6),
            )
        )

    def _reply(self, data: EvidenceReply) -> Incoming:
        event = self.event(data, when=NOW, camera=None)
        return Incoming(self.topics.reply("evidence"), encode(event, self.key))


def entry(
    target: str = PLATE, kind: ListKind = ListKind.PLATE, category: Category | None = None,
    **changes: object,
) -> Entry:  # fmt: skip
    default = Category.STOLEN_VEHICLE if kind is ListKind.PLATE else Category.MISSING_PERSON
    values = {
        "id": str(uuid.uuid4()),
        "kind": kind,
        "target": target,
        "label": f"label of {target}",
        "category": category or default,
        "basis": "case",
        "reference": "2026-118",
        "state": EntryState.APPROVED,
        "requester": "ann",
        "requested_at": at(-3600),
        "expires_at": at(86400 * 200),
        "approver": "bob",
        "approved_at": at(-1800),
    }
    return Entry(**{**values, **changes})


def write_config(
    folder: Path, edge: FakeEdge, *, broker_port: int = 1, api_port: int = 0,
    sink_url: str | None = None, face_pack: str = "", more: str = "",
) -> tuple[Path, str]:  # fmt: skip
    """Write hub.toml with one plate and one face rule; returns its path and the sink's secret."""
    rules = folder / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    common = 'owner = "o"\nseverity = "red"\ndedup_window_s = 600\n'
    (rules / "plates.toml").write_text(
        f'id = "plates"\ntitle = "Plates"\nkind = "plate_watchlist"\n{common}', encoding="utf-8"
    )
    (rules / "faces.toml").write_text(
        f'id = "faces"\ntitle = "Faces"\nkind = "face_watchlist"\n{common}', encoding="utf-8"
    )
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    (folder / "secret").write_text(secret + "\n", encoding="utf-8")
    sink = (
        f'[[sinks]]\nid = "centre"\nkind = "webhook"\nurl = "{sink_url}"\nsecret_file = "secret"\n'
        'allow_networks = ["127.0.0.0/8"]\n'
        if sink_url
        else ""
    )
    path = folder / "hub.toml"
    path.write_text(
        f'data_dir = "data"\nrules_dir = "rules"\n'
        f'[broker]\nhost = "127.0.0.1"\nport = {broker_port}\n'
        f"[api]\nport = {api_port}\n"
        f'[models]\nface_pack = "{face_pack}"\n'
        f'[[edges]]\nid = "{edge.id}"\nsite = "{edge.site}"\npublic_key = "{edge.public_text}"\n'
        f'[[cameras]]\nid = "{CAMERA}"\nedge = "{edge.id}"\ngate = "north"\n{sink}{more}',
        encoding="utf-8",
    )
    return path, secret


class HubBench:
    """The pipeline on a real database in `folder`, without broker, threads and networks."""

    def __init__(
        self, folder: Path, edge: FakeEdge, *, database: Path | None = None, more: str = ""
    ) -> None:
        self.folder, self.edge = folder, edge
        path, _ = write_config(folder, edge, more=more)
        self.config = load_config(path)
        self.opening = X25519PrivateKey.generate()
        self.signing = Ed25519PrivateKey.generate()
        self.vault = Vault(bytes(32))
        self.slice_ids = SliceIds(bytes(32))
        self.now = NOW
        self.sinks = ("mqtt", "centre")
        if database is not None:
            self.config.data_dir.mkdir(mode=0o700)
            shutil.copy(database, self.config.data_dir / "hub.sqlite")
        self.start()

    def start(self) -> None:
        """Open everything, as a hub does that has just been started."""
        self.store = open_store(self.config.database_url)
        self.files = EvidenceFiles(self.config.data_dir / "evidence", FileVault(bytes(32)))
        self.gallery = Gallery("test-pack", PACK_SHA, 128, accept)
        self.rules = RuleKeeper(self.config.rules_dir, self.config.escalation)
        self.teller = Teller(self.sinks, self.signing)
        self.pipeline = Pipeline(
            {self.edge.id: self.edge.known},
            self.store,
            WatchKeeper(self.vault, self.gallery),
            Identifier(self.config.gate_of, self.opening, self.slice_ids),
            self.rules,
            Raiser(Handler(self.config.escalation, self.teller)),
        )
        self.book = EdgeBook({}, {})

    def restart(self) -> None:
        self.store.close()
        self.start()

    def run(self, *messages: Incoming) -> Outcome:
        outcome = self.pipeline.run(messages, self.book, self.now)
        self.book = outcome.book
        return outcome

    def watch(self, entry: Entry) -> Entry:
        with self.store.write() as tx:
            watchlists.add_entry(tx, entry)
            watchlists.changed(tx)
        return entry

    def enrol(self, embedding: np.ndarray, label: str = "Wang", **entry_changes: object) -> str:
        """Enrol a subject and list it; returns its id."""
        subject_id, template_id = str(uuid.uuid4()), str(uuid.uuid4())
        subject = {
            "id": subject_id, "label": label, "purpose": "search", "basis": "case",
            "reference": "1", "enrolled_by": "ann", "enrolled_at": NOW, "expires_at": at(86400 * 90),
        }  # fmt: skip
        template = {
            "id": template_id, "subject_id": subject_id, "pack": "test-pack",
            "pack_sha256": PACK_SHA, "quality": 0.9, "created_at": NOW,
            "sealed": self.vault.seal(embedding, template_id, subject_id, PACK_SHA),
        }  # fmt: skip
        with self.store.write() as tx:
            watchlists.add_subject(tx, subject, [template])
        self.watch(entry(subject_id, ListKind.FACE, label=label, **entry_changes))
        return subject_id

    def rows(self, table: str) -> list[dict]:
        with self.store.read() as tx:
            return [dict(row) for row in tx.execute(metadata.tables[table].select()).mappings()]
