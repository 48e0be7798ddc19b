"""The pay path: asked for, begun, told by the bank, receipt issued, events stamped."""

from collections.abc import Mapping
from typing import Any

from front_door import AGENCY, vnpay_query
from sqlalchemy import text

from gateway.entry.bootstrap import Parts
from gateway.ports.provider import RawNotice
from gateway.services import catalogue
from gateway.services.payments import Wanted
from gateway.services.seed import seed
from walks.walk import AT, Given, Say, Walk


async def prepare(parts: Parts) -> Given:
    """Make an agency and a client."""
    await seed(parts.store, live=False)
    _, key = await parts.access.add_client("dvc", AGENCY, may_price=False, return_origins=[])
    return {"key": key}


async def go(parts: Parts, given: Given, say: Say) -> None:
    """Do what the client, the citizen, the bank and the worker do for one payment."""
    await ask(parts, given["key"])
    say("request")
    attempt = await begin(parts)
    say("attempt")
    await tell(parts, attempt)
    say("notice")
    await parts.receipts.issue()
    say("receipts")
    await parts.outbox.sequence()
    say("events")


async def ask(parts: Parts, key: str, n: int = 1) -> None:
    """Ask for the n-th payment, once and for all under its own key."""
    wanted = Wanted(
        branch_id="online", dossier_id=dossier(n), procedure="1.004222", price_on=AT.date(),
        key=f"key-{n}", body_hash="same", expires_at=AT.replace(day=25),
        lines=catalogue.price(AGENCY, "1.004222", catalogue.Facts(), AT.date()),
    )  # fmt: skip
    (answer,) = await parts.payments.request_many(await parts.access.client(key), [wanted])
    assert not isinstance(answer, Exception), answer


async def begin(parts: Parts, n: int = 1, provider: str = "vnpay") -> Mapping[str, Any]:
    """Begin, or go on with, the attempt of the n-th payment; what was captured needs no other."""
    async with parts.store.begin() as tx:
        payment = await tx.row(
            text("SELECT id, reference FROM payment WHERE dossier_id = :d"), {"d": dossier(n)}
        )
        assert payment is not None
        known = await tx.row(
            text("SELECT a.* FROM attempt a JOIN attempt_share s ON s.attempt_id = a.id"
                 " WHERE a.state = 'captured' AND s.payment_id = :id"),
            {"id": payment["id"]},
        )  # fmt: skip
    return known or await parts.attempts.start(AGENCY, payment["id"], provider, "127.0.0.1")


async def tell(parts: Parts, attempt: Mapping[str, Any], n: int = 1) -> None:
    """Say what the bank says, and be thanked."""
    query = vnpay_query(attempt, vnp_TransactionNo=str(1_000 + n))
    raw = RawNotice("GET", query, {}, b"", parts.clock.now())
    ack = await parts.notices.take("vnpay", "default", raw, "127.0.0.1")
    assert b'"00"' in ack.body or b'"02"' in ack.body, ack.body


def dossier(n: int) -> str:
    """Name the n-th dossier."""
    return f"H26.14-261118-{n:04}"


PAY = Walk(
    name="pay",
    at=AT,
    phases={
        "request": "SELECT count(*) = 1 FROM payment",
        "attempt": "SELECT count(*) = 1 FROM attempt",
        "notice": "SELECT count(*) = 1 FROM capture",
        "receipts": "",
        "events": "",
    },
    prepare=prepare,
    go=go,
)
