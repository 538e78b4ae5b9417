import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from models.export import export_yolo, import_yolo
from models.objects import load_object_detector
from models.packs import PackStore, sha256_of
from tests.unit.models.conftest import small_registry
from tests.unit.models.test_objects import fixed_network, head
from wire.errors import InputError, ModelError


@pytest.fixture
def store(tmp_path: Path) -> PackStore:
    return PackStore(tmp_path / "home", small_registry())


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return fixed_network(tmp_path / "made.onnx", head((32, 32, 8, 8, 0.9, 0)))


def stand_in(monkeypatch: pytest.MonkeyPatch, made: Path | Exception) -> list[dict[str, object]]:
    """ultralytics, as far as export needs it; the real one is in the train extra."""
    asked: list[dict[str, object]] = []

    class Yolo:
        def __init__(self, weights: str) -> None:
            self.weights = weights

        def export(self, **options: object) -> str:
            asked.append({"weights": self.weights, **options})
            if isinstance(made, Exception):
                raise made
            copy = made.with_name("exported.onnx")
            shutil.copy(made, copy)
            return str(copy)

    monkeypatch.setitem(sys.modules, "ultralytics", SimpleNamespace(YOLO=Yolo))
    return asked


def test_exports_and_pins(store: PackStore, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = stand_in(monkeypatch, network)
    installed = export_yolo(store, "things.pt", imgsz=640)
    assert asked == [{"weights": "things.pt", "format": "onnx", "imgsz": 640}]
    assert installed.files[0].sha256 == sha256_of(network)
    installed.files[0].path.write_bytes(b"altered")
    with pytest.raises(ModelError, match="run: gatehouse models export things.pt"):  # noqa: RUF043
        store.open("things", "object")


def test_a_pack_that_the_registry_does_not_know_declares_itself(
    store: PackStore, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, network)
    export_yolo(store, "Gate.pt", imgsz=320)
    pack = store.pack("gate-320")
    assert (pack.kind, pack.commercial) == ("object", False)
    assert "gate-320" in [p.name for p in store.all()]
    found = load_object_detector("gate-320", threads=1, home=store.folder.parent)
    assert dict(found.labels) == {0: "person", 1: "car"}


def test_without_ultralytics_it_says_what_to_install(
    store: PackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ModelError, match=r"pip install 'gatehouse\[train\]'"):
        export_yolo(store, "yolo11n.pt")


def test_a_failure_of_ultralytics_is_one_message(
    store: PackStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, RuntimeError("no internet"))
    with pytest.raises(ModelError, match=r"cannot export yolo11n\.pt: no internet"):
        export_yolo(store, "yolo11n.pt")


@pytest.mark.parametrize(
    ("weights", "imgsz"), [("a.onnx", 640), ("a.pt", 100), ("a.pt", 0), ("a.pt", 8192)]
)
def test_wrong_arguments_are_told(store: PackStore, weights: str, imgsz: int) -> None:
    with pytest.raises(InputError):
        export_yolo(store, weights, imgsz=imgsz)


def test_a_name_that_cannot_be_one_is_told(
    store: PackStore, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, network)
    with pytest.raises(InputError, match="cannot name a pack"):
        export_yolo(store, "a.pt", name="Upper Case")
    with pytest.raises(InputError, match="belongs to a pack for face"):
        export_yolo(store, "a.pt", name="small")


def test_an_export_of_traits_is_refused(
    store: PackStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(
        monkeypatch, fixed_network(tmp_path / "t.onnx", head(), names="{0: 'male', 1: 'female'}")
    )
    with pytest.raises(ModelError, match="no network that infers"):
        export_yolo(store, "things.pt")
    assert store.status(store.pack("things")).state == "missing"


def test_an_import_must_be_trusted_by_hash(store: PackStore, network: Path) -> None:
    digest = sha256_of(network)
    with pytest.raises(
        ModelError, match=f"gatehouse models import {network} --pack things --trust {digest}"
    ):
        import_yolo(store, network, "things")
    import_yolo(store, network, "things", trust={digest})
    assert store.open("things", "object").files[0].sha256 == digest
    with pytest.raises(InputError, match="no such file"):
        import_yolo(store, network.with_name("none.onnx"), "things")
