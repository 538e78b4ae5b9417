"""What all embedders share: the check of their crops, L2 normalisation, and the digest of a recipe.

Pure, but for `OnnxEmbedder`, which runs a session: for networks that insightface cannot feed, because
their mean and deviation differ per channel.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from models.arrays import Floats, Image, ShapeError, check_image
from models.faces.align import ARCFACE_SIZE, align
from models.packs import InstalledFile
from models.sessions import Session

_MAX_BATCH: Final = 32


def check_crops(crops: Sequence[Image], size: int) -> None:
    """Raise ShapeError unless every crop is ``(size, size, 3)`` uint8."""
    for index, crop in enumerate(crops):
        check_image(crop, f"crops[{index}]")
        if crop.shape != (size, size, 3):
            raise ShapeError(f"crops[{index}]: expected ({size}, {size}, 3), got {crop.shape}")


def normalised(rows: Sequence[object], dimension: int) -> Floats:
    """Stack batches of raw embeddings to ``(N, dimension)`` float32 with rows of length 1; N may be 0."""
    if not rows:
        return np.zeros((0, dimension), np.float32)
    raw = np.concatenate([np.asarray(row, dtype=np.float32) for row in rows]).reshape(-1, dimension)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    result: Floats = (raw / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
    return result


def recipe_sha256(recipe: str, files: Sequence[InstalledFile]) -> str:
    """Digest of all that decides an embedding: the network's files, and `recipe`, the name and version
    of our crop and normalisation.

    The detector is left out on purpose: landmarks of another detector give comparable embeddings.
    """
    lines = [f"recipe {recipe}", *sorted(file.sha256 for file in files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class OnnxEmbedder:
    """An embedder on ArcFace crops with a mean and deviation per RGB channel. May be shared."""

    def __init__(self, pack: str, pack_sha256: str, file: InstalledFile, session: Session) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._batch = 1 if file.entry.one_at_a_time else _MAX_BATCH
        self._mean = np.array(file.entry.mean or (127.5,) * 3, np.float32).reshape(3, 1, 1)
        self._std = np.array(file.entry.std or (127.5,) * 3, np.float32).reshape(3, 1, 1)
        self.pack = pack
        self.pack_sha256 = pack_sha256
        self.dimension = int(session.get_outputs()[0].shape[-1])
        self.crop_size = ARCFACE_SIZE

    def crop(self, image: Image, landmarks: Floats) -> Image:
        """See `models.faces.types.FaceEmbedder`; `models.faces.align` says how."""
        return align(image, landmarks)

    def embed(self, crops: Sequence[Image]) -> Floats:
        """See `models.faces.types.FaceEmbedder`."""
        check_crops(crops, self.crop_size)
        rows = []
        for start in range(0, len(crops), self._batch):
            bgr = np.stack(crops[start : start + self._batch])
            rgb = bgr[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
            blob = np.ascontiguousarray((rgb - self._mean) / self._std)
            rows.append(self._session.run(None, {self._input: blob})[0])
        return normalised(rows, self.dimension)
