"""Our way of calling InsightFace's networks is no worse than insightface's own, on the labelled faces."""

from pathlib import Path

import numpy as np
import pytest

from models.faces import load_face_pack
from models.faces.evaluate import report
from models.faces.labelled import embed_folder, labelled_faces
from models.faces.plain import embed_plainly
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
    import_packs(PackStore(tmp_path), material / "models" / "face", only=NAME)
    items = labelled_faces(material / "faces" / "lfw10")
    pack = load_face_pack(NAME, threads=2, home=tmp_path)
    ours = embed_folder(pack, items)

    theirs = embed_plainly(NAME, items, tmp_path)
    assert theirs is not None
    assert embed_plainly("dlib-resnet", items) is None  # it is no network of InsightFace

    mine, plainly = report(pack, ours, 1000), report(pack, theirs, 1000)
    assert mine.failure_to_acquire.errors <= plainly.failure_to_acquire.errors
    assert mine.auc >= plainly.auc - 1e-4
    assert mine.fnmr.errors <= plainly.fnmr.errors
    assert mine.fmr.errors <= plainly.fmr.errors
    assert mine.fnmr_at_fmr_1e_3.errors <= plainly.fnmr_at_fmr_1e_3.errors
    assert mine.fnmr_at_fmr_1e_4.errors <= plainly.fnmr_at_fmr_1e_4.errors
    alike = np.sum(ours.embeddings * theirs.embeddings, axis=1)
    assert np.median(alike) > 0.95
