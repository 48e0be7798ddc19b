"""Killed at every step on the way to the database, and walked again: nothing is lost or doubled."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from walks.strike import EVERY_STATEMENT, WALKS
from walks.walk import Walk
from walks.workshop import Workshop, gateway, opened

TESTS = Path(__file__).parents[1]
at_once = 2  # Walkers; the machine that this must run on has two cores.
points_max = 1_000  # A walk that needs more has run away.


class Walker:
    """A process whose children walk, one at a time, and die where they are told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Talk to it by lines."""
        assert process.stdin is not None
        assert process.stdout is not None
        self.orders, self.answers = process.stdin, process.stdout

    async def walk(self, **order: object) -> tuple[int, list[str]]:
        """Give how the child ended, and what it acknowledged before."""
        self.orders.write(json.dumps(order).encode() + b"\n")
        said: list[str] = []
        while line := (await self.answers.readline()).decode().strip():
            if line.startswith("ended "):
                return int(line.removeprefix("ended ")), said
            said.append(line)
        raise AssertionError("the walker itself is gone")


@asynccontextmanager
async def walker() -> AsyncIterator[Walker]:
    """Start a walker; it ends when nobody can give it orders any more."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "walks.strike",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
    )  # fmt: skip
    assert process.stdin is not None
    try:
        yield Walker(process)
    finally:
        process.stdin.close()
        ended = await process.wait()
    assert ended == 0


async def kill_at_each(shop: Workshop, points: Iterator[int], last: list[int]) -> None:
    """Take points as long as there is somebody to kill at them."""
    async with walker() as walking:
        while not last:
            at = next(points)
            async with shop.copy() as name:
                ended, said = await walking.walk(
                    name=shop.walk.name, url=shop.url(name), given=shop.given, at=at
                )
                assert ended in (0, -9), "the walk failed by itself: see its error above"
                async with gateway(shop.url(name), shop.walk) as parts:
                    await shop.judge(parts, name, said)
            if ended == 0:
                last.append(at)
            else:
                shop.struck[shop.walk.phase_after(said)] += 1


@pytest.mark.timeout(3_600 if EVERY_STATEMENT else 300)
@pytest.mark.parametrize("walk", WALKS.values(), ids=lambda walk: walk.name)
async def test_a_process_killed_at_any_step_breaks_nothing(walk: Walk, server_url: str) -> None:
    """Before each commit and after each transaction; ``make proof``: before each statement too."""
    async with opened(walk, server_url) as shop:
        points, last = iter(range(1, points_max)), list[int]()
        async with asyncio.TaskGroup() as walkers:
            for _ in range(at_once):
                walkers.create_task(kill_at_each(shop, points, last))

        assert shop.struck.total() >= min(last) - 1 > 25, "the boundaries were not seen"
        assert all(shop.struck[phase] for phase in walk.phases), shop.struck
        await shop.report("a process killed with SIGKILL")
