"""What an observation showed, as the sinks that send pictures need it: read from the store and its files.

In: an observation's id. Out: `Shown`, None when the observation is deleted or shows no object. A picture
that is still with its edge, is gone, or is no JPEG, is left out.
"""

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image, UnidentifiedImageError
from pydantic import TypeAdapter

from hub.evidence_files import EvidenceFiles
from hub.store import Store, evidence, observations
from hub.viid.messages import Picture, Shown
from wire.messages import PlateText

_PLATE = TypeAdapter(PlateText | None)


class ShownReader:
    """Reads what observations showed."""

    def __init__(self, store: Store, files: EvidenceFiles) -> None:
        self._store, self._files = store, files

    def __call__(self, observation_id: str) -> Shown | None:
        """What one observation showed."""
        with self._store.read() as tx:
            row = observations.get(tx, observation_id)
            crop = evidence.get(tx, observation_id, "crop")
            scene = evidence.get(tx, observation_id, "scene")
        if row is None or "box_px" not in row["data"]:
            return None
        data = row["data"]
        left, top, right, bottom = data["box_px"]
        return Shown(
            kind=row["kind"],
            label=data.get("label", ""),
            box_px=(left, top, right, bottom),
            plate=_PLATE.validate_python(data.get("plate")),
            crop=self._picture(crop),
            scene=self._picture(scene),
        )

    def _picture(self, row: Mapping[Any, Any] | None) -> Picture | None:
        if row is None or row["state"] != "stored" or row["media_type"] != "image/jpeg":
            return None
        jpeg = row["data"]
        if jpeg is None:
            jpeg = self._files.read(row["observation_id"], row["name"], row["media_type"])
        return None if jpeg is None else read_picture(jpeg)  # None: deleted since, by the retention


def read_picture(jpeg: bytes) -> Picture | None:
    """A JPEG with its size; None for what is none."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            return Picture(jpeg, *image.size)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None
