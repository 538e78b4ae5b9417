"""Rewrites of a network that cost less to run and give the same numbers. Pure.

In: a network as ONNX bytes. Out: the same network without operators that ONNX Runtime computes slowly on a
processor, or None where there is nothing to gain. Never changes what a network computes.
"""

import onnx
from onnx import helper, numpy_helper

_PRELU = b"PRelu"
_BROADCASTS_SINCE = 8
"""The version of ONNX's operators from which ``Max`` broadcasts."""


def without_prelu(network: bytes) -> bytes | None:
    """Put ``max(x, slope * x)`` in the place of ``PRelu``, whose kernel is not vectorised.

    The two are the same wherever no slope is above 1; where one is, that operator stays.
    """
    if _PRELU not in network:
        return None  # without reading it as ONNX, which a large network takes a second for
    model = onnx.load_from_string(network)
    versions = {opset.domain: opset.version for opset in model.opset_import}
    if versions.get("", 0) < _BROADCASTS_SINCE:
        return None
    weights = {weight.name: weight for weight in model.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        slope = weights.get(node.input[1]) if node.op_type == "PRelu" else None
        if slope is None or not (numpy_helper.to_array(slope) <= 1).all():
            nodes.append(node)
            continue
        scaled = f"{node.output[0]}_scaled"
        nodes += [
            helper.make_node("Mul", node.input, [scaled]),
            helper.make_node("Max", [node.input[0], scaled], node.output),
        ]
    if len(nodes) == len(model.graph.node):
        return None
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    rewritten: bytes = model.SerializeToString()
    return rewritten
