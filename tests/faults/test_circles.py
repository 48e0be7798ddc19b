"""Nobody waits in a circle: locks are taken in one order (gateway/store/locks.py), step by step.

Each story holds one transaction still at its worst moment, lets the others run until they are done
or wait, and then lets it go on. PostgreSQL would break a circle after a second, by an error or by
turning a queue around; here it has an hour, so that a circle shows.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from books import DAY, NEXT, balance, reconcile, reconciliation, take
from cases import ONE, agree, cases
from east_bank import rows
from front_door import AGENCY, Site, vnpay_query
from sqlalchemy import Engine, event
from sqlalchemy.util import await_only

from gateway.domain.errors import Refusal
from reconciliation.evidence import Side
from reconciliation.planning import LINK, Wanted

Task = asyncio.Task[Any]
looks_max = 1_000  # Ten seconds, far more than any of these transactions takes.
DAYS = "7413002"  # The lock of an agency's days, as statements name it.


@dataclass
class Still:
    """Holds one transaction still before the n-th statement that says something."""

    says: str
    nth: int = 1
    there: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Count; whoever sends the n-th waits here, and nobody after him."""
        if self.says in statement:
            self.nth -= 1
            if self.nth == 0:
                self.there.set()
                await_only(self.go.wait())


@dataclass
class Stage:
    """A site whose transactions can be held still, and somebody who watches its locks."""

    site: Site
    watcher: asyncpg.Connection

    @contextmanager
    def still(self, says: str, nth: int = 1) -> Iterator[Still]:
        """Hold whoever says this, whichever process it would be."""
        made = Still(says, nth)
        event.listen(Engine, "before_cursor_execute", made.before)
        try:
            yield made
        finally:
            made.go.set()
            event.remove(Engine, "before_cursor_execute", made.before)

    async def waits(self) -> Mapping[int, list[int]]:
        """Say who waits for whom, those who stand before him in a queue included."""
        rows = await self.watcher.fetch(
            "SELECT pid, pg_blocking_pids(pid) AS by FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return {r["pid"]: r["by"] for r in rows}

    async def until_done_or_waiting(self, task: Task, waiting: int) -> None:
        """Look until a task is done, or so many wait."""
        for _ in range(looks_max):
            if task.done() or len(await self.waits()) >= waiting:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it is neither done nor waiting")

    async def until_all_done(self, *tasks: Task) -> None:
        """Look until all are done; a circle fails at once."""
        for _ in range(looks_max):
            if all(task.done() for task in tasks):
                return
            waits = await self.waits()
            assert not circular(waits), f"they wait for each other: {waits}"
            await asyncio.sleep(0.01)
        raise AssertionError("somebody never ends")


def circular(waits: Mapping[int, list[int]]) -> bool:
    """Tell whether somebody waits, through others, for himself."""
    for start in waits:
        seen: set[int] = set()
        ahead = set(waits[start])
        while ahead:
            if start in ahead:
                return True
            seen |= ahead
            ahead = {by for pid in ahead for by in waits.get(pid, ())} - seen
    return False


def begin(doing: Awaitable[Any]) -> Task:
    """Let it run beside the others."""
    return asyncio.ensure_future(doing)


@pytest_asyncio.fixture
async def watcher(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Give PostgreSQL an hour before it breaks a circle; what is set holds for new sessions."""
    made = await asyncpg.connect(database_url)
    name = urlsplit(database_url).path.strip("/")
    await made.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '1h'")
    yield made
    await made.close()


@pytest_asyncio.fixture
async def stage(watcher: asyncpg.Connection, site: Site) -> AsyncIterator[Stage]:
    """Run the site after that, and cut whoever still waits at the end."""
    yield Stage(site, watcher)
    await watcher.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )


async def closes(site: Site) -> Any:
    """Close the first day, as the accountant does."""
    return await reconciliation(site).casework.close(AGENCY, DAY, "test", None)


async def test_a_payment_that_is_replaced_while_its_money_comes_and_its_day_is_closed(
    stage: Stage,
) -> None:
    """Whoever replaces must not hold the old payment while he waits for the day.

    The late money has the day and wants the payment; the close stands behind it for the day; and
    whoever asks for the day now stands behind the close.
    """
    site = stage.site
    payment = await site.payment(expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(payment)
    await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")
    site.clock.move(timedelta(hours=2))
    assert await site.parts.payments.expire(site.parts.can_ask) == 1
    site.clock.move(timedelta(days=1))

    with stage.still(DAYS) as still:
        replaced = begin(site.payment())
        await still.there.wait()
        told = begin(site.vnpay_says(attempt))
        await stage.until_done_or_waiting(told, 1)
        closed = begin(closes(site))
        await stage.until_done_or_waiting(closed, 2)
        still.go.set()
        await stage.until_all_done(replaced, told, closed)

    assert (told.result(), replaced.result()["state"]) == ("00", "open")


async def test_a_payment_that_is_withdrawn_while_its_money_comes_and_a_day_is_closed(
    stage: Stage,
) -> None:
    """The same circle, with a cancellation in the replacement's place."""
    site = stage.site
    payment = await site.payment()
    site.clock.move(timedelta(days=1))

    with stage.still(DAYS) as still:
        withdrawn = begin(site.ask(f"/payments/{payment['id']}/cancel", {}))
        await still.there.wait()
        told = begin(site.sepay_says(f"TP{payment['reference']}", 4_000, 1))
        await stage.until_done_or_waiting(told, 1)
        closed = begin(closes(site))
        await stage.until_done_or_waiting(closed, 2)
        still.go.set()
        await stage.until_all_done(withdrawn, told, closed)

    assert (told.result(), withdrawn.result().status_code) == (200, 200)


async def test_a_browser_that_comes_back_at_the_moment_of_the_banks_notice(stage: Stage) -> None:
    """They always do: one knows the payment, the other the attempt, and both change both."""
    site = stage.site
    payment = await site.payment()
    attempt = await site.attempt(payment)
    async with site.parts.store.begin() as tx:
        shown = await tx.payment_by_token(payment["links"]["pay"].rsplit("/", 1)[1])
    assert shown is not None

    with stage.still('UPDATE "attempt"') as still:
        returned = begin(site.parts.attempts.returned(shown, vnpay_query(attempt)))
        await still.there.wait()
        told = begin(site.vnpay_says(attempt))
        await stage.until_done_or_waiting(told, 1)
        still.go.set()
        await stage.until_all_done(returned, told)

    assert told.result() == "00"
    seen = await site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["in_doubt"]) == ("paid", False)


async def test_two_transfers_that_name_two_payments_each_the_other_way_round(
    stage: Stage,
) -> None:
    """Their money is nobody's, and must not hold up anybody's."""
    site = stage.site
    one, two = await site.payment(1), await site.payment(2)
    memo = [f"TP{one['reference']}", f"TP{two['reference']}"]

    with stage.still("payment.reference = ", nth=2) as still:
        there = begin(site.sepay_says(" ".join(memo), 10_000, 1))
        await still.there.wait()
        back = begin(site.sepay_says(" ".join(reversed(memo)), 10_000, 2))
        await stage.until_done_or_waiting(back, 1)
        still.go.set()
        await stage.until_all_done(there, back)

    assert (there.result(), back.result()) == (200, 200)


async def test_a_refund_that_is_agreed_to_while_its_payment_is_settled(stage: Stage) -> None:
    """The close has the day and wants the payment; whoever agrees must not have the payment yet."""
    site = stage.site
    payment = await site.payment()
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 1) == 200
    wanted = (1_000, "wrong tariff", 10_000)
    refund = await site.parts.refunds.ask_for_officer(AGENCY, payment["id"], wanted, "staff:a")
    site.clock.move(timedelta(days=1))
    await take(site, "statement", {"reference": "FT1", "memo": f"TP{payment['reference']}"})
    report = await reconciliation(site).reconcile(AGENCY, DAY, "test", close=False)
    assert report.breaks == {}
    await reconciliation(site).before_close()

    with stage.still(DAYS) as still:
        agreed = begin(site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True))
        await still.there.wait()
        closed = begin(closes(site))
        await stage.until_done_or_waiting(closed, 1)
        still.go.set()
        await stage.until_all_done(agreed, closed)

    await agreed
    assert (await closed).settled == 1


