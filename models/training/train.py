"""Train the plate networks: what each is shown, what it is asked, how it is checked on the way."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.plates.rectify import around, cut, rectangle
from models.training.draw import Floats, Picture
from models.training.glyphs import Glyphs
from models.training.loop import Plan, Window, ahead, train
from models.training.nets import (
    READER_SIZE,
    REFINER_SIZE,
    TWO_ROWS_SIZE,
    Detector,
    Reader,
    Refiner,
)
from models.training.pool import COLOURS, TYPES, Capture
from models.training.real import Labelled, read_picture, traced
from models.training.restore import restore, settle
from models.training.samples import (
    ReaderSample,
    RealCrop,
    detector_target,
    encode,
    reader_sample,
    real_crop_sample,
    refiner_sample,
    tint,
    turned,
)
from models.training.scenes import SCENE, Background, Scene, make_scene
from models.training.widen import widen
from wire.plates import parse

Net = TypeVar("Net", bound=nn.Module)

EMPTY_SHARE = 0.08
"""How many crops the refiner is shown that hold no plate."""

TRACED_SHARE = 0.12
"""How many are of real plates whose corners were traced."""

ReaderBatch = tuple[Tensor, Tensor, Tensor, Tensor]


def stack(pictures: list[Picture]) -> Tensor:
    """``(N, 3, H, W)`` float32 of N pictures ``(H, W, 3)``."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()


def real_crops(items: list[Labelled]) -> list[RealCrop]:
    """Picture, text, colour index, no corners: the real crops of ``items`` that can be read."""
    crops: list[RealCrop] = []
    for item in items:
        picture, plate = read_picture(item.path), parse(item.text)
        if picture is not None and plate is not None:
            crops.append((picture, plate.text, COLOURS.index(plate.colour), None))
    return crops


def traced_captures(folder: Path, grow: tuple[float, float] = (0.9, 1.2)) -> list[Capture]:
    """The plates traced in ``cars_easypr``, with ``grow`` of their size around them on each side."""
    captures = []
    for item in traced(folder):
        picture, plate, box = read_picture(item.path), item.plate, around(item.corners)
        if picture is None:
            continue
        margin = (box[2:] - box[:2]) * grow
        low = np.maximum(box[:2] - margin, 0).astype(int)
        high = (box[2:] + margin + 1).astype(int)
        part = picture[low[1] : high[1], low[0] : high[0]]
        corners = np.asarray(item.corners - low, np.float32)
        colour, kind = COLOURS.index(plate.colour), TYPES.index(plate.type)
        captures.append(Capture(part, corners, plate.text, colour, kind, item.rows))
    return captures


def real_photographs(folder: Path) -> list[RealCrop]:
    """The traced plates on one row for a reader: cut out with a margin, and their corners."""
    found = traced_captures(folder, (0.15, 0.4))
    return [(c.picture, c.text, c.colour, c.corners) for c in found if c.rows == 1]


def reader_batches(
    window: Window, real: list[RealCrop], real_share: float, batch: int, rng: np.random.Generator
) -> Iterator[ReaderBatch]:
    """Batches without end: pictures, slots, colours, rows; ``real_share`` of them real crops."""

    def one() -> ReaderSample:
        if real and rng.random() < real_share:
            picture, text, colour, corners = real[int(rng.integers(len(real)))]
            return real_crop_sample(picture, text, colour, rng, READER_SIZE, corners)
        return reader_sample(pick_rows(window, 1), rng, 1)

    return ahead(lambda: _reader_batch([one() for _ in range(batch)]))


def two_row_batches(window: Window, batch: int, rng: np.random.Generator) -> Iterator[ReaderBatch]:
    """Batches without end of plates on two rows: pictures, slots, colours, rows."""

    def one() -> ReaderSample:
        return reader_sample(pick_rows(window, 2), rng, 2)

    return ahead(lambda: _reader_batch([one() for _ in range(batch)]))


