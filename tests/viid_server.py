"""A view library for tests (GA/T 1400) that refuses what a real one refuses.

It asks for Digest at registration, knows its sessions by ``User-Identify`` and lets them lapse, wants its
content type, every required field, ids of the right length and kind, times, and pictures that are JPEG; and
it refuses any field that tells of gender, ethnicity, age or the like, which a real one would take. `style`
chooses among the spellings of the reply that are met in practice; `answer_with` makes it answer other codes
first.
"""

import base64
import binascii
import hashlib
import io
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

REALM, OPAQUE = "viid", "5ccc069c403ebaf9f0171e9517f40e41"
MEDIA_TYPES = ("application/viid+json", "application/json")
_FORBIDDEN = re.compile(
    r"Gender|Ethic|Age(UpLimit|LowerLimit)?$|Skin|Religio|Nationality|Terror|Criminal|Detainee|Drug|Victim"
)
_TIME = re.compile(r"\d{14}", re.ASCII)
_NAMES = {
    "Face": ("FaceID", "06"),
    "Person": ("PersonID", "01"),
    "MotorVehicle": ("MotorVehicleID", "02"),
}
_REQUIRED = {
    "Face": {"InfoKind", "SourceID", "DeviceID", "LeftTopX", "LeftTopY", "RightBtmX", "RightBtmY",
             "SubImageList", "ShotTime"},
    "Person": {"InfoKind", "SourceID", "DeviceID", "LeftTopX", "LeftTopY", "RightBtmX", "RightBtmY",
               "SubImageList"},
    "MotorVehicle": {"InfoKind", "SourceID", "DeviceID", "LeftTopX", "LeftTopY", "RightBtmX",
                     "RightBtmY", "StorageUrl1", "VehicleColor", "PassTime", "HasPlate", "PlateClass",
                     "PlateColor", "PlateNo", "SubImageList"},
}  # fmt: skip


