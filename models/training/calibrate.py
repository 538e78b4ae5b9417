"""Fit the reader's calibration, and write the manifest that pins the shipped files.

In: raw probabilities with whether they were right, from crops left out of training. Out: slope and
offset of a logistic curve (Platt), and ``weights/manifest.json``. No set that only measures is fitted
on: left-out S crops and synthetic captures are.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.plates.weights import Calibration, sha256_of

FILES = {
    "detector": "plate_detector.onnx",
    "refiner": "plate_refiner.onnx",
    "reader": "plate_reader.onnx",
    "two_rows": "plate_two_rows.onnx",
    "province": "plate_province.onnx",
    "reader_int8": "plate_reader_int8.onnx",
    "two_rows_int8": "plate_two_rows_int8.onnx",
}


def fit_platt(
    probabilities: Sequence[float], right: Sequence[bool], *, rounds: int = 50
) -> tuple[float, float]:
    """Slope and offset that make ``sigmoid(slope * logit(p) + offset)`` the chance of being right.

    Newton's method on the log loss, with targets pulled in as Platt's (1999) against certainty and
    a slight pull of the slope towards 1.
    """
    p = np.clip(np.asarray(probabilities, np.float64), 1e-7, 1 - 1e-7)
    hits = np.asarray(right, np.float64)
    n_right, n_wrong = hits.sum(), len(hits) - hits.sum()
    target = np.where(hits > 0, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))
    x = np.column_stack((np.log(p / (1 - p)), np.ones_like(p)))
    weight, prior = np.array([1.0, 0.0]), np.array([1.0, 0.0])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-(x @ weight)))
        slope = x.T @ (chance - target) + 0.1 * (weight - prior)
        curve = (x * (chance * (1 - chance))[:, None]).T @ x + 0.1 * np.eye(2)
        weight = weight - np.linalg.solve(curve, slope)
    return float(weight[0]), float(weight[1])


def write_manifest(folder: Path, calibration: Calibration) -> None:
    """Pin the networks in ``folder`` by SHA-256, with ``calibration``."""
    content = {
        "files": {
            part: {"name": name, "sha256": sha256_of(folder / name)} for part, name in FILES.items()
        },
        "calibration": {
            "slope": round(calibration.slope, 4),
            "offset": round(calibration.offset, 4),
            "threshold": calibration.threshold,
            "detector_threshold": calibration.detector_threshold,
        },
    }
    (folder / "manifest.json").write_text(json.dumps(content, indent=1) + "\n", "utf-8")
