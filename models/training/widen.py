"""The reader of one row made into one of two: the same weights, over a wider picture.

In: a trained reader of one row, which has seen two rows side by side as well. Out: a reader of
``TWO_ROWS_SIZE`` that looks where the other did. Only its map of places depends on the width: each new
column takes what the old one showing the same part of the plate had.
"""

import numpy as np
import torch
from torch import Tensor

from models.plates.rectify import UPPER_SHARE
from models.training.nets import TWO_ROWS_SIZE, Reader

_OLD_SHARE = 1 / 3
"""Of the width, for the upper row, in the pictures that the reader of one row was shown."""


def _columns(old: int, new: int) -> Tensor:
    """``(old, new)`` weights that take values by column from one layout to the other."""
    at = (np.arange(new) + 0.5) / new
    there = np.interp(at, (0, UPPER_SHARE, 1), (0, _OLD_SHARE, 1)) * old - 0.5
    low = np.clip(np.floor(there), 0, old - 1).astype(int)
    high = np.clip(low + 1, 0, old - 1)
    part = np.clip(there - low, 0, 1)
    weights = np.zeros((old, new), np.float32)
    np.add.at(weights, (low, np.arange(new)), 1 - part)
    np.add.at(weights, (high, np.arange(new)), part)
    return torch.from_numpy(weights)


def widen(one: Reader) -> Reader:
    """A reader of two rows that starts with what ``one`` knows."""
    two = Reader(TWO_ROWS_SIZE)
    state = one.state_dict()
    rows = one.size[0] // 8
    columns = _columns(one.size[1] // 4, two.size[1] // 4)
    state["place"] = state["place"] @ columns
    state["prior"] = (state["prior"].unflatten(1, (rows, -1)) @ columns).flatten(1)
    two.load_state_dict(state)
    return two
