"""Two minutes at a gate, made of the material's videos: people come by, then others, then they again.

Out: one video, who is listed, and who comes by from when to when. Whoever comes again has been away for
longer than a camera remembers a face, and others have been there meanwhile.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.unit.edge.clips import write_clip

Image = NDArray[np.uint8]

RATE_HZ: Final = 10
WIDTH, HEIGHT = 1280, 720

FRIENDS: Final = ("Chandler", "Joey", "Monica", "Phoebe", "Rachel", "Ross")
WALKERS: Final = ("walks left", "walks in the middle", "walks right")
WORKERS: Final = ("the woman at the door", "the man at the door")


@dataclass(frozen=True, slots=True)
class _Part:
    """From when to when of a video of the material, in seconds, and who of the listed is in it."""

    video: str
    people: tuple[str, ...] = ()
    start_s: float = 0.0
    end_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody is at the gate, from when to when, in seconds of the video."""

    name: str
    start_s: float
    end_s: float


_FILM: Final = _Part("yakhyo_in_video.mp4", FRIENDS)
_WALK: Final = _Part("intel_previews/face-demographics-walking-and-pause.mp4", WALKERS)
_DOOR: Final = _Part("xrantus_rpi_test_4.avi", WORKERS)
_OTHERS_WALK: Final = _Part("intel_previews/face-demographics-walking.mp4")
_OTHERS_SIT: Final = _Part("intel_previews/classroom.mp4")
_FROM_BEHIND: Final = "intel_one-by-one-person-detection.mp4"
PARTS: Final = (
    _FILM,
    _Part(_FROM_BEHIND, start_s=0, end_s=35),
    _WALK,
    _OTHERS_WALK,
    _DOOR,
    _OTHERS_SIT,
    _FILM,
    _Part(_FROM_BEHIND, start_s=60, end_s=75),
    _WALK,
    _DOOR,
)

#: Who is listed by a picture out of a video: of which frame (from the end: below 0), between which shares of
#: its width.
_CUT: Final = (
    (WALKERS[0], _WALK, -1, 0.0, 0.3),
    (WALKERS[1], _WALK, -1, 0.3, 0.6),
    (WALKERS[2], _WALK, -1, 0.6, 1.0),
    (WORKERS[0], _DOOR, 0, 0.0, 0.5),
    (WORKERS[1], _DOOR, 0, 0.5, 1.0),
)


def visit_of(name: str, first_s: float, last_s: float, visits: Sequence[Visit]) -> Visit | None:
    """The visit in which somebody is seen from `first_s` to `last_s`, to half a second."""
    for visit in visits:
        inside = visit.start_s <= first_s + 0.5 and last_s - 0.5 <= visit.end_s
        if visit.name == name and inside:
            return visit
    return None


def write_gate_video(material: Path, target: Path, *, mirrored: bool = False) -> tuple[Visit, ...]:
    """Write the video; returns who of the listed comes by, in order."""
    visits: list[Visit] = []

    def pictures() -> Iterator[Image]:
        number = 0
        for part in PARTS:
            first = number
            for picture in _frames(material / "video" / part.video, part.start_s, part.end_s):
                frame = _fitted(picture)
                yield np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame
                number += 1
            visits.extend(Visit(who, first / RATE_HZ, number / RATE_HZ) for who in part.people)

    write_clip(target, pictures(), rate_hz=RATE_HZ)
    return tuple(visits)


def write_people(material: Path, folder: Path) -> Path:
    """Write who is listed, a sub-folder with one picture for each; returns `folder`."""
    for path in sorted((material / "faces" / "friends_refs").iterdir()):
        (folder / path.stem).mkdir(parents=True)
        shutil.copy(path, folder / path.stem)
    for who, part, number, left, right in _CUT:
        frame = list(_frames(material / "video" / part.video))[number]
        wide = cv2.resize(frame, None, fx=WIDTH / frame.shape[1], fy=WIDTH / frame.shape[1])
        (folder / who).mkdir()
        picture = wide[:, int(WIDTH * left) : int(WIDTH * right)]
        cv2.imwrite(str(folder / who / "cut.png"), picture)
    return folder


def _frames(video: Path, start_s: float = 0.0, end_s: float = float("inf")) -> Iterator[Image]:
    """The frames of `video` in BGR, `RATE_HZ` a second of it."""
    due = start_s
    with av.open(str(video)) as container:
        first: float | None = None
        for frame in container.decode(video=0):
            first = frame.time if first is None else first
            at = (frame.time or 0.0) - (first or 0.0)
            if at >= end_s:
                return
            if at + 1e-6 >= due:
                due += 1 / RATE_HZ
                yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _fitted(picture: Image) -> Image:
    """`picture` as large as fits, in the middle of the video's frame."""
    scale = min(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    width, height = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = (HEIGHT - height) // 2, (WIDTH - width) // 2
    frame[top : top + height, left : left + width] = cv2.resize(picture, (width, height))
    return frame
