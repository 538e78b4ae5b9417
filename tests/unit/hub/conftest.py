from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from hub.store import open_store
from tests.unit.hub.kit import FakeEdge, HubBench
from tests.unit.hub.test_api import api, application  # noqa: F401 - fixtures for all
from tests.unit.hub.test_visits import office  # noqa: F401


@pytest.fixture(scope="session")
def hub_key() -> X25519PublicKey:
    return X25519PrivateKey.generate().public_key()


@pytest.fixture
def edge() -> FakeEdge:
    return FakeEdge()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with no rows, made once: making one is slow, copying it is not."""
    path = tmp_path_factory.mktemp("database") / "hub.sqlite"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def bench(tmp_path: Path, edge: FakeEdge, empty_database: Path) -> Iterator[HubBench]:
    hub = HubBench(tmp_path, edge, database=empty_database)
    yield hub
    hub.store.close()
