"""A line that stands twice in a report proves once; equals that are two things prove two."""

from datetime import timedelta
from typing import Any

import pytest
from books import NEXT, balance, breaks, reconcile, take
from east_bank import EastBank, ask, paid, rows, with_east_bank
from front_door import AGENCY, Site

LINE = {"provider": "eastbank", "provider_txn_id": "E1", "batch_id": "EB1"}


async def proofs(site: Site) -> list[tuple[str, int]]:
    """Give each proof of a provider's report: its rule and amount."""
    found = await rows(
        site, "SELECT rule, amount FROM recon_match WHERE rule LIKE '01-%' ORDER BY rule, amount"
    )
    return [(r["rule"], r["amount"]) for r in found]


async def paid_out(site: Site, amount: int) -> Any:
    """Import VNPAY's report of one payment, listed twice, and a payout; reconcile the next day."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    assert await site.vnpay_says(attempt) == "00"
    site.clock.move(timedelta(hours=17, minutes=30))
    line = {"merchant_reference": attempt["provider_reference"]}
    await take(site, "provider", line, line)
    await reconcile(site)
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": amount, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip
    return await reconcile(site, NEXT)


async def test_a_payment_that_is_listed_twice_is_proved_once_and_its_batch_still_adds_up(
    site: Site,
) -> None:
    """The provider paid it out once; only its list is wrong, and a person asks why."""
    report = await paid_out(site, 8_920)

    assert report.breaks == {"duplicate": 1}
    assert await proofs(site) == [("01-provider-id", 10_000)]
    assert [await balance(site, a) for a in ("1380", "1120", "6420")] == [0, 8_920, 1_080]
    assert report.closed.is_closed, report.closed.open_checks


async def test_a_payment_that_is_paid_out_twice_keeps_the_day_open(site: Site) -> None:
    report = await paid_out(site, 17_840)

    assert report.breaks == {"duplicate": 1, "batch_total": 1}
    assert await balance(site, "1120") == 0
    assert not report.closed.is_closed


@pytest.mark.parametrize("files", [1, 2])
async def test_two_part_refunds_of_one_payment_are_two(site: Site, files: int) -> None:
    """They are equal but for our name of them, and a provider may give both the same number."""
    with_east_bank(site.parts, AGENCY, EastBank())
    payment = await paid(site)
    names = []
    for left in (10_000, 5_000):
        asked = (await ask(site, payment, 5_000, left)).json()["id"]
        await site.parts.refunds.decide(AGENCY, asked, "staff:b", agree=True)
        await site.parts.sender.send()
        names.append(asked.removeprefix("ref_"))
    site.clock.move(timedelta(hours=17, minutes=30))
    back = {"kind": "refund", "gross": -5_000, "fee": 0, "net": -5_000}
    listed = [LINE | back | {"merchant_reference": name} for name in names]
    parts = [listed] if files == 1 else [listed[:1], listed[1:]]
    for lines in parts:
        await take(site, "provider", LINE, *lines)

    report = await reconcile(site)

    assert report.breaks == {}
    assert (await proofs(site))[1:] == [("01-taken-back", -5_000)] * 2
    await take(site, "provider", LINE, listed[0], listed[0])
    assert (await reconcile(site)).breaks == {"duplicate": 1}
    assert await breaks(site) == [("duplicate", "line")]
