"""A stored alert -> the message that the command centre gets. Pure.

In: the alert's row, and what there is of its pictures. Out: `AlertRaised`.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from wire.messages import AlertEvidence, AlertRaised, InlinePicture


def evidence_of(rows: Sequence[Mapping[Any, Any]]) -> tuple[AlertEvidence, ...]:
    """The pictures of some rows of the table `evidence`, with the paths at which the API serves them."""
    return tuple(
        AlertEvidence(
            name=row["name"],
            media_type=row["media_type"],
            state=row["state"],
            path=f"/api/v1/evidence/{row['observation_id']}/{row['name']}",
            sha256=row["sha256"],
        )
        for row in rows
    )


def alert_raised(
    alert: Mapping[str, Any], evidence: Sequence[Mapping[str, Any]], crop_jpeg: bytes | None
) -> AlertRaised:
    """The message that tells of a new alert; `crop_jpeg` shows the face or the plate."""
    crop = None
    if crop_jpeg is not None:
        crop = InlinePicture(data=base64.b64encode(crop_jpeg).decode())
    return AlertRaised(
        alert_id=alert["id"],
        **{name: alert[name] for name in AlertRaised.model_fields if name in alert},
        evidence=evidence_of(evidence),
        crop=crop,
    )
