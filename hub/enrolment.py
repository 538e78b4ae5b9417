"""Photos -> templates: the one place where the hub runs face networks.

In: photos that a person uploaded, in memory. Out: one embedding a photo, with its quality, and the face as a
picture for who keeps one. A photo is never written anywhere, and is gone when this returns. Photos that
cannot be used raise `InputError`, which says of each of them what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.comparison import face_with_surroundings
from hub.gallery import Embedding, Gallery
from models.arrays import Image
from models.faces import FacePack
from models.faces.calibration import Calibration
from models.faces.quality import assess
from models.faces.types import FaceDetector
from models.photos import decode_photo
from wire.errors import InputError

_LEAST_QUALITY = 0.2
"""Below this a template would match strangers: the photo is refused with what is wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """A template before it is stored. `advice` says what would make a better photo; `picture` is the face
    with what is around it, ``(S, S, 3)`` uint8 BGR."""

    embedding: Embedding
    quality: float
    advice: tuple[str, ...]
    picture: Image


class Enroller:
    """Makes templates with one face pack. May be used by several threads."""

    def __init__(self, pack: FacePack) -> None:
        self._pack = pack

    @property
    def detector(self) -> FaceDetector:
        """What finds faces."""
        return self._pack.detector

    @property
    def pack(self) -> str:
        """The name of the pack."""
        return self._pack.name

    @property
    def pack_sha256(self) -> str:
        """The digest of all that decides an embedding."""
        return self._pack.embedder.pack_sha256

    def templates(self, photos: Sequence[bytes]) -> list[NewTemplate]:
        """Make one template of each photo. InputError names every photo that cannot be used, and why."""
        made, lacks = [], []
        for number, photo in enumerate(photos, 1):
            try:
                made.append(self._template(photo))
            except InputError as error:
                lacks.append(f"photo {number}: {error}")
        if lacks:
            raise InputError("; ".join(lacks))
        return made

    def _template(self, photo: bytes) -> NewTemplate:
        image = decode_photo(photo)
        faces = self._pack.detector.detect(image)
        if len(faces) == 0:
            raise InputError("no face was found: show one face, from the front")
        if len(faces) > 1:
            raise InputError(f"{len(faces)} faces were found: show only one")
        quality = assess(image, faces.landmarks[0], float(faces.score[0]))
        if quality.value < _LEAST_QUALITY:
            raise InputError(", ".join(quality.verdicts()))
        crop = self._pack.embedder.crop(image, faces.landmarks[0])
        embedding = self._pack.embedder.embed([crop])[0]
        picture = face_with_surroundings(image, faces.boxes[0])
        return NewTemplate(embedding, quality.value, quality.verdicts(), picture)


def empty_gallery(pack: FacePack, calibration: Calibration | None, threads: int) -> Gallery:
    """A gallery for templates of this pack. What a search must reach is the site's own `calibration`, or
    what this release knows of the pack."""
    embedder = pack.embedder
    accept = pack.acceptance if calibration is None else calibration.acceptance
    return Gallery(pack.name, embedder.pack_sha256, embedder.dimension, accept, threads=threads)
