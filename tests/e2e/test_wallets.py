"""A fee paid with a wallet, from the request to the receipt and back again, through everything."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from front_door import AGENCY, Site, free_port, open_site

from adapters.simulator import (
    Choice,
    Fault,
    Simulator,
    SimulatorConfig,
    build_simulator,
    sandbox_settings,
)
from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock
from gateway.ports.wire import Reply, Wire
from gateway.services.invariants import violations

DUE = 10_000
HOUR = timedelta(hours=1)


@dataclass
class Street:
    """The gateway, and the simulated wallets on the other side of the wire."""

    site: Site
    banks: Simulator

    async def state(self, payment: dict[str, Any]) -> tuple[str, bool]:
        seen = await self.site.get(f"/payments/{payment['id']}")
        return seen["state"], seen["in_doubt"]

    async def doubt(self, payment: dict[str, Any], wallet: str, fault: Fault) -> httpx.Response:
        """Begin an attempt whose answer is spoiled."""
        self.banks.faults.set(f"TP{payment['reference']}", fault)
        return await self.site.ask(f"/payments/{payment['id']}/attempts", {"provider": wallet})


@pytest_asyncio.fixture
async def street(database_url: str, clock: TestClock) -> AsyncIterator[Street]:
    ours, theirs = free_port(), free_port()
    settings = sandbox_settings(f"http://127.0.0.1:{theirs}", lambda name: f"sim-{name.lower()}")
    config = SimulatorConfig(settings, f"http://127.0.0.1:{ours}/notices", slow_s=0.05)
    banks = build_simulator(clock, config)
    values = {f"THUPHI_{k}": v for k, v in settings.items()}
    async with (
        serving(banks.app, theirs),
        open_site(database_url, clock, ours, values) as site,
    ):
        yield Street(site, banks)
        await banks.close()


@dataclass
class HeldOnce:
    """A wire whose first request lies there until somebody lets it go."""

    to: Wire
    lies_there: asyncio.Event = field(default_factory=asyncio.Event)
    may_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, method: str, url: str, **more: Any) -> Reply:
        if not self.lies_there.is_set():
            self.lies_there.set()
            await self.may_go.wait()
        return await self.to.send(method, url, **more)


@pytest.fixture(params=["momo", "zalopay"])
def wallet(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def test_a_fee_is_paid_by_wallet_and_receipted(street: Street, wallet: str) -> None:
    """Asked for, sent to the wallet by the page itself, paid there, told, thanked, receipted."""
    site = street.site
    payment = await site.payment()
    page = payment["links"]["pay"].removeprefix(site.parts.settings.public_url)

    gone = await site.http.get(f"{page}/{wallet}")
    assert gone.status_code == 303
    async with httpx.AsyncClient(trust_env=False) as browser:
        shown = await browser.get(gone.headers["location"])
    assert "10.000 đ" in shown.text
    chosen = street.banks.pay(gone.headers["location"])
    assert await street.banks.pump() == 1
    assert street.banks.post.next_due is None, "it was thanked, and does not try again"
    await site.parts.receipts.issue()

    seen = await site.get(f"/payments/{payment['id']}")
    assert (seen["state"], seen["amount_received"]) == ("paid", DUE)
    assert [r["amount"] for r in seen["receipts"]] == [DUE]
    back = await site.http.get(chosen.return_url.removeprefix(site.parts.settings.public_url))
    assert back.status_code in {200, 303}
    assert await violations(site.parts.store) == []


async def test_a_wallet_whose_answer_broke_off_is_asked_and_not_paid_twice(
    street: Street, wallet: str
) -> None:
    """The order is there; the citizen pays it in the app, and nobody was told to pay again."""
    payment = await street.site.payment()

    answer = await street.doubt(payment, wallet, Fault.RESET)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/payment-in-doubt")
    assert await street.state(payment) == ("open", True)
    orders = street.banks.sides[wallet].orders
    (name,) = orders.known
    orders.choose(name, Choice.PAY)
    street.site.clock.move(timedelta(minutes=2))
    await street.site.parts.attempts.ask()  # The notice is on its way too; we do not wait.
    assert await street.state(payment) == ("paid", False)
    await street.banks.pump()
    seen = await street.site.get(f"/payments/{payment['id']}")
    assert (seen["amount_received"], seen["amount_suspended"]) == (DUE, 0)


async def test_an_order_that_nobody_paid_frees_the_payment_again(
    street: Street, wallet: str
) -> None:
    """Maintenance at checkout is doubt; once the wallet says expired, another way is offered."""
    payment = await street.site.payment()
    await street.doubt(payment, wallet, Fault.MAINTENANCE)

    street.site.clock.move(timedelta(minutes=30))
    await street.site.parts.attempts.ask()
    assert await street.state(payment) == ("open", True), "the wallet still shows its page"
    street.site.clock.move(timedelta(hours=2))
    await street.site.parts.attempts.ask()

    assert await street.state(payment) == ("open", False)
    attempt = await street.site.attempt(payment, "vnpay")
    street.banks.pay(attempt["redirect_url"])
    await street.banks.pump()
    assert await street.state(payment) == ("paid", False)


async def test_money_that_is_told_before_our_call_is_answered_pays(
    street: Street, wallet: str
) -> None:
    """SCENARIOS 5: the late answer must not move the attempt back."""
    payment = await street.site.payment()

    answer = await street.doubt(payment, wallet, Fault.EARLY)

    assert answer.json()["state"] == "captured"
    assert await street.state(payment) == ("paid", False)


async def test_what_the_citizen_cancels_there_can_be_paid_again(
    street: Street, wallet: str
) -> None:
    """Changing one's mind costs nothing; a wallet that tells nobody is asked."""
    payment = await street.site.payment()
    attempt = await street.site.attempt(payment, wallet)
    street.banks.pay(attempt["redirect_url"], Choice.CANCEL)
    await street.banks.pump()
    street.site.clock.move(timedelta(minutes=2))
    await street.site.parts.attempts.ask()

    again = await street.site.attempt(payment, wallet)

    assert again["id"] != attempt["id"]
    street.banks.pay(again["redirect_url"])
    await street.banks.pump()
    assert await street.state(payment) == ("paid", False)


