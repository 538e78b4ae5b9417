import base64
import stat
import subprocess
import sys

import pytest

from wire.errors import ConfigError
from wire.keys import (
    load_or_create_opening_key,
    load_or_create_secret,
    load_or_create_signing_key,
    public_text,
    sealing_key,
    verifying_key,
)

LOADERS = [load_or_create_signing_key, load_or_create_opening_key]


@pytest.mark.parametrize("load", LOADERS)
def test_a_key_is_made_once_and_read_again(tmp_path, load):
    path = tmp_path / "deep" / "key"
    assert public_text(load(path).public_key()) == public_text(load(path).public_key())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_secret_is_made_once(tmp_path):
    assert load_or_create_secret(tmp_path / "k") == load_or_create_secret(tmp_path / "k")


@pytest.mark.parametrize("damage", ["", "not base64 !", base64.b64encode(b"short").decode(), "é"])
@pytest.mark.parametrize("load", [*LOADERS, load_or_create_secret])
def test_a_damaged_key_file_is_named_and_kept(tmp_path, load, damage):
    path = tmp_path / "key"
    path.write_text(damage, encoding="utf-8")
    with pytest.raises(ConfigError, match=str(path)):
        load(path)
    assert path.read_text(encoding="utf-8") == damage


def test_processes_that_start_together_agree_on_the_key(tmp_path):
    code = (
        "import sys,pathlib;from wire.keys import *;"
        "print(public_text(load_or_create_signing_key(pathlib.Path(sys.argv[1])).public_key()))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "key")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    assert len({process.communicate(timeout=60)[0] for process in started}) == 1


@pytest.mark.parametrize("parse", [verifying_key, sealing_key])
@pytest.mark.parametrize("bad", ["", "%%%", base64.b64encode(b"x" * 31).decode()])
def test_a_public_key_that_is_none_says_so(parse, bad):
    with pytest.raises(ValueError, match=r"base64|32 bytes"):
        parse(bad)
