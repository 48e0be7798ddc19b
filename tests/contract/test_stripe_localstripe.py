"""Stripe's adapter against somebody else's Stripe: localstripe, a process of its own on loopback.

It knows no Checkout, and no idempotency key: what it has are payments, refunds and signed events.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import pytest_asyncio
from front_door import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.stripe import STRIPE, Stripe
from adapters.stripe_client import Api
from adapters.vectors.stripe_messages import ORDER, REFUND
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.entry.web.serving import serving
from gateway.infra.clock import SystemClock
from gateway.infra.wire import GuardedWire
from gateway.ports.provider import (
    Notice,
    Outcome,
    RawNotice,
    RefundOrder,
    RefundVerdict,
    Verdict,
)

KEY, SECRET = "sk_test_localstripe", "whsec_of_localstripe"
# Its own command listens on every address, and keeps its data in one file for the whole machine.
SERVER = """
import sys
from aiohttp import web
from localstripe import resources
from localstripe.server import app
resources.Store.dump_to_disk = lambda self: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass
class There:
    """localstripe, our adapter, and a door where its events are read."""

    provider: Stripe
    api: Api
    origin: str
    door: int
    heard: "asyncio.Queue[Notice | ForgedError]"

    async def paid(self, amount: int = 150_000, **more: Any) -> str:
        """Take money with its test card, by Stripe's client on our wire; give the payment's id."""
        asked = {
            "amount": amount, "currency": "vnd", "payment_method": "pm_card_visa", "confirm": True,
        }  # fmt: skip
        service = self.api._client(65_536).payment_intents  # noqa: SLF001 - the adapter takes no cards.
        made = await self.api.said(service.create_async(params=asked | more))
        assert (made["status"], made["currency"]) == ("succeeded", "vnd")
        return str(made["id"])

    async def listen(self, secret: str) -> None:
        """Let it send its events to our door."""
        said = {"url": f"http://127.0.0.1:{self.door}/", "secret": secret}
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{self.origin}/_config/webhooks/ours", json=said)).raise_for_status()


def refund_of(intent: str, amount: int = 50_000, reference: str = REFUND.reference) -> RefundOrder:
    return replace(REFUND, txn_id=intent, amount=amount, reference=reference)


@asynccontextmanager
async def process(port: int) -> AsyncIterator[None]:
    """Run localstripe until the block ends."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while True:
                assert child.returncode is None, "localstripe ended by itself"
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield
    finally:
        child.terminate()
        await child.wait()


@pytest_asyncio.fixture
async def there() -> AsyncIterator[There]:
    ours, theirs = free_port(), free_port()
    origin = f"http://127.0.0.1:{theirs}"
    wire, clock = GuardedWire(frozenset({origin})), SystemClock()
    values = {
        "STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_BASE_URL": origin,
    }  # fmt: skip
    provider = STRIPE.build(values, wire, "default")
    assert isinstance(provider, Stripe)
    heard: asyncio.Queue[Notice | ForgedError] = asyncio.Queue()

    async def door(request: Request) -> Response:
        body = await request.body()
        raw = RawNotice(request.method, "", dict(request.headers), body, clock.now())
        try:
            heard.put_nowait(provider.read(raw))
        except ForgedError as error:
            heard.put_nowait(error)
            return Response(status_code=provider.acknowledge(Outcome.FORGED).status)
        return Response(status_code=provider.acknowledge(Outcome.RECORDED).status)

    app = Starlette(routes=[Route("/", door, methods=["POST"])])
    async with process(theirs), serving(app, ours):
        made = There(provider, Api(wire, KEY, origin), origin, ours, heard)
        await made.listen(SECRET)
        yield made


async def test_a_refund_there_is_ours_by_its_name_and_its_signed_event_is_believed(
    there: There,
) -> None:
    intent = await there.paid()
    other = await there.paid(150_000, metadata={"thuphi_attempt": "X"})

    done = await there.provider.refund(refund_of(intent))
    asked = await there.provider.ask_refund(refund_of(intent), REFUND.asked_at)
    second = await there.provider.refund(refund_of(intent, 100_000, "HN20261125R00002"))

    assert (done.verdict, done.reference) == (RefundVerdict.DONE, REFUND.reference)
    assert done.txn_id.startswith("re_")
    assert asked == done
    assert second.txn_id != done.txn_id
    with pytest.raises(DeclinedError):  # More than is left: refused there, and nothing is asked.
        await there.provider.refund(refund_of(other, 150_001))
    never = refund_of(other, 1_000, "HN20261125R00003")
    assert (await there.provider.ask_refund(never, REFUND.asked_at)).verdict is RefundVerdict.DONE
    for strange in ("pi_nobody_knows", "ch_nobody_knows"):
        with pytest.raises(DeclinedError):
            await there.provider.refund(refund_of(strange))
        with pytest.raises(InDoubtError):
            await there.provider.ask_refund(refund_of(strange), REFUND.asked_at)
    for _ in range(2):  # It tells of both payments; that is no word about a session.
        said = await asyncio.wait_for(there.heard.get(), 20)
        assert isinstance(said, Notice), said
        assert (said.verdict, said.code) == (Verdict.PENDING, "payment_intent.succeeded")


async def test_an_event_under_another_secret_is_refused_and_what_it_lacks_is_doubt(
    there: There,
) -> None:
    await there.listen("whsec_of_another")
    await there.paid()

    with pytest.raises(InDoubtError):  # It has no Checkout, and says so on a page.
        await there.provider.checkout(ORDER)
    assert isinstance(await asyncio.wait_for(there.heard.get(), 20), ForgedError)
