"""The exact nearest templates of a probe, among many: 8-bit codes find them, float32 rows decide.

In: rows of length 1, added and dropped one at a time; a probe. Out: the k rows with the highest cosine,
exactly those that comparing with every row would give. Numbers only: whose a row is, the caller knows.

A search has two steps. *Codes*: each value of a row is kept in 8 bits too, and faiss compares the probe, in
8 bits as well, with all codes, which is a quarter of the memory to read. *Re-ranking*: the best of these are
compared in float32. That is exact, since for a probe q and a row x, both of length 1, whose codes stand for
p and y, |q·x - p·y| <= |q - p| |x| + |p| |x - y| (Cauchy-Schwarz): a row that was not among the best c codes
cannot be more similar than the c-th best code says plus that. While the k-th best row in hand is below,
c grows.

Rows live in blocks, which are taken from the system as they fill: adding never copies what is there, and
dropping moves one row. Not for use by several threads, but for those that it starts itself to search blocks.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BLOCK_ROWS: Final = 1 << 14
PLAIN_ROWS: Final = 512
"""Up to here every float32 row is compared. So many are also compared at a time: BLAS would share out more
among threads of its own, whose waiting for each other costs more than it gains (20 ms on a busy machine)."""

_FIRST_CANDIDATES: Final = 32
_MORE: Final = 4
_REACH: Final = 6.0
"""Codes span this many deviations of a value of a random unit row to either side; what is beyond is cut off,
and that is part of the row's distance to its code."""
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
        self._index = faiss.IndexScalarQuantizer(
            dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )
        size = rows * dimension
        self._index.codes.resize(size)
        # A view of faiss's own memory: a row is changed in place, for which faiss has no call.
        view: NDArray[np.uint8] = faiss.rev_swig_ptr(self._index.codes.data(), size)
        self.codes = view.reshape(rows, dimension)

    def best(self, levels: Floats, count: int, wanted: int) -> tuple[Floats, NDArray[np.int64]]:
        """The `wanted` best of the first `count` rows by their codes, ``(wanted,)`` each."""
        faiss.omp_set_num_threads(1)  # of the calling thread: one probe is too little to share out
        self._index.ntotal = count
        products, rows = self._index.search(levels[None], min(wanted, count))
        return products[0], rows[0]


class TemplateIndex:
    """Rows, numbered from 0 without gaps.

    Args:
        dimension: D.
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
        self._scale = np.float32(127 * np.sqrt(dimension) / _REACH)
        self._error = 0.0
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
        levels = np.clip(np.rint(row * self._scale), -127, 127)
        self._error = max(self._error, float(np.linalg.norm(row - levels / self._scale)))
        block, place = divmod(number, self._block_rows)
        self._blocks[block].rows[place] = row
        self._blocks[block].codes[place] = levels + 128

    def drop(self, number: int) -> None:
        """Drop a row and overwrite it. The last row takes its number, if it was not that one."""
        last = self._count - 1
        from_block, from_place = divmod(last, self._block_rows)
        source = self._blocks[from_block]
        if number != last:
            block, place = divmod(number, self._block_rows)
            self._blocks[block].rows[place] = source.rows[from_place]
            self._blocks[block].codes[place] = source.codes[from_place]
        source.rows[from_place], source.codes[from_place] = 0.0, 0
        self._count = last
        if from_place == 0:
            self._blocks.pop()

    def nearest(self, probe: Floats, wanted: int) -> Nearest:
        """The `wanted` nearest rows, or all if there are fewer; exact.

        Args:
            probe: ``(D,)`` float32 of length 1.
            wanted: k, 1 or more.
        """
        wanted = min(wanted, self._count)
        candidates = max(_FIRST_CANDIDATES, 2 * wanted)
        top = np.abs(probe).max()
        if self._count <= self._plain_rows or not top > 0:
            return self._plain(probe, wanted)
        levels = np.rint(probe * (127 / top))
        unit = float(top / 127 / self._scale)  # similarity of one product of levels
        coded = levels * (top / 127)
        off = float(np.linalg.norm(probe - coded) + np.linalg.norm(coded) * self._error + _ROUNDING)
        while candidates < self._count:
            products, rows = self._by_code(levels, candidates)
            similarities = np.array([self.row(n) @ probe for n in rows.tolist()], np.float32)
            order = np.argsort(-similarities, kind="stable")[:wanted]
            if similarities[order[-1]] >= float(products[-1]) * unit + off:
                return Nearest(rows[order], similarities[order], len(rows))
            candidates *= _MORE
        return self._plain(probe, wanted)

    def _by_code(self, levels: Floats, wanted: int) -> tuple[Floats, NDArray[np.int64]]:
        """The best rows by code, best first: ``(wanted,)`` products of levels, and numbers."""
        tasks = list(self._filled())
        if self._threads > 1 and len(tasks) > 1:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="gallery")
            found = list(self._pool.map(lambda t: t[1].best(levels, t[2], wanted), tasks))
        else:
            found = [block.best(levels, count, wanted) for _, block, count in tasks]
        products = np.concatenate([product for product, _ in found])
        rows = np.concatenate(
            [start + rows for (start, _, _), (_, rows) in zip(tasks, found, strict=True)]
        )
        order = np.argsort(-products, kind="stable")[:wanted]
        return products[order], rows[order]

    def _plain(self, probe: Floats, wanted: int) -> Nearest:
        parts = [
            block.rows[start : min(start + PLAIN_ROWS, count)] @ probe
            for _, block, count in self._filled()
            for start in range(0, count, PLAIN_ROWS)
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
