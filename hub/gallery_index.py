"""The exact nearest templates of a probe, among many: 4-bit codes find them, float32 rows decide.

In: rows of length 1, added and dropped one at a time; a probe. Out: the k rows with the highest cosine,
those that comparing with every row would give. Numbers only: whose a row is, the caller knows.

A search has two steps. *Codes*: rows are turned by one random rotation, after which the values of any of
them are spread like a normal distribution, and each value is kept in 4 bits too, at the 16 levels that lose
the least (Max, "Quantizing for minimum distortion", 1960). faiss sums a probe's products with these levels
for all rows out of tables in registers ("fast scan": André, Kermarrec and Le Scouarnec, 2015), and reads an
eighth of the memory that the rows take. *Re-ranking*: the best of these are compared in float32.

How many those must be follows from what a code can hide. For a probe q and a row x = y + r, both of length
1, where y is the code and s = q·x: q·y = s (1 - x·r) - sqrt(1 - s²) n·r, with n of length 1, across x and, by
the rotation, in no direction rather than another. So n·r is spread like a normal distribution of deviation
|r| / sqrt(D - 1), and a row that was left out with q·y <= e does not have s above
(e + 6 deviations) / (1 - x·r) but once in about a hundred million. While the k-th best row in hand is below
that, more rows are compared. |r|² and x·r are those of the mean row: few hide more, and those seldom are the
nearest.

Rows live in blocks, which are taken from the system as they fill: adding never copies what is there, and
dropping moves one row. Not for use by several threads, but for those that it starts itself to search blocks.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import faiss
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Codes = NDArray[np.uint8]

BLOCK_ROWS: Final = 1 << 16
PLAIN_ROWS: Final = 1 << 12
"""Up to here every float32 row is compared."""
_AT_A_TIME: Final = 512
"""BLAS would share out more rows among threads of its own, whose waiting for each other costs more than it
gains (20 ms on a busy machine)."""

_POSITIVE: Final = (0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326)
_LEVELS: Final = np.array([*(-level for level in reversed(_POSITIVE)), *_POSITIVE], np.float32)
"""Max's 16 levels for a normal distribution of deviation 1."""
_EDGES: Final = (_LEVELS[1:] + _LEVELS[:-1]) / 2
_TABLE_STEPS: Final = 255
_SUM_STEPS: Final = 65535
"""faiss keeps a probe's products in 8 bits and sums them in 16."""

_FIRST_CANDIDATES: Final = 128
_MORE: Final = 4
_DEVIATIONS: Final = 6.0
_ROUNDING: Final = 1e-5
"""More than float32 sums of products of unit rows can be off."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest rows, best first: `rows` ``(k,)`` int64, `similarities` ``(k,)`` float32.

    `compared` is how many rows were compared in float32 for it.
    """

    rows: NDArray[np.int64]
    similarities: Floats
    compared: int


