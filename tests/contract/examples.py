"""One example of every message of version 1, with fixed keys, times and ids.

The golden files are these, encoded; they are never regenerated for an existing message: a change
that alters one of them breaks boxes that are in the field.
"""

import uuid
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wire import messages as m
from wire.evidence import Exhibit

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
AT = datetime(2026, 11, 5, 17, 25, 0, 250000, tzinfo=UTC)
EARLIER = datetime(2026, 11, 5, 17, 24, 58, tzinfo=UTC)
BOOT = "00112233445566aa"
OBSERVATION = "0192f7a0-1111-4222-8333-444455556666"


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://gatehouse.example/golden/{name}"))


_TRACK = {
    "track_id": f"{BOOT}-gate-in-17",
    "revision": 1,
    "first_seen_at": EARLIER,
    "captured_at": AT,
    "last_seen_at": AT,
    "frames": 12,
    "box_px": (812.5, 440.0, 934.25, 478.0),
    "frame_size_px": (1920, 1080),
    "quality": 0.75,
    "detector_score": 0.9375,
    "evidence": (
        m.EvidenceItem(name="scene", media_type="image/jpeg", size_bytes=183004, sha256="ab" * 32),
    ),
}

EXAMPLES: dict[str, m.Message] = {
    "observation_face": m.FaceObservation(
        **_TRACK, probe=m.Sealed(key_id="00ff00ff00ff00ff", ciphertext="c2VhbGVk")
    ),
    "observation_face_candidates": m.FaceObservation(
        **_TRACK,
        candidates=m.FaceCandidates(
            reason="match",
            pack="buffalo_l",
            pack_sha256="12" * 32,
            slice_version=7,
            threshold=0.375,
            candidates=(
                m.FaceCandidate(subject_id=_id("subject"), similarity=0.625),
                m.FaceCandidate(subject_id=_id("next"), similarity=0.4375),
            ),
            margin=0.1875,
        ),
        crop=m.Sealed(key_id="00ff00ff00ff00ff", ciphertext="c2VhbGVk"),
        crops=4,
        liveness=m.Liveness(
            score=0.96875, state="live", mode="enforce", crops=3, pack_sha256="34" * 32
        ),
    ),
    "observation_plate": m.PlateObservation(
        **_TRACK,
        plate=m.PlateText(
            text="京AD12345",
            plate_type="new_energy_small",
            colour="green",
            confidence=0.96,
            province_confidence=0.99,
            char_confidences=(0.99, 1.0, 1.0, 0.98, 1.0, 1.0, 1.0, 0.99),
            alternatives=(m.PlateAlternative(text="京AD12346", probability=0.02),),
        ),
        state="confirmed",
        reads=4,
        crop=m.InlinePicture(data="/9j/2Q=="),
    ),
    "observation_object": m.ObjectObservation(
        **_TRACK, label="car", event="dwelt", zone="fire-lane", stay_s=61.5, count=1, parked=True
    ),
    "observation_behaviour": m.BehaviourObservation(
        **_TRACK,
        behaviour="vehicle_prowling",
        label="person",
        zone="parking",
        tracks=(f"{BOOT}-gate-in-17", f"{BOOT}-gate-in-3", f"{BOOT}-gate-in-5"),
        count=2,
        since_at=EARLIER,
        stay_s=2.25,
        reason="close to 2 parked vehicles within 2 s",
    ),
    "observation_passage": m.PassageObservation(
        **_TRACK,
        line="gate",
        direction="in",
        members=(
            m.PassageMember(
                track_id=f"{BOOT}-gate-in-17",
                label="person",
                crossed_at=AT,
                faces=(OBSERVATION,),
            ),
            m.PassageMember(track_id=f"{BOOT}-gate-in-18", label="person", crossed_at=AT),
        ),
        grants=1,
    ),
    "observation_access": m.AccessObservation(
        device="north-barrier",
        decision="granted",
        method="plate",
        reference="京AD12345",
        observation_id=OBSERVATION,
        captured_at=AT,
        reason="京AD12345 is on the list of allowed plates",
    ),
    "observation_meter": m.MeterObservation(
        meter="water-3-1502", unit="3-1502", medium="water", value=1234.5, captured_at=AT
    ),
    "observation_camera": m.CameraObservation(
        state="offline", captured_at=AT, reason="no frame for 10 s: connection timed out"
    ),
    "observation_camera_covered": m.CameraObservation(
        state="covered", captured_at=AT, reason="nothing of the scene is to be seen any more"
    ),
    "edge_status": m.EdgeStatus(
        session_id=_id("session"),
        online=True,
        version="0.1.0",
        cameras=("gate-in", "gate-out"),
        pending=(m.PendingBoot(boot_id=BOOT, first_sequence=41),),
    ),
    "edge_status_matching": m.EdgeStatus(
        session_id=_id("session"),
        online=True,
        version="0.1.0",
        cameras=("gate-in",),
        matching=m.EdgeMatching(
            sealing_key="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            pack="buffalo_l",
            pack_sha256="12" * 32,
            oldest_version=7,
            held=m.HeldSlice(version=7, templates=2, expires_at=AT),
        ),
    ),
    "hub_status": m.HubStatus(session_id=_id("hub-session"), online=True, version="0.1.0"),
    "hub_ack": m.Ack(committed=(m.CommittedUpTo(boot_id=BOOT, sequence=40),)),
    "edge_health": m.CameraHealth(
        window_s=10.0,
        online=True,
        decoded_frames=250,
        analysed_frames=100,
        dropped_frames=2,
        corrupt_frames=0,
        reconnects=0,
        lag_ms=42.5,
        outbox_pending=3,
    ),
    "command_evidence": m.EvidenceCommand(observation_id=OBSERVATION, names=("scene",)),
    "command_gallery": m.GallerySlice(
        version=7,
        part=1,
        parts=2,
        expires_at=AT,
        pack="buffalo_l",
        pack_sha256="12" * 32,
        threshold=0.375,
        margin=0.125,
        templates=2,
        sealed=m.Sealed(key_id="00ff00ff00ff00ff", ciphertext="c2VhbGVk"),
    ),
    "command_gallery_erase": m.GalleryErase(up_to_version=7),
    "reply_gallery": m.GalleryReply(version=7, state="active", templates=2),
    "reply_evidence": m.EvidenceReply(
        observation_id=OBSERVATION, name="scene", state="sent", sha256="ab" * 32
    ),
    "reply_evidence_clip": m.EvidenceReply(
        observation_id=OBSERVATION,
        name="clip",
        state="sent",
        sha256="ab" * 32,
        size_bytes=4_800_000,
        signature=Exhibit("rosegarden", "box-1", OBSERVATION, "clip", "ab" * 32).sign(SIGNER),
        starts_at=EARLIER,
        ends_at=AT,
    ),
    "reply_evidence_gone": m.EvidenceReply(
        observation_id=OBSERVATION,
        name="clip",
        state="gone",
        reason="it was asked for too late: newer pictures had taken its room",
    ),
    "command_live": m.LiveCommand(
        session_id=_id("live"), camera="gate-in", until=AT, rate_hz=2.5, faces="whole"
    ),
    "reply_live": m.LiveReply(session_id=_id("live"), camera="gate-in", state="on"),
    "reply_live_refused": m.LiveReply(
        session_id=_id("live"),
        camera="gate-in",
        state="refused",
        reason="this box has no camera 'gate-in'",
    ),
    "live_picture": m.LivePicture(
        session_id=_id("live"),
        number=12,
        captured_at=AT,
        size_px=(960, 540),
        faces="blurred",
        sealed=m.Sealed(key_id="00ff00ff00ff00ff", ciphertext="c2VhbGVk"),
    ),
    "alert_raised": m.AlertRaised(
        alert_id=_id("alert"),
        site="rosegarden",
        gate="north",
        camera="gate-in",
        rule_id="stolen-cars",
        rule_title="Stolen cars",
        severity="red",
        state="open",
        certainty="unverified",
        reason="plate 京AD12345 is on the list, read exactly",
        match=m.PlateMatch(
            entry_id=_id("entry"),
            listed="京AD12345",
            read="京AD12345",
            how="exact",
            confidence=0.96,
        ),
        category="stolen_vehicle",
        basis="case 2026-118",
        captured_at=AT,
        first_seen_at=EARLIER,
        last_seen_at=AT,
        raised_at=AT,
        observation_id=OBSERVATION,
        observations=1,
        evidence=(
            m.AlertEvidence(
                name="crop",
                media_type="image/jpeg",
                state="stored",
                path=f"/api/v1/evidence/{OBSERVATION}/crop",
                sha256="cd" * 32,
            ),
        ),
        crop=m.InlinePicture(data="/9j/2Q=="),
    ),
}

