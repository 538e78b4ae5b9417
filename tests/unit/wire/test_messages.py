from datetime import timedelta

import pytest
from pydantic import ValidationError

from tests.contract.examples import EXAMPLES
from wire.messages import FaceObservation


def _changed(name, **fields):
    return type(EXAMPLES[name]).model_validate({**EXAMPLES[name].model_dump(), **fields})


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"box_px": (5, 5, 5, 9)}, "has no area"),
        ({"box_px": (9, 5, 5, 9)}, "has no area"),
        ({"box_px": (float("nan"), 0, 1, 1)}, "finite"),
        ({"frames": 0}, "greater than or equal to 1"),
        ({"quality": 1.01}, "less than or equal to 1"),
        ({"frame_size_px": (0, 10)}, "greater than or equal to 1"),
        ({"captured_at": "2026-11-05T17:25:00"}, "timezone"),
        ({"track_id": ""}, "at least 1 character"),
    ],
)
def test_an_observation_that_cannot_be_is_refused(fields, complaint):
    with pytest.raises(ValidationError, match=complaint):
        _changed("observation_plate", **fields)


def test_times_must_be_in_order():
    seen = EXAMPLES["observation_plate"].last_seen_at
    with pytest.raises(ValidationError, match="not in order"):
        _changed("observation_plate", captured_at=seen + timedelta(seconds=1))


def test_one_confidence_per_character():
    plate = EXAMPLES["observation_plate"].plate.model_dump() | {"char_confidences": (1.0,)}
    with pytest.raises(ValidationError, match="8 characters"):
        _changed("observation_plate", plate=plate)


def test_messages_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        EXAMPLES["hub_ack"].committed = ()


def test_a_face_is_matched_by_the_hub_or_by_the_box():
    face = EXAMPLES["observation_face_candidates"].model_dump()
    with pytest.raises(ValidationError, match="by the hub"):
        FaceObservation.model_validate({**face, "candidates": None, "crop": None})
    sealed = {"key_id": "00ff00ff00ff00ff", "ciphertext": ""}
    with pytest.raises(ValidationError, match="by the hub"):
        FaceObservation.model_validate({**face, "probe": sealed})


def test_only_a_match_names_anybody_or_shows_a_crop():
    face = EXAMPLES["observation_face_candidates"].model_dump()
    found = face["candidates"]
    with pytest.raises(ValidationError, match="has candidates"):
        FaceObservation.model_validate(
            {**face, "candidates": {**found, "reason": "below_threshold"}}
        )
    with pytest.raises(ValidationError, match="slice_version"):
        FaceObservation.model_validate({**face, "candidates": {**found, "slice_version": None}})
    nobody = {**found, "reason": "expired", "candidates": ()}
    with pytest.raises(ValidationError, match="match of the box only"):
        FaceObservation.model_validate({**face, "candidates": nobody})
