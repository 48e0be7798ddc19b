"""Every transaction of a payment's whole life takes its locks in the order of locks.py."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from books import DAY, reconcile, reconciliation, take
from front_door import AGENCY, Site, vnpay_query
from sqlalchemy import event

# What a statement says, and the place of its lock in the list.
PLACES = (
    (re.compile("7413006|7413003"), 1),
    (re.compile("7413004"), 2),
    (re.compile("7413002"), 3),
    (re.compile(r"FROM attempt\b.* FOR (NO KEY )?UPDATE(?!.*SKIP)", re.DOTALL), 4),
    (re.compile(r"7413007|FROM series\b.* FOR (NO KEY )?UPDATE(?!.*SKIP)", re.DOTALL), 5),
    (re.compile(r"FROM payment\b.* FOR (NO KEY )?UPDATE(?!.*SKIP)", re.DOTALL), 6),
)
ATTEMPTS, PAYMENTS = 4, 6


@dataclass
class Watch:
    """Notes which locks each open transaction holds, and who goes back up the list."""

    held: WeakKeyDictionary[Any, set[int]] = field(default_factory=WeakKeyDictionary)
    seen: set[int] = field(default_factory=set)
    back: list[str] = field(default_factory=list)

    def statement(self, connection: Any, _cursor: object, statement: str, *_: object) -> None:
        """Find the lock's place; what is held already may be taken again."""
        held = self.held.setdefault(connection.get_transaction(), set())
        places = {place for pattern, place in PLACES if pattern.search(statement)}
        for place in places - held:
            if held and place < max(held):
                self.back.append(f"{place} after {sorted(held)}: {statement}")
        if 'UPDATE "attempt"' in statement and PAYMENTS in held and ATTEMPTS not in held:
            self.back.append(f"an attempt after {sorted(held)}: {statement}")
        held |= places
        self.seen |= places


async def test_no_transaction_goes_back_up_the_list_of_locks(site: Site) -> None:
    """Asked for, tried, refused, doubted, expired, replaced, paid late, by parts, settled."""
    watch = Watch()
    event.listen(site.parts.engine.sync_engine, "before_cursor_execute", watch.statement)

    await replaced_and_paid_late(site)
    await paid_by_transfer(site)
    withdrawn = await site.payment(3)
    assert (await site.ask(f"/payments/{withdrawn['id']}/cancel", {})).status_code == 200
    await settled(site)

    assert watch.seen == {place for _, place in PLACES}, "the watch has missed a lock"
    assert watch.back == []


async def replaced_and_paid_late(site: Site) -> None:
    payment = await site.payment(1, expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(payment)
    async with site.parts.store.begin() as tx:
        shown = await tx.payment_by_token(payment["links"]["pay"].rsplit("/", 1)[1])
    assert shown is not None
    await site.parts.attempts.returned(shown, vnpay_query(attempt))
    await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")
    site.clock.move(timedelta(hours=2))
    assert await site.parts.payments.expire(site.parts.can_ask) == 1
    await site.payment(1)
    assert await site.vnpay_says(attempt) == "00"


async def paid_by_transfer(site: Site) -> None:
    payment = await site.payment(2)
    await site.attempt(payment, "vietqr")
    for number in (1, 2):
        assert await site.sepay_says(f"TP{payment['reference']}", 5_000, number) == 200
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def settled(site: Site) -> None:
    """Close the day, and open it again."""
    site.clock.move(timedelta(days=1))
    await take(site, "provider", {})
    came = [{"amount": 5_000, "reference": f"FT{n}", "memo": "CK"} for n in (1, 2)]
    await take(site, "statement", *came)
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.settled == 1, report.closed.open_checks
    assert await reconciliation(site).casework.reopen(AGENCY, DAY, "test") == 1
