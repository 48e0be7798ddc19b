"""One fee, from the request to paid, through the front door; what a capture means (CONTRACT 2)."""

import asyncio
from datetime import timedelta
from typing import Any

from front_door import Site, payment_body, vnpay_query
from sqlalchemy import text


async def balances(site: Site) -> dict[str, int]:
    """Give debit less credit for each account that moved."""
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text(
                "SELECT account, sum(amount)::bigint AS balance FROM"
                " (SELECT debit AS account, amount FROM entry UNION ALL"
                " SELECT credit, -amount FROM entry) x GROUP BY account"
            )
        )
    return {r["account"]: r["balance"] for r in rows if r["balance"]}


async def breaks(site: Site) -> list[str]:
    async with site.parts.store.begin() as tx:
        return [r["kind"] for r in await tx.rows(text("SELECT kind FROM break ORDER BY id"))]


async def events(site: Site) -> list[Any]:
    await site.parts.outbox.sequence()
    found: list[Any] = (await site.get("/events?after=0"))["data"]
    return found


async def test_a_fee_is_asked_for_and_paid_and_the_books_say_so(site: Site) -> None:
    """The spine: 10,000 đồng of lệ phí, owed, collected, due to the budget."""
    payment = await site.payment()
    assert (payment["state"], payment["amount"]) == ("open", 10_000)
    attempt = await site.attempt(payment)

    assert await site.vnpay_says(attempt) == "00"

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_received"]) == ("paid", 10_000)
    assert await balances(site) == {"1380": 10_000, "3330": -10_000, "M2": 10_000, "M9": -10_000}
    said = await events(site)
    assert [e["type"] for e in said] == ["payment.opened", "payment.paid"]
    assert [(e["position"], e["sequence"]) for e in said] == [(1, 1), (2, 2)]
    assert said[1]["data"]["state"] == "paid"


async def test_the_same_notice_twenty_times_at_once_pays_once(site: Site) -> None:
    """SCENARIOS 1 and 4: providers repeat themselves within milliseconds."""
    attempt = await site.attempt(await site.payment())

    codes = await asyncio.gather(*(site.vnpay_says(attempt) for _ in range(20)))

    assert sorted(codes) == ["00"] + ["02"] * 19
    assert (await balances(site))["1380"] == 10_000
    assert [e["type"] for e in await events(site)].count("payment.paid") == 1


async def test_another_amount_goes_to_suspense_once_and_vnpay_hears_04_each_time(
    site: Site,
) -> None:
    """SCENARIOS 10: nothing is lost and nothing is «paid»."""
    payment = await site.payment()
    attempt = await site.attempt(payment)

    codes = [await site.vnpay_says(attempt, vnp_Amount="900000") for _ in range(3)]

    assert codes == ["04", "04", "04"]
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_suspended"]) == ("open", 9_000)
    assert (await balances(site))["3310"] == -9_000
    assert await breaks(site) == ["amount"]


