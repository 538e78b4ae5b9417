import io
import stat
import zipfile
from pathlib import Path

import pytest

from models.install import ImportReport, import_packs
from models.packs import PackStore
from models.sources import candidates
from tests.unit.models.conftest import DETECTOR, EMBEDDER, sha256, small_registry
from wire.errors import InputError, ModelError


@pytest.fixture
def store(tmp_path: Path) -> PackStore:
    return PackStore(tmp_path / "home", small_registry())


def write_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_an_empty_folder_has_nothing(store: PackStore, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    with pytest.raises(ModelError, match=r"\(0 files\) has no file of any pack"):
        import_packs(store, tmp_path / "usb")


def test_nothing_there_is_told(store: PackStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        import_packs(store, tmp_path / "usb")


def test_knows_files_by_hash_in_sub_folders_and_under_other_names(
    store: PackStore, tmp_path: Path
) -> None:
    deep = tmp_path / "usb" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "renamed.bin").write_bytes(DETECTOR)
    (tmp_path / "usb" / "x.onnx").write_bytes(EMBEDDER)
    assert import_packs(store, tmp_path / "usb") == ImportReport(("small",), ())


def test_imports_from_a_zip(store: PackStore, tmp_path: Path) -> None:
    path = write_zip(
        tmp_path / "p.zip", {"p/det.onnx": DETECTOR, "p/emb.onnx": EMBEDDER, "p/x": b""}
    )
    assert import_packs(store, path).installed == ("small",)


def test_imports_a_publishers_zip_that_lies_in_a_folder(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    write_zip(buffer, {"det.onnx": DETECTOR, "emb.onnx": EMBEDDER})  # type: ignore[arg-type]
    data = buffer.getvalue()
    (tmp_path / "small.zip").write_bytes(data)
    registry = small_registry(archive=("http://x",), archive_sha256=sha256(data), known=False)
    pack = registry.packs["small"]
    assert pack.archive is not None
    sized = pack.model_copy(
        update={"archive": pack.archive.model_copy(update={"size_bytes": len(data)})}
    )
    store = PackStore(tmp_path / "home", type(registry)({"small": sized}))
    assert import_packs(store, tmp_path).installed == ("small",)
    assert store.open("small").files[1].sha256 == sha256(EMBEDDER)


def test_says_what_a_half_pack_lacks(store: PackStore, tmp_path: Path) -> None:
    (tmp_path / "det.onnx").write_bytes(DETECTOR)
    with pytest.raises(ModelError, match=r"no whole pack: small lacks emb\.onnx"):
        import_packs(store, tmp_path / "det.onnx")


@pytest.mark.parametrize("wrong", [DETECTOR[:-1], b"x" + DETECTOR[1:]])
def test_a_truncated_or_altered_file_is_told_with_both_hashes(
    store: PackStore, tmp_path: Path, wrong: bytes
) -> None:
    (tmp_path / "det.onnx").write_bytes(wrong)
    with pytest.raises(ModelError, match=f"SHA-256 {sha256(wrong)}, expected {sha256(DETECTOR)}"):
        import_packs(store, tmp_path / "det.onnx", only="small")


def test_unknown_hashes_are_refused_until_all_are_trusted(tmp_path: Path) -> None:
    store = PackStore(tmp_path / "home", small_registry(known=False))
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "det.onnx").write_bytes(DETECTOR)
    (usb / "emb.onnx").write_bytes(EMBEDDER)
    with pytest.raises(ModelError, match="has no file of any pack"):
        import_packs(store, usb)
    both = [sha256(DETECTOR), sha256(EMBEDDER)]
    with pytest.raises(ModelError, match=f"--pack small --trust {both[0]} --trust {both[1]}"):
        import_packs(store, usb, only="small", trust=both[:1])
    assert import_packs(store, usb, only="small", trust=both).installed == ("small",)
    assert store.open("small")


@pytest.mark.parametrize(
    "name", ["../../evil.onnx", "/etc/evil.onnx", "..\\evil.onnx", "C:\\evil.onnx"]
)
def test_a_zip_with_an_unsafe_path_is_refused_as_a_whole(
    store: PackStore, tmp_path: Path, name: str
) -> None:
    path = write_zip(tmp_path / "p.zip", {name: b"x", "det.onnx": DETECTOR, "emb.onnx": EMBEDDER})
    with pytest.raises(ModelError, match="unsafe path"):
        import_packs(store, path)
    assert store.status(store.pack("small")).state == "missing"


def test_a_zip_with_a_link_is_refused(store: PackStore, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("det.onnx")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(ModelError, match="is a link"):
        import_packs(store, tmp_path / "p.zip")


def test_a_zip_that_is_cut_short_is_told(store: PackStore, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "p.zip", {"det.onnx": DETECTOR, "emb.onnx": EMBEDDER})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError, match="no whole zip"):
        import_packs(store, path)


def test_a_zip_with_a_flipped_bit_is_told(store: PackStore, tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("det.onnx", DETECTOR)
        archive.writestr("emb.onnx", EMBEDDER)
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="is damaged"):
        import_packs(store, path)


def test_a_bomb_is_stopped_at_the_limit(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", {"det.onnx": bytes(5_000_000)})
    assert path.stat().st_size < 10_000
    with (
        candidates(path) as found,
        pytest.raises(ModelError, match="more than 10,240 bytes: refused"),
    ):
        found[0].copy_to(tmp_path / "out", 10_240)
    assert (tmp_path / "out").stat().st_size <= 10_240
