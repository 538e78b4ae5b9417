"""The networks in torch: detector, corner refiner, reader of one or two rows. Only training imports this.

All take BGR 0..255 float32 ``(N, 3, H, W)`` and scale it themselves, so that the exported graphs
are fed pictures as they are.
"""

# mypy: disable-error-code="misc"
# torch brings no types where it is not installed: its Module is Any there, and may be subclassed.

import torch
from torch import Tensor, nn

from models.plates.province import SIZE as PROVINCE_SIZE
from models.plates.rectify import READER_SIZES
from wire.plates import ALPHABET, MAX_LENGTH, PROVINCES, PlateColour

READER_SIZE, TWO_ROWS_SIZE = READER_SIZES[1], READER_SIZES[2]
"""Height and width of a rectified plate on one row, and on two laid side by side, px."""

REFINER_SIZE = (64, 128)
"""Height and width of a loose plate crop, px."""

CLASSES = len(ALPHABET) + 1
"""Blank, then ``ALPHABET``."""


def conv(
    inside: int, outside: int, kernel: int = 3, stride: int | tuple[int, int] = 1
) -> nn.Module:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to the same."""
        return torch.relu(x + self.second(self.first(x)))


class Reader(nn.Module):
    """Rectified plate to a distribution over characters at each of eight slots.

    Two queries per slot attend over the feature map, steered by the whole picture, so that one
    network reads seven and eight characters and what is still aslant. Two, since the average under
    one forgets what is above and what below: E and F differ in nothing else. Two rows come laid side
    by side (``models.plates.rectify.cut_plate``), and have a network of this kind to themselves.
    """

    HEADS = 2

    def __init__(
        self, size: tuple[int, int] = READER_SIZE, widths: tuple[int, int, int] = (32, 48, 96)
    ) -> None:
        super().__init__()
        a, b, c = widths
        self.size = size
        self.stem = nn.Sequential(conv(3, a, 3, 2), conv(a, b, 3, 2), Residual(b))
        self.body = nn.Sequential(conv(b, c, 3, (2, 1)), Residual(c))
        self.context = nn.Sequential(conv(c, c, 3, 2), conv(c, c, 3, (1, 2)))
        rows, columns = size[0] // 8, size[1] // 4
        self.place = nn.Parameter(torch.randn(1, c, rows, columns) * 0.02)
        self.key = nn.Conv2d(c, c, 1)
        self.query = nn.Parameter(torch.randn(1, MAX_LENGTH * self.HEADS, c) * 0.1)
        self.steer = nn.Linear(2 * c, MAX_LENGTH * self.HEADS * c)
        centres = (torch.arange(MAX_LENGTH) + 0.5) / MAX_LENGTH
        across = (torch.arange(columns) + 0.5) / columns
        prior = -((across[None] - centres[:, None]) ** 2) / (2 * 0.12**2)
        down = torch.linspace(-0.5, 0.5, rows)
        tilted = torch.stack([prior[:, None] + side * down[None, :, None] for side in (-1, 1)], 1)
        self.prior = nn.Parameter(tilted.reshape(MAX_LENGTH * self.HEADS, -1))
        self.hidden = nn.Linear(self.HEADS * c, 128)
        self.classify = nn.Linear(128, CLASSES)
        self.slot_bias = nn.Parameter(torch.zeros(MAX_LENGTH, CLASSES))
        self.colour = nn.Linear(2 * c + b, len(PlateColour))
        self.rows = nn.Linear(2 * c, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(N, 3, *size)`` to logits: ``(N, 8, C)``, colours ``(N, 6)``, rows ``(N, 2)``."""
        low = self.stem((x - 127.5) / 64.0)
        features = self.body(low)
        wide = self.context(features)
        summary = torch.cat((wide.mean((2, 3)), features.mean((2, 3))), 1)
        keys = self.key(features + self.place).flatten(2)
        queries = self.query + self.steer(summary).unflatten(1, (MAX_LENGTH * self.HEADS, -1))
        scores = queries @ keys / keys.shape[1] ** 0.5 + self.prior
        slots = scores.softmax(2) @ features.flatten(2).transpose(1, 2)
        slots = slots.unflatten(1, (MAX_LENGTH, self.HEADS)).flatten(2)
        text = self.classify(torch.relu(self.hidden(slots))) + self.slot_bias
        colour = self.colour(torch.cat((summary, low.mean((2, 3))), 1))
        return text, colour, self.rows(summary)


