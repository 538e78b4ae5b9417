"""Fixtures of the models' tests: the material, a home folder, a web server with habits, small packs."""

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from models.install import import_packs
from models.packs import PackStore
from models.registry import Registry

ROOT = Path(__file__).resolve().parents[3]


def material_folder() -> Path:
    return Path(os.environ.get("GATEHOUSE_MATERIAL", ROOT.parent / "shared" / "material"))


@pytest.fixture(scope="session")
def material() -> Path:
    """The folder of pictures and networks to test with; skips the test where it is not there."""
    folder = material_folder()
    if not (folder / "models" / "face").is_dir():
        pytest.skip(f"no material at {folder}")
    return folder


@pytest.fixture(scope="session")
def material_home(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home into which the material's packs were imported."""
    home = tmp_path_factory.mktemp("home")
    import_packs(PackStore(home), material / "models")
    return home


@dataclass
class Server:
    """A web server on this machine. Tests set how it behaves and read what it was asked."""

    content: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"one"'
    cut_after: list[int] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    base: str = ""

    def url(self, name: str) -> str:
        return f"{self.base}/{name}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.state.requests.append((self.path, wanted))
        body = self.state.content.get(self.path.lstrip("/"))
        if self.state.status:
            self._answer(self.state.status.pop(0), b"", {})
        elif body is None:
            self._answer(404, b"", {})
        else:
            self._serve(body, wanted)

    def _serve(self, body: bytes, wanted: str | None) -> None:
        headers = {"ETag": self.state.etag} if self.state.etag else {}
        fresh = self.headers.get("If-Range") in (None, self.state.etag)
        if not (wanted and self.state.ranges and fresh):
            self._answer(200, body, headers)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(body):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(body)}"})
        else:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self._answer(206, body[start:], headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body and self.state.cut_after:
            body = body[: self.state.cut_after.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    handler = type("Handler", (_Handler,), {"state": state})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        state.base = f"http://127.0.0.1:{httpd.server_address[1]}"
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield state
        httpd.shutdown()
        thread.join()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


#: Bytes that stand for networks where no network is run.
DETECTOR = bytes(range(256)) * 40
EMBEDDER = bytes(reversed(range(256))) * 60


def small_registry(
    *,
    urls: tuple[str, str] | None = None,
    archive: tuple[str, ...] | None = None,
    archive_sha256: str | None = None,
    known: bool = True,
) -> Registry:
    """One face pack ``small`` of two files, and one object pack."""
    lines = [
        "version = 1",
        "[[pack]]",
        'name = "small"\nkind = "face"\ntitle = "t"\nsource = "s"\nlicence = "l"\ncommercial = false',
    ]
    if archive is not None:
        lines.append(f"[pack.archive]\nurls = {list(archive)}")
        if archive_sha256:
            lines.append(f'sha256 = "{archive_sha256}"')
    files = (
        ("det.onnx", "face_detection", "scrfd", DETECTOR),
        ("emb.onnx", "face_recognition", "arcface", EMBEDDER),
    )
    for index, (name, task, network, data) in enumerate(files):
        lines.append(f'[[pack.files]]\nname = "{name}"\ntask = "{task}"\nnetwork = "{network}"')
        if known:
            lines.append(f'sha256 = "{sha256(data)}"\nsize_bytes = {len(data)}')
        if urls:
            lines.append(f'urls = ["{urls[index]}"]')
    lines.append('[pack.face]\nthreshold = 0.4\nmargin = 0.05\nmeasured = "no"')
    lines.append(
        '[[pack]]\nname = "things"\nkind = "object"\ntitle = "t"\nsource = "s"\nlicence = "l"\n'
        'commercial = true\ninstall = "gatehouse models export things.pt"\n'
        '[[pack.files]]\nname = "things.onnx"\ntask = "object_detection"\nnetwork = "yolo"'
    )
    return Registry.parse("\n".join(lines), "test")
