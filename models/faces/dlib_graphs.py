"""dlib's two face networks as ONNX graphs: dlib runs them without a processor's vector units, 10 to 40 times
slower than ONNX Runtime, and holds Python's lock meanwhile.

In: a :class:`models.dlib_format.Network`. Out: a graph as bytes that gives the same numbers. Pure.

How the layers are wired: ``dnn_mmod_face_detection_ex.cpp`` and ``dnn_face_recognition_ex.cpp`` of dlib's
examples. Max-margin object detection: King, arXiv 1502.00046. Residual networks: He et al., arXiv 1512.03385.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.dlib_format import Layer, Network
from wire.errors import ModelError

EDGE_PX: Final = 11
"""What dlib adds around a picture before it looks for faces, in the mean colour, which tells nothing."""

Shape = tuple[int, int, int]
"""Channels, rows, columns."""

_OPSET: Final = 17
_IR: Final = 8


class _Graph:
    """A graph that grows node by node; each step returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []

    def weight(self, value: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def picture(self, mean: tuple[float, float, float]) -> str:
        """``(N, H, W, 3)`` BGR uint8 to ``(N, 3, H, W)`` float, less the mean."""
        as_float = self.add("Cast", ["image"], to=TensorProto.FLOAT)
        planes = self.add("Transpose", [as_float], perm=[0, 3, 1, 2])
        return self.add(
            "Sub", [planes, self.weight(np.array(mean[::-1], np.float32)[:, None, None])]
        )

    def convolution(self, x: str, layer: Layer) -> str:
        down, across = layer.padding
        return self.add(
            "Conv",
            [x, self.weight(layer.weights), self.weight(layer.bias)],
            kernel_shape=list(layer.window),
            strides=[layer.stride] * 2,
            pads=[down, across, down, across],
        )

    def pool(self, x: str, kind: str, layer: Layer) -> str:
        return self.add(kind, [x], kernel_shape=list(layer.window), strides=[layer.stride] * 2)

    def padded(self, x: str, have: Shape, want: Shape) -> str:
        """`x` of shape `have` with zeros after it, so that it has the shape `want`."""
        if have == want:
            return x
        after = np.subtract(want, have)
        return self.add("Pad", [x, self.weight(np.array([0, 0, 0, 0, 0, *after], np.int64))])

    def finish(self, out: str, shape: list[int | str], size: tuple[int | str, int | str]) -> bytes:
        image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", *size, 3])
        result = helper.make_tensor_value_info(out, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "dlib", [image], [result], self.weights)
        opset = helper.make_opsetid("", _OPSET)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=_IR)
        onnx.checker.check_model(made)
        written: bytes = made.SerializeToString()
        return written


def _folded(network: Network) -> list[Layer]:
    """The layers with every affine one taken into the convolution before it.

    The first convolution takes BGR in whole grey levels, where dlib's takes RGB in parts of 256.
    """
    layers: list[Layer] = []
    for layer in network.layers:
        if layer.kind != "affine":
            layers.append(layer)
            continue
        before = layers[-1] if layers else None
        if before is None or before.kind != "con":
            raise ModelError("an affine layer of dlib's follows no convolution")
        factor = layer.weights
        weights = before.weights * factor[:, None, None, None]
        layers[-1] = replace(before, weights=weights, bias=before.bias * factor + layer.bias)
    first = layers[0]
    if first.kind != "con":
        raise ModelError(f"dlib's network begins with {first.kind}, not with a convolution")
    layers[0] = replace(first, weights=first.weights[:, ::-1] / np.float32(256))
    return layers


def detector_graph(network: Network) -> bytes:
    """``image`` (N, H, W, 3) BGR uint8 -> (N, 1, H / 8, W / 8): the margin of a face at each place."""
    graph, layers = _Graph(), _folded(network)
    layers[0] = replace(layers[0], padding=(EDGE_PX, EDGE_PX))
    x = graph.picture(network.mean)
    for layer in layers:
        if layer.kind not in ("con", "relu"):
            raise ModelError(f"dlib's face detector has no layer of kind {layer.kind}")
        x = graph.convolution(x, layer) if layer.kind == "con" else graph.add("Relu", [x])
    return graph.finish(x, ["n", 1, "rows", "columns"], ("h", "w"))


def embedder_graph(network: Network, side: int) -> bytes:
    """``image`` (N, side, side, 3) BGR uint8 -> (N, D): the embedding, not yet of length 1.

    A block adds its input to what two convolutions make of it; where the first of them halves the picture, so
    does a pool the input. Whatever is smaller of the two, in any axis, has zeros after it.
    """
    graph, layers = _Graph(), _folded(network)
    x = graph.picture(network.mean)
    shape: Shape = (3, side, side)
    block, block_shape, within = x, shape, False
    for at, layer in enumerate(layers):
        following = layers[at + 1].kind if at + 1 < len(layers) else ""
        if layer.kind == "con":
            if at and not within:
                block, block_shape, within = x, shape, True
            x = graph.convolution(x, layer)
            shape = (len(layer.weights), *_smaller(shape, layer))
        elif layer.kind == "relu":
            x = graph.add("Relu", [x])
        elif layer.kind == "max_pool":
            x, shape = graph.pool(x, "MaxPool", layer), (shape[0], *_smaller(shape, layer))
        elif layer.kind == "avg_pool" and following == "add_prev":
            block = graph.pool(block, "AveragePool", layer)
            block_shape = (block_shape[0], *_smaller(block_shape, layer))
        elif layer.kind == "avg_pool":
            x = graph.add("GlobalAveragePool", [x])
        elif layer.kind == "add_prev":
            whole = (
                max(shape[0], block_shape[0]),
                max(shape[1], block_shape[1]),
                max(shape[2], block_shape[2]),
            )
            sides = [
                graph.padded(name, have, whole) for name, have in ((x, shape), (block, block_shape))
            ]
            x, shape, within = graph.add("Add", sides), whole, False
        else:
            x = graph.add("MatMul", [graph.add("Flatten", [x]), graph.weight(layer.weights)])
    return graph.finish(x, ["n", layers[-1].weights.shape[1]], (side, side))


def _smaller(shape: Shape, layer: Layer) -> tuple[int, int]:
    """Rows and columns after a convolution or a pool."""
    rows, columns = (
        (have + 2 * pad - window) // layer.stride + 1
        for have, pad, window in zip(shape[1:], layer.padding, layer.window, strict=True)
    )
    return rows, columns
