"""One face, turned upright and cut out by a similarity transform of its landmarks.

In: an image and points in it. Out: a square crop in which those points lie where the network saw them
in training. Pure; knows no network.

Template: the mean landmarks of ArcFace (Deng et al., "ArcFace", CVPR 2019, section 3.1), as published
in InsightFace's ``face_align.arcface_dst`` for 112 x 112. The transform is the least-squares similarity
of Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI
1991. A least-squares fit over all five points, not RANSAC or LMedS, which `cv2.estimateAffinePartial2D`
would use and which throws points away.
"""

from typing import Final

import cv2
import numpy as np

from models.arrays import Floats, Image, check_floats, check_image

ARCFACE_SIZE: Final = 112
ARCFACE_TEMPLATE: Final[Floats] = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
ARCFACE_TEMPLATE.flags.writeable = False


def align(image: Image, landmarks: Floats) -> Image:
    """Cut out one face as ArcFace-type networks want it.

    Args:
        image: ``(H, W, 3)`` uint8 BGR.
        landmarks: ``(5, 2)`` float32, px, in the order of `models.faces.types`.

    Returns:
        ``(112, 112, 3)`` uint8 BGR; black beyond the image.
    """
    check_floats(landmarks, (5, 2), "landmarks")
    return warp(check_image(image), similarity(landmarks, ARCFACE_TEMPLATE), ARCFACE_SIZE)


def similarity(source: Floats, target: Floats) -> Floats:
    """The similarity transform that takes `source` nearest to `target` (least squares).

    Args:
        source: ``(K, 2)`` float32, K at least 2.
        target: ``(K, 2)`` float32.

    Returns:
        ``(2, 3)`` float32: rotation, one scale and translation; no reflection. Points that all lie in
        one spot give a transform of scale 0.
    """
    # With z' = a z + b over complex numbers, a similarity without reflection is linear: no SVD needed.
    z = source[:, 0] + 1j * source[:, 1].astype(np.float64)
    w = target[:, 0] + 1j * target[:, 1].astype(np.float64)
    centred = z - z.mean()
    spread = float(np.vdot(centred, centred).real)
    a = np.vdot(centred, w - w.mean()) / spread if spread > 0 else 0j
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]], dtype=np.float32)


def warp(image: Image, transform: Floats, size: int) -> Image:
    """Apply a ``(2, 3)`` transform: ``(size, size, 3)`` uint8; bilinear, black beyond the image."""
    crop: Image = cv2.warpAffine(image, transform, (size, size), borderValue=0.0)
    return crop