EXAMPLES["alert_raised_condition"] = m.AlertRaised(
    **{
        **dict(EXAMPLES["alert_raised"]),
        "alert_id": _id("alert-condition"),
        "rule_id": "car-doors",
        "rule_title": "Hands on car doors",
        "reason": "a person went to 3 parked cars within 2 minutes",
        "match": m.ConditionMatch(
            rule_kind="vehicle_prowling",
            facts={"vehicles": 3, "within_s": 118.5, "zone": "parking"},
            observations=(OBSERVATION,),
        ),
        "category": "",
        "basis": "",
        "crop": None,
    }
)

EXAMPLES["alert_changed"] = m.AlertChanged(
    **{
        **dict(EXAMPLES["alert_raised_condition"]),
        "state": "acknowledged",
        "level": "station",
        "cell": "cell-3",
        "assignee": "li-jun",
        "incident_id": _id("incident"),
        "change": "moved",
        "number": 2,
        "changed_at": AT,
        "actor": "guard-2",
        "note": "on my way",
        "previous_state": "open",
        "previous_level": "station",
    }
)

EXAMPLES["observation_plate_clip"] = m.PlateObservation(
    **{
        **dict(EXAMPLES["observation_plate"]),
        "clip": m.ClipOffer(before_s=6.0, after_s=6.0),
    }
)

