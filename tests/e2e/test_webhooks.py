"""Events leave in order, signed, at least once; failures are retried and then stand out."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI, Request, Response
from front_door import AGENCY, Site, free_port
from sqlalchemy import text

from gateway.entry.web.serving import serving
from gateway.services.webhooks import NewEndpoint, endpoint_sends_max


@dataclass
class Receiver:
    """A procedure system's end: it keeps what it got and answers as told."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    held: list[str] = field(default_factory=list)  # Ids at the door that hangs until it is free.

    @property
    def slow_url(self) -> str:
        return f"{self.url}-slow"

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    app = FastAPI()
    port = free_port()
    made = Receiver(f"http://127.0.0.1:{port}/hook")

    @app.post("/hook")
    async def hook(request: Request) -> Response:
        made.got.append((dict(request.headers), await request.body()))
        return Response(status_code=made.answers.pop(0) if made.answers else 204)

    @app.post("/hook-slow")
    async def hang(request: Request) -> Response:
        made.held.append(request.headers["webhook-id"])
        await made.free.wait()
        made.got.append((dict(request.headers), await request.body()))
        return Response(status_code=204)

    async with serving(app, port):
        yield made


async def endpoint(site: Site, url: str) -> NewEndpoint:
    async with site.parts.store.begin() as tx:
        client = await tx.row(text("SELECT id FROM client"))
    assert client is not None
    return await site.parts.webhooks.add(AGENCY, client["id"], url)


async def pump(site: Site) -> None:
    await site.parts.outbox.sequence()
    while await site.parts.webhooks.deliver():
        pass


async def states(site: Site) -> list[Any]:
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT state, tries FROM delivery ORDER BY sequence"))
    return [(r["state"], r["tries"]) for r in rows]


async def test_a_payment_is_told_in_order_and_signed_twice_over(
    site: Site, receiver: Receiver
) -> None:
    """Standard Webhooks: an HMAC for whoever shares the secret, Ed25519 for whoever does not."""
    made = await endpoint(site, receiver.url)
    attempt = await site.attempt(await site.payment())
    await site.vnpay_says(attempt)

    await pump(site)

    assert receiver.types == ["payment.opened", "payment.paid"]
    headers, body = receiver.got[1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    v1a, v1 = (part.split(",")[1] for part in headers["webhook-signature"].split(" "))
    secret = base64.b64decode(made.secret.removeprefix("whsec_"))
    assert hmac.compare_digest(
        base64.b64decode(v1), hmac.new(secret, signed, hashlib.sha256).digest()
    )
    public = base64.b64decode(made.public_key.removeprefix("whpk_"))
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(v1a), signed)
    assert await states(site) == [("done", 1), ("done", 1)]


async def test_what_failed_is_sent_again_and_nothing_overtakes_it(
    site: Site, receiver: Receiver
) -> None:
    """A procedure system must not hear «paid» before «opened»."""
    await endpoint(site, receiver.url)
    receiver.answers = [500, 503]
    await site.vnpay_says(await site.attempt(await site.payment()))

    await pump(site)
    assert receiver.types == ["payment.opened"]
    for _ in range(3):
        site.clock.move(timedelta(minutes=10))
        await pump(site)

    assert receiver.types == ["payment.opened"] * 3 + ["payment.paid"]
    assert await states(site) == [("done", 3), ("done", 1)]


async def test_after_three_days_an_item_is_stuck_and_visible(
    site: Site, receiver: Receiver
) -> None:
    await endpoint(site, receiver.url)
    receiver.answers = [500] * 50
    await site.payment()
    for _ in range(20):
        await pump(site)
        site.clock.move(timedelta(hours=6))

    assert [state for state, _ in await states(site)] == ["stuck"]


async def test_an_address_that_refuses_is_retried_too(site: Site) -> None:
    await endpoint(site, f"http://127.0.0.1:{free_port()}/")
    await site.payment()

    await pump(site)

    assert await states(site) == [("waiting", 1)]


async def test_an_endpoint_that_hangs_holds_up_only_a_few_of_its_own(
    site: Site, receiver: Receiver
) -> None:
    """What another client is to hear, also what happens meanwhile, it hears meanwhile."""
    await endpoint(site, receiver.slow_url)
    for n in range(1, endpoint_sends_max + 4):
        await site.payment(n)
    client, key = await site.parts.access.add_client(
        "other", AGENCY, may_price=False, return_origins=[]
    )
    await site.parts.webhooks.add(AGENCY, client, receiver.url)
    other = replace(site, key=key)
    await other.payment(100)
    await site.parts.outbox.sequence()

    async with asyncio.timeout(20):
        doing = asyncio.ensure_future(site.parts.webhooks.deliver())
        await heard(receiver, 1)
        await other.payment(101)
        await site.parts.outbox.sequence()
        await heard(receiver, 2)
        assert not doing.done()
        assert len(receiver.held) == endpoint_sends_max
        receiver.free.set()
        await doing

    assert len(receiver.held) == len(set(receiver.held)) == endpoint_sends_max + 3
    assert await states(site) == [("done", 1)] * (endpoint_sends_max + 5)


async def heard(receiver: Receiver, count: int) -> None:
    """Wait until so much was heard."""
    while True:
        if len(receiver.got) >= count:
            return
        await asyncio.sleep(0.02)
