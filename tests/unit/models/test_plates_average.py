"""The mean of two trainings of one network."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.plates.weights import verified
from models.training.average import average
from wire.errors import InputError


def network(path: Path, weights: dict[str, list[float]]) -> Path:
    """A network that adds its weights to its input, one after the other."""
    names = list(weights)
    steps = ["x", *(f"after_{name}" for name in names)]
    graph = helper.make_graph(
        [helper.make_node("Add", [steps[i], name], [steps[i + 1]]) for i, name in enumerate(names)],
        "adder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info(steps[-1], TensorProto.FLOAT, [2])],
        [numpy_helper.from_array(np.array(v, np.float32), n) for n, v in weights.items()],
    )
    onnx.save(helper.make_model(graph), path)
    return path


def test_each_weight_is_the_mean_of_two(tmp_path: Path) -> None:
    one = network(tmp_path / "one.onnx", {"a": [1, 2], "b": [0, 0]})
    other = network(tmp_path / "other.onnx", {"b": [4, 6], "a": [3, 2]})
    average(one, other, one)  # in the place of one of them, as the recipe does it
    found = {w.name: numpy_helper.to_array(w).tolist() for w in onnx.load(one).graph.initializer}
    assert found == {"a": [2, 2], "b": [2, 3]}


@pytest.mark.parametrize("weights", [{"a": [1.0, 2.0]}, {"a": [1.0, 2.0], "b": [1.0]}])
def test_networks_of_two_layouts_are_refused(
    tmp_path: Path, weights: dict[str, list[float]]
) -> None:
    one = network(tmp_path / "one.onnx", {"a": [1, 2], "b": [0, 0]})
    with pytest.raises(InputError, match="has no b as"):
        average(one, network(tmp_path / "other.onnx", weights), tmp_path / "mean.onnx")


def test_the_mean_of_a_shipped_network_with_itself_is_it(tmp_path: Path) -> None:
    average(verified("two_rows"), verified("two_rows"), tmp_path / "mean.onnx")
    before, after = (
        {w.name: numpy_helper.to_array(w) for w in onnx.load(path).graph.initializer}
        for path in (verified("two_rows"), tmp_path / "mean.onnx")
    )
    assert all(np.array_equal(before[name], after[name]) for name in before)
