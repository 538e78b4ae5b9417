"""The recipe of the shipped plate networks, start to end: captures, training, export.

In: a seed and an output folder. Out: one ONNX file per network. What is written in the model cards was
made by this.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from models.plates.weights import Part, verified
from models.training.camera import Mix
from models.training.glyphs import load_glyphs, material_root
from models.training.preview import plate_sheet, scene_sheet
from wire.errors import InputError

if TYPE_CHECKING:
    from models.training.pool import Capture
    from models.training.samples import RealCrop
    from models.training.scenes import Background

STEPS = {"refiner": 7000, "reader": 7500, "two_rows": 1200, "province": 5000, "detector": 9000}
SMALL: tuple[Part, ...] = ("reader", "two_rows")
"""What ships in 8 bits too. Detector and refiner do not: 8 bits cost them accuracy (docs/plates.md)."""

PARTS = (*STEPS, "int8")
BATCHES = {"refiner": 64, "reader": 64, "two_rows": 32, "province": 96, "detector": 16}
RATES = {"refiner": 2e-3, "reader": 1.5e-3, "two_rows": 7e-4, "province": 2e-3, "detector": 1.5e-3}
FINISH: dict[str, tuple[int, int, float]] = {
    "refiner": (9500, 64, 1.2e-3),
    "reader": (5000, 48, 5e-4),
    "two_rows": (13500, 48, 8e-4),
    "province": (12200, 96, 1.5e-3),
}
"""What can be finished: steps, batch, rate."""

FINISH_MIX = Mix(width_px=(60.0, 230.0), tilt=1.15, blur=0.8, noise=1.1, light=1.1)
"""Of what the reader is finished on, and that of two rows trained on: other than ``testset.MIX``."""


@dataclass(frozen=True)
class Recipe:
    """What to make: ``part`` of :data:`PARTS` or ``all``; ``steps`` 0 for the recipe's own."""

    part: str
    out: Path
    seed: int
    shards: int
    steps: int
    threads: int
    finish: bool = False
    """Go on from what ships, on what it reads worst, instead of starting from nothing."""


def write_previews(out: Path, seed: int) -> list[Path]:
    """Sheets of synthetic plates and scenes for ``seed``."""
    glyphs = load_glyphs()
    paths = [out / f"plates-{seed}.png", out / f"scenes-{seed}.png"]
    cv2.imwrite(str(paths[0]), plate_sheet(glyphs, seed))
    cv2.imwrite(str(paths[1]), scene_sheet(glyphs, seed))
    return paths


def run_recipe(recipe: Recipe, *, say: Callable[[str], None]) -> list[Path]:
    """Train and export; resumes from the checkpoints in ``recipe.out``.

    Raises:
        InputError: the part is unknown, torch is missing, or the material is.
    """
    if recipe.part not in (*PARTS, "all"):
        raise InputError(f"{recipe.part}: choose from {', '.join(PARTS)}, all")
    if recipe.finish and recipe.part not in FINISH:
        raise InputError(f"{recipe.part} is not finished; --finish is for {', '.join(FINISH)}")
    if recipe.part == "int8":
        return _quantise_all(recipe, say)
    try:
        import torch
    except ImportError as error:
        raise InputError("training needs torch: pip install torch==2.13.0") from error
    torch.set_num_threads(recipe.threads)
    cv2.setNumThreads(1)
    load_glyphs()  # where they are missing it fails now
    if recipe.finish:
        return [_finish(recipe, say)]
    parts = tuple(STEPS) if recipe.part == "all" else (recipe.part,)
    drawn = {"refiner", "reader", "province"} & set(parts)
    pool = _pool(recipe, say) if drawn else recipe.out / "pool"
    paths = [_train_one(part, recipe, pool, say) for part in parts]
    return paths + (_quantise_all(recipe, say) if recipe.part == "all" else [])


def _file(recipe: Recipe, part: Part) -> Path:
    """The network trained in ``recipe.out``, or else the shipped one."""
    path = recipe.out / f"plate_{part}.onnx"
    return path if path.exists() else verified(part)


def _quantise_all(recipe: Recipe, say: Callable[[str], None]) -> list[Path]:
    """The 8-bit variants of :data:`SMALL`; ranges from pictures that may be trained on."""
    from models.training.quantise import calibration_pictures, quantise

    shown = calibration_pictures(load_glyphs(), np.random.default_rng([recipe.seed, 6]))
    paths = []
    for part in SMALL:
        path = recipe.out / f"plate_{part}_int8.onnx"
        quantise(_file(recipe, part), path, shown[part])
        say(f"{part}, 8 bits: {path.stat().st_size} bytes")
        paths.append(path)
    return paths


def _filled(
    recipe: Recipe,
    name: str,
    draw: "Callable[[np.random.Generator], Iterator[Capture]]",
    say: Callable[[str], None],
) -> Path:
    """The pool ``name`` with the captures that ``draw`` gives, drawn where they are not there yet."""
    from models.training.pool import fill_pool

    pool = recipe.out / name
    say(f"drawing {recipe.shards} shards of captures into {pool}")
    fill_pool(pool, draw, seed=recipe.seed, shards=recipe.shards)
    return pool


