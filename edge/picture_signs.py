"""What one look at a camera's picture says of the camera itself: is it sharp, lit, its old view?

In: small grey pictures of one camera, twice a second. Out: `Signs`, measured against what the camera has
usually shown. Pure: holds arrays only. People and cars do not matter to it: every measure is taken on a
mean of the last seconds, block by block, and says how many blocks of the picture have changed.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.frame import Grey

LOOK_WIDTH_PX: Final = 320
Floats = NDArray[np.float32]

_COLUMNS: Final = 8
_ROWS: Final = 6
_RECENT: Final = 0.35  # of each look in the mean of the last seconds: 90 % new after five looks
_USUAL: Final = 1 / 600  # of each look in what is usual: five minutes at two looks a second
_LEARNING_LOOKS: Final = 10
_CHANGED_LEVELS: Final = 2  # an encoder repeats a frozen picture to within one grey level
_TEXTURED: Final = 5.0  # standard deviation of a block that shows anything, grey levels
_LOST: Final = 0.25  # of its usual deviation: the block shows nothing any more
_AGREES: Final = 0.45  # correlation of a block's edges with those it usually has
_LEAST_BLOCKS: Final = 6


@dataclass(frozen=True, slots=True)
class Signs:
    """What one look says; None where nothing can be said yet.

    Attributes:
        changed: share of the pixels that changed since the last look, None at the first.
        brightest: what 95 % of the pixels stay below, 0 to 255.
        contrast: standard deviation of the block that shows most, grey levels.
        lost: share of the blocks that usually show something and now show nothing.
        in_place: share of the blocks whose edges are where they usually are.
        sharpness: fine detail against coarse, relative to what is usual: 1 is as ever.
        shift: how far to the right and down what is usual is found now, in widths of the picture; a
            guess where another view is shown.
    """

    changed: float | None
    brightest: float
    contrast: float
    lost: float | None = None
    in_place: float | None = None
    sharpness: float | None = None
    shift: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Measures of a picture: edges ``(h, w)``, and coarse and fine detail of each block ``(6, 8)``."""

    edges: Floats
    coarse: Floats
    fine: Floats

    def towards(self, other: "_View", share: float) -> "_View":
        """This view with `share` of the other in it."""
        mine, theirs = (self.edges, self.coarse, self.fine), (other.edges, other.coarse, other.fine)
        return _View(*(a + np.float32(share) * (b - a) for a, b in zip(mine, theirs, strict=True)))


@dataclass(slots=True)
class PictureSigns:
    """What a camera usually shows, and how each look differs from it."""

    _last: Grey | None = field(default=None, init=False)
    _recent: Floats | None = field(default=None, init=False)
    _view: _View | None = field(default=None, init=False)
    _usual: _View | None = field(default=None, init=False)
    _learnt: int = field(default=0, init=False)

    def look(self, grey: Grey) -> Signs:
        """Measure one picture, ``(h, 320)`` uint8 luma."""
        if self._recent is not None and self._recent.shape != grey.shape:
            self.forget()
        changed = None if self._last is None else _changed(grey, self._last)
        self._last = grey
        current = grey.astype(np.float32)
        recent = current if self._recent is None else self._recent
        self._recent = recent + np.float32(_RECENT) * (current - recent)
        self._view = _measure(self._recent)
        signs = Signs(changed, float(np.percentile(grey, 95)), float(self._view.coarse.max()))
        if self._usual is None or self._learnt < _LEARNING_LOOKS:
            return signs
        return _compare(signs, self._view, self._usual)

    def accept(self) -> None:
        """What the last look showed is as it should be: learn a little of it."""
        assert self._view is not None
        self._learnt += 1
        usual = self._view if self._usual is None else self._usual
        self._usual = usual.towards(self._view, max(1.0 / self._learnt, _USUAL))

    def interrupt(self) -> None:
        """The pictures broke off: the next one does not follow on the last."""
        self._last = self._recent = None

    def forget(self) -> None:
        """Another view: learn anew what is usual."""
        self._last = self._recent = self._view = self._usual = None
        self._learnt = 0


def _changed(grey: Grey, last: Grey) -> float:
    return float((cv2.absdiff(grey, last) >= _CHANGED_LEVELS).mean())


def _measure(picture: Floats) -> _View:
    """Measures of a ``(h, w)`` float32 picture."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(half, (0, 0), 1.0)
    edges = cv2.magnitude(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1))
    fine = np.abs(cv2.Laplacian(picture, cv2.CV_32F))
    return _View(edges, _blocks(half).std(axis=2), _blocks(fine).mean(axis=2))


def _blocks(picture: Floats) -> Floats:
    """``(h, w)`` -> ``(6, 8, n)``: the pixels of each block; what is left at the borders is cut off."""
    height, width = picture.shape[0] // _ROWS, picture.shape[1] // _COLUMNS
    cut = picture[: height * _ROWS, : width * _COLUMNS]
    blocks = cut.reshape(_ROWS, height, _COLUMNS, width).transpose(0, 2, 1, 3)
    return blocks.reshape(_ROWS, _COLUMNS, -1)


def _compare(signs: Signs, view: _View, usual: _View) -> Signs:
    """The signs with what `view` says against what is `usual`."""
    textured = usual.coarse >= _TEXTURED
    if int(textured.sum()) < _LEAST_BLOCKS:  # an empty wall, or night: nothing to go by
        return signs
    shown = textured & (view.coarse >= _LOST * usual.coarse)
    in_place = (_correlation(_blocks(view.edges), _blocks(usual.edges)) >= _AGREES)[textured]
    detail = (view.fine / view.coarse.clip(1.0)) / (usual.fine / usual.coarse.clip(1.0)).clip(1e-3)
    return replace(
        signs,
        lost=1.0 - float(shown.sum() / textured.sum()),
        in_place=float(in_place.mean()),
        sharpness=float(np.median(detail[shown])) if shown.any() else None,
        shift=_shift(view.edges, usual.edges),
    )


def _correlation(a: Floats, b: Floats) -> Floats:
    """Pearson's correlation of each block, ``(6, 8)``; 0 where one of them is flat."""
    a, b = a - a.mean(axis=2, keepdims=True), b - b.mean(axis=2, keepdims=True)
    scale = np.sqrt((a * a).sum(axis=2) * (b * b).sum(axis=2))
    correlation: Floats = (a * b).sum(axis=2) / np.maximum(scale, 1e-3)
    return correlation


def _shift(now: Floats, usual: Floats) -> tuple[float, float]:
    """How far the edges in `now` are from those in `usual`, in widths, by phase correlation."""
    height, width = now.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # Copies, for phaseCorrelate multiplies its arguments by the window in place.
    (right, down), _ = cv2.phaseCorrelate(usual.copy(), now.copy(), window)
    return right / width, down / width
