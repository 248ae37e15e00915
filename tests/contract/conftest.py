"""What the contract suites run over: each implementation of `Transact`, fresh for every test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.ports import Transact
from core.store import PooledStore, Store, connect, migrate
from core.testing import MemoryStore


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with nothing but its tables, to be copied: migrating takes longer than a test."""
    path = tmp_path_factory.mktemp("migrated") / "threadline.db"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest_asyncio.fixture(params=["memory", "sqlite", "postgres"])
async def begin(request: pytest.FixtureRequest, migrated: Path, tmp_path: Path) -> AsyncIterator[Transact]:
    match request.param:
        case "memory":
            yield MemoryStore()
        case "sqlite":
            store = Store(connect(f"sqlite:///{shutil.copy(migrated, tmp_path)}"))
            yield store
            await store.aclose()
        case _:
            pooled = PooledStore(connect(request.getfixturevalue("postgres_url")))
            yield pooled
            await pooled.aclose()
