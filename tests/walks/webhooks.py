"""Webhooks: events of two payments on their way to an endpoint that refuses one at first."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import FastAPI, Request, Response
from front_door import AGENCY, free_port
from sqlalchemy import text

from gateway.entry.bootstrap import Parts
from gateway.entry.web.serving import serving
from gateway.infra.clock import TestClock
from walks import pay
from walks.walk import AT, Given, Say, Walk

rounds = 2  # The event that is refused once is due again in the second.
REFUSED_ONCE = "payment.paid"


@dataclass
class Ear:
    """A procedure system's end: it counts what it hears, at one address per database."""

    url: str
    heard: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    refused: set[str] = field(default_factory=set)

    def take(self, whose: str, body: bytes) -> int:
        """Note payment and sequence; give the status to answer with."""
        event = json.loads(body)
        if event["type"] == REFUSED_ONCE and whose not in self.refused:
            self.refused.add(whose)
            return 503
        self.heard[whose].append((event["payment_id"], event["sequence"]))
        return 204


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    """Listen on loopback."""
    app, port = FastAPI(), free_port()
    ear = Ear(f"http://127.0.0.1:{port}")

    @app.post("/{whose}")
    async def hook(whose: str, request: Request) -> Response:
        return Response(status_code=ear.take(whose, await request.body()))

    async with serving(app, port):
        yield ear


async def prepare(parts: Parts) -> Given:
    """Pay one payment and ask for another; nothing is stamped or delivered yet."""
    given = await pay.prepare(parts)
    async with parts.store.begin() as tx:
        client = await tx.row(text("SELECT id FROM client"))
    assert client is not None
    await parts.webhooks.add(AGENCY, client["id"], "http://127.0.0.1:9")
    for n in (1, 2):
        await pay.ask(parts, given["key"], n)
    await pay.tell(parts, await pay.begin(parts, 1), 1)
    await parts.receipts.issue()
    return given


async def go(parts: Parts, _: Given, say: Say) -> None:
    """Stamp, and deliver until all is heard."""
    await parts.outbox.sequence()
    say("events")
    assert isinstance(parts.clock, TestClock)
    for _round in range(rounds):
        while await parts.webhooks.deliver():
            pass
        parts.clock.move(timedelta(minutes=2))
    say("delivery")


WEBHOOKS = Walk(
    name="webhooks",
    at=AT,
    phases={"events": "", "delivery": ""},
    prepare=prepare,
    go=go,
)
