"""Debian's Chromium, headless: plays a video from a web server of the test's own, and says what it saw."""

import json
import queue
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PAGE = b"""<!doctype html><video muted></video><script>
const video = document.querySelector("video"), canvas = document.createElement("canvas"), seen = new Set();
canvas.width = 64; canvas.height = 36;
const paint = canvas.getContext("2d", {willReadFrequently: true});
const tell = (facts) => fetch("/told", {method: "POST", body: JSON.stringify(facts)});
const look = () => { paint.drawImage(video, 0, 0, 64, 36); seen.add(canvas.toDataURL()); };
video.requestVideoFrameCallback(function again() { look(); video.requestVideoFrameCallback(again); });
video.onerror = () => tell({error: video.error.message});
video.onended = () => tell({ended_s: video.currentTime, duration_s: video.duration,
  width: video.videoWidth, height: video.videoHeight, pictures: seen.size});
video.src = "/clip.mp4";
video.play();
</script>"""


def chromium() -> str | None:
    """Where it is; None where it is not installed."""
    return shutil.which("chromium")


class _Server(ThreadingHTTPServer):
    """Serves one clip, whole, as the hub's API does, and takes what the page tells."""

    def __init__(self, clip: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.clip = clip
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        is_clip = self.path == "/clip.mp4"
        body = self.server.clip if is_clip else _PAGE
        self.send_response(200)
        self.send_header("content-type", "video/mp4" if is_clip else "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.server.told.put(json.loads(body))

    def log_message(self, *_: Any) -> None:
        return


def play(clip: bytes, folder: Path, *, timeout_s: float = 90.0) -> dict[str, Any]:
    """What the browser said when it had played `clip` to its end, or why it could not."""
    path = chromium()
    assert path is not None
    server = _Server(clip)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser = subprocess.Popen(
        [path, "--headless", "--no-sandbox", "--disable-gpu", "--mute-audio",
         "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={folder / 'chromium'}",
         f"http://127.0.0.1:{server.server_address[1]}/"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        return server.told.get(timeout=timeout_s)
    finally:
        browser.terminate()
        browser.wait(timeout=20)
        server.shutdown()
        server.server_close()
