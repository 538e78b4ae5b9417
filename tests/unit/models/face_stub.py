"""A face pack without networks, and people whose embeddings are known."""

import numpy as np

from models.arrays import Floats, Image
from models.faces.types import FaceDetections, FacePack


class Stub:
    """A detector and embedder that read the person off a picture's colour; black has no face."""

    pack = "stub"
    pack_sha256 = "0" * 64
    dimension = 3
    crop_size = 4

    def detect(self, image: Image, *, min_score: float | None = None) -> FaceDetections:
        if not image.any():
            return FaceDetections.empty()
        box = np.array([[0, 0, 4, 4]], np.float32)
        return FaceDetections(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))

    def crop(self, image: Image, landmarks: Floats) -> Image:
        return image[:4, :4]

    def embed(self, crops: list[Image]) -> Floats:
        rows = np.array([crop[0, 0] for crop in crops], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


STUB = Stub()
PACK = FacePack("stub", STUB, STUB, 0.5, 0.05, "none", True)


def crowd(
    people: int, pictures: int, *, seed: int = 0, dimension: int = 128, within: float = 0.5
) -> tuple[Floats, tuple[str, ...]]:
    """Embeddings of `pictures` of each of `people`, at a mean cosine of 1 - `within` to one another."""
    random = np.random.default_rng(seed)
    own = random.standard_normal((people, 1, dimension))
    own /= np.linalg.norm(own, axis=2, keepdims=True)
    noise = random.standard_normal((people, pictures, dimension)) / np.sqrt(dimension)
    rows = np.sqrt(1 - within) * own + np.sqrt(within) * noise
    rows = rows.reshape(-1, dimension)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    names = tuple(f"p{person:03}" for person in range(people) for _ in range(pictures))
    return rows.astype(np.float32), names
