"""What a benchmark gives, and its table for people and JSON for programs."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `against` is what it is compared with in the same run, `ratio` the comparison."""

    group: str
    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None


def machine() -> dict[str, Any]:
    """What was measured on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cpu": model,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {
            name: version(name)
            for name in ("gatehouse", "onnxruntime", "opencv-python", "av", "dlib-bin", "faiss-cpu")
        },
    }


def as_json(rows: Sequence[Row], context: dict[str, Any]) -> dict[str, Any]:
    """All figures, for programs."""
    return {"machine": context, "rows": [asdict(row) for row in rows]}


def as_markdown(rows: Sequence[Row], context: dict[str, Any]) -> str:
    """All figures as a page, one table a group."""
    versions = ", ".join(f"{name} {value}" for name, value in context["versions"].items())
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; never edited by hand. Absolute figures are of one run on one machine;",
        "what can be carried over are the ratios, whose two sides were measured in turn in that run.",
        "",
        f"Measured {context['measured_at']} on {context['cpu']}, {context['cores']} cores,"
        f" load before {context['load_before']}; Python {context['python']}, {versions}.",
    ]
    for group in dict.fromkeys(row.group for row in rows):
        lines += [
            "",
            f"## {group}",
            "",
            "| what | figure | against | ratio |",
            "|---|---:|---|---:|",
        ]
        for row in (row for row in rows if row.group == group):
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            lines.append(
                f"| {row.name} | {_figure(row.value)} {row.unit} | {row.against} | {ratio} |"
            )
    return "\n".join(lines) + "\n"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readlines()
    except OSError:
        return []
