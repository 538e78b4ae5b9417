"""All benchmarks, in order."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.bench import behaviours, decoding, gallery, hub, networks, pipeline, rules
from tests.bench.report import Row, as_json, as_markdown, machine
from tests.servers import mosquitto_path
from wire.errors import InputError

__all__ = ["as_json", "as_markdown", "run"]

PARTS: dict[str, Callable[[str], list[Row]]] = {
    "decoding": lambda _pack: decoding.run(),
    "networks": lambda _pack: networks.run(),
    "behaviours": lambda _pack: behaviours.run(),
    "pipeline": pipeline.run,
    "hub": lambda _pack: hub.run(),
    "rules": lambda _pack: rules.run(),
    "gallery": lambda _pack: gallery.run(),
}


def run(
    only: Sequence[str] | None, pack: str, say: Callable[[str], object]
) -> tuple[list[Row], dict[str, Any]]:
    """Run the named parts, or all; returns the rows and what they were measured on."""
    unknown = sorted(set(only or ()) - set(PARTS))
    if unknown:
        raise InputError(f"there is no benchmark {unknown[0]!r}: the parts are {', '.join(PARTS)}")
    names = list(only or PARTS)
    if {"hub", "rules"} & set(names) and mosquitto_path() is None:
        raise InputError(
            "the hub is measured beside mosquitto, which is not here: make bench installs it"
        )
    context = machine()
    rows: list[Row] = []
    for name in names:
        say(f"measuring {name} …")
        rows += PARTS[name](pack)
    return rows, context
