"""The sheet that the property office prints: a card for each unit with its QR code. Pure.

In: the community's title, units with their URLs. Out: an HTML page for A4, four cards a page. A card says
which address the code leads to, so that a code that somebody pasted over it is noticed.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from hub.visitors.markup import Html, document, tag
from hub.visitors.qr import inline

STYLE: Final = Html("""
@page { size: A4; margin: 10mm; }
* { box-sizing: border-box; }
body { margin: 0; color: #111;
  font: 11pt/1.5 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 6mm; max-width: 190mm; margin: 0 auto; }
article { height: 134mm; border: .3mm dashed #999; border-radius: 3mm; padding: 7mm 6mm 5mm;
  display: flex;
  flex-direction: column; align-items: center; text-align: center; break-inside: avoid; }
h1 { font-size: 15pt; margin: 0; line-height: 1.3; }
.unit { font-size: 20pt; font-weight: 700; line-height: 1.4; overflow-wrap: anywhere; }
svg { width: 62mm; height: 62mm; flex: none; }
p { margin: 1mm 0 0; }
.small { font-size: 8.5pt; color: #444; line-height: 1.4; overflow-wrap: anywhere; }
footer { margin-top: auto; }
""")


def sheet(site: str, units: Sequence[tuple[str, str]], base_url: str, printed_on: date) -> Html:
    """The sheet for these units and URLs."""
    return document(
        "zh-CN",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", f"{site} · 访客登记二维码"),
            tag("style", STYLE),
        ),
        tag("body", tag("main", *(_card(site, u, url, base_url, printed_on) for u, url in units))),
    )


def _card(site: str, unit: str, url: str, base_url: str, printed_on: date) -> Html:
    return tag(
        "article",
        tag("h1", site),
        tag("div", unit, class_="unit"),
        inline(url),
        tag("p", tag("strong", "扫码登记来访或车辆")),
        tag("p", "Scan to register a visit or a car", class_="small"),
        tag(
            "footer",
            tag("p", f"打开的网址应以 {base_url}/v/ 开头，否则请勿填写", class_="small"),
            tag("p", f"The address must begin with {base_url}/v/", class_="small"),
            tag("p", f"{printed_on:%Y-%m-%d}", class_="small"),
        ),
    )
