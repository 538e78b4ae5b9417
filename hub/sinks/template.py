"""Text for people, from a template that is no program. Pure.

In: a template with ``$names``, and an event. Out: text. A name that there is not is an error of the
configuration. The texts that are made without a template name no person and no plate: a chat or a mailbox
may be anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from string import Template
from types import MappingProxyType
from typing import Final, Literal

from hub.sinks.notice import Notice

Language = Literal["zh", "en"]

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        "zh": {
            "blue": "蓝色", "yellow": "黄色", "red": "红色", "unverified": "未核实", "confirmed": "已核实",
            "raised": "报警", "joined": "并案", "assigned": "已指派", "escalated": "升级",
            "noted": "有新备注",
            "acknowledged": "已签收", "verified": "已核实", "false_alarm": "误报撤销", "dispatched": "已派警",
            "on_scene": "已到场", "closed": "已办结",
        },
        "en": {
            "blue": "blue", "yellow": "yellow", "red": "red", "unverified": "unverified",
            "confirmed": "confirmed", "raised": "new alert", "joined": "joined an incident",
            "assigned": "assigned", "escalated": "escalated", "noted": "a note was added",
            "acknowledged": "acknowledged", "verified": "verified", "false_alarm": "false alarm",
            "dispatched": "dispatched", "on_scene": "on scene", "closed": "closed",
        },
    }
)  # fmt: skip
FIELDS: Final = (
    "step", "severity", "certainty", "title", "site", "gate", "camera", "time", "category", "reason", "alert",
)  # fmt: skip
"""What a template may name."""

SHORT: Final = "[$severity·$step] $title · $site/$gate · $time · $certainty"
"""One line: of a chat, or the subject of an e-mail."""

LONG: Final = f"{SHORT}\n\n$site / $gate / $camera\n$alert\n"
"""The text of an e-mail."""


def check_template(text: str) -> str:
    """Return `text`. ValueError when it is no template, or names what there is not."""
    template = Template(text)
    if not template.is_valid():
        raise ValueError("a $ is followed by one of the names, or written $$")
    strange = sorted(set(template.get_identifiers()) - set(FIELDS))
    if strange:
        raise ValueError(f"there is no ${strange[0]}; there are ${', $'.join(FIELDS)}")
    return text


@dataclass(frozen=True, slots=True)
class Writer:
    """Fills templates in one language and time zone."""

    language: Language
    zone: tzinfo

    def fill(self, template: str, notice: Notice) -> str:
        """The text. What is filled in is never read as a template again."""
        alert, words = notice.alert, _WORDS[self.language]
        values = {
            "step": words.get(notice.step, notice.step),
            "severity": words[alert.severity],
            "certainty": words[alert.certainty],
            "title": alert.rule_title,
            "site": alert.site,
            "gate": alert.gate,
            "camera": alert.camera,
            "time": f"{alert.captured_at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}",
            "category": alert.category,
            "reason": alert.reason,
            "alert": alert.alert_id,
        }
        return Template(template).substitute(values)
