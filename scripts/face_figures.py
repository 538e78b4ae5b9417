"""Writes docs/faces-figures.md: measures the face packs of the material on its labelled faces.

    GATEHOUSE_MATERIAL=... python scripts/face_figures.py

98 pictures of 28 people: LFW, press and film stills. Who is on each follows from the folders and tables that
came with them. Takes some minutes.
"""

import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.integration.labelled_faces import labelled  # noqa: E402

PACKS = ("dlib-resnet", "buffalo_sc-int8", "open-mbf")


def main() -> int:
    material = Path(os.environ.get("GATEHOUSE_MATERIAL", ROOT.parent / "shared" / "material"))
    if not (material / "faces").is_dir():
        print(f"there are no faces at {material}: set GATEHOUSE_MATERIAL")
        return 1
    command = [sys.executable, "-m", "gatehouse"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "GATEHOUSE_HOME": str(folder / "home")}
        importing = [*command, "models", "import", str(material / "models")]
        subprocess.run(importing, env=environment, check=True)
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "identity"))
            writer.writerows(labelled(material / "faces"))
        packs = [part for pack in PACKS for part in ("--pack", pack)]
        page = ["--plain", "--write", str(ROOT / "docs" / "faces-figures.md"), *sys.argv[1:]]
        return subprocess.run(
            [*command, "eval", "faces", str(folder), *packs, *page], env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
