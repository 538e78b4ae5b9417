"""The grammar of Chinese licence plates (GA 36, and the special series beside it).

In: a plate's text as a network, a person or another system wrote it. Out: the normalised text with
its type, colour and codes of GA/T 1400, or ``None`` where the text is no plate. Nothing here
reads pictures, looks anything up or does I/O.

Notation of the patterns below, as in GA 36: ``P`` a province, ``L`` a letter without I and O,
``S`` such a letter or a digit. Which agency letters a province has given out is no part of the
grammar: new ones keep appearing, so a plate is never refused for one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

PROVINCES: Final = "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
"""The 31 province abbreviations (GA 36), in the order the reader's classes use."""

LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters that plates use: A to Z without I and O."""

DIGITS: Final = "0123456789"

MARKS: Final = "警学挂港澳使领应急民航"
"""Characters that mark a special series, as suffix or prefix."""

ALPHABET: Final = PROVINCES + DIGITS + LETTERS + MARKS
"""Every character that a normalised plate can hold; index in it = the reader's class."""

MAX_LENGTH: Final = 8
"""Most characters on one plate."""


class PlateColour(StrEnum):
    """Ground colour of a plate."""

    BLUE = "blue"
    YELLOW = "yellow"
    GREEN = "green"
    """Small new-energy (shaded white to green), airport, agricultural."""
    YELLOW_GREEN = "yellow_green"
    """Large new-energy: yellow left of the number's green ground."""
    WHITE = "white"
    BLACK = "black"

    @property
    def code(self) -> str:
        """``PlateColor`` of GA/T 1400."""
        return _COLOUR_CODES[self]


_COLOUR_CODES: Final[Mapping[PlateColour, str]] = MappingProxyType(
    {
        PlateColour.BLACK: "1",
        PlateColour.WHITE: "2",
        PlateColour.BLUE: "5",
        PlateColour.YELLOW: "6",
        PlateColour.GREEN: "9",
        PlateColour.YELLOW_GREEN: "9",  # the standard has no code for the two together
    }
)


class PlateType(StrEnum):
    """Series that a plate belongs to."""

    ORDINARY = "ordinary"
    LARGE = "large"
    """Yellow: large vehicles; a motorcycle's has the same text (see :attr:`MOTORCYCLE`)."""
    MOTORCYCLE = "motorcycle"
    """Never the result of :func:`parse`: only the vehicle tells it from :attr:`LARGE`."""
    NEW_ENERGY_SMALL = "new_energy_small"
    NEW_ENERGY_LARGE = "new_energy_large"
    TRAILER = "trailer"
    LEARNER = "learner"
    POLICE = "police"
    HONG_KONG = "hong_kong"
    MACAU = "macau"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    FOREIGN = "foreign"
    """Black ``P L S{5}``: the old series of foreign-owned vehicles."""
    ARMED_POLICE = "armed_police"
    ARMY = "army"
    EMERGENCY = "emergency"
    AIRPORT = "airport"
    AGRICULTURAL = "agricultural"
    """Green ``P`` and seven digits, or six and a letter: tractors, on two rows."""

    @property
    def code(self) -> str:
        """``PlateClass`` of GA/T 1400; ``99`` (other) where the standard has none."""
        return _CLASS_CODES.get(self, "99")


