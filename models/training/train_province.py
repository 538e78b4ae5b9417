"""Train the reader of provinces: cells cut close from captures and real crops, one class each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.plates.province import slot_of
from models.plates.recogniser import PlateRecogniser
from models.plates.rectify import is_quad, loose_box
from models.training.draw import Floats, Picture
from models.training.loop import Plan, Window, ahead, train
from models.training.nets import ProvinceReader
from models.training.pool import Capture
from models.training.restore import restore
from models.training.samples import RealCrop, province_sample, real_province_sample
from models.training.train import go_on, stack

REAL_SHARE = 0.08

Refine = Callable[[Picture, Floats], Floats]
"""The four corners (4, 2) px of the plate inside a loose xyxy box (4,) of a picture."""


def shipped_refiner() -> Refine:
    """The refiner that ships, to find the corners of real crops with."""
    recogniser = PlateRecogniser.load(1)

    def refine(picture: Picture, box: Floats) -> Floats:
        return np.asarray(recogniser.refine([picture], [box]).corners[0], np.float32)

    return refine


ProvinceBatch = tuple[Tensor, Tensor]


def province_crops(crops: list[RealCrop], refine: Refine) -> dict[str, list[RealCrop]]:
    """Real crops by their province, with the corners that ``refine`` finds."""
    by_province: dict[str, list[RealCrop]] = {}
    for picture, text, colour, corners in crops:
        height, width = picture.shape[:2]
        edge = np.array([0, 0, width, height], np.float32)
        quad = refine(picture, edge if corners is None else loose_box(corners))
        slot = slot_of(text)
        if slot is not None and is_quad(quad):
            by_province.setdefault(text[slot], []).append((picture, text, colour, quad))
    return by_province


def province_batches(
    windows: list[Window],
    real: dict[str, list[RealCrop]],
    real_share: float,
    batch: int,
    rng: np.random.Generator,
) -> Iterator[ProvinceBatch]:
    """Batches without end: cells (N, 3, 64, 64), provinces (N,); of real crops each province as often."""
    names = sorted(real)

    def one() -> tuple[Picture, int]:
        if names and rng.random() < real_share:
            some = real[names[int(rng.integers(len(names)))]]
            return real_province_sample(some[int(rng.integers(len(some)))], rng)
        window = windows[int(rng.integers(len(windows)))]
        return province_sample(pick_province(window), rng)

    def make() -> ProvinceBatch:
        samples = [one() for _ in range(batch)]
        return stack([cell for cell, _ in samples]), torch.tensor([p for _, p in samples])

    return ahead(make)


def pick_province(window: Window) -> Capture:
    """The next capture of a plate whose province could be any."""
    capture = window.pick()
    while slot_of(capture.text) is None:
        capture = window.pick()
    return capture


def province_loss(net: nn.Module, batch: ProvinceBatch) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy."""
    cells, provinces = batch
    out = net(cells.contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(out, provinces, label_smoothing=0.02)
    right = (out.argmax(1) == provinces).float().mean()
    return loss, {"loss": float(loss.detach()), "right": float(right)}


def train_province(
    pools: list[Path],
    plan: Plan,
    *,
    real: dict[str, list[RealCrop]],
    say: Callable[[str], None],
    start: Path | None = None,
    keep: int = 12,
) -> ProvinceReader:
    """The reader of provinces, on the captures of all ``pools`` alike and the ``real`` crops.

    From nothing, or on from the network in the ONNX file ``start``.
    """
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 7])
    windows = [Window(pool, keep, rng) for pool in pools]
    batches = province_batches(windows, real, REAL_SHARE, plan.batch, rng)
    net = ProvinceReader()
    if start is not None:
        restore(net, start)
        return go_on(net, batches, province_loss, plan, say=say)
    trained = train(net, batches, province_loss, plan, say=say)
    assert isinstance(trained, ProvinceReader)
    return trained
