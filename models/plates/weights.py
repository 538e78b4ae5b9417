"""The networks that ship with the repository: where they are, and that they are what they were.

In: nothing. Out: paths whose SHA-256 was just checked against ``weights/manifest.json``, and the
calibration measured for these very files.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wire.errors import ModelError

FOLDER = Path(__file__).resolve().parent / "weights"

Part = Literal["detector", "refiner", "reader", "two_rows", "province"]

PARTS: tuple[Part, ...] = ("detector", "refiner", "reader", "two_rows", "province")
"""Where plates are, their corners, what one row says, what two rows say, which province it is."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From the reader's probability to the chance that it is right, and where to stop trusting.

    ``confidence = 1 / (1 + exp(-(slope * logit(p) + offset)))``, fitted on real crops that were
    left out of training. At or above ``threshold`` a reading may be acted on by itself.
    """

    slope: float
    offset: float
    threshold: float
    detector_threshold: float


def _manifest() -> dict[str, object]:
    path = FOLDER / "manifest.json"
    try:
        content: dict[str, object] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}; reinstall gatehouse") from error
    return content


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verified(part: Part, *, int8: bool = False) -> Path:
    """The path of one network; with ``int8`` of its 8-bit variant, where it ships with one.

    Raises:
        ModelError: it is missing or not the file that the manifest names.
    """
    files = _manifest().get("files")
    entry = files.get(part) if isinstance(files, dict) else None
    if int8 and isinstance(files, dict):
        entry = files.get(f"{part}_int8", entry)
    if not isinstance(entry, dict):
        raise ModelError(f"{FOLDER / 'manifest.json'}: no entry for {part}; reinstall gatehouse")
    path = FOLDER / str(entry["name"])
    if not path.is_file():
        raise ModelError(f"{path} is missing; reinstall gatehouse")
    if sha256_of(path) != entry["sha256"]:
        raise ModelError(
            f"{path} was altered: its SHA-256 is not the manifest's; reinstall gatehouse"
        )
    return path


def calibration() -> Calibration:
    """The calibration that belongs to the shipped networks.

    Raises:
        ModelError: the manifest has none.
    """
    found = _manifest().get("calibration")
    if not isinstance(found, dict):
        raise ModelError(f"{FOLDER / 'manifest.json'}: no calibration; reinstall gatehouse")
    return Calibration(**{name: float(value) for name, value in found.items()})
