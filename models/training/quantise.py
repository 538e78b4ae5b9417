"""A reader's convolutions in 8 bits: smaller, and faster on a processor.

In: an exported ONNX file, and pictures such as it will be shown, to learn the range of each layer's values
from. Out: another ONNX file that takes and gives the same. Convolutions named in ``KEPT`` stay as they
are: on pictures that may be trained on, those near the picture and near the answer cost accuracy. Weights
take 7 bits, since without VNNI a processor adds two products in 16 bits, which 8 would overflow
(ONNX Runtime, "Quantize ONNX models", on AVX2).
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.arrays import Image
from models.plates.weights import Part
from models.training.glyphs import Glyphs
from models.training.pool import make_captures
from models.training.samples import reader_sample

_BATCH = 16

KEPT = ("stem.", "key/")
"""Parts of the names of a reader's convolutions that are not made smaller."""


class _Pictures:
    """Batches of ``pictures``, all of one size, as the quantiser asks for them."""

    def __init__(self, pictures: Sequence[Image]) -> None:
        self._batches: Iterator[dict[str, Any]] = (
            {"pictures": np.stack(pictures[at : at + _BATCH])}
            for at in range(0, len(pictures), _BATCH)
        )

    def get_next(self) -> dict[str, Any] | None:
        """The next batch, or None at the end."""
        return next(self._batches, None)


def calibration_pictures(
    glyphs: Glyphs, rng: np.random.Generator, each: int = 320
) -> dict[Part, list[Image]]:
    """By reader, ``each`` pictures as it is shown: synthetic captures, rectified more or less."""
    shown: dict[Part, list[Image]] = {"reader": [], "two_rows": []}
    captures = make_captures(glyphs, rng, finish=True)
    while min(map(len, shown.values())) < each:
        capture = next(captures)
        part: Part = "two_rows" if capture.rows == 2 else "reader"
        if len(shown[part]) < each:
            shown[part].append(reader_sample(capture, rng, capture.rows).picture)
    return shown


def quantise(source: Path, target: Path, pictures: Sequence[Image]) -> None:
    """Write ``source`` to ``target``, its convolutions but :data:`KEPT` in 8 bits."""
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        names = [n.name for n in onnx.load(str(ready)).graph.node if n.op_type == "Conv"]
        quantize_static(
            str(ready),
            str(target),
            _Pictures(pictures),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=[name for name in names if any(part in name for part in KEPT)],
        )
