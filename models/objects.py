"""Objects in a picture (people, cars, bicycles …), by any YOLO that ultralytics has exported to ONNX.

In: a verified ``.onnx`` whose metadata says ``task: detect`` and names its classes. Out: boxes in pixels of
the picture. Both heads are understood: ``(1, 4 + C, A)`` of YOLOv8 and YOLO11, which needs non-maximum
suppression, and the end-to-end ``(1, K, 6)`` of YOLOv10 and YOLO26, which does not.

Letterbox and scaling as in ultralytics' ``LetterBox``: grey 114, centred, RGB / 255.
"""

import ast
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image, ShapeError, check_floats, check_image
from models.packs import PackStore
from models.registry import Task, refuse_trait_labels
from models.sessions import Session, open_session
from wire.errors import ModelError

DEFAULT_PACK: Final = "yolo11n"
_MIN_SCORE: Final = 0.25
_OVERLAP: Final = 0.7
_MAX_OBJECTS: Final = 300
_GREY: Final = 114
_DYNAMIC_PX: Final = 640
_STRIDE: Final = 32


@dataclass(frozen=True, slots=True, eq=False)
class ObjectDetections:
    """Objects found in one picture, best first.

    Attributes:
        boxes: ``(N, 4)`` float32, xyxy, px, inside the picture.
        score: ``(N,)`` float32, 0 to 1.
        label_ids: ``(N,)`` int64, the network's class numbers.
        names: N class names.
    """

    boxes: Floats
    score: Floats
    label_ids: NDArray[np.int64]
    names: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        count = len(self.score)
        check_floats(self.boxes, (count, 4), "boxes")
        check_floats(self.score, (count,), "score")
        if self.label_ids.shape != (count,) or len(self.names) != count:
            raise ShapeError(
                f"{count} scores, {self.label_ids.shape} label ids, {len(self.names)} names"
            )

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def empty(cls) -> "ObjectDetections":
        """Nothing found."""
        none = np.zeros(0, np.float32)
        return cls(np.zeros((0, 4), np.float32), none, np.zeros(0, np.int64), ())


class ObjectDetector:
    """A YOLO. May be shared between threads: it keeps nothing of a call."""

    def __init__(self, session: Session, name: str, *, min_score: float = _MIN_SCORE) -> None:
        self._session = session
        self._min_score = min_score
        metadata = session.get_modelmeta().custom_metadata_map
        if metadata.get("task") != "detect":
            raise ModelError(
                f"{name} is no detector of ultralytics: its metadata says task"
                f" {metadata.get('task') or 'nothing at all'}; run: gatehouse models export yolo11n.pt"
            )
        self.labels: Mapping[int, str] = MappingProxyType(_names(metadata.get("names", ""), name))
        entry = session.get_inputs()[0]
        self._input: str = entry.name
        self._size = _fixed_size(entry.shape)

    def detect(
        self, image: Image, *, min_score: float | None = None, only: Collection[str] | None = None
    ) -> ObjectDetections:
        """Find objects.

        Args:
            image: ``(H, W, 3)`` uint8 BGR, any size.
            min_score: leave out objects below it; None for the default, 0.25.
            only: names of the classes that matter; None for all.
        """
        check_image(image)
        blob, scale, offset = letterbox(
            image, self._size or _DYNAMIC_PX, pad_to_square=bool(self._size)
        )
        output = np.asarray(self._session.run(None, {self._input: blob})[0])
        boxes, score, ids = decode(output, self._min_score if min_score is None else min_score)
        if only is not None:
            keep = np.array([self.labels[int(i)] in only for i in ids], dtype=bool)
            boxes, score, ids = boxes[keep], score[keep], ids[keep]
        boxes = (boxes - np.tile(offset, 2)) / scale
        height, width = image.shape[:2]
        boxes = np.clip(boxes, 0, np.array([width, height, width, height])).astype(np.float32)
        return ObjectDetections(boxes, score, ids, tuple(self.labels[int(i)] for i in ids))


