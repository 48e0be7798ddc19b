"""A city whose bank account two services watch: what their tests do to it, and look at."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest_asyncio
from city import City, city
from sqlalchemy import text

from adapters.simulator import Simulator
from gateway.infra.clock import TestClock


@dataclass
class Watched(City):
    """The gateway and the banks, on one clock."""

    @property
    def banks(self) -> Simulator:
        """Give the banks' side."""
        return self.simulator

    async def work(self) -> None:
        """Let the banks' post arrive, and the worker do what is due."""
        await self.wait(timedelta(0))

    async def pass_time(self, **by: float) -> None:
        """Move the clock, then let everybody work."""
        await self.wait(timedelta(**by))

    async def shown(self, payment: Mapping[str, Any]) -> dict[str, Any]:
        """Give a payment as the API shows it now."""
        said: dict[str, Any] = await self.site.get(f"/payments/{payment['id']}")
        return said

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """Look into the database."""
        async with self.site.parts.store.begin() as tx:
            return [dict(r) for r in await tx.rows(text(query))]


@pytest_asyncio.fixture
async def watched(database_url: str, clock: TestClock) -> AsyncIterator[Watched]:
    """Run the gateway and the banks."""
    async with city(database_url, clock) as running:
        yield Watched(running.site, running.simulator)