def pick_rows(window: Window, rows: int) -> Capture:
    """The next capture of a plate on ``rows`` rows, or of no plate."""
    capture = window.pick()
    while capture.text and capture.rows != rows:
        capture = window.pick()
    return capture


def _reader_batch(samples: list[ReaderSample]) -> ReaderBatch:
    return (
        stack([s.picture for s in samples]),
        torch.from_numpy(np.stack([s.slots for s in samples])),
        torch.tensor([s.colour for s in samples]),
        torch.tensor([s.rows for s in samples]),
    )


def reader_loss(net: nn.Module, batch: ReaderBatch) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy over slots, colour and rows."""
    pictures, slots, colours, rows = batch
    text, colour, row = net(pictures.contiguous(memory_format=torch.channels_last))
    by_slot = functional.cross_entropy(text.flatten(0, 1), slots.flatten(), label_smoothing=0.01)
    by_colour = functional.cross_entropy(colour, colours)
    by_row = functional.cross_entropy(row, rows)
    exact = (text.argmax(2) == slots).all(1).float().mean()
    loss = by_slot + 0.1 * by_colour + 0.05 * by_row
    return loss, {
        "loss": float(by_slot.detach()),
        "exact": float(exact),
        "colour": float(by_colour.detach()),
    }


def exact_on_crops(net: nn.Module, crops: list[RealCrop]) -> tuple[int, int, int]:
    """Exact, exact without the province, and all: greedy reading of unrectified crops."""
    pictures = [cv2.resize(c[0], READER_SIZE[::-1]) for c in crops]
    with torch.no_grad():
        text = torch.cat([net(stack(pictures[i : i + 64]))[0] for i in range(0, len(pictures), 64)])
    hits = text.argmax(2).numpy() == np.stack([encode(c[1]) for c in crops])
    return int(hits.all(1).sum()), int(hits[:, 1:].all(1).sum()), len(crops)


def train_reader(
    pool: Path,
    plan: Plan,
    *,
    real: list[RealCrop],
    checks: dict[str, list[RealCrop]],
    say: Callable[[str], None],
    real_share: float = 0.08,
    keep: int = 24,
) -> Reader:
    """The reader, trained on the captures of ``pool`` and the ``real`` crops."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 1])
    batches = reader_batches(Window(pool, keep, rng), real, real_share, plan.batch, rng)
    trained = train(Reader(), batches, reader_loss, plan, say=say, check=_checked(checks))
    assert isinstance(trained, Reader)
    return trained


def finish_reader(
    pool: Path,
    plan: Plan,
    start: Path,
    *,
    real: list[RealCrop],
    checks: dict[str, list[RealCrop]],
    say: Callable[[str], None],
    keep: int = 24,
) -> Reader:
    """The reader in the ONNX file ``start``, trained on the captures of ``pool`` and ``real``."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 4])
    net = Reader()
    restore(net, start)
    batches = reader_batches(Window(pool, keep, rng), real, 0.1, plan.batch, rng)
    return go_on(net, batches, reader_loss, plan, say=say, check=_checked(checks))


def finish_two_rows(
    pool: Path, plan: Plan, start: Path, *, say: Callable[[str], None], keep: int = 24
) -> Reader:
    """The reader of two rows in the ONNX file ``start``, trained on the captures of ``pool``."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 5])
    net = Reader(TWO_ROWS_SIZE)
    restore(net, start)
    batches = two_row_batches(Window(pool, keep, rng), plan.batch, rng)
    return go_on(net, batches, reader_loss, plan, say=say)


