"""Networks as dlib writes them: the layers of a ``.dat`` file, in the order they run.

In: the bytes of a file that its hash vouches for. Out: a :class:`Network`. Pure; runs nothing of the file.

dlib writes integers as a length and so many bytes, floating point as mantissa and exponent, tensors as four
sizes and plain float32, and before each layer its name (``dlib/serialize.h``, ``dlib/dnn/layers.h`` and
``dlib/cuda/tensor.h`` of dlib 19 and 20). How layers are wired is not in the file but in the type that reads
it: whoever builds a graph of the layers must know.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wire.errors import ModelError

Weights = NDArray[np.float32]

_TENSOR_VERSION: Final = 2
_INPUT: Final = re.compile(rb"\x01.input_rgb_image_(?:pyramid|sized)", re.DOTALL)
_NAMES: Final = re.compile(
    rb"\x01.(con_4|bn_con2|affine_|relu_110|max_pool_2|avg_pool_2|add_prev_111|fc_2)", re.DOTALL
)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer.

    Attributes:
        kind: ``con``, ``affine``, ``relu``, ``max_pool``, ``avg_pool``, ``add_prev`` or ``fc``. A batch norm
            is read as the affine layer that it is when nothing is trained.
        weights: of ``con`` ``(filters, channels, rows, columns)``, of ``affine`` ``(channels,)`` factors, of
            ``fc`` ``(inputs, outputs)``; else empty.
        bias: ``(filters,)`` or ``(channels,)``; empty where there is none.
        window: rows and columns of a pool; 0 is all of them.
        stride: of ``con`` and pools.
        padding: of ``con`` and pools, rows and columns.
    """

    kind: str
    weights: Weights
    bias: Weights
    window: tuple[int, int] = (0, 0)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """``mean`` (3,) is what the network takes from red, green and blue, before it divides by 256."""

    mean: tuple[float, float, float]
    layers: tuple[Layer, ...]


def read_network(data: bytes) -> Network:
    """The network in `data`, the bytes of a ``.dat`` file.

    Raises:
        ModelError: this is no network of dlib's, or one with layers that are not known here.
    """
    start = _INPUT.search(data)
    if start is None:
        raise ModelError("no network of dlib's: there is no layer that takes an RGB picture")
    reader = _Reader(data, start.end())
    red, green, blue = (reader.real() for _ in range(3))
    layers: list[Layer] = []
    channels = 3
    while (found := _NAMES.search(data, reader.at)) is not None:
        reader.at = found.end()
        layer = _read_layer(found.group(1).decode(), reader, channels)
        layers.append(layer)
        if layer.kind == "con":
            channels = len(layer.weights)
    if not layers:
        raise ModelError("no network of dlib's: there is no layer after the one for pictures")
    return Network((red, green, blue), tuple(layers))


class _Reader:
    """Values one after another from `at` on."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self.at = data, at

    def whole(self) -> int:
        """An integer: a byte with its length and sign, then its bytes, the lowest first."""
        head = self._take(1)[0]
        value = int.from_bytes(self._take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def real(self) -> float:
        """A floating point number: mantissa, then exponent."""
        mantissa = self.whole()
        return float(mantissa * 2.0 ** self.whole())

    def tensor(self) -> Weights:
        """``(N, K, R, C)`` float32."""
        version = self.whole()
        if version != _TENSOR_VERSION:
            raise ModelError(f"a tensor of version {version} at byte {self.at}, not of 2")
        shape = [self.whole() for _ in range(4)]
        if min(shape) < 0:
            raise ModelError(f"a tensor of {shape} at byte {self.at}")
        raw = self._take(4 * int(np.prod(shape)))
        return np.frombuffer(raw, "<f4").reshape(shape).astype(np.float32)

    def skip(self, values: int) -> None:
        """Leave out so many integers."""
        for _ in range(values):
            self.whole()

    def _take(self, count: int) -> bytes:
        piece = self._data[self.at : self.at + count]
        if len(piece) < count:
            raise ModelError(f"the file ends at byte {len(self._data)}, within a value")
        self.at += count
        return piece


_NONE: Final[Weights] = np.zeros(0, np.float32)
_ALIAS: Final = 5
"""Integers of an alias, which names a part of the tensor before it: version and four sizes."""


def _read_layer(name: str, reader: _Reader, channels: int) -> Layer:
    if name == "con_4":
        return _convolution(reader, channels)
    if name == "bn_con2":
        return _batch_norm(reader)
    if name == "affine_":
        gamma, beta = np.split(reader.tensor().ravel(), 2)
        return Layer("affine", gamma, beta)
    if name in ("max_pool_2", "avg_pool_2"):
        rows, columns, stride, _, down, across = (reader.whole() for _ in range(6))
        kind = name.removesuffix("_2")
        return Layer(kind, _NONE, _NONE, (rows, columns), stride, (down, across))
    if name == "fc_2":
        reader.skip(2)
        return Layer("fc", reader.tensor()[:, :, 0, 0], _NONE)
    return Layer(name.rsplit("_", 1)[0], _NONE, _NONE)


def _convolution(reader: _Reader, channels: int) -> Layer:
    values = reader.tensor().ravel()
    filters, rows, columns, stride, other, down, across = (reader.whole() for _ in range(7))
    count = filters * channels * rows * columns
    if stride != other or len(values) != count + filters:
        raise ModelError(f"a convolution of {len(values)} weights where {count + filters} fit")
    weights = values[:count].reshape(filters, channels, rows, columns)
    return Layer("con", weights, values[count:], (rows, columns), stride, (down, across))


def _batch_norm(reader: _Reader) -> Layer:
    gamma, beta = np.split(reader.tensor().ravel(), 2)
    reader.skip(2 * _ALIAS)
    _, _, mean, variance = (reader.tensor().ravel() for _ in range(4))
    reader.skip(2)
    for _ in range(4):
        reader.real()
    factor = gamma / np.sqrt(variance + np.float32(reader.real()))
    return Layer("affine", factor, beta - factor * mean)
