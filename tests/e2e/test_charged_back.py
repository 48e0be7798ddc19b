"""What a dispute left of a payment: shown, and given back, as far as the payer has it not yet."""

import pytest
import pytest_asyncio
from books import balance
from east_bank import (
    DUE,
    EastBank,
    ask,
    holds,
    last_event,
    paid,
    quarrel,
    rows,
    told,
    with_east_bank,
)
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.ports.provider import DisputeState


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


@pytest.mark.usefixtures("proved")
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
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["amount_charged_back"], after["amount_refundable"]) == (DUE, 0)
    assert await last_event(site, "amount_refundable") == ("payment.charged_back", 0)
    refused = await ask(site, payment, DUE, DUE)
    assert refused.json()["type"] == "/problems/payment-not-refundable"


async def test_what_a_borne_dispute_left_is_shown_and_can_be_given_back(site: Site) -> None:
    async with site.parts.store.begin() as tx:
        await tx.run(text('UPDATE agency SET settings = settings || \'{"dispute_lost": "borne"}\''))
    payment = await paid(site)
    early = (await ask(site, payment, DUE, DUE)).json()["id"]

    await told(site, "dispute|E1|D1|lost|4000|0")

    assert (await site.get(f"/payments/{payment['id']}"))["amount_refundable"] == 0
    with pytest.raises(Refusal) as caught:  # It was asked for when there was more.
        await site.parts.refunds.decide(AGENCY, early, "staff:b", agree=True)
    assert caught.value.code == "payment-not-refundable"
    await site.parts.refunds.decide(AGENCY, early, "staff:b", agree=False)
    assert (await site.get(f"/payments/{payment['id']}"))["amount_refundable"] == 6_000
    above = await ask(site, payment, 6_001, 6_000)
    assert above.json()["type"] == "/problems/refund-too-much"
    rest = await ask(site, payment, 6_000, 6_000)
    assert rest.status_code == 201
    await site.parts.refunds.decide(AGENCY, rest.json()["id"], "staff:b", agree=True)
    await holds(site)


async def test_a_lost_dispute_leaves_nothing_of_its_capture_to_give_back(site: Site) -> None:
    """Two transfers paid; the payer won the first back. The second can be refunded, once."""
    payment = await site.payment()
    for number, amount in ((1, 4_000), (2, 6_000)):
        assert await site.sepay_says(f"TP{payment['reference']}", amount, number) == 200
    first, second = await rows(site, "SELECT id, txn_id FROM capture ORDER BY amount")
    await quarrel(site, first["txn_id"], DisputeState.LOST, 4_000)

    assert (await site.get(f"/payments/{payment['id']}"))["amount_refundable"] == 6_000
    above = await ask(site, payment, DUE, 6_000)
    asked = await ask(site, payment, 6_000, 6_000)

    assert above.json()["type"] == "/problems/refund-too-much"
    assert asked.status_code == 201
    assert [r["capture_id"] for r in await rows(site, "SELECT * FROM refund")] == [second["id"]]
    await holds(site)


async def test_a_refund_is_of_a_capture_that_nobody_disputes(site: Site) -> None:
    """Three transfers paid; while the largest is disputed, what the others brought can go back."""
    payment = await site.payment()
    for number, amount in ((1, 2_000), (2, 5_000), (3, 3_000)):
        assert await site.sepay_says(f"TP{payment['reference']}", amount, number) == 200
    small, middle, large = await rows(site, "SELECT id, txn_id FROM capture ORDER BY amount")
    await quarrel(site, large["txn_id"], DisputeState.OPENED, 5_000)

    above = await ask(site, payment, 5_001, DUE)
    first = await ask(site, payment, 2_000, DUE)
    second = await ask(site, payment, 2_000, 8_000)
    third = await ask(site, payment, 1_001, 6_000)

    assert above.json()["type"] == third.json()["type"] == "/problems/payment-disputed"
    assert (first.status_code, second.status_code) == (201, 201)
    given = await rows(site, "SELECT capture_id FROM refund ORDER BY id")
    assert [r["capture_id"] for r in given] == [middle["id"], small["id"]]
    await holds(site)
