"""An edge box without a camera: tells of somebody who tries car doors, by the real outbox and publisher.

Run as ``python -m tests.e2e.prowling_edge edge.toml``. It tells once, and leaves ``drained`` in its
folder when the hub has committed that.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import load_config
from tests.e2e.replay_edge import CAMERA, append, run_edge
from wire.messages import BehaviourObservation

OBSERVATION_ID = "0d7a3f0e-6a55-4c39-9d43-0f3a5a0c7a11"


def prowling() -> BehaviourObservation:
    """Three parked cars in twenty seconds."""
    now = datetime.now(UTC)
    return BehaviourObservation(
        track_id="prowler-1",
        first_seen_at=now - timedelta(seconds=20),
        captured_at=now,
        last_seen_at=now,
        frames=80,
        box_px=(600.0, 300.0, 680.0, 520.0),
        frame_size_px=(1280, 720),
        quality=0.8,
        detector_score=0.9,
        behaviour="vehicle_prowling",
        label="person",
        zone="parking",
        tracks=("prowler-1", "car-1", "car-2", "car-3"),
        count=3,
        since_at=now - timedelta(seconds=20),
        stay_s=20.0,
        reason="close to 3 parked vehicles within 20 s",
    )


if __name__ == "__main__":
    config = load_config(Path(sys.argv[1]))
    with run_edge(config) as (outbox, origin, publisher):
        append(outbox, origin, prowling(), OBSERVATION_ID, CAMERA)
        publisher.wake()
