"""The business day of a capture: true day and booked day, from the notice to the closed day."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest_asyncio
from books import DAY, NEXT, balance, booked, breaks, closed, hanoi, reconcile, take
from front_door import Site, opened
from sqlalchemy import text

from gateway.entry.doctor import calendar
from gateway.infra.clock import TestClock
from gateway.services.invariants import violations

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
AFTER_HOLIDAY = date(2026, 11, 25)  # Tuesday 24 November is Vietnam Culture Day.
VNPAY_CUT_OFF = {"THUPHI_VNPAY_CUT_OFF": "16:30"}
RESTS = {"THUPHI_VNPAY_CUT_OFF": "16:30", "THUPHI_VNPAY_WORKING_DAYS": "yes"}


@pytest_asyncio.fixture
async def late(database_url: str, clock: TestClock) -> AsyncIterator[Site]:
    """Run a gateway whose VNPAY account closes its day at 16:30."""
    async with opened(database_url, clock, VNPAY_CUT_OFF) as running:
        yield running


@pytest_asyncio.fixture
async def resting(database_url: str, clock: TestClock) -> AsyncIterator[Site]:
    """Run a gateway whose VNPAY account also rests on days off."""
    async with opened(database_url, clock, RESTS) as running:
        yield running


async def pays(site: Site, n: int, txn: str, paid_at: str) -> dict[str, Any]:
    """Let a citizen pay 10,000 đồng at VNPAY at a time of Hanoi's clock."""
    payment = await site.payment(n)
    attempt = await site.attempt(payment)
    said = await site.vnpay_says(attempt, vnp_TransactionNo=txn, vnp_PayDate=paid_at)
    assert said == "00"
    return payment | {"attempt": attempt["provider_reference"], "txn": txn}


def listed(payment: dict[str, Any], txn_at: str, batch_on: date) -> dict[str, Any]:
    """Write VNPAY's line of a payment in the batch of a business day."""
    return {
        "provider_txn_id": payment["txn"], "merchant_reference": payment["attempt"],
        "txn_at": txn_at, "settled_on": "", "batch_id": f"VNPAY-{batch_on:%Y%m%d}",
    }  # fmt: skip


async def paid_out(site: Site, payment: dict[str, Any], batch_on: date, on: date) -> None:
    """Import what the bank and the treasury say on the day that a batch of one is paid out."""
    batch, remittance = f"VNPAY-{batch_on:%Y%m%d}", f"NS{on:%Y%m%d}"
    day = {"booked_on": on.isoformat()}
    await take(
        site, "statement",
        day | {"amount": 8_920, "reference": batch, "memo": f"VNPAY THANH TOAN {batch}"},
        day | {"amount": 1_080, "reference": f"BP{batch}", "memo": f"BU PHI THANH TOAN {batch}"},
        day | {"amount": -10_000, "reference": remittance, "memo": f"NOP NSNN {remittance}"},
    )  # fmt: skip
    await take(
        site, "treasury",
        day | {"obligation_id": payment["id"], "document_ref": f"{remittance}-00001"},
    )  # fmt: skip


async def state(site: Site, payment: dict[str, Any]) -> str:
    """Give a payment's state."""
    return str((await site.get(f"/payments/{payment['id']}"))["state"])


async def test_money_after_the_cut_off_is_booked_on_the_next_day_with_its_true_day(
    late: Site,
) -> None:
    hanoi(late, DAY, 16, 40)
    before = await pays(late, 1, "1", "20261118162959")
    after = await pays(late, 2, "2", "20261118163100")

    assert await booked(late, before) == {(DAY, DAY)}
    assert await booked(late, after) == {(NEXT, DAY)}


async def test_both_days_close_and_each_payment_is_settled_by_its_own_batch(late: Site) -> None:
    """The evening's money is not looked for in the file of the day that was over before it."""
    hanoi(late, DAY, 16, 40)
    before = await pays(late, 1, "1", "20261118081000")
    after = await pays(late, 2, "2", "20261118163100")

    await take(late, "provider", listed(before, "2026-11-18T01:10:00Z", DAY))
    first = await closed(late, DAY)
    assert first.breaks == {}
    await take(late, "provider", listed(after, "2026-11-18T09:31:00Z", NEXT))
    await paid_out(late, before, DAY, NEXT)
    second = await closed(late, NEXT)
    assert second.breaks == {}
    await paid_out(late, after, NEXT, FRIDAY)
    await closed(late, FRIDAY)

    assert [await state(late, p) for p in (before, after)] == ["settled", "settled"]
    assert await breaks(late) == []
    assert {a: await balance(late, a) for a in ("1380", "1120", "3330")} == {
        "1380": 0, "1120": 0, "3330": 0,
    }  # fmt: skip


async def test_money_that_the_business_days_own_file_leaves_out_is_missing(late: Site) -> None:
    hanoi(late, DAY, 16, 40)
    await pays(late, 1, "1", "20261118163100")
    other = await pays(late, 2, "2", "20261118100000")
    await take(late, "provider", listed(other, "2026-11-18T03:00:00Z", DAY))
    await closed(late, DAY)
    third = await pays(late, 3, "3", "20261119080000")
    await take(late, "provider", listed(third, "2026-11-19T01:00:00Z", NEXT))

    report = await closed(late, NEXT)

    assert report.breaks == {"missing_at_provider": 1}


