"""The gallery: exact search by size, beside reading its codes once and beside comparing every float32 row.

Templates are random unit vectors of 512 values, the hardest there are for an index: all strangers are equally
far. Each search is checked against comparing every row. Reading the codes once is what memory can do
on this machine at this moment; the two are measured in turn, so that their ratio stands though others use the
machine. The time of the processor is what a search costs whether or not it had to wait for one.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from hub.gallery import Gallery
from hub.gallery_index import PLAIN_ROWS, TemplateIndex
from models.faces.calibration import Acceptance
from tests.bench.report import Row

_DIMENSION = 512
_PEOPLE_100K, _PEOPLE_1M = 100_000, 1_000_000
_SPARE_BYTES = 1 << 30
_PROBES = 25
_PACK = "00" * 32


def run() -> list[Row]:
    """Around the size from which codes are used; 100,000 on one thread; a million on two if it fits."""
    rows = _crossing()
    rows += _size(_PEOPLE_100K, 1)
    wanted = int(_PEOPLE_1M * (_DIMENSION * 5 + 300))
    if _free_bytes() > wanted + _SPARE_BYTES:
        rows += _size(_PEOPLE_1M, 2)
    return rows


def _crossing() -> list[Row]:
    group = "Gallery, where codes begin to pay, one thread"
    rows = []
    for count in (PLAIN_ROWS // 2, PLAIN_ROWS, PLAIN_ROWS * 4):
        plain = TemplateIndex(_DIMENSION, plain_rows=count)
        coded = TemplateIndex(_DIMENSION, plain_rows=0)
        for row in _unit_rows(count, seed=1):
            plain.append(row)
            coded.append(row)
        every, codes = _in_turn(partial(plain.nearest, wanted=2), partial(coded.nearest, wanted=2))
        rows.append(
            Row(
                group,
                f"{count:,} templates, by codes",
                codes.wall_ms,
                "ms",
                f"every row: {every.wall_ms:.3f} ms",
                codes.wall_ms / every.wall_ms,
            )
        )
    return rows


def _size(people: int, threads: int) -> list[Row]:
    group = f"Gallery, {people:,} people, a template each, {threads} thread{'s' * (threads > 1)}"
    before = _resident_bytes()
    gallery = Gallery("bench", _PACK, _DIMENSION, lambda _: Acceptance(0.5, 0.05), threads=threads)
    add_s = 0.0
    for start in range(0, people, 10_000):
        batch = _unit_rows(10_000, seed=start)
        started = time.process_time()
        for number, row in enumerate(batch, start):
            gallery.add(f"template-{number}", f"subject-{number}", row)
        add_s += time.process_time() - started
    grown = _resident_bytes() - before
    codes = np.random.default_rng(3).integers(0, 1 << 60, people * _DIMENSION // 16)
    search, read = _in_turn(gallery.rank, lambda _: codes.sum())
    index = gallery._index
    by_code, every = _in_turn(gallery.rank, lambda probe: index._plain(probe, 2), probes=5)
    exact = sum(_is_exact(gallery, probe) for probe in _unit_rows(_PROBES, seed=2))
    megabytes = f"reading {codes.nbytes >> 20} MB of codes once, one thread"
    return [
        Row(
            group,
            f"search for a stranger ({exact} of {_PROBES} exact)",
            search.wall_ms,
            "ms",
            f"{megabytes}: {read.wall_ms:.2f} ms",
            search.wall_ms / read.wall_ms,
        ),
        Row(
            group,
            "the same, time of the processor",
            search.cpu_ms,
            "ms",
            f"{megabytes}: {read.cpu_ms:.2f} ms",
            search.cpu_ms / read.cpu_ms,
        ),
        Row(
            group,
            "every row compared in float32, time of the processor",
            every.cpu_ms,
            "ms",
            f"search: {by_code.cpu_ms:.2f} ms",
            every.cpu_ms / by_code.cpu_ms,
        ),
        Row(
            group,
            "memory",
            grown / 1e6,
            "MB",
            "4.5 bytes a value",
            grown / (people * _DIMENSION * 4.5),
        ),
        Row(group, "add one, time of the processor", add_s / people * 1e6, "µs"),
        Row(group, "erase one, time of the processor", _erase_us(gallery), "µs"),
    ]


def _is_exact(gallery: Gallery, probe: np.ndarray) -> bool:
    ranked, best = gallery.rank(probe), gallery._index._plain(probe, 2)
    assert ranked is not None
    subject = gallery._subject_of[int(best.rows[0])]
    return ranked.subject_id == subject and bool(
        np.isclose(ranked.runner_up, best.similarities[1], atol=1e-6)
    )


def _erase_us(gallery: Gallery) -> float:
    doomed = [f"template-{n}" for n in range(0, 1000, 7)]
    started = time.process_time()
    for template in doomed:
        gallery.erase(template)
    return (time.process_time() - started) / len(doomed) * 1e6


def _unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, _DIMENSION), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class _Cost:
    """Medians, by the clock and of the processor."""

    wall_ms: float
    cpu_ms: float


def _in_turn(*calls: Callable[[np.ndarray], object], probes: int = _PROBES) -> list[_Cost]:
    """What each call costs, measured in turn."""
    times: list[list[tuple[float, float]]] = [[] for _ in calls]
    for probe in _unit_rows(probes, seed=2):
        for call, seen in zip(calls, times, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            call(probe)
            seen.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [
        _Cost(*(statistics.median(column) * 1000 for column in zip(*seen, strict=True)))
        for seen in times
    ]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def _free_bytes() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
