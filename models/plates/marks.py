"""What a label says of a plate besides its text: ground colour, rows, and where it is.

In: a row of ``labels.csv``, a name of CCPD, or the list of boxes that comes with the EasyPR photographs.
Out: :class:`Mark` values, with ``None`` for what is not said. Nothing is guessed from a picture.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wire.errors import InputError
from wire.plates import PlateColour, PlateType, normalise, parse

BOXES = "GroundTruth_others.xml"
"""The file of EasyPR, where it lies beside its pictures."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of one labelled plate; ``box`` is xyxy in px of its picture."""

    colour: PlateColour | None = None
    rows: int | None = None
    box: Box | None = None

    def colour_of(self, text: str) -> PlateColour | None:
        """The colour to expect of ``text``: large new-energy plates are often just called green."""
        if self.colour is PlateColour.GREEN and self.type_of(text) is PlateType.NEW_ENERGY_LARGE:
            return PlateColour.YELLOW_GREEN
        return self.colour

    def type_of(self, text: str) -> PlateType | None:
        """The series of ``text``; None where only the colour would tell, and it is not known."""
        plate = (self.colour and parse(text, self.colour)) or parse(text)
        if plate is None or (plate.type is PlateType.ORDINARY and self.colour is None):
            return None
        return plate.type


NOTHING = Mark()


def mark_of_row(row: Mapping[str, str | None]) -> Mark:
    """The mark in a row of ``labels.csv``; a colour or a number of rows that we do not know is none."""
    colour = (row.get("color") or "").strip()
    rows = (row.get("layers") or "").strip()
    return Mark(
        PlateColour(colour) if colour in set(PlateColour) else None,
        int(rows) if rows in ("1", "2") else None,
    )


_CCPD_BOX = re.compile(r"^[\d.]+-[\d_]+-(\d+)&(\d+)_(\d+)&(\d+)-")


def mark_of_ccpd(stem: str) -> Mark:
    """The mark in a name of CCPD: one row, and the upright box."""
    found = _CCPD_BOX.match(stem)
    if found is None:
        return NOTHING
    x0, y0, x1, y1 = (float(part) for part in found.groups())
    return Mark(rows=1, box=(x0, y0, x1, y1))


_EASYPR_COLOURS = {
    "蓝牌": PlateColour.BLUE,
    "黄牌": PlateColour.YELLOW,
    "白牌": PlateColour.WHITE,
    "黑牌": PlateColour.BLACK,
    "绿牌": PlateColour.GREEN,
}


def easypr_marks(folder: Path) -> dict[str, list[tuple[str, Mark]]]:
    """By picture stem: text and mark of each plate that EasyPR lists; none where the file is absent.

    The file's ``x`` and ``y`` are the centre, as its pictures show. Where its rotation is near -90 degrees
    it has width and height exchanged; they come back as the picture shows them. How many rows a plate
    has it does not say.

    Raises:
        InputError: the file is there and cannot be read.
    """
    path = folder / BOXES
    if not path.is_file():
        return {}
    # The file says ISO-8859-1 and holds UTF-8; labels of the one who measures, not of a stranger.
    text = path.read_bytes().decode("utf-8", "replace")
    try:
        tree = ElementTree.fromstring(text.split("?>", 1)[-1])  # noqa: S314
    except ElementTree.ParseError as error:
        raise InputError(f"{path}: {error}") from error
    return {
        image.findtext("imageName") or "": [_tag(tag) for tag in image.iter("taggedRectangle")]
        for image in tree.iter("image")
    }


def _tag(tag: ElementTree.Element) -> tuple[str, Mark]:
    x, y, *sides = (float(tag.get(key, "0")) for key in ("x", "y", "width", "height"))
    across, down = max(sides) / 2, min(sides) / 2
    kind, _, text = (tag.text or "").rpartition(":")
    box = (x - across, y - down, x + across, y + down)
    return normalise(text), Mark(_EASYPR_COLOURS.get(kind.strip()), box=box)
