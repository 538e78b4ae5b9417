"""An alert -> a case that can be handed over: one ZIP file with all that is behind it.

In: what the store has of the alert, and the files. Out: the bytes of the archive; `hub.case` says what is in
it. A clip goes in whole only for those who may see it whole, else blurred; one that cannot be blurred stays
out. It changes nothing and leaves nothing on the disk.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub.case import ALERT, CaseFile, Manifest, evidence_path, observation_path, seal_case
from hub.incoming import KnownEdge
from hub.store import Store, evidence, observations, signed
from wire.codec import Signer
from wire.evidence import CLIP
from wire.keys import public_text

_MOST_OBSERVATIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Order:
    """Who exports what, and why. `show_clip` returns a clip as they may see it; None for not at all."""

    alert_id: str
    alert_json: Mapping[str, Any]
    observation_ids: Sequence[str]
    site: str
    actor: str
    purpose: str
    show_clip: Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True)
class Exporter:
    """Makes cases. `read` returns stored evidence; `hub_key` is the public half of `signer`."""

    store: Store
    read: Callable[[str, str, str], bytes | None]
    edges: Mapping[str, KnownEdge]
    signer: Signer
    hub_key: Ed25519PublicKey
    now: Callable[[], datetime]

    def export(self, order: Order) -> bytes:
        """The case as a ZIP file."""
        ids = list(order.observation_ids)[:_MOST_OBSERVATIONS]
        with self.store.read() as tx:
            bodies = signed.of(tx, ids)
            edges = {
                name: row["edge"]
                for name in bodies
                if (row := observations.get(tx, name)) is not None
            }
            rows = [
                evidence.get(tx, row["observation_id"], row["name"]) for row in evidence.of(tx, ids)
            ]
        case = _Case()
        alert = json.dumps(order.alert_json, ensure_ascii=False, indent=1).encode()
        case.add(alert, path=ALERT, kind="alert")
        for name, body in sorted(bodies.items()):
            if name in edges:
                path = observation_path(name)
                case.add(body, path=path, kind="observation", observation_id=name, edge=edges[name])
        for row in rows:
            if row is not None and row["state"] == "stored":
                self._add_evidence(case, row, order)
        return case.archive(self._manifest(case, order), self.signer)

    def _add_evidence(self, case: "_Case", row: Mapping[Any, Any], order: Order) -> None:
        name, observation_id = row["name"], row["observation_id"]
        data = row["data"] or self.read(observation_id, name, row["media_type"])
        shown = order.show_clip(data) if data is not None and name == CLIP else data
        if shown is None:
            return
        case.add(
            shown,
            path=evidence_path(observation_id, name, row["media_type"]),
            kind="evidence",
            observation_id=observation_id,
            edge=row["edge"],
            name=name,
            signature=row["signature"],
            blurred=shown != data,
            original_sha256=row["sha256"] if shown != data else None,
        )

    def _manifest(self, case: "_Case", order: Order) -> Manifest:
        used = {file.edge for file in case.files if file.edge}
        return Manifest(
            alert_id=order.alert_id,
            site=order.site,
            exported_at=self.now(),
            exported_by=order.actor,
            purpose=order.purpose,
            hub_key=public_text(self.hub_key),
            edge_keys={
                name: public_text(edge.key) for name, edge in self.edges.items() if name in used
            },
            files=tuple(case.files),
        )


class _Case:
    """The files of a case, as they come."""

    def __init__(self) -> None:
        self.files: list[CaseFile] = []
        self._data: dict[str, bytes] = {}

    def add(self, data: bytes, **facts: Any) -> None:
        """Put a file in."""
        file = CaseFile(sha256=hashlib.sha256(data).hexdigest(), **facts)
        self.files.append(file)
        self._data[file.path] = data

    def archive(self, manifest: Manifest, signer: Signer) -> bytes:
        """All of it as a ZIP file; pictures and clips are compressed already."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for path, data in {**seal_case(manifest, signer), **self._data}.items():
                archive.writestr(zipfile.ZipInfo(path, manifest.exported_at.timetuple()[:6]), data)
        return buffer.getvalue()
