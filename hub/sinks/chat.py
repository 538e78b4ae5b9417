"""The guards' chat as a sink: a line of text to a group's robot.

In: an event. Out: the JSON that WeCom (企业微信), DingTalk (钉钉), Feishu (飞书) or a plain ``{"text": …}``
receiver takes. These answer 200 to everything and say in the body whether they took it. No picture leaves.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote_plus

from hub.sinks.base import Attempt, Sink
from hub.sinks.network import Answer, GuardedClient, Unreachable
from hub.sinks.notice import Notice
from hub.sinks.sections import ChatStyle
from hub.sinks.template import Writer

#: "Too many messages": WeCom, DingTalk, Feishu.
_TOO_FAST: Final = frozenset({45009, 130101, 11232})
_PAUSE_S: Final = 60.0


class ChatSink(Sink):
    """One robot of one group."""

    kind = "chat"

    def __init__(
        self,
        sink_id: str,
        url: str,
        style: ChatStyle,
        secret: str | None,
        template: str,
        writer: Writer,
        client: GuardedClient,
        now: Callable[[], datetime],
    ) -> None:
        self._id, self._url, self._style, self._secret = sink_id, url, style, secret
        self._template, self._writer = template, writer
        self._client, self._now = client, now

    @property
    def id(self) -> str:
        """Its name in the configuration."""
        return self._id

    def deliver(self, notice: Notice) -> Attempt:
        """See `Sink`."""
        text = self._writer.fill(self._template, notice)
        url, body = request(self._url, self._style, text, self._secret, self._now())
        content = json.dumps(body, ensure_ascii=False).encode()
        headers = {"content-type": "application/json; charset=utf-8"}
        try:
            answer = self._client.send("POST", url, headers=headers, content=content)
        except Unreachable as error:
            return Attempt("retry", str(error))
        return judge(answer)

    def stop(self) -> None:
        """Close the connections."""
        self._client.close()


def request(
    url: str, style: ChatStyle, text: str, secret: str | None, now: datetime
) -> tuple[str, dict[str, Any]]:
    """The URL and the body for a text, signed where there is a secret."""
    match style:
        case "wecom":
            return url, {"msgtype": "text", "text": {"content": text}}
        case "dingtalk":
            body = {"msgtype": "text", "text": {"content": text}}
            if secret is not None:
                stamp = int(now.timestamp() * 1000)
                sign = quote_plus(_mac(secret, f"{stamp}\n{secret}"))
                url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={sign}"
            return url, body
        case "feishu":
            signed: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
            if secret is not None:
                second = int(now.timestamp())
                signed |= {"timestamp": str(second), "sign": _mac(f"{second}\n{secret}", "")}
            return url, signed
        case "text":
            return url, {"text": text}


def judge(answer: Answer) -> Attempt:
    """What the answer means: first its status, then the code in its body, where it has one."""
    attempt = answer.attempt()
    if attempt.result != "delivered":
        return attempt
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return attempt
    code = said.get("errcode", said.get("code", 0)) if isinstance(said, dict) else 0
    if code == 0:
        return attempt
    words = str(said.get("errmsg", said.get("msg", "")))
    return Attempt("retry", f"code {code}: {words}"[:300], _PAUSE_S if code in _TOO_FAST else None)


def _mac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
