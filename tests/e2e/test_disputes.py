"""A payer takes a payment back through the provider: postings and a case, never silence."""

import pytest_asyncio
from books import balance
from east_bank import DUE, EastBank, ask, holds, paid, rows, told, with_east_bank
from front_door import AGENCY, Site
from sqlalchemy import text


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def test_a_dispute_is_postings_and_a_case_and_no_refund_beside_it(
    site: Site,
) -> None:
    payment = await paid(site)

    for _ in range(2):  # The provider says everything twice.
        await told(site, f"dispute|E1|D1|opened|{DUE}|500")

    assert [await balance(site, a) for a in ("1380", "1381", "6420", "1383")] == [
        -500, DUE, 500, 500,
    ]  # fmt: skip
    (case,) = await rows(site, "SELECT kind, subject FROM break WHERE state = 'open'")
    assert case["kind"] == "status_conflict"
    refused = await ask(site, payment, DUE, DUE)
    assert refused.json()["type"] == "/problems/payment-disputed"
    await told(site, f"dispute|E1|D1|won|{DUE}|500")
    assert [await balance(site, a) for a in ("1380", "1381")] == [DUE - 500, 0]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []


async def test_a_lost_dispute_makes_the_fee_owed_again(site: Site) -> None:
    """The payer has the money back, so the debt is open, and can be paid once more."""
    payment = await paid(site)

    await told(site, f"dispute|E1|D1|lost|{DUE}|0")

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_received"]) == ("open", 0)
    assert [await balance(site, a) for a in ("1380", "1381", "3330", "M1", "M2")] == [
        0, 0, 0, DUE, 0,
    ]  # fmt: skip
    await holds(site)
    attempt = await site.attempt(after, "vnpay")
    assert await site.vnpay_says(attempt) == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    await holds(site)


async def test_an_agency_may_bear_a_lost_dispute(site: Site) -> None:
    async with site.parts.store.begin() as tx:
        await tx.run(text('UPDATE agency SET settings = settings || \'{"dispute_lost": "borne"}\''))
    payment = await paid(site)

    await told(site, f"dispute|E1|D1|lost|{DUE}|0")

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert [await balance(site, a) for a in ("1381", "6430", "1383", "4900")] == [
        0, DUE, DUE, -DUE,
    ]  # fmt: skip
    await holds(site)
