"""The gallery of an evaluation: pictures of known people -> what the hub would search in.

In: a folder of labelled pictures, a face pack, what a search must reach. Out: a `hub.gallery.Gallery` whose
subjects are the names, and the pictures that could not be used. Keeps nothing.
"""

from dataclasses import dataclass
from pathlib import Path

from hub.gallery import Gallery
from models.faces.calibration import Acceptance, load_calibration
from models.faces.labelled import embed_folder, labelled_faces
from models.faces.types import FacePack
from wire.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Who is listed. `templates` counts pictures that were used, `unused` names those without a face."""

    names: tuple[str, ...]
    templates: int
    unused: tuple[str, ...]
    gallery: Gallery


def enrol_folder(folder: Path, pack: FacePack, calibration: Path | None, size: int) -> People:
    """Enrol everybody in `folder`, by the largest face of each picture.

    Args:
        folder: see `models.faces.labelled.labelled_faces`.
        pack: what embeds.
        calibration: the site's own; None for what the release measured of the pack.
        size: how many people the gallery counts as having: a search must reach what that many ask for.

    Raises:
        InputError: the folder is not labelled, or shows nobody.
        ModelError: the calibration is none, or of another pack.
    """
    found = embed_folder(pack, labelled_faces(folder))
    if not found.identities:
        raise InputError(f"{folder}: no face was found in any of its {len(found.failed)} pictures")
    names = tuple(sorted(set(found.identities)))
    acceptance = _acceptance(pack, calibration, max(size, len(names)))
    embedder = pack.embedder
    gallery = Gallery(
        pack.name,
        embedder.pack_sha256,
        embedder.dimension,
        lambda _people: acceptance,
    )
    for number, (name, row) in enumerate(zip(found.identities, found.embeddings, strict=True)):
        gallery.add(str(number), name, row)
    return People(names, len(found.identities), found.failed, gallery)


def _acceptance(pack: FacePack, calibration: Path | None, people: int) -> Acceptance:
    if calibration is None:
        return pack.acceptance(people)
    return load_calibration(calibration, pack.embedder.pack_sha256).acceptance(people)
