"""Killed at every step on the way to the database, and walked again: nothing is lost or doubled."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import asyncpg
import pytest
from conftest import in_database
from front_door import AGENCY
from pay_path import parts_on, walk
from sqlalchemy import text

from gateway.entry.bootstrap import engine_of
from gateway.infra.clock import TestClock
from gateway.services.invariants import violations
from gateway.services.seed import seed

TESTS = Path(__file__).parents[1]
at_once = 2  # Processes; the machine that this must run on has two cores.
points_max = 400  # A path that needs more has run away.


async def killed_at(url: str, key: str, at: int) -> tuple[bool, list[str]]:
    """Walk in a process of its own; tell whether it was killed, and what it acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(TESTS / "pay_path.py"), url, key, str(at),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode in (0, -9), err.decode()
    return process.returncode == -9, out.decode().split()


async def walked_again(url: str, key: str, acknowledged: list[str]) -> None:
    """Do what clients, banks and workers do after a crash, and look at the books."""
    engine = engine_of(url)
    parts = parts_on(engine)
    async with parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT (SELECT count(*) FROM payment) AS created, (SELECT count(*) FROM attempt)"
                 " AS attempt, (SELECT count(*) FROM capture) AS thanked")
        )  # fmt: skip
    assert row is not None
    for what in acknowledged:
        assert row[what] == 1, f"{what} was acknowledged, and is not there"
    await walk(parts, key)
    assert isinstance(parts.clock, TestClock)
    parts.clock.move(timedelta(minutes=10))
    await parts.notices.replay()
    await parts.receipts.issue()
    await parts.outbox.sequence()
    assert await violations(parts.store) == []
    async with parts.store.begin() as tx:
        counts = await tx.row(
            text("SELECT (SELECT count(*) FROM payment WHERE state = 'paid') AS paid,"
                 " (SELECT count(*) FROM capture) AS captures, (SELECT count(*) FROM receipt"
                 " WHERE xml IS NOT NULL) AS receipts, (SELECT count(*) FROM event"
                 " WHERE type = 'payment.paid') AS paid_events, (SELECT count(*) FROM event"
                 " WHERE type = 'receipt.issued') AS receipt_events")
        )  # fmt: skip
    await engine.dispose()
    assert counts is not None
    assert set(counts.values()) == {1}, counts


@pytest.mark.timeout(900)
async def test_a_kill_at_any_step_of_the_pay_path_breaks_nothing(
    server_url: str, template: str
) -> None:
    """Before each commit and after each transaction; ``make proof``: before each statement too."""
    admin = await asyncpg.connect(server_url)
    turn = asyncio.Semaphore(at_once)
    ends: list[int] = []

    async def one(at: int) -> None:
        name = f"tp_kill_{token_hex(5)}"
        async with turn:
            if ends:
                return
            url = in_database(server_url, name)
            await making.acquire()
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            making.release()
            key = await ready(url)
            killed, acknowledged = await killed_at(url, key, at)
            await walked_again(url, key, acknowledged)
            async with making:
                await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            if not killed:
                ends.append(at)

    making = asyncio.Lock()
    await asyncio.gather(*(one(at) for at in range(1, points_max)))
    await admin.close()

    assert ends, "the path never ended: raise the limit"
    assert min(ends) > 12, "the executioner did not see the statements"


async def ready(url: str) -> str:
    """Make an agency and a client on a fresh database."""
    engine = engine_of(url)
    parts = parts_on(engine)
    await seed(parts.store, live=False)
    _, key = await parts.access.add_client("dvc", AGENCY, may_price=False, return_origins=[])
    await engine.dispose()
    return key
