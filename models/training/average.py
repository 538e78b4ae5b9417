"""Two trainings of one network averaged, weight by weight.

Where one went on from the other, the mean reads as well as either or better (Wortsman et al., "Robust
fine-tuning of zero-shot models", arXiv 2109.01903).

In: two exported ONNX files of one layout. Out: a third.
"""

from pathlib import Path

import numpy as np

from wire.errors import InputError


def average(first: Path, second: Path, out: Path) -> None:
    """Write to ``out`` the network of ``first`` with the mean of its weights and those of ``second``.

    Raises:
        InputError: the two are not one layout.
    """
    import onnx
    from onnx import numpy_helper

    made = onnx.load(str(first))
    others = {
        weight.name: numpy_helper.to_array(weight)
        for weight in onnx.load(str(second)).graph.initializer
    }
    for weight in made.graph.initializer:
        mine, theirs = numpy_helper.to_array(weight), others.get(weight.name)
        if theirs is None or theirs.shape != mine.shape:
            raise InputError(f"{second}: has no {weight.name} as {first} has it")
        if np.issubdtype(mine.dtype, np.floating):
            mean = ((mine + theirs) / 2).astype(mine.dtype)
            weight.CopyFrom(numpy_helper.from_array(mean, weight.name))
    onnx.save(made, str(out))