class _Block:
    """Room for rows, and their codes as faiss has them."""

    def __init__(self, rows: int, dimension: int) -> None:
        self.rows: Floats = np.zeros((rows, dimension), np.float32)
        self._index = _empty_index(dimension)
        self._group = int(self._index.bbs)  # rows whose codes lie interleaved
        self._packer = self._index.get_CodePacker()
        groups, group_bytes = -(-rows // self._group), int(self._packer.block_size)
        self._index.codes.resize(groups * group_bytes)
        # A view of faiss's own memory: a code is changed in place, for which faiss has no call.
        view: Codes = faiss.rev_swig_ptr(self._index.codes.get(), groups * group_bytes)
        self._groups = view.reshape(groups, group_bytes)

    def code(self, place: int) -> Codes:
        """A row's levels, two to a byte."""
        code: Codes = self._packer.unpack_1(self._groups, place)
        return code

    def put_code(self, place: int, levels: Codes) -> None:
        """Keep a row's levels, ``(D,)`` of 0 to 15."""
        self._packer.pack_1(levels[0::2] | (levels[1::2] << 4), place, self._groups)

    def best(self, turned: Floats, count: int, wanted: int) -> tuple[Floats, NDArray[np.int64]]:
        """The `wanted` best of the first `count` rows by their codes, ``(wanted,)`` each."""
        faiss.omp_set_num_threads(1)  # of the calling thread: one probe is too little to share out
        self._index.ntotal, self._index.ntotal2 = count, -(-count // self._group) * self._group
        products, rows = self._index.search(turned[None], min(wanted, count))
        return products[0], rows[0]


class TemplateIndex:
    """Rows, numbered from 0 without gaps.

    Args:
        dimension: D, even.
        threads: how many blocks are searched at a time.
        block_rows: rows of a block.
        plain_rows: up to so many rows every one is compared in float32.
    """

    def __init__(
        self,
        dimension: int,
        *,
        threads: int = 1,
        block_rows: int = BLOCK_ROWS,
        plain_rows: int = PLAIN_ROWS,
    ) -> None:
        self.dimension = dimension
        self._block_rows, self._plain_rows = block_rows, plain_rows
        self._blocks: list[_Block] = []
        self._count = 0
        self._rotation = _random_rotation(dimension)
        self._coded, self._hidden, self._shrink = 0, 0.0, 0.0
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        """How many rows there are."""
        return self._count

    def row(self, number: int) -> Floats:
        """One row, ``(D,)``; a view, for reading."""
        block, place = divmod(number, self._block_rows)
        row: Floats = self._blocks[block].rows[place]
        return row

    def append(self, row: Floats) -> None:
        """Add a row; its number is what the length was."""
        if self._count == len(self._blocks) * self._block_rows:
            self._blocks.append(_Block(self._block_rows, self.dimension))
        self._count += 1
        self.replace(self._count - 1, row)

    def replace(self, number: int, row: Floats) -> None:
        """Put another row, ``(D,)`` float32 of length 1, in the place of one."""
        if row.shape != (self.dimension,):
            raise ValueError(f"expected an embedding ({self.dimension},), got {row.shape}")
        turned = self._rotation @ row
        unit = np.sqrt(np.float32(self.dimension))
        levels = np.searchsorted(_EDGES, turned * unit).astype(np.uint8)
        rest = turned - _LEVELS[levels] / unit
        self._coded += 1
        self._hidden += (float(rest @ rest) - self._hidden) / self._coded
        self._shrink += (float(turned @ rest) - self._shrink) / self._coded
        block, place = divmod(number, self._block_rows)
        self._blocks[block].rows[place] = row
        self._blocks[block].put_code(place, levels)

    def drop(self, number: int) -> None:
        """Drop a row and overwrite it. The last row takes its number, if it was not that one."""
        last = self._count - 1
        if number != last:
            self.replace(number, self.row(last))
        block, place = divmod(last, self._block_rows)
        self._blocks[block].rows[place] = 0.0
        self._blocks[block].put_code(place, np.zeros(self.dimension, np.uint8))
        self._count = last
        if place == 0:
            self._blocks.pop()

    def nearest(self, probe: Floats, wanted: int) -> Nearest:
        """The `wanted` nearest rows, or all if there are fewer.

        Args:
            probe: ``(D,)`` float32 of length 1.
            wanted: k, 1 or more.
        """
        wanted = min(wanted, self._count)
        candidates = max(_FIRST_CANDIDATES, 2 * wanted)
        if self._count <= self._plain_rows or not np.abs(probe).max() > 0:
            return self._plain(probe, wanted)
        turned = self._rotation @ probe
        noise = _DEVIATIONS * self._deviation(turned) + _ROUNDING
        while candidates < self._count:
            products, rows = self._by_code(turned, candidates)
            similarities = self._similarities(rows, probe)
            order = np.argsort(-similarities, kind="stable")[:wanted]
            most = float(products[-1]) + noise
            if similarities[order[-1]] >= most / (1 - self._shrink if most > 0 else 1.0):
                return Nearest(rows[order], similarities[order], len(rows))
            candidates *= _MORE
        return self._plain(probe, wanted)

    def _deviation(self, turned: Floats) -> float:
        """Of what a code hides of a product with this probe, and of what faiss's tables round off."""
        spans = np.abs(turned) * float(_LEVELS[-1] - _LEVELS[0]) / np.sqrt(self.dimension)
        step = max(float(spans.max()) / _TABLE_STEPS, float(spans.sum()) / _SUM_STEPS)
        hidden = self._hidden / (self.dimension - 1)
        return float(np.sqrt(hidden + self.dimension * step**2 / 12))

    def _by_code(self, turned: Floats, wanted: int) -> tuple[Floats, NDArray[np.int64]]:
        """The best rows by code, best first: ``(wanted,)`` products, and numbers."""
        tasks = list(self._filled())
        if self._threads > 1 and len(tasks) > 1:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gallery")
            found = list(self._pool.map(lambda t: t[1].best(turned, t[2], wanted), tasks))
        else:
            found = [block.best(turned, count, wanted) for _, block, count in tasks]
        products = np.concatenate([product for product, _ in found])
        rows = np.concatenate(
            [start + rows for (start, _, _), (_, rows) in zip(tasks, found, strict=True)]
        )
        order = np.argsort(-products, kind="stable")[:wanted]
        return products[order], rows[order]

    def _similarities(self, numbers: NDArray[np.int64], probe: Floats) -> Floats:
        """Of some rows with the probe, in their order."""
        similarities = np.empty(len(numbers), np.float32)
        blocks, places = np.divmod(numbers, self._block_rows)
        for block in np.unique(blocks).tolist():
            here = blocks == block
            similarities[here] = self._blocks[block].rows[places[here]] @ probe
        return similarities

    def _plain(self, probe: Floats, wanted: int) -> Nearest:
        parts = [
            block.rows[start : min(start + _AT_A_TIME, count)] @ probe
            for _, block, count in self._filled()
            for start in range(0, count, _AT_A_TIME)
        ]
        similarities = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        best = np.arange(self._count)
        if wanted < self._count:
            best = np.argpartition(-similarities, wanted - 1)[:wanted] if wanted else best[:0]
        best = best[np.argsort(-similarities[best], kind="stable")]
        return Nearest(best.astype(np.int64), similarities[best], self._count)

    def _filled(self) -> Iterator[tuple[int, _Block, int]]:
        """Number of the first row, block, and how many of its rows are filled."""
        for number, block in enumerate(self._blocks):
            start = number * self._block_rows
            yield start, block, min(self._block_rows, self._count - start)


def _empty_index(dimension: int) -> Any:
    """What sums the products of a probe with codes, in faiss: it learns nothing, its levels are Max's."""
    index = faiss.IndexPQFastScan(dimension, dimension, 4, faiss.METRIC_INNER_PRODUCT)
    levels = np.tile(_LEVELS / np.sqrt(np.float32(dimension)), dimension)
    faiss.copy_array_to_vector(levels, index.pq.centroids)
    index.is_trained = True
    return index


@cache
def _random_rotation(dimension: int) -> Floats:
    """An orthogonal matrix, uniform over all of them (Stewart, 1980), always the same one."""
    normal = np.random.default_rng(dimension).standard_normal((dimension, dimension))
    rotation, triangle = np.linalg.qr(normal)
    return (rotation * np.sign(np.diag(triangle))).astype(np.float32)
