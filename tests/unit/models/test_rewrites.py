import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from models.rewrites import without_prelu


def network(*slopes: float, opset: int = 17) -> bytes:
    """One PRelu on three channels after another."""
    nodes, weights, name = [], [], "x"
    for number, slope in enumerate(slopes):
        weight = np.full((3, 1, 1), slope, np.float32)
        weight[0] = -0.5
        weights.append(numpy_helper.from_array(weight, f"slope{number}"))
        nodes.append(helper.make_node("PRelu", [name, f"slope{number}"], [f"y{number}"]))
        name = f"y{number}"
    shape = [None, 3, 4, 4]
    graph = helper.make_graph(
        nodes,
        "prelus",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        weights,
    )
    imports = [helper.make_opsetid("", opset)]
    content: bytes = helper.make_model(
        graph, ir_version=8, opset_imports=imports
    ).SerializeToString()
    return content


def operators(content: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(content).graph.node]


def result(content: bytes, x: np.ndarray) -> np.ndarray:
    answer: np.ndarray = onnxruntime.InferenceSession(content).run(None, {"x": x})[0]
    return answer


def test_the_numbers_are_the_same_to_the_last_bit() -> None:
    before = network(0.25, 1.0, 0.0)
    after = without_prelu(before)
    assert after is not None
    assert operators(after) == ["Mul", "Max"] * 3
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 4)).astype(np.float32)
    x[0, 0] = 0.0
    np.testing.assert_array_equal(result(before, x), result(after, x))


def test_a_slope_above_one_stays_as_it_is() -> None:
    before = network(0.25, 1.5)
    after = without_prelu(before)
    assert after is not None
    assert operators(after) == ["Mul", "Max", "PRelu"]
    x = np.random.default_rng(2).normal(size=(1, 3, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(result(before, x), result(after, x))


def test_there_is_nothing_to_gain_without_it_or_with_old_operators() -> None:
    assert without_prelu(network(1.5)) is None
    assert without_prelu(network(0.5, opset=7)) is None
    assert without_prelu(b"not a network") is None
