"""Transfers after a bank account's cut-off: found on whichever day the statement lists them."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio
from books import DAY, NEXT, balance, booked, closed, hanoi, reconcile, take
from front_door import Site, opened
from sqlalchemy import text

from gateway.infra.clock import TestClock

FRIDAY = date(2026, 11, 20)


@pytest_asyncio.fixture
async def bank(database_url: str, clock: TestClock) -> AsyncIterator[Site]:
    """Run a gateway whose bank account closes its day at 16:30."""
    async with opened(database_url, clock, {"THUPHI_VIETQR_CUT_OFF": "16:30"}) as running:
        yield running


@pytest.mark.parametrize(
    ("reference", "memo", "listed_on", "rule"),
    [
        ("FT5", "", NEXT, "03-reference"),
        ("", "{memo}", NEXT, "03-reference"),
        ("", "", NEXT, "11-business-day"),
        ("FT5", "", DAY, "02-bank-movement"),
        ("", "", DAY, "04-nth-of-equals"),
    ],
)
async def test_a_transfer_after_the_cut_off_is_found_on_whichever_day_the_bank_lists_it(
    bank: Site, reference: str, memo: str, listed_on: date, rule: str
) -> None:
    """A bank may book at its cut-off or at midnight; both days close; nothing is taken twice."""
    hanoi(bank, DAY, 16, 31)
    payment = await bank.payment()
    assert await bank.sepay_says(f"TP{payment['reference']}", 10_000, 5) == 200
    line = {"booked_on": listed_on.isoformat(), "reference": reference,
            "memo": memo.format(memo=f"TP{payment['reference']}")}  # fmt: skip
    if listed_on == DAY:
        await take(bank, "statement", line)
    await closed(bank, DAY)
    if listed_on == NEXT:
        await take(bank, "statement", line)

    report = await closed(bank, NEXT)

    assert await booked(bank, payment) == {(NEXT, DAY)}
    assert report.breaks == {}
    assert await balance(bank, "1380") == 0
    async with bank.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT rule FROM recon_match"))
    assert [r["rule"] for r in rows] == [rule]


async def test_a_transfer_that_no_statement_lists_is_missing_after_its_business_day(
    bank: Site,
) -> None:
    hanoi(bank, DAY, 16, 31)
    payment = await bank.payment()
    await bank.sepay_says(f"TP{payment['reference']}", 10_000, 5)
    await closed(bank, DAY)

    for day, missing in ((NEXT, 0), (FRIDAY, 1)):
        hanoi(bank, day + timedelta(days=1), 1, 30)
        charge = {"booked_on": day.isoformat(), "amount": -7, "memo": "PHI SMS"}
        await take(bank, "statement", charge)
        report = await reconcile(bank, day)
        assert report.breaks.get("missing_at_provider", 0) == missing, day


async def test_a_transfer_before_tet_is_found_on_the_first_working_day_after_it(
    database_url: str,
) -> None:
    """Eight days later; the ordinary three would leave it open."""
    clock = TestClock(datetime(2027, 2, 4, 10, tzinfo=UTC))
    works = {"THUPHI_VIETQR_CUT_OFF": "16:30", "THUPHI_VIETQR_WORKING_DAYS": "yes"}
    async with opened(database_url, clock, works) as site:
        payment = await site.payment()
        await site.sepay_says(f"TP{payment['reference']}", 10_000, 5)
        hanoi(site, date(2027, 2, 13), 1, 30)
        await take(site, "statement", {"booked_on": "2027-02-12", "reference": "FT5"})

        report = await reconcile(site, date(2027, 2, 12))

        assert (report.matched, report.recovered, report.breaks) == (1, 0, {})
        assert await booked(site, payment) == {(date(2027, 2, 12), date(2027, 2, 4))}


async def test_what_only_a_statement_tells_of_is_booked_on_the_statements_day(
    database_url: str, clock: TestClock
) -> None:
    """A statement has no time of day, and its day is already the bank's own."""
    async with opened(database_url, clock, {"THUPHI_VIETQR_CUT_OFF": "00:01"}) as site:
        payment = await site.payment()
        hanoi(site, NEXT, 1, 30)
        await take(site, "statement", {"memo": f"TP{payment['reference']}", "reference": "FT9"})

        report = await closed(site, DAY)

        assert report.recovered == 1
        assert await booked(site, payment) == {(DAY, DAY)}
