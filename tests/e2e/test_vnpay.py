"""VNPAY through the whole gateway and back: a chosen bank, and money that is given back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from city import City, city
from front_door import AGENCY

from adapters.simulator import Fault
from gateway.infra.clock import TestClock
from gateway.services.invariants import violations

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def here(database_url: str, clock: TestClock) -> AsyncIterator[City]:
    async with city(database_url, clock) as made:
        yield made


async def test_a_bank_that_was_chosen_with_us_is_opened_there(here: City) -> None:
    """The citizen chose once, and is not asked again on VNPAY's page."""
    payment = await here.site.payment()
    path = f"/payments/{payment['id']}/attempts"

    chosen = (await here.site.ask(path, {"provider": "vnpay", "method": "INTCARD"})).json()
    unknown = await here.site.ask(path, {"provider": "vnpay", "method": "GOLD"})
    await here.pay(chosen)

    assert parse_qs(urlsplit(chosen["redirect_url"]).query)["vnp_BankCode"] == ["INTCARD"]
    assert unknown.json()["type"] == "/problems/provider-unavailable"
    assert await here.captures() == [("vnpay", 10_000, "paid")]


@pytest.mark.parametrize("fault", [None, Fault.RESET, Fault.MAINTENANCE, Fault.SLOW])
@pytest.mark.parametrize("amount", [10_000, 4_000])
async def test_a_refund_goes_back_once_whether_we_hear_of_it_or_not(
    here: City, fault: Fault | None, amount: int
) -> None:
    """SCENARIOS 7: asked for by the API, agreed to by two, with the bank for an hour."""
    site = here.site
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await here.pay(attempt)
    await site.parts.receipts.issue()
    body = {"amount": amount, "reason": "nộp nhầm", "expected_refundable": 10_000}
    asked = (await site.ask(f"/payments/{payment['id']}/refunds", body)).json()
    here.simulator.faults.set(attempt["provider_reference"], fault)

    await site.parts.refunds.decide(AGENCY, asked["id"], "staff:b", agree=True)
    for _ in range(5):
        await site.parts.sender.send()
        await here.wait(HOUR)

    assert (await site.get(f"/refunds/{asked['id']}"))["state"] == "done"
    (back,) = here.simulator.journal.entries("vnpay", kind="refund")
    assert (back.amount, back.refund_reference) == (amount, asked["id"].removeprefix("ref_"))
    assert (await site.get(f"/payments/{payment['id']}"))["amount_refunded"] == amount
    assert await violations(site.parts.store) == []