@pytest.mark.parametrize("fault", [None, Fault.RESET])
async def test_a_refund_goes_back_through_the_wallet_once(
    street: Street, wallet: str, fault: Fault | None
) -> None:
    """Two people agreed; the wallet moves the money once, whether we hear of it or not."""
    site = street.site
    payment = await site.payment()
    attempt = await site.attempt(payment, wallet)
    street.banks.pay(attempt["redirect_url"])
    await street.banks.pump()
    await site.parts.receipts.issue()
    body = {"amount": 4_000, "reason": "nộp nhầm", "expected_refundable": DUE}
    asked = (await site.ask(f"/payments/{payment['id']}/refunds", body)).json()
    street.banks.faults.set(f"TP{payment['reference']}", fault)

    await site.parts.refunds.decide(AGENCY, asked["id"], "staff:b", agree=True)
    for _ in range(4):
        await site.parts.sender.send()
        site.clock.move(HOUR)

    assert (await site.get(f"/refunds/{asked['id']}"))["state"] == "done"
    (back,) = street.banks.journal.entries(wallet, kind="refund")
    assert back.amount == 4_000
    assert (await site.get(f"/payments/{payment['id']}"))["amount_refunded"] == 4_000
    await site.parts.outbox.sequence()
    assert await violations(site.parts.store) == []


async def test_a_twin_that_is_told_of_a_duplicate_does_not_take_the_address_away(
    street: Street,
) -> None:
    """Two clicks at once: the second is answered first, and knows less than the first will."""
    payment = await street.site.payment()

    answers = await asyncio.gather(
        *(street.doubt(payment, "zalopay", Fault.SLOW) for _ in range(2))
    )

    shown = [a.json() for a in answers if a.status_code == 201]
    assert len(street.banks.sides["zalopay"].orders.known) == 1
    assert [x["state"] for x in shown] == ["redirected"]
    assert await street.state(payment) == ("open", False)
    again = await street.site.attempt(payment, "zalopay")
    assert again["redirect_url"] == shown[0]["redirect_url"] is not None


async def test_a_twin_that_comes_too_late_shows_what_the_first_was_told(street: Street) -> None:
    payment = await street.site.payment()
    key = ("zalopay", "default")
    adapter: Any = street.site.parts.providers[key]
    held = HeldOnce(adapter.wire)
    street.site.parts.providers[key] = replace(adapter, wire=held)
    late = asyncio.create_task(street.doubt(payment, "zalopay", Fault.SLOW))
    await held.lies_there.wait()

    first = await street.site.attempt(payment, "zalopay")
    held.may_go.set()
    answer = await late

    assert answer.status_code == 201, answer.text
    assert answer.json() == first
    assert first["redirect_url"] is not None
    assert await street.state(payment) == ("open", False)
