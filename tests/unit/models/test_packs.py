import json
import sys
from pathlib import Path

import pytest

from models.install import import_packs
from models.packs import PackStore
from models.paths import gatehouse_home, packs_folder
from tests.unit.models.conftest import DETECTOR, EMBEDDER, sha256, small_registry
from wire.errors import ModelError


@pytest.fixture
def store(tmp_path: Path) -> PackStore:
    return PackStore(tmp_path / "home", small_registry())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    (folder / "det.onnx").write_bytes(DETECTOR)
    (folder / "other name.bin").write_bytes(EMBEDDER)
    return folder


def test_home_is_that_of_the_environment_or_of_xdg() -> None:
    assert gatehouse_home({"GATEHOUSE_HOME": "/srv/g"}) == Path("/srv/g")
    assert gatehouse_home({"XDG_DATA_HOME": "/x"}) == Path("/x/gatehouse")
    assert gatehouse_home({}).parts[-3:] == (".local", "share", "gatehouse")
    assert packs_folder(Path("/h")) == Path("/h/packs")


def test_a_pack_that_is_not_there_names_its_command(store: PackStore) -> None:
    with pytest.raises(
        ModelError, match=r"small is not installed; run: gatehouse models import FOLDER"
    ):
        store.open("small")
    assert store.status(store.pack("small")).state == "missing"


def test_an_unknown_pack_is_told_with_what_there_is(store: PackStore) -> None:
    with pytest.raises(ModelError, match="no pack is called 'smal'; there are: small, things"):
        store.open("smal")


def test_opens_what_was_installed(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    installed = store.open("small", "face")
    assert [file.sha256 for file in installed.files] == [sha256(DETECTOR), sha256(EMBEDDER)]
    assert [file.path.read_bytes() for file in installed.files] == [DETECTOR, EMBEDDER]


def test_refuses_another_kind(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    with pytest.raises(ModelError, match="small is for face, not object; choose from: things"):
        store.open("small", "object")


def test_refuses_a_truncated_file(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    path = store.open("small").files[0].path
    path.write_bytes(DETECTOR[:100])
    with pytest.raises(ModelError, match=r"truncated \(100 of 10,240 bytes\); run: gatehouse"):
        store.open("small")
    assert store.status(store.pack("small")).state == "damaged"


def test_refuses_an_altered_file(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    path = store.open("small").files[0].path
    path.write_bytes(b"x" + DETECTOR[1:])
    with pytest.raises(ModelError, match=f"altered.*expected {sha256(DETECTOR)}.*run: gatehouse"):
        store.open("small")


def test_refuses_a_pack_that_lacks_a_file(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    store.open("small").files[1].path.unlink()
    with pytest.raises(ModelError, match=r"lacks emb\.onnx; run: gatehouse"):
        store.open("small")


def test_a_file_of_unknown_hash_is_never_loaded_unpinned(tmp_path: Path) -> None:
    store = PackStore(tmp_path, small_registry(known=False))
    put = store.folder / "small"
    put.mkdir(parents=True)
    (put / "det.onnx").write_bytes(DETECTOR)
    (put / "emb.onnx").write_bytes(EMBEDDER)
    with pytest.raises(ModelError, match="never pinned"):
        store.open("small")


def test_what_the_registry_knows_wins_over_a_pack_json(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    installed = store.open("small")
    installed.files[0].path.write_bytes(b"other")
    record = store.folder / "small" / "pack.json"
    record.write_text(record.read_text().replace(sha256(DETECTOR), sha256(b"other")))
    with pytest.raises(ModelError, match=r"det\.onnx"):
        store.open("small")


def test_a_damaged_pack_json_is_told(tmp_path: Path) -> None:
    store = PackStore(tmp_path, small_registry())
    (store.folder / "mine").mkdir(parents=True)
    (store.folder / "mine" / "pack.json").write_text("{")
    with pytest.raises(ModelError, match=r"pack\.json is damaged"):
        store.open("mine")


def test_a_failed_installation_leaves_what_was_there(store: PackStore, folder: Path) -> None:
    import_packs(store, folder)
    with store.staging() as staged, pytest.raises(ModelError, match="lacks"):
        store.install(store.pack("small"), staged, {})
    assert store.open("small")
    assert sorted(path.name for path in store.folder.iterdir()) == ["small"]


def test_the_dlib_pack_is_found_without_importing_its_package() -> None:
    installed = PackStore(Path("/nonexistent")).open("dlib-resnet", "face")
    assert len(installed.files) == 3
    assert "face_recognition_models" not in sys.modules


def test_a_shipped_pack_is_what_its_manifest_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "detect.onnx").write_bytes(DETECTOR)
    (tmp_path / "read.onnx").write_bytes(EMBEDDER)
    parts = {
        "detector": {"name": "detect.onnx", "sha256": sha256(DETECTOR)},
        "reader": {"name": "read.onnx", "sha256": sha256(EMBEDDER)},
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"files": parts}))
    store = PackStore(tmp_path)
    monkeypatch.setattr(store, "locate", lambda _: tmp_path)
    assert [f.entry.task for f in store.open("gatehouse-plates").files] == [
        "plate_detection",
        "plate_reading",
    ]
    (tmp_path / "read.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"read\.onnx"):
        store.open("gatehouse-plates")
