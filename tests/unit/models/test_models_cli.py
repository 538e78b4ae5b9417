import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from models import cli
from models.packs import PackStore
from tests.unit.models.conftest import DETECTOR, EMBEDDER, Server, small_registry
from wire.errors import ExitCode, GatehouseError

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    server.content |= {"det.onnx": DETECTOR, "emb.onnx": EMBEDDER}
    registry = small_registry(urls=(server.url("det.onnx"), server.url("emb.onnx")))
    monkeypatch.setattr(cli, "PackStore", lambda: PackStore(tmp_path / "home", registry))
    return lambda *args: CliRunner().invoke(cli.models_app, list(args))


def test_pull_list_verify(run: Run) -> None:
    pulled = run("pull", "small")
    assert pulled.exit_code == 0, pulled.output
    assert "no commercial use" in pulled.output
    states = {entry["name"]: entry["state"] for entry in json.loads(run("list", "--json").stdout)}
    assert states == {"small": "ready", "things": "missing"}
    assert "small" in run("list").stdout
    assert [entry["name"] for entry in json.loads(run("verify", "--json").stdout)] == ["small"]


def test_verify_ends_with_the_models_code_when_damaged(run: Run, tmp_path: Path) -> None:
    run("pull", "small")
    (tmp_path / "home" / "packs" / "small" / "det.onnx").write_bytes(b"x")
    result = run("verify")
    assert isinstance(result.exception, GatehouseError)
    assert result.exception.exit_code == ExitCode.MODEL
    assert "gatehouse models pull small" in str(result.exception)
    assert "damaged" in result.stdout
    assert json.loads(run("verify", "small", "--json").stdout)[0]["state"] == "damaged"


def test_verify_of_a_missing_pack_says_its_command(run: Run) -> None:
    result = run("verify", "things")
    assert "gatehouse models export things.pt" in str(result.exception)


def test_import(run: Run, tmp_path: Path) -> None:
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "a").write_bytes(DETECTOR)
    assert "lacks emb.onnx" in str(run("import", str(tmp_path / "usb")).exception)
    (tmp_path / "usb" / "b").write_bytes(EMBEDDER)
    assert "installed and verified" in run("import", str(tmp_path / "usb")).output


def test_import_of_a_yolo_asks_for_trust(run: Run, tmp_path: Path) -> None:
    (tmp_path / "things.onnx").write_bytes(b"x")
    result = run("import", str(tmp_path / "things.onnx"), "--pack", "things")
    assert "--trust" in str(result.exception)


@pytest.mark.parametrize("command", ["list", "pull", "verify", "import", "export"])
def test_help_has_examples(run: Run, command: str) -> None:
    output = run(command, "--help").output
    assert "Examples" in output
    assert f"gatehouse models {command}" in output
