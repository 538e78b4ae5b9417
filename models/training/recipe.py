"""The recipe of the shipped plate networks, start to end: captures, training, export.

In: a seed and an output folder. Out: one ONNX file per network. What is written in the model cards was
made by this.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from models.plates.weights import verified
from models.training.camera import Mix
from models.training.glyphs import load_glyphs, material_root
from models.training.preview import plate_sheet, scene_sheet
from wire.errors import InputError

if TYPE_CHECKING:
    from models.training.train import RealCrop

STEPS = {"refiner": 7000, "reader": 7500, "detector": 9000}
PARTS = tuple(STEPS)
FINISH_STEPS = 1200
FINISH_MIX = Mix(width_px=(60.0, 230.0), tilt=1.15, blur=0.8, noise=1.1, light=1.1)
"""Of the captures that the reader is finished on: other than :data:`testset.MIX`."""


@dataclass(frozen=True)
class Recipe:
    """What to train: ``part`` of :data:`PARTS` or ``all``; ``steps`` 0 for the recipe's own."""

    part: str
    out: Path
    seed: int
    shards: int
    steps: int
    threads: int
    finish: bool = False
    """Go on from the shipped reader, on what it reads worst, instead of starting from nothing."""


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
    if recipe.finish and recipe.part != "reader":
        raise InputError(
            "only the reader is finished: gatehouse models train plates reader --finish"
        )
    if recipe.part not in (*PARTS, "all"):
        raise InputError(f"{recipe.part}: choose from {', '.join(PARTS)}, all")
    try:
        import torch
    except ImportError as error:
        raise InputError("training needs torch: pip install torch==2.13.0") from error
    from models.training.pool import fill_pool

    torch.set_num_threads(recipe.threads)
    cv2.setNumThreads(1)
    glyphs = load_glyphs()
    if recipe.finish:
        return [_finish(recipe, say)]
    pool = recipe.out / "pool"
    if recipe.part != "detector":
        say(f"drawing {recipe.shards} shards of captures into {pool}")
        fill_pool(pool, glyphs, seed=recipe.seed, shards=recipe.shards)
    parts = PARTS if recipe.part == "all" else (recipe.part,)
    return [_train_one(part, recipe, pool, say) for part in parts]


def _finish(recipe: Recipe, say: Callable[[str], None]) -> Path:
    """The shipped reader trained on, then averaged with what it was, weight by weight.

    The average keeps what the reader knew where the finishing taught it too well (arXiv 2109.01903).
    """
    from models.training.export import average, export
    from models.training.loop import Plan
    from models.training.pool import fill_pool
    from models.training.train import finish_reader

    pool = recipe.out / "pool-finish"
    say(f"drawing {recipe.shards} shards of captures into {pool}")
    fill_pool(
        pool, load_glyphs(), seed=recipe.seed, shards=recipe.shards, mix=FINISH_MIX, finish=True
    )
    plan = Plan(
        steps=recipe.steps or FINISH_STEPS,
        batch=48,
        rate=6e-4,
        checkpoint=recipe.out / "reader-finish.pt",
        seed=recipe.seed,
    )
    real, checks = _real()
    before, path = verified("reader"), recipe.out / "plate_reader.onnx"
    export(finish_reader(pool, plan, before, real=real, checks=checks, say=say), path)
    average(before, path)
    say(f"reader: {path.stat().st_size} bytes")
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
    from models.training.train import train_detector, train_reader, train_refiner

    plan = Plan(
        steps=recipe.steps or STEPS[part],
        batch=16 if part == "detector" else 64,
        rate=2e-3 if part == "refiner" else 1.5e-3,
        checkpoint=recipe.out / f"{part}.pt",
        seed=recipe.seed,
    )
    path = recipe.out / f"plate_{part}.onnx"
    if part == "refiner":
        export(train_refiner(pool, plan, say=say, backgrounds=load_backgrounds()), path)
    elif part == "reader":
        real, checks = _real()
        export(train_reader(pool, plan, real=real, checks=checks, say=say), path)
    else:
        export(train_detector(load_backgrounds(), load_glyphs(), plan, say=say), path)
    say(f"{part}: {path.stat().st_size} bytes")
    return path