def train_two_rows(
    pool: Path, plan: Plan, start: Path, *, say: Callable[[str], None], keep: int = 24
) -> Reader:
    """The reader of two rows: the one in the ONNX file ``start`` made wider, and trained on."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 5])
    one = Reader()
    restore(one, start)
    batches = two_row_batches(Window(pool, keep, rng), plan.batch, rng)
    return go_on(widen(one), batches, reader_loss, plan, say=say)


def go_on(
    net: Net,
    batches: Iterator[Any],
    loss_of: Callable[[nn.Module, Any], tuple[Tensor, dict[str, float]]],
    plan: Plan,
    *,
    say: Callable[[str], None],
    check: Callable[[nn.Module], str] | None = None,
) -> Net:
    """Train a restored ``net`` from where it was; the pictures come first in each batch."""
    settle(net, torch.cat([next(batches)[0] for _ in range(10)]))
    trained = train(net, batches, loss_of, plan, say=say, check=check)
    assert isinstance(trained, type(net))
    return trained


def _checked(checks: dict[str, list[RealCrop]]) -> Callable[[nn.Module], str]:
    """How a reader does on each of ``checks``, as a line to log."""

    def check(net: nn.Module) -> str:
        parts = []
        for name, crops in checks.items():
            exact, rest, n = exact_on_crops(net, crops)
            parts.append(f"{name} {exact}/{n} ({rest} without province)")
        return ", ".join(parts)

    return check


def refiner_loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """Corner distance (only where there is a plate), plate and rows by binary cross entropy."""
    pictures, target = batch
    out = net(pictures.contiguous(memory_format=torch.channels_last))
    there = target[:, 8]
    gap = functional.smooth_l1_loss(out[:, :8], target[:, :8], reduction="none", beta=0.02).mean(1)
    corner = (gap * there).sum() / there.sum().clamp(min=1)
    plate = functional.binary_cross_entropy_with_logits(out[:, 8], there)
    row = functional.binary_cross_entropy_with_logits(out[:, 9], target[:, 9], weight=there)
    off = ((out[:, :8] - target[:, :8]).abs().mean(1) * there).sum() / there.sum().clamp(min=1)
    loss = 10 * corner + 0.2 * plate + 0.2 * row
    return loss, {
        "loss": float(loss.detach()),
        "corner": float(off.detach()),
        "plate": float(plate.detach()),
        "row": float(row.detach()),
    }


def empty_crop(background: Background, rng: np.random.Generator) -> Picture | None:
    """A plate-shaped piece of a real picture that holds no plate; None where the draw hit one."""
    height, width = background.picture.shape[:2]
    wide = float(np.exp(rng.uniform(np.log(0.03), np.log(0.5)))) * width
    tall = min(wide * rng.uniform(0.25, 0.7), height - 1.0)
    x, y = rng.uniform(0, width - wide), rng.uniform(0, height - tall)
    for quad in background.plates:
        box = around(quad)
        if x < box[2] and x + wide > box[0] and y < box[3] and y + tall > box[1]:
            return None
    corners = rectangle(np.array([x, y, x + wide, y + tall], np.float32))
    return cut(background.picture, corners, REFINER_SIZE)


def train_refiner(
    pools: list[Path],
    plan: Plan,
    *,
    say: Callable[[str], None],
    backgrounds: list[Background],
    real: list[Capture],
    keep: int = 16,
) -> Refiner:
    """The corner refiner: loose crops of the captures of all ``pools`` alike, and of ``real`` plates."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 2])
    windows = [Window(pool, keep, rng) for pool in pools]
    batches = refiner_batches(windows, backgrounds, real, plan.batch, rng)
    trained = train(Refiner(), batches, refiner_loss, plan, say=say)
    assert isinstance(trained, Refiner)
    return trained


