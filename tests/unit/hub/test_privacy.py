"""An unmatched face leaves no trace on any disk: looked for byte by byte in all that the hub writes."""

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest

from tests.unit.hub.kit import FakeEdge, HubBench, near, unit
from tests.unit.hub.test_incoming import changed, resigned

CROP = b"\xff\xd8" + bytes(range(256)) * 8 + b"\xff\xd9"


def traces(folder: Path, *needles: bytes) -> list[str]:
    """The files that hold one of the needles, raw, in base64 at any alignment, or in hex."""
    forms = []
    for needle in needles:
        for shift in range(3):
            middle = needle[shift : shift + 48 - 48 % 3]
            forms.append(base64.b64encode(middle))
        forms += [needle[:48], needle[:32].hex().encode(), needle[64:112]]
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path.name}: {form[:12]!r}" for form in forms if form in content]
    return found


@pytest.fixture
def face_of_a_stranger() -> np.ndarray:
    return unit(4711)


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" + CROP)
    assert traces(tmp_path, CROP)
    (tmp_path / "x").write_bytes(b"abc" + base64.b64encode(b"y" + CROP))
    assert traces(tmp_path, CROP)


def test_a_stranger_leaves_no_trace(
    bench: HubBench, edge: FakeEdge, face_of_a_stranger: np.ndarray, caplog
) -> None:
    caplog.set_level(0)
    key = bench.opening.public_key()
    bench.enrol(unit(1))
    stranger = edge.face(face_of_a_stranger, key, crop=CROP)
    twin = edge.face(near(unit(1), 0.49), key, crop=CROP)  # nearly somebody, but not
    sealed = base64.b64decode(json.loads(stranger.payload)["data"]["probe"]["ciphertext"])
    bench.run(stranger, twin, edge.plate("京B99999"))
    # … nor does it by any way of going wrong.
    newer = resigned(edge, edge.face(face_of_a_stranger, key, crop=CROP),
                     type="gatehouse.observation.face.v2")  # fmt: skip
    forged = changed(edge.face(face_of_a_stranger, key, crop=CROP), id="no id")
    lying = resigned(edge, edge.face(face_of_a_stranger, key, crop=CROP),
                     type="gatehouse.observation.plate.v1")  # fmt: skip
    bench.run(newer, forged, lying)
    for incoming in (edge.face(face_of_a_stranger, key, crop=CROP),):
        bench.pipeline.give_up(incoming, RuntimeError("x"), bench.book, bench.now)
    raw = face_of_a_stranger.astype("<f4").tobytes()
    assert traces(bench.folder, raw, CROP, sealed) == []
    assert (bench.folder / "data" / "hub.sqlite-wal").stat().st_size > 0  # it was looked at too
    assert "embedding" not in caplog.text
    assert len(bench.rows("dead_letters")) == 4


def test_somebody_watched_leaves_a_crop_but_no_open_embedding(
    bench: HubBench, edge: FakeEdge
) -> None:
    wang = unit(1)
    bench.enrol(wang)
    seen = near(wang, 0.8)
    bench.run(edge.face(seen, bench.opening.public_key(), crop=CROP))
    assert traces(bench.folder, CROP)
    assert traces(bench.folder, seen.astype("<f4").tobytes()) == []
    assert traces(bench.folder, wang.astype("<f4").tobytes()) == []  # at rest it is encrypted


def test_what_is_erased_is_gone_from_the_files_too(bench: HubBench) -> None:
    from hub.store import watchlists

    subject = bench.enrol(unit(1), label="Wang Xiaoming of unit 3")
    sealed = bench.rows("templates")[0]["sealed"]
    assert traces(bench.folder, sealed)
    with bench.store.write() as tx:
        watchlists.erase_subject(tx, subject, bench.now)
    bench.store.forget_erased()
    assert traces(bench.folder, sealed) == []


def test_files_are_for_the_hub_alone(bench: HubBench, edge: FakeEdge) -> None:
    bench.enrol(unit(1))
    bench.run(edge.face(unit(1), bench.opening.public_key(), crop=CROP))
    for path in (bench.folder / "data").rglob("*"):
        forbidden = 0o077
        assert os.stat(path).st_mode & forbidden == 0, path
