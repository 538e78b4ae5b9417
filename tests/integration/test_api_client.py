"""A client that is generated from docs/openapi.json: it is whole, it is typed, and it works with a hub.

The generator is openapi-python-client in an environment of its own (scripts/client_generator.sh).
"""

import importlib
import io
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub.access import Role
from tests.api_world import UNIT, Call, World, served
from tests.conftest import ROOT

GENERATOR = ROOT / ".tools" / "client" / "bin" / "openapi-python-client"
PACKAGE = "gatehouse_client"


def files_as_bytes() -> dict[str, str]:
    """What the generator is told of the types that it does not know: they are files."""
    text = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    found = {", ".join(names) for names in _contents(json.loads(text)["paths"])}
    known = ("application/json", "application/problem+json", "multipart/form-data", "text/plain")
    return {name: "application/octet-stream" for name in found if name not in known}


def _contents(part: Any) -> Iterator[list[str]]:
    if isinstance(part, dict):
        if "content" in part and isinstance(part["content"], dict):
            yield list(part["content"])
        for value in part.values():
            yield from _contents(value)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated client, which can be imported."""
    if not GENERATOR.exists():
        pytest.skip("the client generator is not installed: run scripts/client_generator.sh")
    folder = tmp_path_factory.mktemp("client")
    configuration = folder / "generator.json"
    configuration.write_text(json.dumps({"content_type_overrides": files_as_bytes()}))
    done = subprocess.run(
        [GENERATOR, "generate", "--path", ROOT / "docs" / "openapi.json", "--meta", "none",
         "--config", configuration,
         "--output-path", folder / PACKAGE, "--fail-on-warning"],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "PATH": f"{GENERATOR.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    """Where the hub is served."""
    with served(world) as address:
        yield address


def test_every_module_of_it_can_be_imported(package: Path) -> None:
    root = importlib.import_module(PACKAGE)
    found = [m.name for m in pkgutil.walk_packages(root.__path__, f"{PACKAGE}.")]
    assert len(found) > 200
    for name in found:
        importlib.import_module(name)


def test_its_types_hold(package: Path) -> None:
    """All that is made from the description; what the generator has written by hand is its own affair."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--ignore-missing-imports",
         "--follow-imports=silent", "--cache-dir", package.parent / "cache",
         package / "api", package / "models"],
        cwd=package.parent, capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def operation(tag: str, name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.api.{tag}.{tag}_{name}")


def model(name: str) -> Any:
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


@pytest.fixture
def client(package: Path, url: str, world: World) -> Any:
    return _client(url, world, Role.ADMIN)


def _client(url: str, world: World, role: Role) -> Any:
    token = world.headers(role)["authorization"].removeprefix("Bearer ")
    return importlib.import_module(PACKAGE).AuthenticatedClient(base_url=url, token=token)


def test_it_reads_pages_of_alerts(client: Any, world: World) -> None:
    listing = operation("alerts", "list_alerts")
    page = listing.sync(client=client, limit=2)
    assert len(page.items) == 2
    rest = listing.sync(client=client, cursor=page.next_cursor, limit=500)
    ids = [alert.id for alert in (*page.items, *rest.items)]
    assert sorted(ids) == sorted(row["id"] for row in world.rows("alerts"))
    assert page.items[0].severity in {"red", "blue"}
    assert page.items[0].raised_at.tzinfo is not None


def test_it_writes_once_by_a_key(client: Any, world: World, url: str) -> None:
    wanted = model("PlateEntryRequest").from_dict(world.plate_entry("京E00001").json)
    request = operation("watchlists", "request_plate")
    made = [request.sync(client=client, body=wanted, idempotency_key="the-same") for _ in range(2)]
    assert made[0].id == made[1].id
    approve = operation("watchlists", "approve")
    own = approve.sync(client=client, name="plates", entry_id=made[0].id)
    assert (own.status, own.reason) == (409, "same_person")
    other = _client(url, world, Role.APPROVER)
    assert approve.sync(client=other, name="plates", entry_id=made[0].id).state == "approved"


def test_it_moves_an_alert_and_gets_problems_as_such(client: Any, world: World) -> None:
    alert = world.alert()
    move = operation("alerts", "move_alert")
    step, state = model("Transition"), model("State")
    taken = step(to=state.ACKNOWLEDGED, note="seen")
    moved = move.sync(client=client, alert_id=alert, body=taken)
    assert [(change.kind, change.to_state) for change in moved.changes] == [
        ("moved", "acknowledged")
    ]
    refused = move.sync(client=client, alert_id=alert, body=step(to=state.ON_SCENE))
    assert (refused.status, refused.reason) == (409, "illegal_move")
    assert operation("alerts", "get_alert").sync(client=client, alert_id="none").status == 404


def test_it_makes_a_rule_and_tries_it_on_the_past(client: Any, world: World) -> None:
    document = model("VehicleProwling").from_dict(
        {"id": "by-client", "title": "拉车门", "owner": "o", "severity": "red",
         "kind": "vehicle_prowling"}
    )  # fmt: skip
    draft = model("Draft")(document=document, note="made by a program")
    kept = operation("rules", "put_draft").sync(client=client, rule_id="by-client", body=draft)
    assert (kept.latest_version, kept.enabled_version, kept.problem) == (1, None, "")
    period = {"since": world.now.replace(year=2026, month=1), "until": world.now}
    body = model("BacktestRequest")(rule_id="by-client", purpose="a test", **period)
    found = operation("rules", "backtest").sync(client=client, body=body)
    assert found.observations == world.count("observations")
    assert found.draft.alerts == 0


def test_it_sends_and_gets_files(client: Any, world: World) -> None:
    types = importlib.import_module(f"{PACKAGE}.types")
    rows = f"site,id,building,title,occupancy\nrosegarden,{UNIT},3,corner,vacant\n".encode()
    imported = operation("register", "import_csv").sync(
        client=client, kind="units", body=types.File(payload=io.BytesIO(rows))
    )
    assert (imported.stored, imported.problems) == (1, [])
    exported = operation("register", "export_csv").sync(client=client, kind="units")
    assert "corner" in exported.payload.read().decode()
    picture = world.enrolment().files[0][1][1]
    body = model("BodyAlertsAddPicture")(
        picture=types.File(payload=io.BytesIO(picture), file_name="a.png", mime_type="image/png")
    )
    shown = operation("alerts", "add_picture").sync(
        client=client, alert_id=world.alert(), body=body
    )
    assert "added_1" in [one.name for one in shown.evidence]
    world.done("PUT", "/register/units", Call(json={"site": "rosegarden", "id": UNIT}))
