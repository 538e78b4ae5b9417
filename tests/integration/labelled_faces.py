"""Who is on the pictures of the material: 98 pictures of 28 people, LFW, press and film stills.

It follows from the folders and tables that came with them.
"""

import csv
from pathlib import Path

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
