"""The threshold and margin of a face pack for a wanted false-positive identification rate (FPIR).

In: a calibration file that `gatehouse eval faces --calibrate` wrote. Out: what a search must reach, which
grows with the number of people in the gallery: the more there are, the more often a stranger meets somebody
alike. A file names the networks that it was measured with, and is refused for any other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.faces.identification import Searches
from wire.errors import ModelError

_ROUND_UP: Final = 1000
MARGINS: Final = (0.25, 0.5, 0.75, 1.0)
"""Margins that are tried, in deviations of the similarity of strangers."""

Unit = Annotated[float, Field(ge=0.0, le=1.0)]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a search must reach to give a name: least cosine, and least lead over the next best subject."""

    threshold: float
    margin: float


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Step(_Part):
    """What was measured in a gallery of `people`.

    `tpir` and `fpir` are rates at this threshold and the calibration's margin, `tpir_95` and `fpir_95` their
    intervals; of `real_searches` by real people who were not enrolled, `real_named` got a name.
    """

    people: Annotated[int, Field(ge=1)]
    threshold: Annotated[float, Field(gt=0.0, lt=1.0)]
    tpir: Unit
    tpir_95: tuple[Unit, Unit]
    fpir: Unit
    fpir_95: tuple[Unit, Unit]
    real_searches: Annotated[int, Field(ge=0)]
    real_named: Annotated[int, Field(ge=0)]


class Calibration(_Part):
    """The file. `measured_on` says on whom, and with what the gallery was padded."""

    kind: Literal["gatehouse-face-calibration"] = "gatehouse-face-calibration"
    version: Literal[1] = 1
    pack: str
    pack_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    wanted_fpir: Annotated[float, Field(gt=0.0, lt=1.0)]
    margin: Annotated[float, Field(ge=0.0, lt=1.0)]
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    measured_on: str
    measured_at: AwareDatetime

    @model_validator(mode="after")
    def _grows(self) -> Self:
        people = [step.people for step in self.steps]
        thresholds = [step.threshold for step in self.steps]
        if people != sorted(set(people)) or thresholds != sorted(thresholds):
            raise ValueError("the steps must grow, in people and in threshold")
        return self

    @property
    def largest(self) -> int:
        """The largest gallery that was measured, in people."""
        return self.steps[-1].people

    def acceptance(self, people: int) -> Acceptance:
        """What holds in a gallery of so many people.

        Between two sizes it is the larger one's. Beyond the largest the threshold goes on growing as it
        did last, by the logarithm of the size; a hub then says that it is time to calibrate anew.
        """
        for step in self.steps:
            if people <= step.people:
                return Acceptance(step.threshold, self.margin)
        last = self.steps[-1]
        growth = 0.0
        if len(self.steps) > 1:
            before = self.steps[-2]
            growth = (last.threshold - before.threshold) / math.log(last.people / before.people)
        more = growth * math.log(people / last.people)
        return Acceptance(min(0.999, last.threshold + more), self.margin)


def load_calibration(path: Path, pack_sha256: str) -> Calibration:
    """Read the file at `path`, made for the networks of this digest.

    Raises:
        ModelError: there is no such file, it is none of ours, or was made with other networks.
    """
    again = "make it with: gatehouse eval faces FOLDER --pack NAME --calibrate FILE"
    try:
        calibration = Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"the calibration {path} cannot be read: {error.strerror}; {again}"
        ) from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        raise ModelError(f"{path} is no face calibration: {where}: {problem['msg']}") from error
    if calibration.pack_sha256 != pack_sha256:
        raise ModelError(
            f"{path} was measured with other networks (pack {calibration.pack},"
            f" {calibration.pack_sha256[:12]}…, not {pack_sha256[:12]}…): its threshold says nothing"
            f" about these; {again}"
        )
    return calibration


def shipped_calibration(pack: str, pack_sha256: str) -> Calibration | None:
    """What this release measured of `pack`; None where it did not, or the networks are not those."""
    path = Path(__file__).parent / "calibrations" / f"{pack}.json"
    if not path.is_file():
        return None
    calibration = Calibration.model_validate_json(path.read_bytes())
    return calibration if calibration.pack_sha256 == pack_sha256 else None


def fit(
    searches: Sequence[Searches], wanted_fpir: float, spread: float
) -> tuple[float, tuple[Step, ...]]:
    """Choose the margin, and the threshold of each size.

    The margin is the one that names most enrolled people in the largest gallery; among equals the widest,
    since subjects who look alike must not be told apart by a hair. No larger gallery gets a lower threshold
    than a smaller one.

    Args:
        searches: in galleries of growing sizes.
        wanted_fpir: of searches by people who are not enrolled, the share that may give a name.
        spread: deviation of the similarity of strangers, the scale of margins.

    Returns:
        The margin, and one step for each of `searches`.
    """
    tried = [_with_margin(searches, wanted_fpir, round(part * spread, 3)) for part in MARGINS]
    return max(tried, key=lambda choice: (choice[1][-1].tpir, choice[0]))


def _with_margin(
    searches: Sequence[Searches], wanted_fpir: float, margin: float
) -> tuple[float, tuple[Step, ...]]:
    steps = []
    least = searches[0].threshold_at(wanted_fpir)  # a lead alone gives no name
    for found in searches:
        least = max(least, found.threshold_at(wanted_fpir, margin))
        threshold = min(0.999, max(0.001, math.ceil(least * _ROUND_UP) / _ROUND_UP))
        named, wrong = found.tpir(threshold, margin), found.fpir(threshold, margin)
        real = found.real_fpir(threshold, margin)
        steps.append(
            Step(
                people=found.people,
                threshold=threshold,
                tpir=named.value,
                tpir_95=named.interval,
                fpir=wrong.value,
                fpir_95=wrong.interval,
                real_searches=real.n,
                real_named=real.errors,
            )
        )
    return margin, tuple(steps)
