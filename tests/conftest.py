"""What all tests share: the material, where it is, and real servers."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import Mosquitto, mosquitto_path

ROOT = Path(__file__).resolve().parent.parent
MATERIAL = Path(os.environ.get("GATEHOUSE_MATERIAL") or ROOT.parent / "shared" / "material")

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("gatehouse", deadline=None)
settings.load_profile("gatehouse")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes, refuse tests that share an id: all but one would be left out without a word."""
    if not hasattr(config, "workerinput"):
        return
    times = Counter(item.nodeid for item in items)
    shared = sorted(name for name, count in times.items() if count > 1)
    if shared:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():  # what a process raises here is shown nowhere
            print(f"{shared[0]} is the id of more than one test: use one process", file=sys.stderr)
        pytest.exit("tests share an id", returncode=4)


@pytest.fixture(scope="session")
def material() -> Path:
    """The folder of real networks, pictures and videos; skips by name where it is absent."""
    if not MATERIAL.is_dir():
        pytest.skip(f"no material at {MATERIAL}: set GATEHOUSE_MATERIAL")
    return MATERIAL


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running mosquitto of this test's own."""
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed: run scripts/test_servers.sh")
    broker = Mosquitto(tmp_path / "mosquitto").start()
    yield broker
    broker.stop()
