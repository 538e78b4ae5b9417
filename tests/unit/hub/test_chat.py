"""The guards' chat: each robot's JSON and signature, and what its answers mean."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.config import load_config
from hub.sinks.base import Attempt
from hub.sinks.chat import ChatSink, judge, request
from hub.sinks.make import SinkMaker
from hub.sinks.network import Answer, Guard, GuardedClient
from hub.sinks.template import FIELDS, LONG, SHORT, Writer, check_template
from tests.unit.hub.kit import NOW, PLATE, FakeEdge, write_config
from tests.unit.hub.notices import a_change, a_notice
from wire.errors import ConfigError

ZH, EN = Writer("zh", UTC), Writer("en", UTC)


def test_the_text_as_it_comes_names_no_person_and_no_plate() -> None:
    text = ZH.fill(SHORT, a_notice())
    assert text == "[红色·报警] Plates <listed> · rosegarden/north · 2026-11-05 17:25:00 · 未核实"
    assert EN.fill(SHORT, a_change("verified")).startswith("[red·verified]")
    assert PLATE not in ZH.fill(LONG, a_notice())


@pytest.mark.parametrize("step", ["raised", "joined", "assigned", "escalated", "noted", "acknowledged",
                                  "verified", "false_alarm", "dispatched", "on_scene", "closed"])  # fmt: skip
def test_every_step_has_its_word(step: str) -> None:
    notice = a_notice() if step == "raised" else a_change(step)
    assert ZH.fill("$step", notice) != step


def test_a_template_fills_names_and_is_no_program() -> None:
    text = check_template("$$5 ${reason}: " + " ".join(f"${name}" for name in FIELDS))
    filled = EN.fill(text, a_notice(reason="$title {0.__class__} ${site}"))
    assert filled.startswith("$5 $title {0.__class__} ${site}: ")


@pytest.mark.parametrize("text", ["$nobody", "100 $", "${alert.secret}", "$1"])
def test_a_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\$"):
        check_template(text)


def test_each_chat_has_its_own_json() -> None:
    def body(style):
        return request("http://c/x", style, "京 text", None, NOW)[1]

    assert body("wecom") == {"msgtype": "text", "text": {"content": "京 text"}}
    assert body("dingtalk") == body("wecom")
    assert body("feishu") == {"msg_type": "text", "content": {"text": "京 text"}}
    assert body("text") == {"text": "京 text"}


def test_dingtalk_signs_in_the_url() -> None:
    url, _ = request("https://c/robot?access_token=t", "dingtalk", "x", "SECabc", NOW)
    query = parse_qs(urlsplit(url).query)
    stamp = str(int(NOW.timestamp() * 1000))
    digest = hmac.new(b"SECabc", f"{stamp}\nSECabc".encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": ["t"], "timestamp": [stamp], "sign": [base64.b64encode(digest).decode()]
    }  # fmt: skip


def test_feishu_signs_in_the_body() -> None:
    _, body = request("https://c/hook/1", "feishu", "x", "abc", NOW)
    digest = hmac.new(f"{body['timestamp']}\nabc".encode(), b"", hashlib.sha256).digest()
    assert body["sign"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("status", "said", "attempt"),
    [
        (200, b'{"errcode":0,"errmsg":"ok"}', Attempt("delivered")),
        (200, b'{"code":0,"msg":"success"}', Attempt("delivered")),
        (200, b"ok", Attempt("delivered")),
        (200, b"[]", Attempt("delivered")),
        (200, b'{"errcode":93000,"errmsg":"invalid"}', Attempt("retry", "code 93000: invalid")),
        (200, b'{"errcode":45009,"errmsg":"fast"}', Attempt("retry", "code 45009: fast", 60.0)),
        (200, b'{"code":11232,"msg":"fast"}', Attempt("retry", "code 11232: fast", 60.0)),
        (400, b"", Attempt("refused", "HTTP 400")),
        (500, b'{"errcode":0}', Attempt("retry", "HTTP 500")),
    ],
)
def test_what_an_answer_means(status: int, said: bytes, attempt: Attempt) -> None:
    assert judge(Answer(status, {}, said)) == attempt


@pytest.fixture
def robot() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            self.server.got.append((self.path, json.loads(self.rfile.read(size))))
            self.send_response(200)
            self.send_header("content-length", "13")
            self.end_headers()
            self.wfile.write(b'{"errcode":0}')

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_it_arrives(robot: ThreadingHTTPServer) -> None:
    client = GuardedClient(Guard([ip_network("127.0.0.1")]), 5)
    url = f"http://127.0.0.1:{robot.server_port}/send?key=k"
    sink = ChatSink("guards", url, "wecom", None, "$title", ZH, client, lambda: NOW)
    assert sink.deliver(a_notice()) == Attempt("delivered")
    text = {"msgtype": "text", "text": {"content": "Plates <listed>"}}
    assert robot.got == [("/send?key=k", text)]
    sink.stop()
    gone = ChatSink("guards", "http://127.0.0.1:1/", "wecom", None, "$title", ZH,
                    GuardedClient(Guard([ip_network("127.0.0.1")]), 1), lambda: NOW)  # fmt: skip
    assert gone.deliver(a_notice()).result == "retry"
    gone.stop()


CHAT = '[[sinks]]\nid = "guards"\nkind = "chat"\nurl_file = "url"\n'


def made(tmp_path: Path, edge: FakeEdge, more: str, url: str) -> ChatSink:
    (tmp_path / "url").write_text(url)
    path, _ = write_config(tmp_path, edge, more=CHAT + more)
    (section,) = load_config(path).sinks
    route = SinkMaker(lambda: NOW, lambda _: None).route(section)
    assert route.filter.unverified == "all"
    return route.sink


def test_its_section_of_the_file(tmp_path: Path, edge: FakeEdge) -> None:
    sink = made(
        tmp_path, edge, 'style = "dingtalk"\nsecret_file = "secret"\n', "https://c.example/x"
    )
    assert (sink.id, sink.kind) == ("guards", "chat")
    sink.stop()


@pytest.mark.parametrize(
    ("more", "url", "complaint"),
    [
        ('style = "wecom"\nsecret_file = "secret"\n', "https://c.example/", "wecom signs nothing"),
        (
            'style = "wecom"\ntemplate = "$plate"\n',
            "https://c.example/",
            r"template: there is no \$plate",
        ),
        ('style = "wecom"\n', "http://192.168.1.1/", "url_file: .*allow_networks"),
        ('style = "wecom"\n', "not a url", "url_file: .*no http"),
        ('style = "irc"\n', "https://c.example/", r"sinks\[0\]\.style"),
    ],
)
def test_its_section_is_checked(tmp_path, edge, more: str, url: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        made(tmp_path, edge, more, url)
