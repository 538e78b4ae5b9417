"""A camera seen live: a real edge on real video, a real broker, a real hub, its API, and a browser."""

import base64
import itertools
import queue
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from demo.processes import command
from demo.site import CameraPlan
from edge.frame import Image
from models.faces import load_face_pack
from tests.chromium import chromium
from tests.e2e.sites import Site, wait_until
from tests.integration.test_edge_camera_health import real_view, there_and_back
from tests.servers import mosquitto_path
from tests.unit.edge.clips import write_clip
from wire.codec import decode

pytestmark = [
    pytest.mark.material,
    pytest.mark.skipif(
        mosquitto_path() is None, reason="no mosquitto: run scripts/test_servers.sh"
    ),
    pytest.mark.timeout(400),
]
CAMERA = "/cameras/box-1/gate-in/live"
WANTED = {"purpose": "a guard heard a noise", "seconds": 20}


class Listener:
    """Hears what goes over the broker."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, int]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _u, m: self.heard.append((m.topic, m.payload, m.qos))
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("gatehouse/v1/#", 1)
        self.client.loop_start()

    def live(self) -> list[tuple[Any, int]]:
        found = [
            (decode(p).event.data, qos) for topic, p, qos in self.heard if topic.endswith("/live")
        ]
        return [(data, qos) for data, qos in found if data.TYPE == "gatehouse.live.picture.v1"]


@pytest.fixture(scope="module")
def site(material: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A film with faces, played for minutes, as one camera."""
    folder = tmp_path_factory.mktemp("live")
    source = there_and_back(real_view(material / "video" / "yakhyo_in_video.mp4", seconds=12.0))
    images = itertools.islice(source, 10 * 300)
    video = write_clip(folder / "gate.mp4", images, rate_hz=10, gop=20)
    with Site(folder / "site", [CameraPlan("gate-in", str(video), plates=False)]) as running:
        edge = running.plan.edge_file
        text = edge.read_text(encoding="utf-8")
        edge.write_text(text.replace('pace = "realtime"', 'live = "whole"'), encoding="utf-8")
        running.start("edge", "gatehouse", "edge", "run", "-v", "-c", str(edge))
        wait_until(lambda: "is online" in running.log("edge"), 90, "no camera")
        yield running


@pytest.fixture(scope="module")
def guard(site: Site) -> str:
    return command(["hub", "token", "add", "li", "--role", "guard", "-c", str(site.plan.hub_file)])


def ask(site: Site, token: str | None = None, **changes: object) -> str:
    """A ticket's address."""
    ticket = site.api("POST", CAMERA, token=token, json={**WANTED, **changes})
    return f"{site.url}{ticket['path']}"


