"""One real PostgreSQL for the whole run, and a fresh migrated database for each test."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest
import pytest_asyncio
from commands import terminal  # noqa: F401 - a fixture for every folder.
from databases import in_database
from front_door import site  # noqa: F401 - a fixture for every folder.
from office import office  # noqa: F401 - a fixture for every folder.
from proved import proved  # noqa: F401 - a fixture for every folder.
from proving import proving  # noqa: F401 - a fixture for every folder.
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from town import town  # noqa: F401 - a fixture for every folder.
from watched_city import watched  # noqa: F401 - the same.

from gateway.infra.clock import TestClock
from gateway.infra.embedded import Embedded
from gateway.infra.vault import MasterVault
from gateway.store.migrate import migrate


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where another server is tried, leave out what would only say the same again.

    That is what never meets the server; and of a test of many cases all but the first and the
    last, for they send the same statements. Each case is tried on the newest server.
    """
    if not os.environ.get("TESTS_THAT_MEET_THE_SERVER"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "server_url" in getattr(item, "fixturenames", ()):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {item for of_one in cases.values() for item in (of_one[0], of_one[-1])}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Give the address of a real server: the one that is named, or an embedded one."""
    named = os.environ.get("THUPHI_TEST_DATABASE_URL")
    if named:
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        server = Embedded(Path(folder))
        asyncio.run(stop_syncing(server.url()))
        yield server.url()
        server.stop()


async def stop_syncing(url: str) -> None:
    """Tell a server that the machine will not lose its power.

    What a killed process or server has written, the kernel keeps; waiting for the disk would prove
    nothing more, and makes a run three times as long where the disk is shared.
    """
    admin = await asyncpg.connect(url)
    await admin.execute("ALTER SYSTEM SET fsync = off")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(server_url: str) -> str:
    """Migrate once; every test copies the result."""
    name = f"tp_template_{token_hex(4)}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    engine = create_async_engine(engine_url(in_database(server_url, name)), poolclass=NullPool)
    await migrate(engine)
    await engine.dispose()
    return name


def engine_url(url: str) -> str:
    """Name the driver."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


@pytest_asyncio.fixture
async def database_url(server_url: str, template: str) -> AsyncIterator[str]:
    """Give the address of a fresh database, dropped after the test."""
    name = f"tp_{token_hex(6)}"
    admin = await asyncpg.connect(server_url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield in_database(server_url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest_asyncio.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """Give an engine on a fresh database."""
    made = create_async_engine(engine_url(database_url))
    yield made
    await made.dispose()


@pytest.fixture
def clock() -> TestClock:
    """Give a clock that stands at 08:00 in Hanoi on 18 November 2026."""
    return TestClock(datetime(2026, 11, 18, 1, 0, tzinfo=UTC))


@pytest.fixture
def vault() -> MasterVault:
    """Give a vault under a test key."""
    return MasterVault.of(bytes(range(32)))