def finish_refiner(
    pools: list[Path],
    plan: Plan,
    start: Path,
    *,
    backgrounds: list[Background],
    real: list[Capture],
    say: Callable[[str], None],
    keep: int = 16,
) -> Refiner:
    """The refiner in the ONNX file ``start``, trained on as :func:`train_refiner` does."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 8])
    net = Refiner()
    restore(net, start)
    windows = [Window(pool, keep, rng) for pool in pools]
    batches = refiner_batches(windows, backgrounds, real, plan.batch, rng)
    return go_on(net, batches, refiner_loss, plan, say=say)


def refiner_batches(
    windows: list[Window],
    backgrounds: list[Background],
    real: list[Capture],
    batch: int,
    rng: np.random.Generator,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: loose crops (N, 3, 64, 128), targets (N, 10); some without a plate."""

    def one() -> tuple[Picture, Floats]:
        kind = rng.random()
        if backgrounds and kind < EMPTY_SHARE:
            empty = empty_crop(backgrounds[int(rng.integers(len(backgrounds)))], rng)
            if empty is not None:
                return tint(empty, rng), np.zeros(10, np.float32)
        if real and kind > 1 - TRACED_SHARE:
            capture = turned(real[int(rng.integers(len(real)))], rng)
        else:
            capture = windows[int(rng.integers(len(windows)))].pick()
        return refiner_sample(capture, rng, REFINER_SIZE)

    def make() -> tuple[Tensor, Tensor]:
        samples = [one() for _ in range(batch)]
        return stack([p for p, _ in samples]), torch.from_numpy(np.stack([t for _, t in samples]))

    return ahead(make)


DetectorBatch = tuple[Tensor, Tensor]


def detector_batches(
    backgrounds: list[Background], glyphs: Glyphs, batch: int, rng: np.random.Generator, store: int
) -> Iterator[DetectorBatch]:
    """Pictures (N, 3, S, S), targets (N, 12, s, s): heat, seen, 8 corners, rows, near.

    Up to ``store`` scenes are kept and shown again in another light, since drawing one costs half
    as much as learning from it.
    """
    kept: list[Scene] = []

    def one() -> Scene:
        if len(kept) >= store and rng.random() < 0.6:
            return kept[int(rng.integers(len(kept)))]
        scene = make_scene(backgrounds, glyphs, rng)
        if len(kept) < store:
            kept.append(scene)
        else:
            kept[int(rng.integers(len(kept)))] = scene
        return scene

    def make() -> DetectorBatch:
        scenes = [one() for _ in range(batch)]
        targets = []
        for scene in scenes:
            t = detector_target(scene.corners, scene.rows, scene.clear, SCENE, Detector.STRIDE)
            targets.append(
                np.concatenate((t.heat[None], t.seen[None], t.corners, t.rows[None], t.near[None]))
            )
        pictures = stack([tint(s.picture, rng) for s in scenes])
        return pictures, torch.from_numpy(np.stack(targets))

    return ahead(make, depth=6)


def detector_loss(net: nn.Module, batch: DetectorBatch) -> tuple[Tensor, dict[str, float]]:
    """Focal loss on the heat (CenterNet, arXiv 1904.07850), L1 on corners, rows."""
    pictures, target = batch
    out = net(pictures.contiguous(memory_format=torch.channels_last))
    heat, seen, near = target[:, 0], target[:, 1], target[:, 11]
    logit = out[:, 0]
    p = torch.sigmoid(logit)
    peak = (heat > 0.999).float()
    hit = functional.logsigmoid(logit) * (1 - p) ** 2 * peak
    miss = functional.logsigmoid(-logit) * p**2 * (1 - heat) ** 4 * (1 - peak)
    count = peak.sum().clamp(min=1)
    focal = -((hit + miss) * seen).sum() / count
    gap = (out[:, 1:9] - target[:, 2:10]).abs().mean(1)
    corner = (gap * near).sum() / near.sum().clamp(min=1)
    row = functional.binary_cross_entropy_with_logits(out[:, 9], target[:, 10], weight=near)
    loss = focal + 0.6 * corner + row
    return loss, {
        "loss": float(loss.detach()),
        "focal": float(focal.detach()),
        "corner": float(corner.detach()),
    }


def train_detector(
    backgrounds: list[Background],
    glyphs: Glyphs,
    plan: Plan,
    *,
    say: Callable[[str], None],
    store: int = 4000,
) -> Detector:
    """The detector, trained on scenes made on the way."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng([plan.seed, 3])
    batches = detector_batches(backgrounds, glyphs, plan.batch, rng, store)
    trained = train(Detector(), batches, detector_loss, plan, say=say)
    assert isinstance(trained, Detector)
    return trained