_CLASS_CODES: Final[Mapping[PlateType, str]] = MappingProxyType(
    {
        PlateType.ORDINARY: "02",
        PlateType.LARGE: "01",
        PlateType.MOTORCYCLE: "07",
        PlateType.NEW_ENERGY_SMALL: "52",
        PlateType.NEW_ENERGY_LARGE: "51",
        PlateType.TRAILER: "15",
        PlateType.LEARNER: "16",
        PlateType.POLICE: "23",
        PlateType.HONG_KONG: "05",
        PlateType.MACAU: "05",
        PlateType.EMBASSY: "03",
        PlateType.CONSULATE: "04",
        PlateType.FOREIGN: "06",
        PlateType.AGRICULTURAL: "14",
    }
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One series: its type, its colour, what may stand at each position, and rows it comes in.

    ``positions[i]`` is the set of characters allowed at position ``i``; a pattern has one length.
    """

    type: PlateType
    colour: PlateColour
    positions: tuple[str, ...]
    rows: tuple[int, ...]

    def matches(self, text: str) -> bool:
        """Whether normalised ``text`` has this form."""
        return len(text) == len(self.positions) and all(
            character in allowed for character, allowed in zip(text, self.positions, strict=True)
        )


_SERIAL: Final = DIGITS + LETTERS
_ENERGY: Final = "ABCDEFGHJK"


def _form(*parts: str | tuple[str, int]) -> tuple[str, ...]:
    """Positions from parts: a set of characters, or (set, how often)."""
    positions: list[str] = []
    for part in parts:
        allowed, count = part if isinstance(part, tuple) else (part, 1)
        positions += [allowed] * count
    return tuple(positions)


_P, _L, _S, _D = PROVINCES, LETTERS, _SERIAL, DIGITS

PATTERNS: Final[tuple[Pattern, ...]] = tuple(
    Pattern(kind, colour, form, rows)
    for kind, colour, rows, form in (
        # Narrow before wide: the first that matches wins where the colour is not known.
        (PlateType.POLICE, PlateColour.WHITE, (1, 2), _form(_P, _L, (_S, 4), "警")),
        (PlateType.LEARNER, PlateColour.YELLOW, (1,), _form(_P, _L, (_S, 4), "学")),
        (PlateType.TRAILER, PlateColour.YELLOW, (2, 1), _form(_P, _L, (_S, 4), "挂")),
        (PlateType.HONG_KONG, PlateColour.BLACK, (1,), _form("粤", "Z", (_S, 4), "港")),
        (PlateType.MACAU, PlateColour.BLACK, (1,), _form("粤", "Z", (_S, 4), "澳")),
        (PlateType.EMBASSY, PlateColour.BLACK, (1,), _form((_D, 6), "使")),
        (PlateType.EMBASSY, PlateColour.BLACK, (1,), _form("使", (_D, 6))),
        (PlateType.CONSULATE, PlateColour.BLACK, (1,), _form(_P, _L, (_D, 4), "领")),
        (PlateType.EMERGENCY, PlateColour.WHITE, (1,), _form(_P, "XS", (_S, 4), "应", "急")),
        (PlateType.AIRPORT, PlateColour.GREEN, (1,), _form("民", "航", (_S, 5))),
        (PlateType.ARMED_POLICE, PlateColour.WHITE, (1, 2), _form("W", "J", _P, (_D, 4), _S)),
        (PlateType.ARMED_POLICE, PlateColour.WHITE, (1, 2), _form("W", "J", (_D, 4), _S)),
        (PlateType.ARMY, PlateColour.WHITE, (1, 2), _form((_L, 2), (_D, 5))),
        (
            PlateType.NEW_ENERGY_SMALL,
            PlateColour.GREEN,
            (1,),
            _form(_P, _L, _ENERGY, _S, (_D, 4)),
        ),
        (
            PlateType.NEW_ENERGY_LARGE,
            PlateColour.YELLOW_GREEN,
            (1,),
            _form(_P, _L, (_D, 5), _ENERGY),
        ),
        (PlateType.AGRICULTURAL, PlateColour.GREEN, (2,), _form(_P, (_D, 7))),
        (PlateType.AGRICULTURAL, PlateColour.GREEN, (2,), _form(_P, (_D, 6), _L)),
        # The agency letter O of government vehicles, retired but on the roads, is spelt 0 here.
        (PlateType.ORDINARY, PlateColour.BLUE, (1,), _form(_P, _L + "0", (_S, 5))),
        (PlateType.LARGE, PlateColour.YELLOW, (1, 2), _form(_P, _L + "0", (_S, 5))),
        (PlateType.FOREIGN, PlateColour.BLACK, (1,), _form(_P, _L, (_S, 5))),
    )
)
"""Every series, in the order :func:`parse` tries them."""


@dataclass(frozen=True, slots=True)
class Plate:
    """A text that is a valid plate.

    ``rows`` is 1 or 2: as told to :func:`parse`, else how the series' plates usually come.
    """

    text: str
    type: PlateType
    colour: PlateColour
    rows: int

    @property
    def province(self) -> str:
        """The province character, or ``""`` where the series has none."""
        return next((c for c in self.text if c in _PROVINCE_SET), "")


_PROVINCE_SET: Final = frozenset(PROVINCES)

_FOLD: Final = str.maketrans(
    # I and O are not used on plates; the traditional forms come from registers typed by hand.
    "IO蘇滬貴寧陝閩贛瓊魯遼雲領學掛應",
    "10苏沪贵宁陕闽赣琼鲁辽云领学挂应",
)
_NOISE: Final = re.compile(r"[\s·•・‧∙⋅●.\-_—–:|'\"]+")


def normalise(text: str) -> str:
    """The one spelling of a plate's text: what to store, compare and hash.

    Full-width becomes half-width, lower case upper; spaces, dots and dashes go; O becomes 0 and I
    becomes 1, which no plate has as letters; traditional characters become simplified. The result
    need not be a plate (see :func:`parse`); normalising twice changes nothing.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
    # Again: what stood on both sides of a space that went may combine into one character.
    joined = unicodedata.normalize("NFKC", _NOISE.sub("", folded)).upper()
    return unicodedata.normalize("NFKC", joined).translate(_FOLD)


def parse(text: str, colour: PlateColour | None = None, *, rows: int | None = None) -> Plate | None:
    """The plate that ``text`` is, or ``None`` where the grammar has no such plate.

    ``text`` is normalised first. With ``colour`` only series of that colour count, so a text may
    be a plate in one colour and none in another. Without it the first series of :data:`PATTERNS`
    wins: seven plain characters are then taken for the blue ordinary series, by far the commonest.
    """
    plain = normalise(text)
    for pattern in PATTERNS:
        if (colour is None or pattern.colour is colour) and pattern.matches(plain):
            return Plate(plain, pattern.type, pattern.colour, rows or pattern.rows[0])
    return None


# Pairs that cameras confuse, with what taking one for the other costs (0 = same, 1 = unrelated).
_CONFUSED: Final[Iterable[tuple[str, float]]] = (
    ("0D", 0.3),
    ("0Q", 0.3),
    ("DQ", 0.3),
    ("8B", 0.3),
    ("5S", 0.3),
    ("2Z", 0.3),
    ("1T", 0.5),
    ("17", 0.4),
    ("7T", 0.4),
    ("1L", 0.6),
    ("7Z", 0.6),
    ("6G", 0.4),
    ("UV", 0.4),
    ("0U", 0.6),
    ("MN", 0.4),
    ("HN", 0.4),
    ("HM", 0.5),
    ("KX", 0.5),
    ("XY", 0.6),
    ("VY", 0.6),
    ("MW", 0.5),
    ("0C", 0.6),
    ("CG", 0.4),
    ("EF", 0.5),
    ("FP", 0.5),
    ("PR", 0.5),
    ("38", 0.5),
    ("3B", 0.6),
    ("68", 0.5),
    ("08", 0.6),
    ("89", 0.6),
    ("56", 0.6),
    ("6C", 0.6),
    ("4A", 0.5),
    ("JU", 0.6),
    ("BR", 0.6),
    ("BE", 0.6),
    ("苏赣", 0.3),
    ("鲁晋", 0.3),
    ("鲁冀", 0.4),
    ("晋冀", 0.3),
    ("皖陕", 0.4),
    ("津浙", 0.4),
    ("浙湘", 0.5),
    ("京宁", 0.6),
    ("豫粤", 0.5),
    ("贵鲁", 0.5),
    ("青甘", 0.6),
    ("鄂鲁", 0.5),
    ("渝豫", 0.5),
    ("闽甘", 0.6),
    ("云吉", 0.6),
    ("港澳", 0.3),
)
_COST: Final[Mapping[tuple[str, str], float]] = MappingProxyType(
    {pair: cost for ab, cost in _CONFUSED for pair in ((ab[0], ab[1]), (ab[1], ab[0]))}
)


def confusion_cost(a: str, b: str) -> float:
    """What it costs to take character ``a`` for ``b``: 0 the same, below 1 alike, 1 unrelated.

    Symmetric. Letters and digits are never alike to Chinese characters. Source: the pairs of GA
    36 glyphs that share most strokes, and the misreads of the readers measured in
    ``docs/plates.md``.
    """
    if a == b:
        return 0.0
    return _COST.get((a, b), 1.0)
