"""Other people's plate readers, run beside ours for the table; measured, never shipped or copied.

In: a folder with their ONNX files, as the material's ``models/plate``. Out: readers that take crops, and
a detector that takes photographs. What each file expects is in the material's manifest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.arrays import Floats, Image
from models.plates.rectify import cut
from models.sessions import Session, open_session
from wire.plates import DIGITS, LETTERS, PROVINCES, normalise

_COLOUR_CLASSES = (
    "#京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新学警港澳挂使领民航危"
    "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ险品"
)
_LPRNET_CLASSES = PROVINCES + DIGITS + LETTERS + "IO-"

_SCORE = 0.3


@dataclass(frozen=True, slots=True)
class Reader:
    """``read(crop, two_rows)`` gives the text of one rectified or loose crop."""

    name: str
    read: Callable[[Image, bool], str]


def collapse(classes: NDArray[np.integer], blank: int, alphabet: str) -> str:
    """Greedy CTC: repeats become one, blanks go."""
    text, last = "", blank
    for number in classes.tolist():
        if number not in (last, blank):
            text += alphabet[number]
        last = number
    return normalise(text)


def _join_rows(crop: Image) -> Image:
    """Two rows side by side, as plate_rec_color was trained: upper 5/12, lower from 1/3."""
    height, width = crop.shape[:2]
    upper = cv2.resize(crop[: height * 5 // 12], (width, height - height // 3))
    return np.asarray(np.hstack((upper, crop[height // 3 :])), np.uint8)


def _colour_reader(session: Session) -> Callable[[Image, bool], str]:
    name = session.get_inputs()[0].name

    def read(crop: Image, two_rows: bool) -> str:
        picture = cv2.resize(_join_rows(crop) if two_rows else crop, (168, 48))
        scaled = (picture.astype(np.float32) / 255 - 0.588) / 0.193
        out = session.run(None, {name: scaled.transpose(2, 0, 1)[None]})[0][0]
        return collapse(out.argmax(1), 0, _COLOUR_CLASSES)

    return read


def _lprnet_reader(session: Session) -> Callable[[Image, bool], str]:
    name = session.get_inputs()[0].name

    def read(crop: Image, two_rows: bool) -> str:
        del two_rows  # it knows one row only
        picture = cv2.resize(crop, (94, 24)).astype(np.float32)
        scaled = ((picture - 127.5) * 0.0078125).transpose(2, 0, 1)[None]
        out = session.run(None, {name: scaled})[0][0]
        return collapse(out.argmax(0), len(_LPRNET_CLASSES) - 1, _LPRNET_CLASSES)

    return read


def load_readers(folder: Path) -> list[Reader]:
    """Every reader of ``folder`` that is known here."""
    readers = []
    for path in sorted(folder.glob("*.onnx")):
        if "rec" in path.stem:
            read = _colour_reader(open_session(path, threads=1))
        elif path.stem.startswith("lprnet"):
            read = _lprnet_reader(open_session(path, threads=1))
        else:
            continue
        readers.append(Reader(path.stem, read))
    return readers


def load_finder(path: Path) -> Callable[[Image], list[tuple[Floats, bool]]]:
    """The yolov5 plate detector at ``path``: corners ``(4, 2)`` px and two rows, best first."""
    session = open_session(path, threads=1)
    name = session.get_inputs()[0].name

    def find(frame: Image) -> list[tuple[Floats, bool]]:
        scale = 640 / max(frame.shape[:2])
        size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
        canvas = np.full((640, 640, 3), 114, np.uint8)
        left, top = (640 - size[0]) // 2, (640 - size[1]) // 2
        canvas[top : top + size[1], left : left + size[0]] = cv2.resize(frame, size)
        feed = canvas[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        out = session.run(None, {name: feed})[0][0]
        return _pick(out[out[:, 4] > _SCORE], scale, (left, top))

    return find


def _pick(
    rows: NDArray[np.float32], scale: float, offset: tuple[int, int]
) -> list[tuple[Floats, bool]]:
    scores = rows[:, 4] * rows[:, 13:].max(1) if len(rows) else np.zeros(0)
    boxes = [(float(x - w / 2), float(y - h / 2), float(w), float(h)) for x, y, w, h in rows[:, :4]]
    kept = cv2.dnn.NMSBoxes(boxes, scores.tolist(), _SCORE, 0.45) if boxes else []
    found = []
    for index in np.asarray(kept, int).ravel():
        corners = (rows[index, 5:13].reshape(4, 2) - offset) / scale
        found.append((corners.astype(np.float32), bool(rows[index, 14] > rows[index, 13])))
    return found


def read_photograph(
    frame: Image, find: Callable[[Image], list[tuple[Floats, bool]]], readers: Sequence[Reader]
) -> list[list[str]]:
    """By reader, the texts of all plates in ``frame``, rectified by the corners that were found."""
    texts: list[list[str]] = [[] for _ in readers]
    for corners, two_rows in find(frame):
        width = max(8, int(np.linalg.norm(corners[1] - corners[0])))
        height = max(8, int(np.linalg.norm(corners[3] - corners[0])))
        crop = cut(frame, corners, (height, width))
        for number, reader in enumerate(readers):
            texts[number].append(reader.read(crop, two_rows))
    return texts