EXAMPLES["observation_access_refused"] = m.AccessObservation(
    device="north-barrier",
    decision="refused",
    method="plate",
    reference="京AD12345",
    observation_id=OBSERVATION,
    captured_at=AT,
    reason="京AD12345 is on no list",
)

EXAMPLES["observation_access_relay"] = m.AccessObservation(
    **{**dict(EXAMPLES["observation_access"]), "release_ms": 84.5}
)

EXAMPLES["edge_status_access"] = m.EdgeStatus(
    session_id=_id("session"),
    online=True,
    version="0.1.0",
    cameras=("gate-in",),
    access=m.EdgeAccess(
        devices=("north-barrier", "garage"),
        oldest_version=12,
        held=m.HeldAllowList(version=12, plates=2, expires_at=AT),
    ),
)

EXAMPLES["command_allow_list"] = m.AllowList(
    version=12,
    part=1,
    parts=1,
    expires_at=AT,
    plates=2,
    entries=(
        m.AllowedPlate(plate="京AD12345"),
        m.AllowedPlate(
            plate="京A12345", devices=("north-barrier",), valid_from=EARLIER, valid_until=AT
        ),
    ),
)

EXAMPLES["reply_allow_list"] = m.AllowListReply(version=12, state="active", plates=2)

_SEQUENCED = {name for name in EXAMPLES if name.startswith("observation_")}


def event(name: str) -> m.Event:
    """The example as an event of the edge ``box-1`` (or of the hub) at the site ``rosegarden``."""
    data = EXAMPLES[name]
    of_hub = name.startswith(("hub", "command", "alert"))
    of_camera = name in _SEQUENCED or name in ("edge_health", "live_picture")
    return m.Event(
        id=OBSERVATION if name == "observation_plate" else _id(name),
        site="rosegarden",
        origin="hub" if of_hub else "box-1",
        camera="gate-in" if of_camera else None,
        time=AT,
        boot_id=BOOT if name in _SEQUENCED else None,
        sequence=41 if name in _SEQUENCED else None,
        clock_offset_ms=-12 if name in _SEQUENCED else None,
        data=data,
    )
