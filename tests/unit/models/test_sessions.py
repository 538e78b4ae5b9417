from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models.sessions import open_session
from wire.errors import ModelError


@pytest.fixture
def doubler(tmp_path: Path) -> Path:
    """A network that adds its input to itself."""
    shape = [None, 2]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubler",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "doubler.onnx")
    return tmp_path / "doubler.onnx"


def test_runs_on_the_cpu_with_the_threads_asked_for(doubler: Path) -> None:
    session = open_session(doubler, threads=1)
    assert session.run(None, {"x": np.zeros((0, 2), np.float32)})[0].shape == (0, 2)
    assert session.run(None, {"x": np.ones((1, 2), np.float32)})[0].tolist() == [[2.0, 2.0]]
    options = session.get_session_options()  # type: ignore[attr-defined]
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("provider", ["cuda", "openvino"])
def test_a_provider_that_is_not_installed_says_how_to_get_it(doubler: Path, provider: str) -> None:
    names = {"cuda": "CUDAExecutionProvider", "openvino": "OpenVINOExecutionProvider"}
    if names[provider] in onnxruntime.get_available_providers():
        pytest.skip("it is installed here")
    with pytest.raises(
        ModelError, match=r"not installed here \(there is: cpu\).*pip install onnxruntime-"
    ):
        open_session(doubler, threads=1, providers=(provider, "cpu"))


def test_a_provider_that_did_not_start_is_no_silent_fallback(
    doubler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        onnxruntime,
        "get_available_providers",
        lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
    )
    with pytest.raises(ModelError, match=r"'cuda' is installed but did not start"):
        open_session(doubler, threads=1, providers=("cuda", "cpu"))


@pytest.mark.parametrize("providers", [(), ("gpu",)])
def test_an_unknown_provider_is_told(doubler: Path, providers: tuple[str, ...]) -> None:
    with pytest.raises(ModelError, match="choose from cpu, cuda, openvino"):
        open_session(doubler, threads=1, providers=providers)


def test_threads_must_be_positive(doubler: Path) -> None:
    with pytest.raises(ModelError, match="threads must be 1 or more"):
        open_session(doubler, threads=0)


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_file_that_is_no_network_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.onnx cannot be opened as a network"):
        open_session(path, threads=1)
