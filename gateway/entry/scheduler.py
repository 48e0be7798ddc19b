"""The clock on every node: each tick claims a leased row, so two workers do each tick once."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.entry.bootstrap import Parts
from gateway.entry.reconciling import collecting_of, fetched_of, reconciliation_of, remittances_of
from gateway.services.erasure import Erasure
from gateway.services.invariants import check
from gateway.store.partitions import keep_partitions
from receipts.mailing import Mailing
from receipts.papers import Papers

log: Final = logging.getLogger("thuphi.jobs")
Job = Callable[[], Awaitable[object]]

lease: Final = timedelta(minutes=2)  # A worker that is silent for so long has lost its tick.
look_every_s_max: Final = 60  # A daily tick is looked for each minute, and done once.
# 01:30 in Hanoi is 18:30 UTC. A worker that was down then does it when it is up again. What is
# fetched is there before it is reconciled.
OFFSETS_S: Final = {"fetch reports": 18 * 3_600, "reconcile yesterday": 18 * 3_600 + 1_800}
# One claim decides: a new tick, or one whose worker was killed or froze.
_CLAIM: Final = text(
    "INSERT INTO job_run (job, scheduled_for, worker, state, leased_until)"
    " VALUES (:job, :at, :worker, 'running', :until)"
    " ON CONFLICT (job, scheduled_for) DO UPDATE SET worker = :worker, leased_until = :until"
    " WHERE job_run.state = 'running' AND job_run.leased_until < :now RETURNING job"
)
_END: Final = text(
    "UPDATE job_run SET state = :state, ended_at = :now, result = :result"
    " WHERE job = :job AND scheduled_for = :at AND worker = :worker AND state = 'running'"
)
_ORPHANS: Final = text(
    "SELECT job, scheduled_for FROM job_run WHERE state = 'running' AND leased_until < :now"
    " ORDER BY scheduled_for LIMIT 20"
)


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Runs named jobs, each at its interval, each tick once in the whole installation."""

    parts: Parts
    jobs: Mapping[str, tuple[int, Job]]  # name -> (every how many seconds, what)
    worker: str

    async def tick(self, job: str) -> bool:
        """Claim the present tick of a job and do it; tells whether it was ours."""
        every, _ = self.jobs[job]
        stamp = int(self.parts.clock.now().timestamp())
        past = (stamp - OFFSETS_S.get(job, 0)) % every
        at = datetime.fromtimestamp(stamp - past, self.parts.clock.now().tzinfo)
        return await self.do(job, at)

    async def do(self, job: str, at: datetime) -> bool:
        """Claim one tick and do it."""
        now = self.parts.clock.now()
        async with self.parts.store.begin() as tx:
            mine = await tx.row(
                _CLAIM,
                {"job": job, "at": at, "worker": self.worker, "now": now, "until": now + lease},
            )
        if mine is None:
            return False
        try:
            result, state = str(await self.jobs[job][1]()), "done"
        except Exception:
            # The next tick tries again; this one is kept as failed, with the reason in the log.
            log.exception("job failed", extra={"job": job})
            result, state = "see the log", "failed"
        async with self.parts.store.begin() as tx:
            values = {"job": job, "at": at, "worker": self.worker, "state": state}
            await tx.run(_END, values | {"now": self.parts.clock.now(), "result": result})
        return True

    async def take_over(self) -> int:
        """Do the ticks whose worker was killed or froze."""
        async with self.parts.store.begin() as tx:
            orphans = await tx.rows(_ORPHANS, {"now": self.parts.clock.now()})
        done = [await self.do(row["job"], row["scheduled_for"]) for row in orphans]
        return sum(done)

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until told to stop."""
        ticker = AsyncIOScheduler(timezone="UTC")
        for job, (every, _) in self.jobs.items():
            ticker.add_job(
                self.tick, "interval", seconds=min(every, look_every_s_max), args=[job],
                max_instances=1, coalesce=True,
            )  # fmt: skip
        ticker.add_job(self.take_over, "interval", seconds=30, max_instances=1, coalesce=True)
        ticker.start()
        await stop.wait()
        ticker.shutdown(wait=False)


def jobs_of(parts: Parts) -> dict[str, tuple[int, Job]]:
    """List what the worker does, and how often in seconds."""

    async def expire() -> Any:  # noqa: ANN401 - a count, for the job's row.
        return await parts.payments.expire(parts.can_ask)

    async def watch() -> str:
        from reconciliation.seals import broken_in_turn

        return await check(parts.store, await broken_in_turn(parts.store))

    async def partition() -> int:
        return await keep_partitions(parts.store)

    async def reconcile() -> str:
        return await reconciliation_of(parts).reconcile_yesterday()

    async def close_signed() -> int:
        return await reconciliation_of(parts).casework.close_signed()

    async def fetch() -> str:
        return await fetched_of(parts).fetch(hanoi_day(parts.clock.now()))

    async def read_files() -> int:
        return await reconciliation_of(parts).intake.take_all()

    collecting = collecting_of(parts)  # One, as it remembers what it saw at its last look.
    return {
        "sequence": (1, parts.outbox.sequence),
        "deliver": (1, parts.webhooks.deliver),
        "issue receipts": (1, parts.receipts.issue),
        "draw papers": (1, Papers(parts.store).draw),
        "mail receipts": (5, Mailing(parts.store, parts.vault, parts.settings.mail).send),
        "replace receipts": (5, parts.replacing.run),
        "send receipts": (20, parts.transmission.run),
        "prove receipts": (10, parts.proofs.prove),
        "ask doubtful": (5, parts.attempts.ask),
        "send refunds": (5, parts.sender.send),
        "judge providers": (10, parts.attempts.health.judge),
        "expire": (10, expire),
        "replay notices": (30, parts.notices.replay),
        "purge notices": (3_600, parts.notices.purge),
        "collect files": (60, collecting.run),
        "read files": (10, read_files),
        "confirm remittances": (60, remittances_of(parts).confirm),
        "close signed days": (60, close_signed),
        "check invariants": (60, watch),
        "push checkpoints": (300, parts.push.run),
        "fetch reports": (86_400, fetch),
        "reconcile yesterday": (86_400, reconcile),
        "keep partitions": (86_400, partition),
        "thin what is outside": (86_400, parts.receipts.high_water.thin),
        "retire payers' keys": (86_400, Erasure(parts.store, parts.vault).retire),
    }


def scheduler_of(parts: Parts) -> Scheduler:
    """Give this process's scheduler."""
    return Scheduler(parts, jobs_of(parts), f"{socket.gethostname()}:{os.getpid()}")
