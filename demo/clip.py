"""The demonstration's gate clip, made on the spot: people at the gate, then a car that drives up.

The people are the group photograph that the `insightface` package brings; the car is drawn. Out: an
H.264 file, 1280 x 720, 25 frames a second.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from demo.plate import draw_plate
from wire.errors import InputError

Picture = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS = 1280, 720, 25
PEOPLE_S, CAR_S = 7, 7
#: The person of the group photograph who is enrolled: where the face is, in pixels (x1, y1, x2, y2).
ENROLLED_BOX_PX = (680, 300, 880, 520)


def group_photo() -> Picture:
    """Return the group photograph of the installed `insightface`: BGR uint8 (886, 1280, 3)."""
    spec = importlib.util.find_spec("insightface")
    if spec is None or spec.origin is None:
        raise InputError("the package insightface is not installed: run `make setup`")
    path = Path(spec.origin).parent / "data" / "images" / "t1.jpg"
    picture = cv2.imread(str(path))
    if picture is None:
        raise InputError(f"insightface brings no picture at {path}: run `make setup`")
    return np.asarray(picture, np.uint8)


def enrolment_photo() -> bytes:
    """Return the JPEG that the demonstration enrols: one person of the group, mirrored."""
    x1, y1, x2, y2 = ENROLLED_BOX_PX
    face = cv2.flip(group_photo()[y1:y2, x1:x2], 1)
    return bytes(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 92])[1])


def write_gate_clip(path: Path, plate: str) -> None:
    """Write the clip to `path` (MP4), with a car that bears `plate` (7 characters, blue)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "20", "g": str(FPS)}
        for picture in _pictures(plate):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def _pictures(plate: str) -> Iterator[Picture]:
    photo = group_photo()
    for number in range(PEOPLE_S * FPS):
        yield _people(photo, number / (PEOPLE_S * FPS))
    road = _road()
    car = _car(plate)
    for number in range(CAR_S * FPS):
        yield _drive_up(road, car, number / (CAR_S * FPS))


def _people(photo: Picture, progress: float) -> Picture:
    """The photograph under a slow pan, as if people swayed a little before the camera."""
    room = photo.shape[0] - HEIGHT
    top = room * 0.5 * (1 - np.cos(progress * np.pi)) * 0.35
    sway = 6.0 * np.sin(progress * 6 * np.pi)
    shift = np.array([[1, 0, sway], [0, 1, -top]], np.float32)
    moved = cv2.warpAffine(photo, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8)


def _road() -> Picture:
    rows = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None]
    grey = np.where(rows < 0.42, 190 - 60 * rows, 95 - 30 * (rows - 0.42))
    scene = np.repeat(np.repeat(grey[..., None], WIDTH, 1), 3, 2)
    scene += np.random.default_rng(7).normal(0, 5, scene.shape)
    road: Picture = np.clip(scene, 0, 255).astype(np.uint8)
    cv2.rectangle(road, (80, 170), (300, 560), (120, 128, 134), -1)  # the gatehouse
    cv2.rectangle(road, (120, 250), (260, 360), (70, 62, 52), -1)
    for x in (520, 760):
        foot = (int(640 + (x - 640) * 2.6), HEIGHT)
        cv2.line(road, (x, 302), foot, (210, 210, 210), 3, cv2.LINE_AA)
    return road


def _car(plate: str) -> tuple[Picture, npt.NDArray[np.float32]]:
    """A car from the front, BGR uint8 (560, 760, 3), and its coverage 0..1 (560, 760)."""
    body = np.zeros((560, 760, 3), np.uint8)
    cover = np.zeros((560, 760), np.uint8)

    def shape(points: list[tuple[int, int]], colour: tuple[int, int, int]) -> None:
        polygon = np.array(points, np.int32)
        cv2.fillPoly(body, [polygon], colour, cv2.LINE_AA)
        cv2.fillPoly(cover, [polygon], (255,), cv2.LINE_AA)

    shape([(60, 470), (190, 470), (190, 550), (60, 550)], (28, 28, 28))
    shape([(570, 470), (700, 470), (700, 550), (570, 550)], (28, 28, 28))
    shape([(190, 40), (570, 40), (650, 230), (110, 230)], (60, 52, 130))
    shape([(212, 62), (548, 62), (610, 218), (150, 218)], (92, 84, 76))
    shape([(60, 230), (700, 230), (735, 330), (735, 510), (25, 510), (25, 330)], (66, 58, 148))
    shape([(250, 280), (510, 280), (490, 350), (270, 350)], (34, 30, 34))
    shape([(50, 270), (190, 270), (205, 330), (45, 330)], (225, 235, 238))
    shape([(570, 270), (710, 270), (715, 330), (555, 330)], (225, 235, 238))
    shape([(40, 480), (720, 480), (720, 512), (40, 512)], (44, 40, 52))
    body[392:470, 258:502] = cv2.resize(draw_plate(plate), (244, 78), interpolation=cv2.INTER_AREA)
    return body, cover.astype(np.float32) / 255.0


def _drive_up(
    road: Picture, car: tuple[Picture, npt.NDArray[np.float32]], progress: float
) -> Picture:
    scale = 0.32 + 0.63 * min(1.0, progress / 0.8)  # it stands before the barrier at the end
    body, cover = car
    width, height = round(body.shape[1] * scale), round(body.shape[0] * scale)
    x, y = (WIDTH - width) // 2, round(330 + 350 * (scale - 0.32) / 0.63) - height // 2
    y = min(y, HEIGHT - height)
    small = cv2.resize(body, (width, height), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(cover, (width, height), interpolation=cv2.INTER_AREA)[..., None]
    scene = road.copy()
    region = scene[y : y + height, x : x + width]
    region[:] = (region * (1 - alpha) + small * alpha).astype(np.uint8)
    return scene