def pictures(url: str, count: int) -> list[bytes]:
    """The first pictures of a stream; then its viewer goes."""
    with httpx.stream("GET", url, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
        data, found = b"", []
        for chunk in answer.iter_bytes():
            data += chunk
            while (end := data.find(b"\xff\xd9\r\n")) >= 0:
                part, data = data[: end + 2], data[end + 4 :]
                found.append(part[part.index(b"\xff\xd8") :])
                if len(found) == count:
                    return found
    return found


def decoded(jpeg: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def test_the_camera_is_seen_with_faces_hidden_and_whole_by_whoever_may(
    site: Site, guard: str
) -> None:
    blurred = [decoded(jpeg) for jpeg in pictures(ask(site, guard), 15)]
    whole = [decoded(jpeg) for jpeg in pictures(ask(site, faces="whole"), 15)]
    assert {image.shape for image in blurred + whole} == {(450, 800, 3)}
    assert len({image.tobytes() for image in blurred}) == 15
    detector = load_face_pack("dlib-resnet", threads=1).detector
    # Which scenes of the film they show, and how many faces, is a matter of when they were asked for.
    assert sum(len(detector.detect(image)) for image in whole) >= 6
    assert sum(len(detector.detect(image)) for image in blurred) <= 1


def test_viewers_share_a_session_and_nothing_is_sent_when_they_have_gone(
    site: Site, guard: str
) -> None:
    listener = Listener(site.broker.port)
    urls, found = [ask(site, guard) for _ in range(3)], queue.Queue[list[bytes]]()
    started = time.monotonic()
    viewers = [threading.Thread(target=lambda url=url: found.put(pictures(url, 8))) for url in urls]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join(60)
    took_s = time.monotonic() - started
    shown = [found.get(timeout=1) for _ in viewers]
    assert [len(jpegs) for jpegs in shown] == [8, 8, 8]
    sent = listener.live()
    assert len({data.session_id for data, _ in sent}) == 1
    assert {qos for _, qos in sent} == {0}
    assert len(sent) <= 3 * took_s + 4  # of one camera once, however many watch
    time.sleep(2.0)
    before = len(listener.live())
    time.sleep(4.0)
    assert len(listener.live()) == before
    head = shown[0][0][:12]  # long enough that sealed bytes do not look like it by chance
    assert head.endswith(b"JFIF\0\1")
    for needle in (head, base64.b64encode(head)):
        assert all(needle not in payload for _, payload, _ in listener.heard)
    listener.client.disconnect()
    assert "faults" not in site.log("edge")


def test_a_session_ends_by_itself(site: Site, guard: str) -> None:
    url = ask(site, guard, seconds=5)
    started = time.monotonic()
    assert len(pictures(url, 1000)) >= 5
    assert time.monotonic() - started < 15


def test_nothing_of_it_is_on_any_disk(site: Site, guard: str) -> None:
    shown = pictures(ask(site, guard), 3)
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    assert len(files) > 5
    for path in files:
        content = path.read_bytes()
        for jpeg in shown:
            assert jpeg[200:264] not in content, path
        assert b"gatehouse.live.picture" not in content, path


def test_who_may_and_what_is_written_down(site: Site, guard: str) -> None:
    headers = {"authorization": f"Bearer {guard}"}
    api = f"{site.url}/api/v1"
    whole = httpx.post(f"{api}{CAMERA}", headers=headers, json={**WANTED, "faces": "whole"})
    assert whole.status_code == 403
    no_purpose = httpx.post(f"{api}{CAMERA}", headers=headers, json={"seconds": 5})
    assert no_purpose.status_code == 422
    ticket = site.api("POST", "/cameras/box-1/roof/live", token=guard, json=WANTED)
    refused = httpx.get(f"{site.url}{ticket['path']}", timeout=30)
    assert (refused.status_code, refused.json()["reason"]) == (409, "refused")
    assert "no camera 'roof'" in refused.json()["detail"]
    url = ask(site, guard)
    assert pictures(url, 1)
    assert httpx.get(url).status_code == 401
    acts = site.all("/audit")
    asked = next(act for act in acts if act["action"] == "live.asked")
    assert (asked["actor"], asked["purpose"]) == ("li", WANTED["purpose"])
    assert any(act["action"] == "live.watched" for act in acts)


_PAGE = """<!doctype html><body style="background:#223"><h3 style="color:#fff">gate-in</h3>
<img id="live" src="{url}"><script>
const image = document.getElementById("live");
const tell = (facts) => fetch("/told", {{method: "POST", body: JSON.stringify(facts)}});
image.onerror = () => tell("error");
const look = () => image.naturalWidth ? tell(image.naturalWidth + "x" + image.naturalHeight)
  : setTimeout(look, 100);
look();
</script>"""


@pytest.mark.skipif(chromium() is None, reason="no Chromium: run scripts/test_servers.sh")
def test_a_browser_shows_it_as_a_plain_picture(site: Site, guard: str, tmp_path: Path) -> None:
    told: queue.Queue[str] = queue.Queue()
    page = _PAGE.format(url=ask(site, guard)).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["content-length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        [chromium(), "--headless", "--no-sandbox", "--disable-gpu",
         f"--user-data-dir={tmp_path / 'chromium'}",
         f"http://127.0.0.1:{server.server_address[1]}/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert told.get(timeout=60) == '"800x450"'
    finally:
        browser.terminate()
        browser.wait(timeout=20)
        server.shutdown()
        server.server_close()
