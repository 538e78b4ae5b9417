"""What a view library answers, read leniently and to the last item. Pure.

In: the body of an answer. Out: the status of every item in it. Peers differ in the envelope (a list object,
a list, one status alone), in its spelling, and in whether a code is a number or text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.sinks.base import Attempt
from hub.viid.ids import read_time

OK: Final = 0
#: The receiver has read the message and finds it wrong: XML or JSON, format or content.
_HOPELESS: Final = frozenset({5, 6, 7, 8})
_WORDS: Final = {
    1: "other error", 2: "busy", 3: "device error", 4: "invalid operation", 5: "XML format",
    6: "XML content", 7: "JSON format", 8: "JSON content", 9: "rebooting",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """The status of one item."""

    code: int
    text: str
    id: str = ""

    @property
    def taken(self) -> bool:
        """Whether the item is in the library, now or from an attempt before."""
        return self.code == OK or "已存在" in self.text or "exist" in self.text.lower()


def read_statuses(body: bytes) -> tuple[Status, ...]:
    """Every status in the answer, none when it holds none. ValueError when it is no JSON object."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the answer is no JSON") from error
    if not isinstance(answer, Mapping):
        raise ValueError("the answer is no JSON object")
    return tuple(_statuses(answer))


def verdict(statuses: tuple[Status, ...]) -> Attempt:
    """What these statuses mean for a delivery: the worst of them decides, and none at all is no yes."""
    if not statuses:
        return Attempt("retry", "the answer holds no status")
    bad = [status for status in statuses if not status.taken]
    if not bad:
        return Attempt("delivered")
    worst = next((status for status in bad if status.code in _HOPELESS), bad[0])
    word = _WORDS.get(worst.code, "unknown")
    detail = f"StatusCode {worst.code} ({word}): {worst.text}"[:300]
    return Attempt("refused" if worst.code in _HOPELESS else "retry", detail)


def read_clock(body: bytes) -> datetime | None:
    """The time that ``/VIID/System/Time`` tells; None when it tells none."""
    try:
        answer = json.loads(body)
        return read_time(str(answer["SystemTimeObject"]["LocalTime"]))
    except (ValueError, RecursionError, KeyError, TypeError):
        return None


def _statuses(value: Any) -> Iterator[Status]:
    if isinstance(value, list):
        for item in value:
            yield from _statuses(item)
    elif isinstance(value, Mapping):
        if "StatusCode" in value:
            yield _status(value)
        else:
            for name, inner in value.items():
                if str(name).startswith("ResponseStatus"):
                    yield from _statuses(inner)


def _status(value: Mapping[str, Any]) -> Status:
    text = str(value.get("StatusString") or "")
    try:
        code = int(str(value["StatusCode"]).strip())
    except ValueError:
        code, text = 1, f"StatusCode {value['StatusCode']!r} is no number"
    return Status(code, text, str(value.get("Id") or ""))
