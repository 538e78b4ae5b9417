"""The same networks as `insightface` itself calls them: what our way of calling them is compared with.

In: the name of a pack of InsightFace networks, labelled pictures. Out: `Embedded`, by ``FaceAnalysis`` as its
documentation shows it: prepared with its defaults, the largest face of each picture. For measuring only: no
camera and no enrolment is ever served this way. Its networks are copied to a folder that is gone afterwards,
since it finds them by their place; they are the pack's own verified files.
"""

import contextlib
import io
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from models.arrays import Floats
from models.faces.labelled import Embedded
from models.packs import InstalledPack, PackStore

_NETWORKS: Final = frozenset({"scrfd", "arcface"})
_NAME: Final = "measured"


def embed_plainly(
    name: str, items: Sequence[tuple[Path, str]], home: Path | None = None
) -> Embedded | None:
    """Embed the largest face of every picture; None for a pack that has other networks than InsightFace's.

    It says nothing of time. ModelError where the pack is not installed.
    """
    installed = PackStore(home).open(name, "face")
    if {file.entry.network for file in installed.files} != _NETWORKS:
        return None
    rows: list[Floats] = []
    identities, failed = [], []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own calls of numpy and of scikit-image
        analysis = _analysis(installed, Path(folder))
        for path, identity in items:
            image = cv2.imread(str(path))
            faces = [] if image is None else analysis.get(image)
            if not faces:
                failed.append(str(path))
                continue
            rows.append(max(faces, key=_area).normed_embedding)
            identities.append(identity)
    dimension = len(rows[0]) if rows else 0
    return Embedded(
        np.stack(rows) if rows else np.zeros((0, dimension), np.float32),
        tuple(identities),
        tuple(failed),
    )


def _analysis(installed: InstalledPack, folder: Path) -> Any:
    from insightface.app import FaceAnalysis

    place = folder / "models" / _NAME
    place.mkdir(parents=True)
    for file in installed.files:
        shutil.copy(file.path, place / file.path.name)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it finds
        analysis = FaceAnalysis(name=_NAME, root=str(folder), providers=["CPUExecutionProvider"])
        analysis.prepare(ctx_id=-1)
    return analysis


def _area(face: Any) -> float:
    x1, y1, x2, y2 = face.bbox
    return float((x2 - x1) * (y2 - y1))