async def test_somebody_who_agrees_while_a_run_explains_the_same_money_waits_for_it(
    stage: Stage,
) -> None:
    """The run has looked already, and does not see what people do now: money would count twice."""
    site = stage.site
    assert await site.vnpay_says(await site.attempt(await site.payment())) == "00"
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip
    await reconcile(site, NEXT)
    (case,) = await rows(site, "SELECT * FROM break WHERE subject LIKE 'line:%'")
    (capture,) = await rows(site, "SELECT id FROM capture")
    sides = (Side("break", case["id"], 10_000),), (Side("capture", capture["id"], 10_000),)
    await cases(site).propose(AGENCY, case["id"], Wanted(LINK, "", *sides), ONE)
    await take(site, "provider", {"fee": 0, "net": 10_000})

    with stage.still("INSERT INTO recon_run") as still:
        run = begin(reconciliation(site).reconcile(AGENCY, NEXT, "test", close=False))
        await still.there.wait()
        agreed = begin(agree(site, case["id"]))
        await stage.until_done_or_waiting(agreed, 1)
        still.go.set()
        await stage.until_all_done(run, agreed)

    assert (await run).posted == 1
    with pytest.raises(Refusal, match="not what it was"):
        await agreed
    assert [await balance(site, account) for account in ("1380", "1120")] == [0, 10_000]
