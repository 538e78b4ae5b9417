from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models.faces.calibration import Acceptance, Calibration, Step, load_calibration
from models.faces.evaluate import calibrate
from models.faces.identification import Strangers, search
from models.faces.labelled import Embedded
from models.faces.strangers import fit
from models.faces.types import FacePack
from tests.unit.models.face_stub import PACK, STUB, crowd
from wire.errors import InputError, ModelError

NOW = datetime(2026, 11, 5, tzinfo=UTC)


def step(people: int, threshold: float) -> Step:
    return Step(
        people=people, threshold=threshold, tpir=0.9, tpir_95=(0.8, 0.95), fpir=0.001,
        fpir_95=(0.0, 0.002), real_searches=10, real_named=0,
    )  # fmt: skip


def calibration(*steps: Step, sha: str = STUB.pack_sha256) -> Calibration:
    return Calibration(
        pack="stub", pack_sha256=sha, wanted_fpir=0.001, margin=0.05, steps=steps,
        measured_on="nobody", measured_at=NOW,
    )  # fmt: skip


def test_the_threshold_grows_with_the_gallery() -> None:
    made = calibration(step(10, 0.30), step(100, 0.34), step(1000, 0.40))
    assert made.acceptance(1) == made.acceptance(10) == Acceptance(0.30, 0.05)
    assert made.acceptance(11).threshold == 0.34
    assert made.acceptance(1000).threshold == 0.40
    assert made.acceptance(10_000).threshold == pytest.approx(0.46)
    assert made.acceptance(10**15).threshold == 0.999
    assert calibration(step(10, 0.30)).acceptance(99).threshold == 0.30


def test_a_pack_never_accepts_less_in_a_search_than_of_two_pictures() -> None:
    assert PACK.acceptance(10**6) == Acceptance(0.5, 0.05)
    made = calibration(step(10, 0.30), step(100, 0.6))
    pack = FacePack("stub", STUB, STUB, 0.5, 0.1, "none", True, calibration=made)
    assert pack.acceptance(5) == Acceptance(0.5, 0.05)
    assert pack.acceptance(50) == Acceptance(0.6, 0.05)


def test_a_file_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    made = calibration(step(10, 0.30))
    path.write_text(made.model_dump_json())
    assert load_calibration(path, STUB.pack_sha256) == made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read: No such file.*gatehouse eval faces"),
        ("no json", "is no face calibration"),
        ("{}", "is no face calibration: pack: Field required"),
        (
            calibration(step(10, 0.3), sha="f" * 64).model_dump_json(),
            "other networks.*ffffffffffff",
        ),
        (calibration(step(10, 0.3)).model_dump_json().replace("0.3", "1.3"), "steps.0.threshold"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, text: str | None, message: str
) -> None:
    path = tmp_path / "c.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ModelError, match=message):
        load_calibration(path, STUB.pack_sha256)


def test_steps_must_grow() -> None:
    with pytest.raises(ValueError, match="must grow"):
        calibration(step(100, 0.3), step(10, 0.4))
    with pytest.raises(ValueError, match="must grow"):
        calibration(step(10, 0.4), step(100, 0.3))


def test_calibrating_keeps_the_wanted_rate_for_strangers_it_has_not_seen() -> None:
    people, names = crowd(40, 3, dimension=64, within=0.2)
    made = calibrate(PACK, Embedded(people, names), 0.01, 1000, NOW)
    assert made.pack_sha256 == STUB.pack_sha256
    assert [one.people for one in made.steps] == [40, 100, 1000]
    assert made.margin > 0
    model = fit(people, names)
    others = Strangers(model.draw(1000, seed=11), model.draw(3000, seed=12))
    (found,) = search(people, names, others, (1000,))
    reached = made.acceptance(1000)
    assert found.fpir(reached.threshold, reached.margin).value < 0.02
    assert found.tpir(reached.threshold, reached.margin).value > 0.5


def test_one_picture_of_each_tells_nothing() -> None:
    people, names = crowd(5, 1, dimension=16)
    with pytest.raises(InputError, match="two pictures"):
        calibrate(PACK, Embedded(people, names), 0.01, 100, NOW)


def test_those_that_are_shipped_can_be_read() -> None:
    folder = Path(__file__).parents[3] / "models" / "faces" / "calibrations"
    files = sorted(folder.glob("*.json"))
    assert files
    for path in files:
        made = Calibration.model_validate_json(path.read_bytes())
        assert made.pack == path.stem
        assert np.all(np.array([one.real_named for one in made.steps]) == 0)
