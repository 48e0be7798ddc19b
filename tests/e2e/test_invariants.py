"""The watchman sees: each rule, broken by hand, is named; a busy day breaks none."""

import asyncio
from datetime import timedelta

import pytest
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.services.invariants import RULES, violations

BROKEN = {
    "each payment's amounts agree with its captures": "UPDATE payment SET amount_suspended = 7",
    "each payment's collection is in the books": (
        "UPDATE payment SET state = 'paid', amount_received = amount"
    ),
    "unidentified money equals what payments hold and open cases name": (
        "UPDATE break SET state = 'resolved'"
    ),
    "surplus equals its open cases": "UPDATE break SET state = 'resolved'",
    "each paid payment has one event that says so": (
        "UPDATE event SET type = 'payment.opened' WHERE type = 'payment.paid'"
    ),
    "positions are dense": "UPDATE event SET position = position + 100 WHERE position > 1",
    "sequences are dense": "UPDATE event SET sequence = sequence + 5 WHERE sequence > 1",
    "no notice is left unread": (
        "UPDATE notice_work SET state = 'stored', tries = 20, received_at = '2026-11-17T20:00:00Z'"
    ),
    "each client is told of each payment that is paid": "DELETE FROM delivery",
    "charges and losses are covered": (
        "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
        " voucher_id, rule, storno, created_at) VALUES ('hn-tthcc-test', '2026-11-18',"
        " '2026-11-18', '6420', '1380', 5, 'x', 'x', 'x', false, '2026-11-18T00:00:00Z')"
    ),
    "no balance is on its wrong side": (
        "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
        " voucher_id, rule, storno, created_at) VALUES ('hn-tthcc-test', '2026-11-18',"
        " '2026-11-18', '3330', '1380', 999999, 'x', 'x', 'x', false, '2026-11-18T00:00:00Z')"
    ),
}


async def busy(site: Site) -> None:
    """Pay once, twice, too little, too much, with a card and by transfer; the client is told."""
    async with site.parts.store.begin() as tx:
        client = await tx.row(text("SELECT id FROM client"))
    assert client is not None
    await site.parts.webhooks.add(AGENCY, client["id"], "http://127.0.0.1:9/")
    for n in range(1, 5):
        payment = await site.payment(n)
        attempt = await site.attempt(payment)
        number = {"vnp_TransactionNo": str(1_000 + n)}
        if n == 1:
            await site.vnpay_says(attempt, **number)
            await site.vnpay_says(attempt, vnp_TransactionNo="5")
        elif n == 2:
            await site.vnpay_says(attempt, vnp_Amount="500", **number)
        else:
            memo = f"TP{payment['reference']}"
            codes = await asyncio.gather(
                site.sepay_says(memo, 6_000, 10 * n), site.sepay_says(memo, 7_000, 10 * n + 1)
            )
            assert codes == [200, 200]
    await site.parts.outbox.sequence()


async def test_a_busy_day_breaks_no_rule(site: Site) -> None:
    await busy(site)

    assert await violations(site.parts.store) == []


@pytest.mark.parametrize("rule", BROKEN, ids=str)
async def test_a_rule_that_is_broken_by_hand_is_named(site: Site, rule: str) -> None:
    """A check that cannot fail proves nothing."""
    await busy(site)

    await site.as_owner(BROKEN[rule])
    site.clock.move(timedelta(minutes=6))  # What takes a moment has had it.

    assert rule in RULES
    assert rule in [v.rule for v in await violations(site.parts.store)]
