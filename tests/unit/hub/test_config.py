from pathlib import Path

import pytest

from hub.config import load_config, read_secret
from tests.conftest import ROOT
from tests.unit.hub.kit import FakeEdge, write_config
from wire.errors import ConfigError, ExitCode

SHIPPED = ROOT / "configs" / "hub.toml"


def test_the_shipped_file_is_sound_and_so_is_all_that_is_commented_out_in_it(
    tmp_path: Path,
) -> None:
    config = load_config(SHIPPED)
    assert config.sites == ("rosegarden",)
    assert config.gate_of("box-1", "gate-in") == "north"
    assert config.gate_of("box-1", "other") == ""
    assert config.rules_dir == SHIPPED.parent / "rules"
    assert config.database_url == f"sqlite:///{SHIPPED.parent}/data/hub/hub.sqlite"
    whole = tmp_path / "hub.toml"
    lines = [
        line.removeprefix("# ")
        if line.startswith("# ") and (" = " in line or "[" in line)
        else line
        for line in SHIPPED.read_text(encoding="utf-8").splitlines()
    ]
    whole.write_text("\n".join(lines), encoding="utf-8")
    full = load_config(whole)
    assert full.sinks[0].id == "command-centre"
    assert full.broker.tls
    assert full.sinks[0].secret_file == tmp_path / "secrets" / "command-centre"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[weather]\n", "weather: there is no such key; see configs/hub.toml"),
        ("[retention]\nobservation_days = 3\n", "retention.observation_days: there is no such key"),
        ("[retention]\nobservations_days = 0\n", "retention.observations_days: Input should be greater"),
        ('[[sinks]]\nid = "x"\nkind = "fax"\nurl = "http://a"\nsecret_file = "s"\n', "sinks[0].kind:"),
        ('[[sinks]]\nid = "x"\nkind = "webhook"\nurl = "ftp://a"\nsecret_file = "s"\n', "sinks[0].url:"),
        ('[[sinks]]\nid = "mqtt"\nkind = "webhook"\nurl = "http://a"\nsecret_file = "s"\n', "built in"),
        ('[[cameras]]\nid = "c"\nedge = "nobody"\ngate = "g"\n', "camera 'c' is on edge 'nobody'"),
        ('[[edges]]\nid = "box-2"\nsite = "s"\npublic_key = "abc"\n', "public_key: the verifying key"),
        ('[[edges]]\nid = "Box 2"\nsite = "s"\npublic_key = ""\n', "edges[1].id: 'Box 2' is no identifier"),
        ('[store]\nurl = "not a url"\n', "store.url: String should match pattern"),
        ("[retention\n", "cannot be read"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, more: str, message: str) -> None:
    path, _ = write_config(tmp_path, FakeEdge(), more=more)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.exit_code == ExitCode.CONFIG == 3


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    edge = FakeEdge()
    again = f'[[edges]]\nid = "{edge.id}"\nsite = "other"\npublic_key = "{edge.public_text}"\n'
    path, _ = write_config(tmp_path, edge, more=again)
    with pytest.raises(ConfigError, match="two edges are called 'box-1'"):
        load_config(path)


def test_a_secret_that_is_not_there_or_empty_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(tmp_path / "none")
    (tmp_path / "empty").write_text(" \n")
    with pytest.raises(ConfigError, match="is empty"):
        read_secret(tmp_path / "empty")
    (tmp_path / "two").write_text("whsec_new\n\nwhsec_old\n")
    assert read_secret(tmp_path / "two") == ["whsec_new", "whsec_old"]


def test_the_site_s_own_calibration_is_beside_the_file(tmp_path: Path) -> None:
    path, _ = write_config(tmp_path, FakeEdge())
    text = path.read_text().replace('face_pack = ""', 'face_pack = ""\nface_calibration = "c.json"')
    path.write_text(text)
    assert load_config(path).models.face_calibration == tmp_path / "c.json"
