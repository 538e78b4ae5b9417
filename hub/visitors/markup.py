"""HTML in which every text is escaped unless it was made here. Pure.

In: names of elements, attributes, texts. Out: `Html`. What is no `Html` is text and is escaped, so what a
visitor entered can never be markup.
"""

from html import escape
from typing import Final

_EMPTY: Final = frozenset({"meta", "input", "br", "img", "hr"})


class Html(str):
    """Markup that needs no escaping."""

    __slots__ = ()


def tag(element: str, *children: str, **attributes: str | bool | None) -> Html:
    """An element. ``class_`` is the attribute ``class``; None and False leave an attribute out."""
    shown = "".join(
        _attribute(name, value) for name, value in attributes.items() if value not in (None, False)
    )
    if element in _EMPTY:
        return Html(f"<{element}{shown}>")
    return Html(f"<{element}{shown}>{join(*children)}</{element}>")


def join(*children: str) -> Html:
    """Some children, one after the other."""
    return Html(
        "".join(str(c) if isinstance(c, Html) else escape(c, quote=False) for c in children)
    )


def document(language: str, *children: str) -> Html:
    """A whole page."""
    return Html("<!doctype html>\n" + tag("html", *children, lang=language))


def _attribute(name: str, value: str | bool | None) -> str:
    plain = name.rstrip("_")
    return f" {plain}" if value is True else f' {plain}="{escape(str(value))}"'
