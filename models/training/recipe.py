"""The recipe of the shipped plate networks, start to end: captures, training, export.

In: a seed and an output folder. Out: one ONNX file per network. What is written in the model cards was
made by this.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2

from models.training.glyphs import load_glyphs, material_root
from models.training.preview import plate_sheet, scene_sheet
from wire.errors import InputError

STEPS = {"refiner": 7000, "reader": 7500, "detector": 9000}
PARTS = tuple(STEPS)


@dataclass(frozen=True)
class Recipe:
    """What to train: ``part`` of :data:`PARTS` or ``all``; ``steps`` 0 for the recipe's own."""

    part: str
    out: Path
    seed: int
    shards: int
    steps: int
    threads: int


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
    try:
        import torch
    except ImportError as error:
        raise InputError("training needs torch: pip install torch==2.13.0") from error
    from models.training.pool import fill_pool

    torch.set_num_threads(recipe.threads)
    cv2.setNumThreads(1)
    glyphs = load_glyphs()
    pool = recipe.out / "pool"
    if recipe.part != "detector":
        say(f"drawing {recipe.shards} shards of captures into {pool}")
        fill_pool(pool, glyphs, seed=recipe.seed, shards=recipe.shards)
    parts = PARTS if recipe.part == "all" else (recipe.part,)
    return [_train_one(part, recipe, pool, say) for part in parts]


def _train_one(part: str, recipe: Recipe, pool: Path, say: Callable[[str], None]) -> Path:
    from models.training.export import export
    from models.training.loop import Plan
    from models.training.real import split
    from models.training.scenes import load_backgrounds
    from models.training.train import (
        real_crops,
        real_photographs,
        train_detector,
        train_reader,
        train_refiner,
    )

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
        root = material_root() / "plates"
        train, left_out = split(root / "crops_lprnet_test")
        real = real_crops(train) + real_photographs(root / "cars_easypr")
        checks = {"crops_lprnet_test, left out": real_crops(left_out)}
        export(train_reader(pool, plan, real=real, checks=checks, say=say), path)
    else:
        export(train_detector(load_backgrounds(), load_glyphs(), plan, say=say), path)
    say(f"{part}: {path.stat().st_size} bytes")
    return path
