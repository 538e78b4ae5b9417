"""The shipped networks come back into torch unchanged; skipped where torch is not installed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: training cannot be tested")
pytest.importorskip("onnx")

import onnxruntime as ort  # noqa: E402

from models.plates.province import SIZE as PROVINCE_SIZE  # noqa: E402
from models.plates.weights import verified  # noqa: E402
from models.training.export import export  # noqa: E402
from models.training.nets import (  # noqa: E402
    READER_SIZE,
    REFINER_SIZE,
    TWO_ROWS_SIZE,
    ProvinceReader,
    Reader,
    Refiner,
)
from models.training.restore import restore, settle  # noqa: E402
from models.training.widen import widen  # noqa: E402
from wire.errors import InputError  # noqa: E402


@pytest.mark.parametrize(
    ("kind", "part", "size"),
    [
        (Reader, "reader", READER_SIZE),
        (lambda: Reader(TWO_ROWS_SIZE), "two_rows", TWO_ROWS_SIZE),
        (Refiner, "refiner", REFINER_SIZE),
        (ProvinceReader, "province", (PROVINCE_SIZE, PROVINCE_SIZE)),
    ],
)
def test_a_restored_network_says_what_its_file_says(kind, part, size, tmp_path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (4, *size, 3), np.uint8)
    shipped = ort.InferenceSession(str(verified(part))).run(None, {"pictures": pictures})[0]
    net = kind()
    restore(net, verified(part))
    settle(net, torch.from_numpy(pictures).permute(0, 3, 1, 2).float())
    export(net.eval(), tmp_path / "again.onnx")
    again = ort.InferenceSession(str(tmp_path / "again.onnx")).run(None, {"pictures": pictures})[0]
    np.testing.assert_allclose(again, shipped, atol=1e-3)


def test_another_network_is_refused() -> None:
    with pytest.raises(InputError, match=r"plate_reader\.onnx"):
        restore(Refiner(), verified("reader"))


def test_a_widened_reader_looks_at_the_same_part_of_the_plate() -> None:
    one = Reader()
    columns = torch.arange(READER_SIZE[1] // 4) / (READER_SIZE[1] // 4)  # 0 left to 1 right
    with torch.no_grad():
        one.place.copy_(columns.expand_as(one.place))
    two = widen(one)
    across = two.place[0, 0, 0].detach()
    upper = round(TWO_ROWS_SIZE[1] // 4 * 2 / 5)
    assert two.prior.shape[1] == TWO_ROWS_SIZE[0] // 8 * TWO_ROWS_SIZE[1] // 4
    assert (across.diff() >= 0).all()
    assert across[upper - 1] < 1 / 3 <= across[upper] + 0.02
    assert torch.equal(two.classify.weight, one.classify.weight)
