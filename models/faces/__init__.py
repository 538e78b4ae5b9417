"""Faces: detection with five landmarks, aligned crops, embeddings, quality of a crop.

`load_face_pack` opens a pack of the registry; the types are the interface that edge and hub use.
"""

from models.faces.load import DEFAULT_PACK, DetectorSize, load_face_pack
from models.faces.types import FaceDetections, FaceDetector, FaceEmbedder, FacePack

__all__ = [
    "DEFAULT_PACK",
    "DetectorSize",
    "FaceDetections",
    "FaceDetector",
    "FaceEmbedder",
    "FacePack",
    "load_face_pack",
]
