"""The pay path, from the request to the receipt and the event: safe to walk again from the start.

Run as a program it walks once and kills itself at the boundary it is told, the hard way.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

from front_door import AGENCY, SEPAY_SECRET, VNPAY_SECRET, vnpay_query
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts, build, engine_of
from gateway.entry.plugins import adapters
from gateway.entry.settings import read_settings
from gateway.infra.clock import TestClock
from gateway.ports.provider import RawNotice
from gateway.services import catalogue
from gateway.services.payments import Wanted
from gateway.store import tables as t

AT = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)


def parts_on(engine: AsyncEngine) -> Parts:
    """Put everything together on a database."""
    values = {
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "THUPHI_VNPAY_TMN_CODE": "TESTTMN1", "THUPHI_VNPAY_SECRET": VNPAY_SECRET,
        "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
        "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api",
        "THUPHI_VIETQR_BANK_BIN": "970436", "THUPHI_VIETQR_ACCOUNT": "0123456789",
        "THUPHI_VIETQR_ACCOUNT_NAME": "TT PHUC VU", "THUPHI_SEPAY_SECRET": SEPAY_SECRET,
    }  # fmt: skip
    settings = read_settings(values, [f for spec in adapters() for f in spec.known_fields])
    return build(settings, engine, TestClock(AT))


async def walk(parts: Parts, key: str) -> list[str]:
    """Ask, begin, be told, issue, stamp; give what was acknowledged, in order."""
    said = []
    client = await parts.access.client(key)
    wanted = Wanted(
        branch_id="online", dossier_id="H26.14-261118-0001", procedure="1.004222",
        price_on=AT.date(), key="once", body_hash="once", expires_at=AT.replace(day=25),
        lines=catalogue.price(AGENCY, "1.004222", catalogue.Facts(), AT.date()),
    )  # fmt: skip
    (answer,) = await parts.payments.request_many(client, [wanted])
    assert not isinstance(answer, Exception)
    said.append("created")
    print("created", flush=True)  # noqa: T201 - what was acknowledged is what must be there.
    attempt = await _attempt(parts)
    said.append("attempt")
    print("attempt", flush=True)  # noqa: T201
    raw = RawNotice("GET", vnpay_query(attempt), {}, b"", parts.clock.now())
    ack = await parts.notices.take("vnpay", "default", raw, "127.0.0.1")
    assert b'"00"' in ack.body or b'"02"' in ack.body, ack.body
    said.append("thanked")
    print("thanked", flush=True)  # noqa: T201
    await parts.receipts.issue()
    await parts.outbox.sequence()
    return said


async def _attempt(parts: Parts) -> dict[str, Any]:
    async with parts.store.begin() as tx:
        payment = await tx.row(select(t.payment.c.id))
        known = await tx.row(select(t.attempt).where(t.attempt.c.state == "captured"))
    assert payment is not None
    if known:
        return dict(known)
    try:
        return await parts.attempts.start(AGENCY, payment["id"], "vnpay", "127.0.0.1")
    except Refusal as refusal:
        raise AssertionError(refusal.detail) from None


class Executioner:
    """Counts the boundaries of transactions, or every statement, and kills at the n-th."""

    def __init__(self, engine: AsyncEngine, at: int, *, every_statement: bool) -> None:
        """Listen before each commit, after each transaction, and to statements."""
        self.seen, self.at, self.every_statement = 0, at, every_statement
        event.listen(engine.sync_engine, "before_cursor_execute", self.statement)
        event.listen(engine.sync_engine, "commit", self.count)
        event.listen(engine.sync_engine.pool, "checkin", self.count)

    def statement(self, connection: Any, *_: object) -> None:
        """Count a statement that is a transaction by itself; the others when asked to."""
        alone = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if alone or self.every_statement:
            self.count()

    def count(self, *_: object) -> None:
        """Count one, and die if it is the one."""
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(url: str, key: str, at: int) -> None:
    """Walk until the end, or until killed."""
    engine = engine_of(url)
    parts = parts_on(engine)
    Executioner(engine, at, every_statement="PROOF_EVERY_STATEMENT" in os.environ)
    await walk(parts, key)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
