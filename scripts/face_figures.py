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
PACKS = ("dlib-resnet", "buffalo_sc-int8", "open-mbf")
#: Pictures of the knn examples' test folder that show one person of its training folder.
KNN_TEST = {
    "johnsnow_test1.jpg": "kit_harington",
    "obama1.jpg": "obama",
    "alex_lacamoire1.jpg": "alex_lacamoire",
}
SINGLE = (
    "Nathalie_Baye_0002.jpg",
    "Rob_Lowe_0001.jpg",
    "Rob_Lowe_0002.jpg",
    "kun.jpg",
    "yifei.jpg",
)
#: She is in two of the sets.
SAME = {"deepface-img12.jpg": "Rachel"}


def labelled(faces: Path) -> list[tuple[Path, str]]:
    """The pictures and who is on them."""
    found = [(path, path.parent.name) for path in sorted((faces / "lfw10").glob("*/*"))]
    knn = faces / "face_recognition_knn"
    found += [(path, path.parent.name) for path in sorted((knn / "train").glob("*/*"))]
    found += [(knn / "test" / name, who) for name, who in KNN_TEST.items()]
    found += [(path, path.stem) for path in sorted((faces / "friends_refs").glob("*.png"))]
    bulk = faces / "inspireface_test_res" / "bulk"
    found += [(bulk / name, name.removesuffix(".jpg").rstrip("_0123456789")) for name in SINGLE]
    pairs = faces / "deepface_pairs"
    found += [
        (pairs / name, SAME.get(who, who)) for name, who in _people_of_pairs(pairs / "master.csv")
    ]
    return found


def _people_of_pairs(table: Path) -> list[tuple[str, str]]:
    """Pictures that are said to show one person, directly or by way of others."""
    person: dict[str, str] = {}

    def of(name: str) -> str:
        person.setdefault(name, name)
        while person[name] != name:
            name = person[name]
        return name

    with table.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            first, second = of(row["file_x"]), of(row["file_y"])
            if row["Decision"] == "Yes":
                person[first] = second
    return [(name, f"deepface-{of(name)}") for name in sorted(person)]


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
