"""What all tests share: the material, where it is, and real servers."""

import os
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
