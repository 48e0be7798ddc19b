"""A provider that is down: others first, then hidden with a sentence, told, and tried again."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from east_bank import EastBank, with_east_bank
from front_door import AGENCY, Site

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.infra.breaker import Breaker, failures_max, rest
from gateway.infra.clock import TestClock
from gateway.ports.provider import Checkout, Order
from gateway.ports.wire import Reply


class FailingBank(EastBank):
    """A bank whose checkout does not answer while it is down."""

    is_down = True
    says_no = False

    async def checkout(self, order: Order) -> Checkout:
        if self.says_no:
            raise DeclinedError("No.")
        if self.is_down:
            raise InDoubtError("No answer.")
        return await super().checkout(order)


@pytest_asyncio.fixture
async def bank(site: Site) -> FailingBank:
    made = FailingBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def tries(site: Site, first: int, count: int) -> list[int]:
    """Send so many citizens there; give the statuses."""
    said = []
    for n in range(first, first + count):
        payment = await site.payment(n)
        answer = await site.ask(f"/payments/{payment['id']}/attempts", {"provider": "eastbank"})
        said.append(answer.status_code)
    return said


async def standing(site: Site) -> dict[str, Any]:
    ways = (await site.get("/providers"))["data"]
    return next(w for w in ways if w["provider"] == "eastbank")


async def page(site: Site, n: int) -> str:
    payment = await site.payment(n)
    return (await site.http.get(payment["links"]["pay"])).text


async def test_a_provider_that_fails_is_hidden_told_and_given_another_chance(
    site: Site, bank: FailingBank
) -> None:
    assert (await standing(site))["standing"] == "healthy"
    assert await tries(site, 1, 6) == [409] * 6
    await site.parts.attempts.health.judge()

    hidden = await standing(site)
    assert (hidden["standing"], hidden["retry_at"]) == ("hidden", "2026-11-18T01:01:00Z")
    shown = await page(site, 50)
    assert "Ngân hàng Đông đang gián đoạn; thử lại sau 08:01" in shown
    assert "/eastbank?" not in shown
    refused = await site.ask(
        f"/payments/{(await site.payment(51))['id']}/attempts", {"provider": "eastbank"}
    )
    assert refused.json()["type"] == "/problems/provider-unavailable"
    assert refused.json()["retry_at"] == "2026-11-18T01:01:00Z"
    assert len(await site_calls(site)) == 6  # Nobody was sent there meanwhile.

    bank.is_down = False
    site.clock.move(timedelta(minutes=1))
    await site.parts.attempts.health.judge()
    assert (await standing(site))["standing"] == "demoted"
    order = (await page(site, 52)).index
    text = await page(site, 53)
    assert order("/vnpay?") < order("/eastbank?"), text  # Offered, after the others.
    assert await tries(site, 60, 5) == [201] * 5
    await site.parts.attempts.health.judge()
    assert (await standing(site))["standing"] == "healthy"

    await site.parts.outbox.sequence()
    told = [e for e in (await site.get("/events?limit=500"))["data"] if e["payment_id"] is None]
    assert [e["type"] for e in told] == ["provider.degraded", "provider.recovered"]
    assert told[0]["data"]["provider"] == "eastbank"


async def site_calls(site: Site) -> list[Any]:
    from sqlalchemy import text

    async with site.parts.store.begin() as tx:
        return list(await tx.rows(text("SELECT 1 AS one FROM provider_call")))


async def test_a_clear_no_is_an_answer_and_no_illness(site: Site, bank: FailingBank) -> None:
    """A bank that declines ten cards works well."""
    bank.says_no = True
    assert await tries(site, 1, 6) == [502] * 6
    assert await site.parts.attempts.health.judge() == 0


class Cut:
    """A wire that breaks, and counts."""

    sent = 0
    is_cut = True

    async def send(self, method: str, url: str, **_: Any) -> Reply:
        self.sent += 1
        if self.is_cut:
            raise InDoubtError(f"{method} {url}: no answer.")
        return Reply(200, {}, b"")


async def test_the_breaker_lets_one_through_after_its_rest(clock: TestClock) -> None:
    """A provider that hangs must not hold a worker for fifteen seconds at each call."""
    wire = Cut()
    breaker = Breaker(wire, clock)
    for _ in range(failures_max):
        with pytest.raises(InDoubtError):
            await breaker.send("GET", "http://x")
    with pytest.raises(DeclinedError) as caught:
        await breaker.send("GET", "http://x")
    assert caught.value.is_unreachable
    assert wire.sent == failures_max

    clock.move(rest)
    with pytest.raises(InDoubtError):
        await breaker.send("GET", "http://x")
    with pytest.raises(DeclinedError):
        await breaker.send("GET", "http://x")
    wire.is_cut = False
    clock.move(rest)
    assert [(await breaker.send("GET", "http://x")).status for _ in range(3)] == [200] * 3
