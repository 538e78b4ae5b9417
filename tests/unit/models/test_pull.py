"""Pulling from a real web server that behaves, cuts, lies, forgets and refuses."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from models.download import Downloader, Progress
from models.install import pull
from models.packs import PackStore
from tests.unit.models.conftest import DETECTOR, EMBEDDER, Server, sha256, small_registry
from wire.errors import ModelError


@pytest.fixture
def downloader() -> Iterator[Downloader]:
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield Downloader(client, sleep=lambda _: None, attempts=3)


def files_store(home: Path, server: Server, **more: bool) -> PackStore:
    server.content |= {"det.onnx": DETECTOR, "emb.onnx": EMBEDDER}
    return PackStore(
        home, small_registry(urls=(server.url("det.onnx"), server.url("emb.onnx")), **more)
    )


def zip_of(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"folder/{name}.onnx", data)
    return buffer.getvalue()


def archive_store(home: Path, server: Server, data: bytes, *, known: bool) -> PackStore:
    server.content |= {"small.zip": data}
    registry = small_registry(
        archive=(server.url("small.zip"),),
        archive_sha256=sha256(data) if known else None,
        known=known,
    )
    return PackStore(home, registry)


def test_pulls_files_and_tells_progress(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    told: list[Progress] = []
    pull(store, "small", downloader, on_progress=told.append)
    assert store.status(store.pack("small")).state == "ready"
    assert told[-1] == Progress("small-emb.onnx", len(EMBEDDER), len(EMBEDDER))
    assert not list((store.folder / ".downloads").glob("*.part"))


def test_leaves_a_whole_pack_alone(tmp_path: Path, server: Server, downloader: Downloader) -> None:
    store = files_store(tmp_path, server)
    pull(store, "small", downloader)
    asked = len(server.requests)
    pull(store, "small", downloader)
    assert len(server.requests) == asked


def test_mends_an_altered_pack(tmp_path: Path, server: Server, downloader: Downloader) -> None:
    store = files_store(tmp_path, server)
    pull(store, "small", downloader).files[0].path.write_bytes(b"altered")
    assert pull(store, "small", downloader).files[0].path.read_bytes() == DETECTOR


def test_goes_on_where_the_connection_was_cut(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.cut_after = [4000, 3000]
    pull(store, "small", downloader)
    ranges = [wanted for path, wanted in server.requests if path == "/det.onnx"]
    assert ranges == [None, "bytes=4000-", "bytes=7000-"]


def test_goes_on_in_a_later_run(tmp_path: Path, server: Server, downloader: Downloader) -> None:
    store = files_store(tmp_path, server)
    server.cut_after = [1000, 1000, 1000]
    with pytest.raises(ModelError, match="Run the command again"):
        pull(store, "small", downloader)
    pull(store, "small", downloader)
    assert ("/det.onnx", "bytes=3000-") in server.requests


def test_a_server_that_ignores_ranges_is_believed(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.ranges, server.cut_after = False, [4000]
    assert pull(store, "small", downloader).files[0].path.read_bytes() == DETECTOR


def test_a_file_that_changed_meanwhile_is_fetched_whole(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.content["det.onnx"] = b"old" * 2000
    server.cut_after = [4000, 100, 100]
    with pytest.raises(ModelError):
        pull(store, "small", downloader)
    server.content["det.onnx"], server.etag = DETECTOR, '"two"'
    assert pull(store, "small", downloader).files[0].path.read_bytes() == DETECTOR


def test_a_file_that_became_shorter_is_fetched_anew(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    part = store.folder / ".downloads" / "small-det.onnx.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 20_000)
    part.with_name(part.name + ".json").write_text(
        f'{{"url": "{server.url("det.onnx")}", "validator": "\\"one\\""}}'
    )
    assert pull(store, "small", downloader).files[0].path.read_bytes() == DETECTOR


def test_without_a_validator_nothing_is_glued_together(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.etag, server.cut_after = None, [4000]
    pull(store, "small", downloader)
    assert {wanted for _, wanted in server.requests} == {None}


def test_a_busy_server_is_asked_again(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.status = [503, 429]
    assert pull(store, "small", downloader)


def test_the_wrong_file_is_thrown_away(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.content["det.onnx"] = b"x" * len(DETECTOR)
    with pytest.raises(ModelError, match=f"gave SHA-256 .*expected {sha256(DETECTOR)}"):
        pull(store, "small", downloader)
    assert store.status(store.pack("small")).state == "missing"
    assert not list((store.folder / ".downloads").glob("*.part"))


def test_more_bytes_than_expected_are_refused(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.content["det.onnx"] = DETECTOR * 2
    with pytest.raises(ModelError, match="more than the 10,240 expected"):
        pull(store, "small", downloader)


def test_a_missing_file_says_how_to_do_without_internet(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = files_store(tmp_path, server)
    server.content.clear()
    with pytest.raises(ModelError, match=r"404.*gatehouse models import FILE"):
        pull(store, "small", downloader)


def test_no_server_at_all_is_told(tmp_path: Path, server: Server, downloader: Downloader) -> None:
    store = PackStore(
        tmp_path, small_registry(urls=("http://127.0.0.1:9/a", "http://127.0.0.1:9/b"))
    )
    with pytest.raises(ModelError, match=r"cannot download det\.onnx"):
        pull(store, "small", downloader)


def test_pulls_an_archive_and_takes_only_its_own_files(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    data = zip_of(det=DETECTOR, emb=EMBEDDER, genderage=b"never")
    store = archive_store(tmp_path, server, data, known=True)
    pull(store, "small", downloader)
    assert sorted(p.name for p in (store.folder / "small").iterdir()) == [
        "det.onnx",
        "emb.onnx",
        "pack.json",
    ]
    assert not list((store.folder / ".downloads").glob("*.zip*.part"))


def test_an_unknown_archive_is_refused_until_it_is_trusted(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    data = zip_of(det=DETECTOR, emb=EMBEDDER)
    store = archive_store(tmp_path, server, data, known=False)
    command = f"gatehouse models pull small --trust {sha256(data)}"
    with pytest.raises(ModelError, match=command):
        pull(store, "small", downloader)
    assert store.status(store.pack("small")).state == "missing"
    with pytest.raises(ModelError, match=command):
        pull(store, "small", downloader, trust={"0" * 64})
    pull(store, "small", downloader, trust={sha256(data)})
    assert len(server.requests) == 1  # what was downloaded for the question is used for the answer
    assert store.open("small").files[0].sha256 == sha256(DETECTOR)
    store.open("small").files[0].path.write_bytes(b"altered")
    with pytest.raises(ModelError, match="altered"):
        store.open("small")


def test_an_archive_that_lacks_a_file_is_refused(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = archive_store(tmp_path, server, zip_of(det=DETECTOR), known=True)
    with pytest.raises(ModelError, match=r"0 files emb\.onnx, not one"):
        pull(store, "small", downloader)


def test_a_second_address_is_tried_when_the_first_is_wrong(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    data = zip_of(det=DETECTOR, emb=EMBEDDER)
    server.content |= {"wrong.zip": b"x" * len(data), "right.zip": data}
    addresses = ("http://127.0.0.1:9/none.zip", server.url("wrong.zip"), server.url("right.zip"))
    store = PackStore(tmp_path, small_registry(archive=addresses, archive_sha256=sha256(data)))
    assert pull(store, "small", downloader)
    assert [path for path, _ in server.requests] == ["/wrong.zip", "/right.zip"]


def test_what_cannot_be_pulled_says_what_to_do(
    tmp_path: Path, server: Server, downloader: Downloader
) -> None:
    store = PackStore(tmp_path, small_registry())
    with pytest.raises(ModelError, match=r"run: gatehouse models export things\.pt"):
        pull(store, "things", downloader)