def _pool(recipe: Recipe, say: Callable[[str], None]) -> Path:
    """Captures of every series."""
    from models.training.pool import make_captures

    glyphs = load_glyphs()
    return _filled(recipe, "pool", lambda rng: make_captures(glyphs, rng), say)


def _finish_pool(recipe: Recipe, say: Callable[[str], None]) -> Path:
    """Captures of what is read worst."""
    from models.training.pool import make_captures

    glyphs = load_glyphs()
    return _filled(
        recipe,
        "pool-finish",
        lambda rng: make_captures(glyphs, rng, mix=FINISH_MIX, finish=True),
        say,
    )


def _close_pool(
    recipe: Recipe, backgrounds: "list[Background]", say: Callable[[str], None]
) -> Path:
    """Captures of plates in real surroundings."""
    from models.training.scenes import close_captures

    glyphs = load_glyphs()
    return _filled(recipe, "pool-close", lambda rng: close_captures(backgrounds, glyphs, rng), say)


def _finish(recipe: Recipe, say: Callable[[str], None]) -> Path:
    """The shipped network trained on from where it was; of two rows, the mean of before and after."""
    from models.training.average import average
    from models.training.export import export
    from models.training.loop import Plan
    from models.training.scenes import load_backgrounds
    from models.training.train import (
        finish_reader,
        finish_refiner,
        finish_two_rows,
        traced_captures,
    )
    from models.training.train_province import province_crops, shipped_refiner, train_province

    pool = _finish_pool(recipe, say)
    steps, batch, rate = FINISH[recipe.part]
    plan = Plan(
        steps=recipe.steps or steps,
        batch=batch,
        rate=rate,
        checkpoint=recipe.out / f"{recipe.part}-finish.pt",
        seed=recipe.seed,
    )
    if recipe.part == "reader":
        real, checks = _real()
        net = finish_reader(pool, plan, verified("reader"), real=real, checks=checks, say=say)
    elif recipe.part == "two_rows":
        net = finish_two_rows(pool, plan, verified("two_rows"), say=say)
    elif recipe.part == "province":
        pools = [_pool(recipe, say), pool]
        crops = province_crops(_real()[0], shipped_refiner())
        net = train_province(pools, plan, real=crops, say=say, start=verified("province"))
    else:
        shown = load_backgrounds()
        pools = [pool, _close_pool(recipe, shown, say)]
        traced = traced_captures(material_root() / "plates" / "cars_easypr")
        start = verified("refiner")
        net = finish_refiner(pools, plan, start, backgrounds=shown, real=traced, say=say)
    path = recipe.out / f"plate_{recipe.part}.onnx"
    export(net, path)
    if recipe.part == "two_rows":
        average(path, verified("two_rows"), path)
    say(f"{recipe.part}: {path.stat().st_size} bytes")
    return path


def _real() -> "tuple[list[RealCrop], dict[str, list[RealCrop]]]":
    """The real crops to train the reader on, and those to check it with on the way."""
    from models.training.real import split
    from models.training.train import real_crops, real_photographs

    root = material_root() / "plates"
    train, left_out = split(root / "crops_lprnet_test")
    crops = real_crops(train) + real_photographs(root / "cars_easypr")
    return crops, {"crops_lprnet_test, left out": real_crops(left_out)}


def _train_one(part: str, recipe: Recipe, pool: Path, say: Callable[[str], None]) -> Path:
    from models.training.export import export
    from models.training.loop import Plan
    from models.training.scenes import load_backgrounds
    from models.training.train import (
        traced_captures,
        train_detector,
        train_reader,
        train_refiner,
        train_two_rows,
    )
    from models.training.train_province import province_crops, shipped_refiner, train_province

    plan = Plan(
        steps=recipe.steps or STEPS[part],
        batch=BATCHES[part],
        rate=RATES[part],
        checkpoint=recipe.out / f"{part}.pt",
        seed=recipe.seed,
    )
    path = recipe.out / f"plate_{part}.onnx"
    if part == "refiner":
        shown = load_backgrounds()
        pools = [pool, _close_pool(recipe, shown, say)]
        traced = traced_captures(material_root() / "plates" / "cars_easypr")
        export(train_refiner(pools, plan, say=say, backgrounds=shown, real=traced), path)
    elif part == "reader":
        real, checks = _real()
        export(train_reader(pool, plan, real=real, checks=checks, say=say), path)
    elif part == "two_rows":
        start = _file(recipe, "reader")
        export(train_two_rows(_finish_pool(recipe, say), plan, start, say=say), path)
    elif part == "province":
        pools = [pool, _finish_pool(recipe, say)]
        crops = province_crops(_real()[0], shipped_refiner())
        export(train_province(pools, plan, real=crops, say=say), path)
    else:
        export(train_detector(load_backgrounds(), load_glyphs(), plan, say=say), path)
    say(f"{part}: {path.stat().st_size} bytes")
    return path
