"""Two workers do each tick once; a killed worker's tick is taken over."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from front_door import Site
from sqlalchemy import text

from gateway.entry.scheduler import Scheduler, jobs_of, lease, scheduler_of


async def test_two_workers_do_a_tick_once(site: Site) -> None:
    """Measured elsewhere: two nodes that share a job store run every tick twice."""
    done: list[str] = []

    async def work() -> None:
        done.append("once")

    workers = [Scheduler(site.parts, {"work": (60, work)}, name) for name in "abcd"]

    for _ in range(3):
        claimed = await asyncio.gather(*(w.tick("work") for w in workers * 3))
        assert sum(claimed) == 1
        site.clock.move(timedelta(minutes=1))

    assert len(done) == 3


async def test_a_killed_workers_tick_is_taken_over(site: Site) -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("again")

    alive = Scheduler(site.parts, {"work": (60, work)}, "alive")
    async with site.parts.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO job_run (job, scheduled_for, worker, state, leased_until)"
                " VALUES ('work', :at, 'killed', 'running', :until)"
            ),
            {"at": site.clock.now(), "until": site.clock.now() + lease},
        )
    assert await alive.take_over() == 0, "its lease still runs"

    site.clock.move(lease + timedelta(seconds=1))

    assert await alive.take_over() == 1
    assert await alive.take_over() == 0
    assert done == ["again"]


async def test_a_job_that_fails_is_kept_as_failed_and_the_others_go_on(site: Site) -> None:
    """SCENARIOS 11: one failing call must not end a sweep over everything."""

    async def fail() -> None:
        raise LookupError("x")

    worker = Scheduler(site.parts, {"fail": (60, fail)}, "w")

    assert await worker.tick("fail")

    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT state FROM job_run"))
    assert row is not None
    assert row["state"] == "failed"


async def test_every_job_runs_on_an_empty_and_on_a_used_database(site: Site) -> None:
    worker = scheduler_of(site.parts)
    await site.vnpay_says(await site.attempt(await site.payment()))

    for job in jobs_of(site.parts):
        assert await replace(worker, worker=f"w {job}").tick(job)

    async with site.parts.store.begin() as tx:
        states = await tx.rows(text("SELECT DISTINCT state FROM job_run"))
    assert [r["state"] for r in states] == ["done"]
