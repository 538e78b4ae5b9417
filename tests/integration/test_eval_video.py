"""`gatehouse eval video` on real clips: whoever is listed is named, no stranger ever, always the same."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehouse import app
from models.install import import_packs
from models.packs import PackStore
from tests.integration.gate_video import Visit, visit_of, write_gate_video, write_people

pytestmark = pytest.mark.material
PACK = "buffalo_sc-int8"
#: Who is to be seen in the clip, shot by shot, in seconds; read by eye.
SHOTS = (
    ({"Rachel", "Joey"}, 0.0, 4.5),
    ({"Monica", "Chandler"}, 4.5, 11.4),
    ({"Phoebe", "Ross", "Joey"}, 11.4, 17.2),
    ({"Rachel", "Joey"}, 17.2, 19.1),
    ({"Phoebe", "Ross", "Joey", "Chandler"}, 19.1, 23.0),
    ({"Monica", "Chandler", "Phoebe"}, 23.0, 26.4),
)

#: Where one of them is in the picture, but no camera could know the face: the picture's edge cuts it in two,
#: or it is turned away so far that no eye is seen. Whether somebody who is hidden for longer than a passage's
#: gap has come by once or twice, a face cannot say.
HIDDEN = (
    ("Joey", 11.4, 17.2),
    ("Joey", 19.1, 23.0),
    ("Chandler", 19.1, 23.0),
    ("Phoebe", 23.0, 26.4),
)
GAP_S = 10.0
Stretch = tuple[float, float]


def stretches(name: str, *, clear: bool = False) -> list[Stretch]:
    """From when to when `name` comes by; after a gap shorter than `GAP_S` it is still the same time. With
    `clear`, only where the face can be made out counts."""
    hidden = {(start, end) for who, start, end in HIDDEN if who == name}
    found: list[Stretch] = []
    for names, start, end in SHOTS:
        if name not in names or (clear and (start, end) in hidden):
            continue
        if found and start - found[-1][1] <= GAP_S:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, material: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    import_packs(PackStore(folder), material / "models", only=PACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_HOME", str(folder))
        yield folder


@dataclass(frozen=True)
class Gate:
    """The two minutes at a gate, who is listed, and who comes by from when to when."""

    video: Path
    people: Path
    visits: tuple[Visit, ...]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, material: Path) -> Gate:
    folder = tmp_path_factory.mktemp("gate")
    visits = write_gate_video(material, folder / "gate.mp4")
    return Gate(folder / "gate.mp4", write_people(material, folder / "people"), visits)


def named(
    clip: Path, gallery: Path, folder: Path, pack: str = PACK, gap_s: float | None = GAP_S
) -> dict[str, Any]:
    file = folder / "named.json"
    arguments = ["eval", "video", str(clip), "--gallery", str(gallery), "--pack", pack]
    if gap_s is not None:
        arguments += ["--passage-gap", str(gap_s)]
    result = CliRunner().invoke(app, [*arguments, "--json", str(file)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return answer


def in_the_picture(passage: dict[str, Any]) -> bool:
    """Whether who was named is to be seen then."""
    return any(
        max(start, passage["first_s"]) <= min(end, passage["last_s"])
        for names, start, end in SHOTS
        if passage["name"] in names
    )


def test_everybody_who_is_listed_is_named_where_they_are(
    home: Path, material: Path, tmp_path: Path
) -> None:
    clip, people = material / "video" / "yakhyo_in_video.mp4", material / "faces" / "friends_refs"
    first, again = (named(clip, people, tmp_path) for _ in range(2))
    assert first == again
    assert first["not_named"] == []
    assert len(first["named"]) == 6
    for passage in first["passages"]:
        assert in_the_picture(passage), passage
        assert passage["similarity"] >= first["threshold"]
        assert passage["margin"] >= first["margin"]


def test_everybody_is_named_once_each_time_they_come_by(
    home: Path, material: Path, tmp_path: Path
) -> None:
    clip, people = material / "video" / "yakhyo_in_video.mp4", material / "faces" / "friends_refs"
    answer = named(clip, people, tmp_path)
    times = dict.fromkeys(sorted(set().union(*(names for names, _, _ in SHOTS))), 0)
    for passage in answer["passages"]:
        times[passage["name"]] += 1
    for name, count in times.items():
        clear = stretches(name, clear=True)
        assert len(stretches(name)) <= count <= len(clear), name
        for start, end in clear:
            covers = [
                passage
                for passage in answer["passages"]
                if passage["name"] == name
                and passage["first_s"] <= start + 0.5
                and passage["last_s"] >= end - 3.5  # a stay of less than 3 s is no news
            ]
            assert len(covers) == 1, (name, start, end)
    assert times["Chandler"] == 1  # who is known at the picture's edge, too
    assert times["Monica"] == 2  # who shows but the side of her face, the second time


def test_the_pack_that_needs_no_download_misses_nobody(material: Path, tmp_path: Path) -> None:
    clip, people = material / "video" / "yakhyo_in_video.mp4", material / "faces" / "friends_refs"
    passages = named(clip, people, tmp_path, "dlib-resnet")["passages"]
    assert all(in_the_picture(passage) for passage in passages)
    for name in sorted(set().union(*(names for names, _, _ in SHOTS))):
        mine = [passage for passage in passages if passage["name"] == name]
        assert len(stretches(name)) <= len(mine) <= len(stretches(name, clear=True)), name
        for start, end in stretches(name):
            assert any(p["first_s"] <= end and p["last_s"] >= start for p in mine), (name, start)


@pytest.mark.parametrize("pack", ["dlib-resnet", PACK])
def test_each_time_that_somebody_listed_comes_by_they_are_named_once_and_nobody_else_is(
    home: Path, gate: Gate, tmp_path: Path, pack: str
) -> None:
    answer = named(gate.video, gate.people, tmp_path, pack, gap_s=None)
    found = [
        visit_of(passage["name"], passage["first_s"], passage["last_s"], gate.visits)
        for passage in answer["passages"]
    ]
    assert Counter(found) == dict.fromkeys(gate.visits, 1), answer["passages"]
    assert len(gate.visits) == 22
    assert answer["gallery"]["people"] == len({visit.name for visit in gate.visits}) == 11
    assert answer["unknown_tracks"] > 0  # others came by as well


def test_strangers_are_never_named(home: Path, material: Path, tmp_path: Path) -> None:
    strangers = material / "faces" / "lfw10"
    for clip in ("yakhyo_in_video.mp4", "xrantus_rpi_test_4.avi"):
        answer = named(material / "video" / clip, strangers, tmp_path)
        assert answer["named"] == answer["passages"] == []
        assert answer["unknown_tracks"] == answer["tracks"] > 0
    friends = named(
        material / "video" / "xrantus_rpi_test_4.avi", material / "faces" / "friends_refs", tmp_path
    )
    assert friends["named"] == []