async def test_what_only_the_file_tells_of_is_moved_by_the_time_in_the_file(late: Site) -> None:
    payment = await late.payment(1)
    attempt = await late.attempt(payment)
    told = {"attempt": attempt["provider_reference"], "txn": "7"}
    hanoi(late, NEXT, 1, 30)
    await take(late, "provider", listed(told, "2026-11-18T09:31:00Z", NEXT))

    report = await reconcile(late)

    assert report.recovered == 1
    assert await booked(late, payment) == {(NEXT, DAY)}


async def test_friday_evening_is_booked_on_monday_where_the_account_rests(resting: Site) -> None:
    """And Monday evening on Wednesday: the holiday between is no business day."""
    hanoi(resting, FRIDAY, 17)
    friday = await pays(resting, 1, "1", "20261120163100")
    hanoi(resting, FRIDAY + timedelta(days=2), 9)
    sunday = await pays(resting, 2, "2", "20261122085900")
    hanoi(resting, MONDAY, 17)
    monday = await pays(resting, 3, "3", "20261123163000")

    assert await booked(resting, friday) == {(MONDAY, FRIDAY)}
    assert await booked(resting, sunday) == {(MONDAY, FRIDAY + timedelta(days=2))}
    assert await booked(resting, monday) == {(AFTER_HOLIDAY, MONDAY)}


async def test_the_days_of_a_long_weekend_close_one_after_the_other(resting: Site) -> None:
    hanoi(resting, FRIDAY, 17)
    payment = await pays(resting, 1, "1", "20261120163100")

    for on in (FRIDAY, date(2026, 11, 21), date(2026, 11, 22)):
        assert (await closed(resting, on)).breaks == {}
    await take(resting, "provider", listed(payment, "2026-11-20T09:31:00Z", MONDAY))
    assert (await closed(resting, MONDAY)).breaks == {}
    await paid_out(resting, payment, MONDAY, AFTER_HOLIDAY)
    await closed(resting, AFTER_HOLIDAY)

    assert await state(resting, payment) == "settled"
    assert await violations(resting.parts.store) == []


async def test_an_account_without_settings_books_saturdays_money_on_saturday(site: Site) -> None:
    """Retail transfers and wallets run day and night."""
    saturday = date(2026, 11, 21)
    hanoi(site, saturday, 23, 59)

    payment = await pays(site, 1, "1", "20261121235800")

    assert await booked(site, payment) == {(saturday, saturday)}


async def test_a_lump_is_the_sum_of_one_business_day(late: Site) -> None:
    """Wednesday evening's money is Thursday's, at the treasury too."""
    hanoi(late, DAY, 16, 40)
    evening = await pays(late, 1, "1", "20261118163100")
    hanoi(late, NEXT, 10)
    morning = await pays(late, 2, "2", "20261119095900")
    hanoi(late, FRIDAY, 1, 30)
    await take(late, "treasury", {"amount": 20_000})

    report = await reconcile(late, NEXT)

    assert report.matched == 1
    assert await balance(late, "3330") == 0
    assert await booked(late, evening) | await booked(late, morning) == {(NEXT, DAY), (NEXT, NEXT)}


async def test_a_case_is_as_old_as_the_money_not_as_its_booking(late: Site) -> None:
    """A case of this evening is not of tomorrow."""
    hanoi(late, DAY, 16, 40)
    attempt = await late.attempt(await late.payment())
    said = {"vnp_Amount": "999900", "vnp_PayDate": "20261118163100"}
    assert await late.vnpay_says(attempt, **said) == "04"

    async with late.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT since_on FROM break"))
    assert [r["since_on"] for r in rows] == [DAY]


async def test_the_treasury_has_working_days_to_confirm(site: Site) -> None:
    """Friday's money may be confirmed until Thursday: the weekend and 24 November do not count."""
    hanoi(site, FRIDAY, 9)
    await pays(site, 1, "1", "20261120085900")
    other = {"obligation_id": "pay_of_somebody_else"}

    for day, late in ((date(2026, 11, 26), 0), (date(2026, 11, 27), 1)):
        hanoi(site, day + timedelta(days=1), 1, 30)
        named = {"booked_on": day.isoformat(), "document_ref": f"NS{day:%Y%m%d}-00001"}
        await take(site, "treasury", other | named)
        report = await reconcile(site, day)
        assert report.breaks.get("missing_at_treasury", 0) == late, day


async def test_money_in_a_year_without_a_calendar_is_booked_and_is_a_case(
    database_url: str,
) -> None:
    """It has moved, so it is never refused; that its day was not moved is not silent either."""
    clock = TestClock(datetime(2028, 1, 3, 2, tzinfo=UTC))
    async with opened(database_url, clock, RESTS) as site:
        payment = await pays(site, 1, "1", "20280103085900")

        assert await booked(site, payment) == {(date(2028, 1, 3), date(2028, 1, 3))}
        assert await breaks(site) == [("cut_off", "capture")]
        assert await violations(site.parts.store) == []
        found = await calendar(site.parts)
        assert (found.is_right, "vietnam-2028.toml" in found.said) == (False, True)


async def test_the_doctor_names_the_days_that_nobody_has_decreed(site: Site) -> None:
    found = await calendar(site.parts)

    assert found.is_right
    assert "covers 2025 to 2027" in found.said
    assert "2027-02-05" in found.said
    site.clock.move(timedelta(days=365))
    assert not (await calendar(site.parts)).is_right  # 18 November 2027: 2028 is near.
