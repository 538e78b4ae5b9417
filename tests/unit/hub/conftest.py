from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tests.unit.hub.kit import FakeEdge, HubBench


@pytest.fixture(scope="session")
def hub_key() -> X25519PublicKey:
    return X25519PrivateKey.generate().public_key()


@pytest.fixture
def edge() -> FakeEdge:
    return FakeEdge()


@pytest.fixture
def bench(tmp_path: Path, edge: FakeEdge) -> Iterator[HubBench]:
    hub = HubBench(tmp_path, edge)
    yield hub
    hub.store.close()
