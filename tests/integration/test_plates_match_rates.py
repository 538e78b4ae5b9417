"""False matches of strangers against lists of 500, 2,000 and 20,000 plates of their own city.

The readings are real: what the shipped networks read of crops that training never saw, with the
confidence of each character. The lists are of the worst kind: province and agency letter are those of
every stranger.
"""

from pathlib import Path

import numpy as np
import pytest

from hub.plate_match import MatchKind, PlateIndex
from models.plates.recogniser import PlateRecogniser
from models.plates.truth import load_labelled, read_picture
from wire.plates import DIGITS, LETTERS


def listed_plates(prefix: str, count: int, rng: np.random.Generator) -> list[str]:
    """``count`` plates of one city; mostly digits, as real serials are."""
    plates: set[str] = set()
    while len(plates) < count:
        letters = rng.random(5) < 0.22
        serial = [
            (LETTERS if letter else DIGITS)[int(rng.integers(24 if letter else 10))]
            for letter in letters
        ]
        plates.add(prefix + "".join(serial))
    return sorted(plates)


def test_strangers_are_seldom_suspected(material: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recogniser = PlateRecogniser.load(threads=1)
    items = load_labelled(material / "plates" / "crops_chenweijiang")[::3]
    readings = []
    for item in items:
        picture = read_picture(item.path)
        assert picture is not None
        readings += zip(item.plates, recogniser.read_crops([picture]), strict=True)
    rng = np.random.default_rng(0)
    lines = []
    for size in (500, 2000, 20000):
        index = PlateIndex(listed_plates("浙A", size, rng))
        suspected = exact = strangers = 0
        for truth, reading in readings:
            if "浙A" + truth[2:] in index or len(reading.text) < 3:
                continue
            strangers += 1
            found = index.match("浙A" + reading.text[2:], reading.char_confidences)
            suspected += any(m.kind is MatchKind.SUSPECTED for m in found)
            exact += any(m.kind is MatchKind.EXACT for m in found)
        lines.append(
            f"list of {size}: {suspected} suspected, {exact} exact of {strangers} strangers"
        )
        assert suspected / strangers <= {500: 0.005, 2000: 0.01, 20000: 0.04}[size]
        assert exact / strangers <= 0.01
    with capsys.disabled():
        print("\n" + "\n".join(lines))
