"""The shipped networks come back into torch unchanged; skipped where torch is not installed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: training cannot be tested")
pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402

from models.plates.weights import verified  # noqa: E402
from models.training.export import average, export  # noqa: E402
from models.training.nets import READER_SIZE, REFINER_SIZE, Reader, Refiner  # noqa: E402
from models.training.restore import restore, settle  # noqa: E402
from wire.errors import InputError  # noqa: E402


@pytest.mark.parametrize(
    ("kind", "part", "size"), [(Reader, "reader", READER_SIZE), (Refiner, "refiner", REFINER_SIZE)]
)
def test_a_restored_network_says_what_its_file_says(kind, part, size, tmp_path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, *size, 3), np.uint8)
    shipped = ort.InferenceSession(str(verified(part))).run(None, {"pictures": pictures})[0]
    net = kind()
    restore(net, verified(part))
    settle(net, torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
    export(net.eval(), tmp_path / "again.onnx")
    average(verified(part), tmp_path / "again.onnx")
    again = ort.InferenceSession(str(tmp_path / "again.onnx")).run(None, {"pictures": pictures})[0]
    np.testing.assert_allclose(again, shipped, atol=1e-3)


def test_another_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"plate_reader\.onnx"):
        restore(Refiner(), verified("reader"))