def load_object_detector(
    name: str = DEFAULT_PACK,
    *,
    threads: int,
    providers: Sequence[str] = ("cpu",),
    home: Path | None = None,
    min_score: float = _MIN_SCORE,
) -> ObjectDetector:
    """Open an object pack; ModelError when it is missing, damaged or of another kind."""
    file = PackStore(home).open(name, "object").file(Task.OBJECT_DETECTION)
    session = open_session(file.path, threads=threads, providers=providers)
    return ObjectDetector(session, f"pack {name}", min_score=min_score)


def letterbox(
    image: Image, longest: int | tuple[int, int], *, pad_to_square: bool
) -> tuple[Floats, float, Floats]:
    """Scale and pad an image for the network.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        longest: side in px, or width and height.
        pad_to_square: fill the whole size; else only up to multiples of 32.

    Returns:
        ``(1, 3, h, w)`` float32 RGB 0 to 1, the scale, and the ``(2,)`` offset x, y in px.
    """
    height, width = image.shape[:2]
    w, h = longest if isinstance(longest, tuple) else (longest, longest)
    scale = min(w / width, h / height)
    inner_w, inner_h = max(1, round(width * scale)), max(1, round(height * scale))
    if not pad_to_square:
        w, h = -(-inner_w // _STRIDE) * _STRIDE, -(-inner_h // _STRIDE) * _STRIDE
    left, top = (w - inner_w) // 2, (h - inner_h) // 2
    canvas = np.full((h, w, 3), _GREY, np.uint8)
    canvas[top : top + inner_h, left : left + inner_w] = cv2.resize(
        image, (inner_w, inner_h), interpolation=cv2.INTER_LINEAR
    )
    blob: Floats = cv2.dnn.blobFromImage(canvas, 1 / 255.0, swapRB=True)
    return blob, scale, np.array([left, top], np.float32)


def decode(output: NDArray[Any], min_score: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Boxes xyxy in px of the network's input, scores and class numbers, best first.

    Args:
        output: ``(1, 4 + C, A)`` of centre, size and class scores, or end to end ``(1, K, 6)`` of corners,
            score and class.
        min_score: leave out what is below.

    Raises:
        ModelError: the output has neither shape.
    """
    if output.ndim != 3 or output.shape[0] != 1:
        raise ModelError(
            f"a YOLO head of shape {output.shape} is not known: export it with ultralytics"
        )
    rows = output[0].astype(np.float32)
    if rows.shape[1] == 6 and rows.shape[0] > 6:
        rows = rows[rows[:, 4] >= min_score]
        rows = rows[np.argsort(-rows[:, 4], kind="stable")]
        return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)
    if rows.shape[0] < 5:
        raise ModelError(
            f"a YOLO head of shape {output.shape} is not known: export it with ultralytics"
        )
    best = rows[4:].max(axis=0)
    columns = np.flatnonzero(best >= min_score)
    ids = rows[4:, columns].argmax(axis=0).astype(np.int64)
    return _suppressed(rows[:4, columns].T, best[columns], ids)


def _suppressed(
    centred: Floats, score: Floats, ids: NDArray[np.int64]
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Non-maximum suppression within each class; boxes come as centre and size, go as corners."""
    if not len(score):
        return np.zeros((0, 4), np.float32), score, ids
    corner = centred[:, :2] - centred[:, 2:] / 2
    kept = cv2.dnn.NMSBoxesBatched(
        np.hstack([corner, centred[:, 2:]]).tolist(), score.tolist(), ids.tolist(), 0.0, _OVERLAP
    )
    keep = np.array(kept, dtype=np.int64).reshape(-1)
    keep = keep[np.argsort(-score[keep], kind="stable")][:_MAX_OBJECTS]
    boxes = np.hstack([corner, corner + centred[:, 2:]])[keep]
    return boxes.astype(np.float32), score[keep], ids[keep]


def _names(text: str, what: str) -> dict[int, str]:
    """Class names from the metadata, a Python literal such as ``{0: 'person'}``; never evaluated."""
    try:
        names = {int(number): str(name) for number, name in dict(ast.literal_eval(text)).items()}
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ModelError(
            f"{what} does not name its classes: export it again with ultralytics"
        ) from error
    refuse_trait_labels(names, what)
    return names


def _fixed_size(shape: Sequence[Any]) -> tuple[int, int] | None:
    """Width and height of the input, None where the network takes any."""
    height, width = shape[2], shape[3]
    if isinstance(height, int) and isinstance(width, int):
        return width, height
    return None