class Wrong(Exception):  # noqa: N818 - named for what the sender gets
    """A message that a library refuses, with its StatusCode."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class ViidServer:
    """`taken` are the objects by id, `notifications` in the order in which they came, `refused` the
    reasons."""

    username: str = "hub"
    password: str = "secret-of-the-hub"
    device_id: str = "33078200005030000001"
    session_s: float = 90.0
    style: str = "list_object"
    clock_off_s: float = 0.0
    answer_with: list[tuple[int, Any]] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    registrations: int = 0

    def __post_init__(self) -> None:
        self._sessions: dict[str, datetime] = {}
        self._nonces: set[str] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def start(self, port: int = 0) -> str:
        """Listen on 127.0.0.1 and return the URL."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def forget_sessions(self) -> None:
        """As a library that was started anew."""
        with self._lock:
            self._sessions.clear()

    @property
    def sessions(self) -> set[str]:
        with self._lock:
            return set(self._sessions)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        library = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

            def _answer(self, body: bytes) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                with library._lock:
                    status, answer, more = library.take(self.command, self.path, headers, body)
                content = json.dumps(answer, ensure_ascii=False).encode()
                self.send_response(status)
                for name, value in {**more, "content-type": "application/VIID+JSON"}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None: ...

        return Handler

    def take(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        self.calls.append(path.removeprefix("/VIID"))
        try:
            if path == "/VIID/System/Register":
                return self._register(method, headers, body)
            sender = self._sender(headers)
            if sender is None:
                return 401, self._status(path, 4, "no session"), {}
            if method == "GET" and path == "/VIID/System/Time":
                return 200, self._time(), {}
            content_type = headers.get("content-type", "").replace(" ", "").lower()
            if not content_type.startswith(MEDIA_TYPES):
                raise Wrong(7, f"content type {content_type!r}")
            return self._take_message(path, sender, self._json(body))
        except Wrong as wrong:
            self.refused.append(str(wrong))
            return 200, self._status(path, wrong.code, str(wrong)), {}

    def _take_message(self, path: str, sender: str, body: Any) -> tuple[int, dict, dict]:
        if path in ("/VIID/System/Keepalive", "/VIID/System/UnRegister"):
            name = path.rpartition("/")[2]
            if body.get(f"{name}Object", {}).get("DeviceID") != sender:
                raise Wrong(8, f"{name}Object.DeviceID is not the sender")
            if name == "UnRegister":
                del self._sessions[sender]
            return 200, self._status(path, 0, "OK"), {}
        if self.answer_with:
            status, answer = self.answer_with.pop(0)
            return status, answer, {}
        ids = self._take_list(path, body)
        return 200, self._reply(path, ids), {}

    def _take_list(self, path: str, body: Any) -> list[str]:
        what = {
            "/VIID/Faces": "Face", "/VIID/Persons": "Person", "/VIID/MotorVehicles": "MotorVehicle",
            "/VIID/DispositionNotifications": "DispositionNotification",
        }.get(path)  # fmt: skip
        if what is None:
            raise Wrong(4, f"no such resource {path}")
        objects = body.get(f"{what}ListObject", {}).get(f"{what}Object")
        if not isinstance(objects, list) or not objects:
            raise Wrong(7, f"no {what}ListObject.{what}Object")
        for name in _names(body):
            if _FORBIDDEN.search(name):
                raise Wrong(8, f"{name} tells what must not be told")
        ids = []
        for item in objects:
            if what == "DispositionNotification":
                self._check_notification(item)
                self.notifications.append(item)
                ids.append(item["NotificationID"])
            else:
                check_object(what, item)
                self.taken[item[_NAMES[what][0]]] = item
                ids.append(item[_NAMES[what][0]])
        return ids

    def _check_notification(self, item: Mapping[str, Any]) -> None:
        need(item, {"NotificationID", "DispositionID", "Title", "TriggerTime", "CntObjectID"})
        for name, kind in (("NotificationID", "02"), ("DispositionID", "01")):
            digits(item, name, 33)
            if item[name][12:14] != kind:
                raise Wrong(8, f"{name} is of kind {item[name][12:14]}")
        time_of(item, "TriggerTime")
        digits(item, "CntObjectID", 48)
        if item["CntObjectID"] not in self.taken:
            raise Wrong(8, "CntObjectID names nothing that is here")
        for what in ("Person", "MotorVehicle"):
            if f"{what}Object" in item:
                check_object(what, item[f"{what}Object"])
                return
        raise Wrong(8, "neither PersonObject nor MotorVehicleObject")

    def _register(self, method: str, headers: Mapping[str, str], body: bytes) -> tuple:
        device = self._json(body).get("RegisterObject", {}).get("DeviceID", "")
        if device != headers.get("user-identify") or not re.fullmatch(r"\d{20}", device):
            raise Wrong(8, "RegisterObject.DeviceID is not the User-Identify")
        given = headers.get("authorization", "")
        if not self._digest_is_right(given, method):
            nonce = hashlib.md5(str(len(self._nonces)).encode()).hexdigest()
            self._nonces.add(nonce)
            challenge = f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", opaque="{OPAQUE}"'
            refusal = self._status("/VIID/System/Register", 4, "authorise")
            return 401, refusal, {"www-authenticate": challenge}
        self.registrations += 1
        self._sessions[device] = self._now()
        return 200, self._status("/VIID/System/Register", 0, "OK"), {}

    def _digest_is_right(self, header: str, method: str) -> bool:
        scheme, _, rest = header.partition(" ")
        given = {
            name: quoted or bare
            for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', rest)
        }
        nonce = given.get("nonce", "")
        if scheme.lower() != "digest" or nonce not in self._nonces or given.get("qop") != "auth":
            return False
        if (given.get("opaque"), given.get("nc")) != (OPAQUE, "00000001"):
            return False
        if given.get("username") != self.username or given.get("uri") != "/VIID/System/Register":
            return False

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()

        secret = md5(self.username, REALM, self.password)
        wanted = md5(
            secret, nonce, given["nc"], given.get("cnonce", ""), "auth", md5(method, given["uri"])
        )
        self._nonces.discard(nonce)
        return given.get("response") == wanted

    def _sender(self, headers: Mapping[str, str]) -> str | None:
        sender = headers.get("user-identify", "")
        heard = self._sessions.get(sender)
        if heard is None or self._now() - heard > timedelta(seconds=self.session_s):
            self._sessions.pop(sender, None)
            return None
        self._sessions[sender] = self._now()
        return sender

    def _time(self) -> dict[str, Any]:
        clock = self._now() + timedelta(hours=8, seconds=self.clock_off_s)
        local = clock.strftime("%Y%m%d%H%M%S")
        return {"SystemTimeObject": {"VIIDServerID": self.device_id, "TimeMode": "1",
                                     "LocalTime": local, "TimeZone": "Asia/Shanghai"}}  # fmt: skip

    def _reply(self, path: str, ids: list[str]) -> dict[str, Any]:
        items = [self._status(path, 0, "OK", item)["ResponseStatusObject"] for item in ids]
        if self.style == "list_object":
            return {"ResponseStatusListObject": {"ResponseStatusObject": items}}
        if self.style == "list":
            return {"ResponseStatusList": {"ResponseStatusObject": items}}
        return {"ResponseStatusObject": {**items[0], "StatusCode": 0}}

    @staticmethod
    def _status(path: str, code: int, text: str, item: str = "") -> dict[str, Any]:
        return {"ResponseStatusObject": {"Id": item, "RequestURL": path, "StatusCode": str(code),
                                         "StatusString": text, "LocalTime": "20261105172500"}}  # fmt: skip

    @staticmethod
    def _json(body: bytes) -> dict[str, Any]:
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Wrong(7, "no JSON") from error
        if not isinstance(value, dict):
            raise Wrong(7, "no JSON object")
        return value

    @staticmethod
    def _now() -> datetime:
        return datetime.now(UTC)


def check_object(what: str, item: Mapping[str, Any]) -> None:
    """Wrong, unless this is a whole Face, Person or MotorVehicle."""
    name, kind = _NAMES[what]
    need(item, {name, *_REQUIRED[what]})
    digits(item, name, 48)
    if item[name][41:43] != kind:
        raise Wrong(8, f"{name} is of kind {item[name][41:43]}, not {kind}")
    digits(item, "SourceID", 41)
    digits(item, "DeviceID", 20)
    if item[name][:41] != item["SourceID"] or item["SourceID"][20:22] != "02":
        raise Wrong(8, f"{name} does not begin with its SourceID")
    for moment in ("ShotTime", "PassTime", f"{what}AppearTime", f"{what}DisAppearTime"):
        if moment in item:
            time_of(item, moment)
    if not item["LeftTopX"] < item["RightBtmX"] or not item["LeftTopY"] < item["RightBtmY"]:
        raise Wrong(8, "the box has no area")
    for picture in item["SubImageList"].get("SubImageInfoObject", []):
        _check_picture(picture, item["SourceID"])


def _check_picture(picture: Mapping[str, Any], source: str) -> None:
    need(picture, {"ImageID", "EventSort", "DeviceID", "StoragePath", "Type", "FileFormat",
                   "ShotTime", "Width", "Height", "Data"})  # fmt: skip
    digits(picture, "ImageID", 41)
    time_of(picture, "ShotTime")
    if (picture["ImageID"] == source) != (picture["Type"] == "14"):
        raise Wrong(8, "SourceID is not the id of the scene")
    try:
        jpeg = base64.b64decode(picture["Data"], validate=True)
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            size = image.size
    except (binascii.Error, OSError) as error:
        raise Wrong(8, "Data is no JPEG in base64") from error
    if size != (picture["Width"], picture["Height"]) or picture["FileFormat"] != "Jpeg":
        raise Wrong(8, "the picture is not what it is said to be")


def need(item: Mapping[str, Any], names: set[str]) -> None:
    missing = sorted(names - item.keys())
    if missing:
        raise Wrong(8, f"missing: {', '.join(missing)}")


def digits(item: Mapping[str, Any], name: str, length: int) -> None:
    if not isinstance(item[name], str) or not re.fullmatch(
        rf"\d{{{length}}}", item[name], re.ASCII
    ):
        raise Wrong(8, f"{name} has not {length} digits")


def time_of(item: Mapping[str, Any], name: str) -> None:
    if not isinstance(item[name], str) or not _TIME.fullmatch(item[name]):
        raise Wrong(8, f"{name} is no time")


def _names(body: Any) -> list[str]:
    if isinstance(body, Mapping):
        return [name for key, value in body.items() for name in (key, *_names(value))]
    if isinstance(body, list):
        return [name for value in body for name in _names(value)]
    return []
