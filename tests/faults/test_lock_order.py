"""The watch over locks, which looks at every story of a running site, sees what it must."""

from datetime import timedelta

from books import DAY, reconcile, reconciliation, take
from cases import cases
from east_bank import rows
from front_door import AGENCY, Site
from lock_watch import NAMED, ROWS, LockWatch
from sqlalchemy import Engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.infra.clock import TestClock
from gateway.services.access import Officer
from gateway.store.tx import Store


async def test_whoever_goes_back_up_the_list_is_seen(engine: AsyncEngine, clock: TestClock) -> None:
    """A payment before the day: the one that stopped a close."""
    watch = LockWatch().over(engine)
    store = Store(engine, clock, "")

    async with store.begin() as tx:
        await tx.open_day(AGENCY, DAY)
        await tx.payment(AGENCY, "pay_1", lock=True)
        await tx.open_day(AGENCY, DAY)  # It is held already.
    assert watch.back == []
    async with store.begin() as tx:
        await tx.payment(AGENCY, "pay_1", lock=True)
        await tx.open_day(AGENCY, DAY)

    (said,) = watch.back
    assert said.startswith("2 is taken after [7]")


async def test_the_watch_knows_every_lock_of_a_payments_life(site: Site) -> None:
    """Asked for, tried, expired, replaced, paid late, given back, settled; and at the counter."""
    watch = LockWatch()
    event.listen(Engine, "before_cursor_execute", watch.statement)

    try:
        await replaced_paid_late_and_given_back(site)
        await paid_by_transfer(site)
        await settled(site)
        await paid_at_the_counter(site)
        await commented(site)
    finally:
        event.remove(Engine, "before_cursor_execute", watch.statement)

    assert watch.seen == {*NAMED, *ROWS.values()}
    assert watch.back == []


async def commented(site: Site) -> None:
    (case,) = await rows(site, "SELECT min(id) AS id FROM break")
    await cases(site).comment(AGENCY, case["id"], "x", "staff:mai")


async def replaced_paid_late_and_given_back(site: Site) -> None:
    payment = await site.payment(1, expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(payment)
    await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")
    site.clock.move(timedelta(hours=2))
    assert await site.parts.payments.expire(site.parts.can_ask) == 1
    await site.payment(1)
    assert await site.vnpay_says(attempt) == "00"
    async with site.parts.store.begin() as tx:
        case = await tx.row(text("SELECT id FROM break WHERE kind = 'late'"))
    assert case is not None
    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "twice", "staff:a")
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=False)


async def paid_by_transfer(site: Site) -> None:
    payment = await site.payment(2)
    await site.attempt(payment, "vietqr")
    for number in (1, 2):
        assert await site.sepay_says(f"TP{payment['reference']}", 5_000, number) == 200
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def paid_at_the_counter(site: Site) -> None:
    await site.parts.access.add_staff("lan", "clerk", AGENCY)
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT id FROM staff WHERE username = 'lan'"))
    assert row is not None
    clerk = Officer(row["id"], AGENCY, "lan", "clerk", "csrf")
    await site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-1", 0)
    payment = await site.payment(3)
    assert await site.parts.counters.take(clerk, payment["id"], "card", "1") == 10_000


async def settled(site: Site) -> None:
    """Close the day, and open it again."""
    site.clock.move(timedelta(days=1))
    await take(site, "provider", {})
    came = [{"amount": 5_000, "reference": f"FT{n}", "memo": "CK"} for n in (1, 2)]
    await take(site, "statement", *came)
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.settled == 1, report.closed.open_checks
    assert await reconciliation(site).casework.reopen(AGENCY, DAY, "test") == 1
