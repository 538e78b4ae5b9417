"""`gatehouse eval video` on real clips: whoever is listed is named, no stranger ever, always the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehouse import app
from models.install import import_packs
from models.packs import PackStore

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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, material: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("home")
    import_packs(PackStore(folder), material / "models", only=PACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEHOUSE_HOME", str(folder))
        yield folder


def named(clip: Path, gallery: Path, folder: Path) -> dict[str, Any]:
    file = folder / "named.json"
    arguments = ["eval", "video", str(clip), "--gallery", str(gallery), "--pack", PACK]
    result = CliRunner().invoke(app, [*arguments, "--json", str(file)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return answer


def test_everybody_who_is_listed_is_named_where_they_are(
    home: Path, material: Path, tmp_path: Path
) -> None:
    clip, people = material / "video" / "yakhyo_in_video.mp4", material / "faces" / "friends_refs"
    first, again = (named(clip, people, tmp_path) for _ in range(2))
    assert first == again
    assert first["not_named"] == []
    assert len(first["named"]) == 6
    for passage in first["passages"]:
        seen = [
            (max(start, passage["first_s"]), min(end, passage["last_s"]))
            for names, start, end in SHOTS
            if passage["name"] in names
        ]
        assert any(start <= end for start, end in seen), passage
        assert passage["similarity"] >= first["threshold"]
        assert passage["margin"] >= first["margin"]


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