async def test_a_second_success_is_a_refundable_case_at_once(site: Site) -> None:
    """SCENARIOS 15 and 19: the second đồng is never refused as a duplicate."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await site.vnpay_says(attempt)

    assert await site.vnpay_says(attempt, vnp_TransactionNo="999") == "00"

    assert await breaks(site) == ["double"]
    assert (await balances(site))["3310"] == -10_000


async def test_a_forged_notice_changes_nothing(site: Site) -> None:
    attempt = await site.attempt(await site.payment())
    query = vnpay_query(attempt).replace("vnp_Amount=1000000", "vnp_Amount=2000000")

    answer = await site.http.get(f"/notices/vnpay/default?{query}")

    assert answer.json()["RspCode"] == "97"
    assert "1380" not in await balances(site)


async def test_a_notice_for_an_unknown_order_is_kept_as_unknown_money(site: Site) -> None:
    attempt = await site.attempt(await site.payment())

    assert await site.vnpay_says(attempt, vnp_TxnRef="NOBODYKNOWSTHIS") == "01"

    assert await breaks(site) == ["unknown_money"]
    assert (await balances(site))["3310"] == -10_000


async def test_a_decline_leaves_the_payment_open(site: Site) -> None:
    payment = await site.payment()
    attempt = await site.attempt(payment)

    code = await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")

    assert code == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "open"


async def test_money_for_an_expired_payment_pays_it_late(site: Site) -> None:
    """SCENARIOS 8: a confirmation may come a day after we gave up."""
    payment = await site.payment(expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(payment)
    await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")
    site.clock.move(timedelta(hours=2))
    await site.parts.payments.expire(site.parts.can_ask)
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "expired"

    assert await site.vnpay_says(attempt) == "00"

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["late"]) == ("paid", True)


async def test_money_for_a_replaced_payment_is_a_case_and_the_books_still_agree(
    site: Site,
) -> None:
    """Nobody pays the same debt twice without a case being opened."""
    first = await site.payment(expires_at="2026-11-18T02:00:00Z")
    attempt = await site.attempt(first)
    await site.vnpay_says(attempt, vnp_ResponseCode="24", vnp_TransactionStatus="02")
    site.clock.move(timedelta(hours=2))
    await site.parts.payments.expire(site.parts.can_ask)
    await site.payment()

    await site.vnpay_says(attempt)

    assert await breaks(site) == ["late"]
    assert (await balances(site))["M1"] == 10_000, "only the new payment is still owed"


async def test_transfers_add_up_and_what_is_beyond_becomes_surplus(site: Site) -> None:
    payment = await site.payment()
    memo = f"MBVCB.45 ck tp {payment['reference'][:5].lower()}\n{payment['reference'][5:].lower()}"

    assert await site.sepay_says(memo, 4_000, 1) == 200
    part = await site.get(f"/payments/{payment['id']}")
    assert (part["state"], part["amount_on_account"]) == ("open", 4_000)
    assert await site.sepay_says(memo, 7_000, 2) == 200

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_received"], after["amount_on_account"]) == (
        "paid", 10_000, 0,
    )  # fmt: skip
    assert await breaks(site) == ["surplus"]
    found = await balances(site)
    assert (found["1380"], found["3330"], found["3320"]) == (11_000, -10_000, -1_000)
    assert "3310" not in found


async def test_the_same_credit_reported_again_is_one_capture(site: Site) -> None:
    payment = await site.payment()
    memo = f"TP{payment['reference']}"

    for _ in range(3):
        assert await site.sepay_says(memo, 10_000, 7) == 200

    assert (await balances(site))["1380"] == 10_000


async def test_a_repeated_request_gives_the_same_bytes(site: Site) -> None:
    """SCENARIOS 2 and 3: the loser of a race gets the winner's payment."""
    answers = await asyncio.gather(
        *(site.ask("/payments", payment_body(), key="one") for _ in range(10))
    )

    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert [a.headers.get("idempotency-replayed") for a in answers].count("true") == 9
    other = await site.ask("/payments", payment_body(2), key="one")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_a_debt_is_owed_once(site: Site) -> None:
    """SCENARIOS 16: after an error the user retries; the open payment is the answer."""
    payment = await site.payment()

    again = await site.ask("/payments", payment_body())

    assert again.status_code == 409
    assert again.json()["payment_id"] == payment["id"]
    assert again.json()["pay"] == payment["links"]["pay"]


async def test_a_free_procedure_is_waived_at_once(site: Site) -> None:
    payment = await site.payment(procedure="1.001193")

    assert (payment["state"], payment["amount"]) == ("waived", 0)
    assert await balances(site) == {}


async def test_a_cancelled_payment_leaves_no_debt(site: Site) -> None:
    payment = await site.payment()

    answer = await site.ask(f"/payments/{payment['id']}/cancel", {})

    assert answer.json()["state"] == "cancelled"
    assert await balances(site) == {"M4": 10_000, "M9": -10_000}