class ProvinceReader(nn.Module):
    """The cell of a province, cut close, to a distribution over the provinces."""

    def __init__(self, widths: tuple[int, int, int, int] = (24, 32, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.body = nn.Sequential(
            conv(3, a, 3, 2),
            conv(a, b),
            conv(b, c, 3, 2),
            Residual(c),
            conv(c, d, 3, 2),
            Residual(d),
            conv(d, 32, 1),
        )
        side = PROVINCE_SIZE // 8
        self.head = nn.Sequential(
            nn.Linear(32 * side * side, 96), nn.ReLU(), nn.Linear(96, len(PROVINCES))
        )

    def forward(self, x: Tensor) -> Tensor:
        """``(N, 3, 64, 64)`` to logits ``(N, 31)``."""
        out: Tensor = self.head(self.body((x - 127.5) / 64.0).flatten(1))
        return out


class Refiner(nn.Module):
    """Loose crop of a plate to its four corners, its rows and whether there is a plate at all."""

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 48, 64)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.body = nn.Sequential(
            conv(3, a, 3, 2),
            conv(a, b, 3, 2),
            Residual(b),
            conv(b, c, 3, 2),
            Residual(c),
            conv(c, d, 3, 2),
            Residual(d),
        )
        height, width = REFINER_SIZE[0] // 16, REFINER_SIZE[1] // 16
        self.head = nn.Sequential(nn.Linear(d * height * width, 160), nn.ReLU(), nn.Linear(160, 10))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, 3, 64, 128)`` to ``(N, 10)``: 4 x (x, y) as shares of the crop, plate, two rows.

        The last two are logits.
        """
        out: Tensor = self.head(self.body((x - 127.5) / 64.0).flatten(1))
        return out


class Detector(nn.Module):
    """Whole frame to plates: per cell of 8 px a score, four corners and the rows.

    A U-shaped net: down to 1/32 for context, up again to 1/8 where plates are told apart.
    """

    STRIDE = 8

    def __init__(self, widths: tuple[int, int, int, int, int] = (12, 24, 40, 64, 80)) -> None:
        super().__init__()
        a, b, c, d, e = widths
        self.quarter = nn.Sequential(conv(3, a, 3, 2), conv(a, b, 3, 2))
        self.eighth = nn.Sequential(conv(b, c, 3, 2), Residual(c))
        self.sixteenth = nn.Sequential(conv(c, d, 3, 2), Residual(d))
        self.bottom = nn.Sequential(conv(d, e, 3, 2), Residual(e), Residual(e))
        self.up16 = nn.Conv2d(e, d, 1)
        self.mix16 = conv(d, d)
        self.up8 = nn.Conv2d(d, c, 1)
        self.mix8 = conv(c, c)
        self.head = nn.Sequential(conv(c, c), nn.Conv2d(c, 10, 1))
        last = self.head[1]
        assert isinstance(last, nn.Conv2d)
        nn.init.constant_(last.bias[0], -4.6)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, 3, H, W)``, sides multiples of 32, to ``(N, 10, H/8, W/8)``.

        Channels: score logit, 4 x (dx, dy) of the corners from the cell's centre in units of 8
        px, two-row logit.
        """
        eighth = self.eighth(self.quarter((x - 127.5) / 64.0))
        sixteenth = self.sixteenth(eighth)
        bottom = self.bottom(sixteenth)
        up = nn.functional.interpolate(self.up16(bottom), scale_factor=2.0, mode="nearest")
        sixteenth = self.mix16(sixteenth + up)
        up = nn.functional.interpolate(self.up8(sixteenth), scale_factor=2.0, mode="nearest")
        out: Tensor = self.head(self.mix8(eighth + up))
        return out
