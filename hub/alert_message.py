"""A stored alert -> the message that the command centre gets. Pure.

In: the alert's row, what there is of its pictures, and, for a change, what was done. Out: `AlertRaised` or
`AlertChanged`.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from wire.messages import AlertChanged, AlertEvent, AlertEvidence, AlertRaised, InlinePicture


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
    return AlertRaised(**_facts(alert), evidence=evidence_of(evidence), crop=crop)


def alert_changed(
    before: Mapping[Any, Any],
    after: Mapping[Any, Any],
    change: Mapping[str, Any],
    evidence: Sequence[Mapping[Any, Any]],
) -> AlertChanged:
    """The message that tells what became of an alert (`change` is a row of the table `alert_changes`)."""
    return AlertChanged(
        **_facts(after),
        evidence=evidence_of(evidence),
        change=change["kind"],
        number=change["number"],
        changed_at=change["at"],
        actor=change["actor"],
        note=change["note"],
        previous_state=before["state"],
        previous_level=before["level"],
        disposition=after["disposition"],
    )


def _facts(alert: Mapping[Any, Any]) -> dict[str, Any]:
    """What both messages say of the alert itself."""
    names = AlertEvent.model_fields.keys() - {"alert_id", "evidence", "crop"}
    return {"alert_id": alert["id"], **{name: alert[name] for name in names if name in alert}}
