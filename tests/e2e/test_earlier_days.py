"""A day that is looked at again, or too late, says no more than its own files do."""

from datetime import timedelta
from typing import Any

from books import DAY, NEXT, breaks, reconcile, take
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.services.books import trial_balance
from reconciliation.checks import failing

LOOKED_FOR = "each capture was looked for in its provider's or bank's file"


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


def night(site: Site, nights: int = 1) -> None:
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=nights - 1))


async def paid(site: Site, n: int = 1, txn: str = "14831393", **changes: str) -> dict[str, Any]:
    """Let VNPAY capture a payment; give the attempt."""
    attempt = await site.attempt(await site.payment(n))
    assert await site.vnpay_says(attempt, vnp_TransactionNo=txn, **changes) == "00"
    return attempt


async def test_looking_at_an_earlier_day_again_takes_no_true_break_away(site: Site) -> None:
    """The earlier day's run sees fewer lines: that it finds nothing proves nothing."""
    await paid(site)
    night(site, 2)
    other = {"provider_txn_id": "999", "txn_at": "2026-11-19T01:10:00Z", "batch_id": "B2"}
    await take(site, "provider", other)
    await reconcile(site, NEXT)
    assert ("missing_at_provider", "capture") in await breaks(site)

    report = await reconcile(site, DAY)

    assert ("missing_at_provider", "capture") in await breaks(site)
    assert report.closed is not None
    assert not report.closed.is_closed
    assert list(report.closed.open_checks) == [LOOKED_FOR]


async def test_a_day_whose_report_came_late_closes_once_it_came(site: Site) -> None:
    await paid(site)
    night(site, 2)
    other = {"provider_txn_id": "999", "txn_at": "2026-11-19T01:10:00Z", "batch_id": "B2"}
    await take(site, "provider", other)
    await reconcile(site, NEXT)
    await take(site, "provider", {})

    report = await reconcile(site, DAY)

    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    assert ("missing_at_provider", "capture") in await breaks(site, "resolved")


async def test_a_break_that_somebody_resolved_proves_no_capture(site: Site) -> None:
    """The report of that day lists another one; this one is a case until it is found."""
    await paid(site, 1, "14831393")
    await paid(site, 2, "14831394")
    night(site)
    await take(site, "provider", {})
    first = await reconcile(site)
    assert first.closed is not None
    assert first.closed.is_closed, first.closed.open_checks
    casework = "UPDATE {} SET state = '{}'"
    async with site.parts.store.begin() as tx:
        await tx.run(text(casework.format("day", "reopened")))
        await tx.run(text(casework.format("break", "resolved")))

    async with site.parts.store.begin() as tx:
        broken = await failing(tx, AGENCY, DAY, {})

    assert list(broken) == [LOOKED_FOR]


async def test_what_a_later_day_proved_is_neither_a_break_nor_money_again(site: Site) -> None:
    """The bank books on the eve what its notice dates after midnight."""
    payment = await site.payment()
    night(site)
    memo = f"TP{payment['reference']}"
    await site.sepay_says(memo, 10_000, 1)
    site.clock.move(timedelta(days=1))
    await take(site, "statement", {"line_id": "1", "memo": memo})
    await take(site, "statement", {"line_id": "2", "amount": 5, "booked_on": "2026-11-19"})
    assert (await reconcile(site, NEXT)).matched == 2
    before = await breaks(site)

    report = await reconcile(site, DAY)

    assert report.recovered == 0
    assert await breaks(site) == before
    assert len(await rows(site, "SELECT id FROM capture WHERE amount = 10000")) == 1


async def test_what_belongs_before_a_closed_day_leaves_that_days_balances_alone(
    site: Site,
) -> None:
    """LEDGER 12: it is booked on the next open day, with its true day of value."""
    await paid(site)
    night(site)
    await take(site, "provider", {})
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    sealed = await trial_balance(site.parts.store, AGENCY, DAY)

    await paid(site, 2, "555", vnp_PayDate="20261117235900")

    assert await trial_balance(site.parts.store, AGENCY, DAY) == sealed
    late = await rows(site, "SELECT booked_on, value_on FROM capture WHERE txn_id = '555'")
    assert late == [{"booked_on": NEXT, "value_on": DAY - timedelta(days=1)}]


async def test_a_capture_from_the_future_is_todays(site: Site) -> None:
    """A day that nobody closes for decades would hold its money out of every check."""
    await paid(site, vnp_PayDate="20991231235959")

    days = await rows(site, "SELECT DISTINCT booked_on, value_on FROM entry")

    assert days == [{"booked_on": DAY, "value_on": DAY}]


async def test_no_day_is_opened_further_ahead_than_a_business_day_can_lie(site: Site) -> None:
    async with site.parts.store.begin() as tx:
        near = await tx.open_day(AGENCY, DAY + timedelta(days=10))
        far = await tx.open_day(AGENCY, DAY + timedelta(days=15))

    assert (near, far) == (DAY + timedelta(days=10), DAY)


async def test_with_today_closed_already_money_is_tomorrows(site: Site) -> None:
    async with site.parts.store.begin() as tx:
        await tx.run(
            text(
                "INSERT INTO day (agency_id, booked_on, state, closed_by, closed_at, seal)"
                " VALUES (:agency, :on, 'closed', 'x', :now, '')"
            ),
            {"agency": AGENCY, "on": DAY, "now": site.clock.now()},
        )
        assert await tx.open_day(AGENCY, DAY - timedelta(days=400)) == NEXT
