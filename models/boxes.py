"""What boxes share. Pure."""

import numpy as np

from models.arrays import Floats


def overlap(box: Floats, others: Floats) -> Floats:
    """``(N,)`` IoU of ``box`` (4,) with ``others`` (N, 4), xyxy."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(shared / (areas + np.prod(box[2:] - box[:2]) - shared + 1e-6), np.float32)
