"""Receipt numbers have no gap and no repeat: sixteen processes at once, some of them killed."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from front_door import AGENCY, Site
from receipt_days import pay_many
from sqlalchemy import text

from gateway.services.invariants import violations
from receipts.verify import Verdict, verify

ISSUER = Path(__file__).with_name("issue_receipts.py")


async def start(site: Site, url: str, n: int) -> asyncio.subprocess.Process:
    """Start a process of its own, whose clock goes wrong by its own seconds."""
    now = site.clock.now() + timedelta(seconds=n * 7 % 16)
    return await asyncio.create_subprocess_exec(
        sys.executable, str(ISSUER), url, site.parts.settings.public_url,
        now.isoformat(), str(site.parts.settings.high_water_dir),
        env={**os.environ, "PYTHONPATH": str(Path.cwd())}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def receipts(site: Site) -> list[dict[str, object]]:
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT series, number, numbered_at, payment_id, kind, xml, pdf FROM receipt")
        )
    return [dict(r) for r in rows]


async def until_issued(site: Site, count: int) -> None:
    for _ in range(1_000):
        if len(await receipts(site)) >= count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody issues anything")


@pytest.mark.timeout(240)
async def test_sixteen_processes_and_kill_9_leave_no_gap_and_no_repeat(
    site: Site, database_url: str
) -> None:
    """Every second process is killed in the middle, at a moment of its own; all begin again."""
    await pay_many(site, 120, two_kinds=True)
    first = [await start(site, database_url, n) for n in range(16)]
    for process in first:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"

    await until_issued(site, 20)
    killed = first[::2]
    for process in killed:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await asyncio.sleep(0.03)
    codes = [await process.wait() for process in first]
    again = [await start(site, database_url, n) for n in range(4)]
    assert [await process.wait() for process in again] == [0] * 4

    assert -signal.SIGKILL in codes, "nobody was in the middle of anything"
    await look(site)


async def look(site: Site) -> None:
    made = await receipts(site)
    per_payment = Counter((r["payment_id"], r["kind"]) for r in made)
    assert len(per_payment) == 240
    assert set(per_payment.values()) == {1}
    for series in {r["series"] for r in made}:
        numbers = sorted(r["number"] for r in made if r["series"] == series)
        assert numbers == list(range(1, len(numbers) + 1))
    trusted = await site.parts.receipts.trusted(AGENCY)
    assert len(trusted) == 1, "sixteen processes made one key"
    for r in made:
        assert verify(bytes(r["xml"]), trusted).verdict is Verdict.VALID  # type: ignore[call-overload] # a row's column.
        assert r["pdf"] is not None
    async with site.parts.store.begin() as tx:
        said = await tx.row(text("SELECT count(*) AS n FROM event WHERE type = 'receipt.issued'"))
    assert said is not None
    assert said["n"] == 240
    await site.parts.outbox.sequence()
    assert await violations(site.parts.store) == []
