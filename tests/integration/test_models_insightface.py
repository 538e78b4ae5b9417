"""Our way of calling InsightFace's networks is no worse than insightface's own, on the labelled faces."""

import shutil
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.faces import load_face_pack
from models.faces.evaluate import report
from models.faces.labelled import Embedded, embed_folder, labelled_faces
from models.install import import_packs
from models.packs import PackStore
from tests.unit.models.conftest import material_folder

pytestmark = pytest.mark.material
NAME = "buffalo_sc-int8"


@pytest.fixture(scope="module")
def material() -> Path:
    folder = material_folder()
    if not (folder / "faces" / "lfw10").is_dir():
        pytest.skip(f"no labelled faces at {folder}")
    return folder


def test_no_worse_than_insightface_called_plainly(material: Path, tmp_path: Path) -> None:
    from insightface.app import FaceAnalysis

    import_packs(PackStore(tmp_path), material / "models" / "face", only=NAME)
    items = labelled_faces(material / "faces" / "lfw10")
    pack = load_face_pack(NAME, threads=2, home=tmp_path)
    ours = embed_folder(pack, items)

    model = tmp_path / "plain" / "models" / "x"
    model.mkdir(parents=True)
    for file in ("det_500m.onnx", "w600k_mbf_int8.onnx"):
        shutil.copy(material / "models" / "face" / file, model / file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = FaceAnalysis(
            name="x", root=str(tmp_path / "plain"), providers=["CPUExecutionProvider"]
        )
        plain.prepare(ctx_id=-1)
        rows, names, failed = [], [], []
        for path, identity in items:
            faces = plain.get(cv2.imread(str(path)))
            if not faces:
                failed.append(str(path))
                continue
            largest = max(faces, key=lambda f: (f.bbox[2] - f.bbox[0]) * (f.bbox[3] - f.bbox[1]))
            rows.append(largest.normed_embedding)
            names.append(identity)
    theirs = Embedded(np.stack(rows), tuple(names), tuple(failed), 0.0, 0.0)

    mine, plainly = report(pack, ours, 1000), report(pack, theirs, 1000)
    assert mine.failure_to_acquire.errors <= plainly.failure_to_acquire.errors
    assert mine.auc >= plainly.auc - 1e-4
    assert mine.fnmr.errors <= plainly.fnmr.errors
    assert mine.fmr.errors <= plainly.fmr.errors
    assert mine.fnmr_at_fmr_1e_3.errors <= plainly.fnmr_at_fmr_1e_3.errors
    assert mine.fnmr_at_fmr_1e_4.errors <= plainly.fnmr_at_fmr_1e_4.errors
    alike = np.sum(ours.embeddings * theirs.embeddings, axis=1)
    assert np.median(alike) > 0.95
