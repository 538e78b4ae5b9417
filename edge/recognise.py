"""Recognition of the crops that were chosen: embeddings of faces, readings of plates.

In: a frame and the detections in it that are worth it. Out: one embedding or one reading for each, all
of one frame in one network call. Decides nothing and keeps nothing.
"""

import numpy as np
from numpy.typing import NDArray

from edge.detect import PlateNetworks
from edge.frame import Image
from models.faces.types import FaceDetections, FaceEmbedder
from models.plates.types import PlateDetections, PlateReading


def embed_faces(embedder: FaceEmbedder, image: Image, faces: FaceDetections) -> NDArray[np.float32]:
    """Embeddings ``(N, D)`` float32, rows of length 1, of N faces in `image`; N may be 0."""
    crops = [embedder.crop(image, landmarks) for landmarks in faces.landmarks]
    return embedder.embed(crops) if crops else np.zeros((0, embedder.dimension), np.float32)


def read_plates(
    networks: PlateNetworks, image: Image, plates: PlateDetections
) -> list[PlateReading]:
    """Readings of N plates in `image`, in their order; N may be 0."""
    return networks.read(image, plates) if len(plates) else []
