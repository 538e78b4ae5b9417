"""Behaviours on real video: what is ordinary there is not told, and the same read the other way round is."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from edge.evaluation.behaviours import SeenAt, quiet
from edge.evaluation.cli import seen_in
from edge.evaluation.places import ClipSection, load_places
from models.install import import_packs
from models.objects import load_object_detector
from models.packs import PackStore
from tests.conftest import ROOT

pytestmark = pytest.mark.material

PLACES = load_places(ROOT / "tests" / "integration" / "ordinary_video.toml")
CARS, PEOPLE = "hamletlx_test.mp4", "intel_one-by-one-person-detection.mp4"


@pytest.fixture(scope="module")
def seen(material: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[SeenAt]]:
    """What a network finds in seven cars on a road, and in six people who leave a room."""
    home = tmp_path_factory.mktemp("home")
    import_packs(PackStore(home), material / "models" / "object")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_HOME", str(home))
        network = load_object_detector("yolo11n-int8-320", threads=1)
    return {name: seen_in(material / "video" / name, network) for name in (CARS, PEOPLE)}


def changed(name: str, **behaviour: Any) -> ClipSection:
    """The clip with one behaviour alone, set otherwise."""
    section = PLACES[name].model_dump()
    return ClipSection.model_validate({**section, "behaviours": [behaviour]})


@pytest.mark.parametrize(("name", "crossed"), [(CARS, 7), (PEOPLE, 6)])
def test_what_is_ordinary_is_not_told(
    name: str, crossed: int, seen: dict[str, list[SeenAt]]
) -> None:
    one = quiet(name, seen[name], PLACES[name])
    assert (one.crossed, one.alarms) == (crossed, Counter())


def test_each_car_goes_the_wrong_way_where_the_way_it_goes_is_forbidden(
    seen: dict[str, list[SeenAt]],
) -> None:
    section = changed(CARS, kind="wrong_way", line="lane", direction="in")
    assert quiet(CARS, seen[CARS], section).alarms["wrong_way"] == 7


def test_who_comes_through_without_a_grant_is_told(seen: dict[str, list[SeenAt]]) -> None:
    """The fourth grant is taken away: the fourth car has none."""
    section = changed(
        CARS, kind="barrier_run", line="lane", direction="in", device="gate", open_s=5
    )
    grants = section.grants_s[:3] + section.grants_s[4:]
    short = section.model_copy(update={"grants_s": grants})
    assert quiet(CARS, seen[CARS], section).alarms["barrier_run"] == 0
    assert quiet(CARS, seen[CARS], short).alarms["barrier_run"] == 1


def test_who_follows_on_the_grant_of_another_is_told(seen: dict[str, list[SeenAt]]) -> None:
    """One grant that stays open for both: the second person followed."""
    section = changed(
        PEOPLE, kind="tailgating", line="door", direction="in", device="gate", open_s=40
    )
    short = section.model_copy(update={"grants_s": (16.0,)})
    assert quiet(PEOPLE, seen[PEOPLE], short).alarms["tailgating"] == 1
