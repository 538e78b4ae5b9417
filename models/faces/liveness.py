"""Is a living face before the camera, or a picture of one? Passive, from one RGB picture.

In: a picture and the boxes of faces in it. Out: how live each looks, 0 to 1. MiniFASNet (Minivision's
"Silent-Face-Anti-Spoofing"): two networks that look at the face with more and less of what is around it,
where the edges of a print or the frame of a screen would be; their answers are averaged. It needs that
surrounding, and nothing is promised of masks. One judgement may be wrong: a track's are brought together by
the edge, and no gate opens by a face alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from models.arrays import Floats, Image, check_floats, check_image
from models.faces.embedding import recipe_sha256
from models.packs import PackStore
from models.sessions import Session, open_session
from wire.errors import ModelError

LIVENESS_PACK: Final = "minifasnet"
_SIDE_PX: Final = 80
_LIVE_CLASS: Final = 1
_SCALES: Final[Mapping[str, float]] = MappingProxyType(
    {"2.7_80x80_MiniFASNetV2.onnx": 2.7, "4_0_0_80x80_MiniFASNetV1SE.onnx": 4.0}
)


@dataclass(frozen=True, slots=True)
class MiniFasNet:
    """Both networks, each with how many times the face's box it looks at. May be shared."""

    pack: str
    pack_sha256: str
    networks: tuple[tuple[float, Session], ...]

    def score(self, image: Image, boxes: Floats) -> Floats:
        """See `LivenessJudge`."""
        check_image(image)
        check_floats(boxes, (len(boxes), 4), "boxes")
        if not len(boxes):
            return np.zeros(0, np.float32)
        scores = [_live(session, _crops(image, boxes, scale)) for scale, session in self.networks]
        mean: Floats = np.mean(scores, axis=0, dtype=np.float32)
        return mean


def load_liveness_pack(
    name: str = LIVENESS_PACK,
    *,
    threads: int,
    providers: Sequence[str] = ("cpu",),
    home: Path | None = None,
) -> MiniFasNet:
    """Open a liveness pack; ModelError when it is missing, damaged or none."""
    installed = PackStore(home).open(name, "liveness")
    unknown = [file.entry.name for file in installed.files if file.entry.name not in _SCALES]
    if unknown:
        raise ModelError(f"pack {name}: it is not known what {unknown[0]} looks at")
    networks = tuple(
        (_SCALES[file.entry.name], open_session(file.path, threads=threads, providers=providers))
        for file in installed.files
    )
    return MiniFasNet(name, recipe_sha256("minifasnet-80/1", installed.files), networks)


def grown(box: Floats, scale: float, width: int, height: int) -> tuple[int, int, int, int]:
    """`box` ``(4,)`` grown `scale` times about its centre, moved into the picture; whole px, inclusive ends.

    As the networks were trained: it grows less where the picture is too small for it.
    """
    x1, y1, x2, y2 = (float(side) for side in box)
    wide, high = max(x2 - x1, 1.0), max(y2 - y1, 1.0)
    scale = min(scale, (width - 1) / wide, (height - 1) / high)
    wide, high = wide * scale, high * scale
    left = min(max((x1 + x2 - wide) / 2, 0.0), width - 1 - wide)
    top = min(max((y1 + y2 - high) / 2, 0.0), height - 1 - high)
    return int(left), int(top), int(left + wide), int(top + high)


def _crops(image: Image, boxes: Floats, scale: float) -> Floats:
    """``(N, 3, 80, 80)`` float32 BGR, 0 to 255."""
    height, width = image.shape[:2]
    crops = np.empty((len(boxes), 3, _SIDE_PX, _SIDE_PX), np.float32)
    for row, box in enumerate(boxes):
        x1, y1, x2, y2 = grown(box, scale, width, height)
        crop = cv2.resize(image[y1 : y2 + 1, x1 : x2 + 1], (_SIDE_PX, _SIDE_PX))
        crops[row] = crop.transpose(2, 0, 1)
    return crops


def _live(session: Session, crops: Floats) -> Floats:
    logits = session.run(None, {session.get_inputs()[0].name: crops})[0]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    live: Floats = (powers / powers.sum(axis=1, keepdims=True))[:, _LIVE_CLASS]
    return live
