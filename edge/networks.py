"""The networks of one worker, opened once and shared by all cameras.

In: the ``[models]`` section. Out: `Networks`, or `ModelError` with the command that mends it.
"""

import logging

from edge.camera import Networks
from edge.config import ModelsSection
from edge.frame import Image
from models.faces import load_face_pack
from models.faces.liveness import load_liveness_pack
from models.faces.liveness_types import LivenessJudge
from models.faces.quality import assess
from models.faces.types import FaceDetections
from models.objects import load_object_detector
from models.plates.recogniser import PlateRecogniser

log = logging.getLogger(__name__)


def load_networks(section: ModelsSection) -> Networks:
    """Open the face pack, and the plate, object and liveness networks if they are wanted.

    The face pack is always opened: the faces in a picture of a car are blurred by its detector.
    """
    faces = load_face_pack(section.face_pack, threads=section.threads, providers=section.providers)
    if faces.note:
        log.info("face pack %s: %s", faces.name, faces.note)
    plates = (
        PlateRecogniser.load(threads=section.threads, providers=section.providers)
        if section.plates
        else None
    )
    objects = (
        None
        if section.objects is None
        else load_object_detector(
            section.objects, threads=section.threads, providers=section.providers
        )
    )
    return Networks(faces, face_quality, plates, objects, _liveness(section))


def _liveness(section: ModelsSection) -> LivenessJudge | None:
    """What tells living faces from pictures of faces; that there is none is said plainly."""
    if section.liveness is None:
        log.warning("no liveness: a picture of a face is taken for the person ([models] liveness)")
        return None
    return load_liveness_pack(
        section.liveness, threads=section.threads, providers=section.providers
    )


def face_quality(image: Image, faces: FaceDetections, index: int) -> float:
    """Fitness of one of `faces` in ``(H, W, 3)`` BGR for recognition, 0 to 1."""
    return assess(image, faces.landmarks[index], float(faces.score[index])).value
