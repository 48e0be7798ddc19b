"""payOS through the whole gateway: paid, told twice, in parts, silent, withdrawn."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from watched_city import Watched

from adapters.payos_signature import sign_data
from adapters.simulator import Choice, Fault
from adapters.simulator.payos import PayosSide
from adapters.simulator.payos_words import SAMPLE
from gateway.services.invariants import violations


def payos(watched: Watched) -> PayosSide:
    side = watched.banks.sides["payos"]
    assert isinstance(side, PayosSide)
    return side


async def told(watched: Watched, data: Mapping[str, Any]) -> int:
    """Send a notice as payOS does; give the status of our answer."""
    key = watched.banks.config.values["PAYOS_CHECKSUM_KEY"]
    body = {"code": "00", "desc": "success", "success": True, "data": dict(data),
            "signature": sign_data(key, data)}  # fmt: skip
    answer = await watched.site.http.post("/notices/payos/default", json=body)
    return answer.status_code


async def captures(watched: Watched) -> list[tuple[str, int]]:
    rows = await watched.rows("SELECT result, amount FROM capture ORDER BY id")
    return [(r["result"], r["amount"]) for r in rows]


async def attempts(watched: Watched) -> list[str]:
    return [r["state"] for r in await watched.rows("SELECT state FROM attempt ORDER BY id")]


async def test_a_fee_is_paid_at_payos_told_by_two_and_captured_once(watched: Watched) -> None:
    """SePay watches the same account; the statement will be the third to tell."""
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "payos")
    assert attempt["redirect_url"]
    assert attempt["qr_text"].startswith("000201")

    watched.banks.pay(attempt["redirect_url"])
    await watched.work()

    after = await watched.shown(payment)
    assert (after["state"], after["amount_received"], len(after["receipts"])) == ("paid", 10_000, 1)
    assert await captures(watched) == [("paid", 10_000)]
    assert await attempts(watched) == ["captured"]
    sources = await watched.rows("SELECT source FROM evidence")
    assert [r["source"] for r in sources] == ["notice", "notice"]
    events = (await watched.site.get("/events?after=0"))["data"]
    assert [e["type"] for e in events].count("payment.paid") == 1
    assert await violations(watched.site.parts.store) == []


async def test_parts_are_kept_on_account_until_they_are_enough(watched: Watched) -> None:
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "payos")

    watched.banks.bank.transfer_by_qr(attempt["qr_text"], 4_000)
    await watched.work()
    part = await watched.shown(payment)
    watched.banks.bank.transfer_by_qr(attempt["qr_text"], 7_000)
    await watched.work()

    after = await watched.shown(payment)
    assert (part["state"], part["amount_on_account"]) == ("open", 4_000)
    assert (after["state"], after["amount_suspended"]) == ("paid", 1_000)
    assert await captures(watched) == [("on_account", 4_000), ("paid", 7_000)]
    assert await attempts(watched) == ["captured"]
    assert await violations(watched.site.parts.store) == []


async def test_transfers_that_only_the_answer_tells_of_are_captured_one_by_one(
    watched: Watched,
) -> None:
    """Both services were silent; the job that asks hears of each, and hears it again in vain."""
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "payos")
    (order,) = payos(watched).orders.known.values()
    for amount in (6_000, 4_000):
        watched.banks.bank.credit(amount, "", 0, Fault.SILENT, "", (), order.reference)

    await watched.pass_time(minutes=2)
    await watched.pass_time(minutes=10)

    assert (await watched.shown(payment))["state"] == "paid"
    assert await captures(watched) == [("on_account", 6_000), ("paid", 4_000)]
    assert await attempts(watched) == ["captured"]


async def test_an_underpaid_order_ends_and_what_came_stays_on_account(watched: Watched) -> None:
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "payos")
    watched.banks.bank.transfer_by_qr(attempt["qr_text"], 4_000)

    await watched.pass_time(minutes=20)
    again = await watched.site.attempt(payment, "payos")

    assert await attempts(watched) == ["expired", "redirected"]
    assert (again["amount"], (await watched.shown(payment))["amount_on_account"]) == (6_000, 4_000)
    watched.banks.pay(again["redirect_url"])
    await watched.work()
    assert (await watched.shown(payment))["state"] == "paid"


async def test_a_sum_without_its_transfers_is_a_case_and_books_nothing(
    watched: Watched,
) -> None:
    """The page says that we are checking, and the statement will name the money."""
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "payos")
    payos(watched).lists_transfers = False
    watched.banks.faults.set(next(iter(payos(watched).orders.known)), Fault.SILENT)
    watched.banks.pay(attempt["redirect_url"])

    await watched.pass_time(minutes=2)

    assert await captures(watched) == []
    assert (await watched.shown(payment))["in_doubt"]
    assert [r["kind"] for r in await watched.rows("SELECT kind FROM break")] == ["status_conflict"]


async def test_the_order_of_a_cancelled_payment_is_withdrawn(watched: Watched) -> None:
    """Else a citizen who still has the page open pays what nobody wants any more."""
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "payos")
    answer = await watched.site.ask(f"/payments/{payment['id']}/cancel", {})
    assert answer.status_code == 200, answer.text

    await watched.work()

    (order,) = payos(watched).orders.known.values()
    assert payos(watched).status(order) == "CANCELLED"
    assert await attempts(watched) == ["cancelled"]


async def test_a_withdrawal_that_fails_is_tried_again(watched: Watched) -> None:
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "payos")
    (order,) = payos(watched).orders.known.values()
    await watched.site.ask(f"/payments/{payment['id']}/cancel", {})
    watched.banks.faults.set(order.reference, Fault.MAINTENANCE)

    await watched.work()
    first = await attempts(watched)
    watched.banks.faults.set(order.reference, None)
    await watched.pass_time(minutes=1)

    assert (first, await attempts(watched)) == (["redirected"], ["cancelled"])
    assert payos(watched).status(order) == "CANCELLED"


async def test_money_that_was_faster_than_the_withdrawal_is_a_late_case(
    watched: Watched,
) -> None:
    """It moved, so it is in the books; payOS says no, and is asked what came."""
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "payos")
    (order,) = payos(watched).orders.known.values()
    watched.banks.faults.set(order.reference, Fault.SILENT)
    await watched.site.ask(f"/payments/{payment['id']}/cancel", {})
    watched.banks.pay(attempt["redirect_url"])

    await watched.work()

    assert (await watched.shown(payment))["state"] == "cancelled"
    assert await captures(watched) == [("late", 10_000)]
    assert [r["kind"] for r in await watched.rows("SELECT kind FROM break")] == ["late"]
    assert await attempts(watched) == ["captured"]
    assert await violations(watched.site.parts.store) == []


async def test_the_order_of_a_payment_whose_time_is_over_is_withdrawn(watched: Watched) -> None:
    """Even where payOS would keep it open longer than we said."""
    ends = watched.site.clock.now().replace(minute=10)
    payment = await watched.site.payment(expires_at=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    await watched.site.attempt(payment, "payos")
    (order,) = payos(watched).orders.known.values()
    order.expires_at = order.expires_at.replace(hour=9)

    await watched.pass_time(minutes=11)
    await watched.site.parts.payments.expire(watched.site.parts.can_ask)

    assert payos(watched).status(order) == "CANCELLED"
    assert (await watched.shown(payment))["state"] == "expired"


async def test_the_order_of_a_payment_that_was_paid_elsewhere_is_withdrawn(
    watched: Watched,
) -> None:
    """Opening a second way voids nothing, but once it is paid nobody should pay again."""
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "payos")
    other = await watched.site.attempt(payment, "vnpay")
    watched.banks.pay(other["redirect_url"])

    await watched.pass_time(minutes=2)

    (order,) = payos(watched).orders.known.values()
    assert payos(watched).status(order) == "CANCELLED"
    assert await attempts(watched) == ["cancelled", "captured"]


async def test_a_transfer_attempt_of_a_cancelled_payment_ends_too(watched: Watched) -> None:
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "vietqr")
    await watched.site.ask(f"/payments/{payment['id']}/cancel", {})

    await watched.work()

    assert await attempts(watched) == ["cancelled"]


async def test_the_sample_and_an_unknown_order_are_thanked_and_only_one_is_money(
    watched: Watched,
) -> None:
    """The sample names an account that is not ours; the other credit lies on ours."""
    assert await told(watched, SAMPLE) == 200
    assert await captures(watched) == []

    stray = {**SAMPLE, "accountNumber": "0123456789", "reference": "FT5", "amount": 5_000,
             "transactionDateTime": "2026-11-18 08:00:00"}  # fmt: skip
    assert [await told(watched, stray), await told(watched, stray)] == [200, 200]

    assert await captures(watched) == [("unknown_money", 5_000)]
    assert await violations(watched.site.parts.store) == []


async def test_a_forged_notice_is_refused_and_books_nothing(watched: Watched) -> None:
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "payos")
    data = {**SAMPLE, "orderCode": 1, "accountNumber": "0123456789", "amount": 10_000}
    body = {"code": "00", "success": True, "data": data, "signature": "0" * 64}

    answer = await watched.site.http.post("/notices/payos/default", content=json.dumps(body))

    assert answer.status_code == 401
    assert await captures(watched) == []


async def test_a_qr_of_ours_that_payos_alone_tells_of_pays_by_its_text(
    watched: Watched,
) -> None:
    """Then its order number is one that we never gave."""
    payment = await watched.site.payment()
    await watched.site.attempt(payment, "vietqr")
    credit = {**SAMPLE, "orderCode": 7_000_000_000_001, "accountNumber": "0123456789",
              "paymentLinkId": "x1", "reference": "FT77", "amount": 10_000,
              "description": f"MBVCB.1.TP{payment['reference']}",
              "transactionDateTime": "2026-11-18 08:00:00"}  # fmt: skip

    assert await told(watched, credit) == 200

    assert (await watched.shown(payment))["state"] == "paid"
    assert await attempts(watched) == ["captured"]
    assert await violations(watched.site.parts.store) == []


async def test_a_qr_of_ours_that_two_services_tell_of_is_captured_once(
    watched: Watched,
) -> None:
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "vietqr")
    payos(watched).tells_all = True

    watched.banks.bank.transfer_by_qr(attempt["qr_text"])
    await watched.work()

    assert await captures(watched) == [("paid", 10_000)]
    sources = await watched.rows("SELECT source FROM evidence")
    assert [r["source"] for r in sources] == ["notice", "notice"]


async def test_the_payment_page_links_to_payos_and_calls_nobody_to_show_itself(
    watched: Watched,
) -> None:
    payment = await watched.site.payment()
    async with httpx.AsyncClient() as http:
        page = await http.get(payment["links"]["pay"])

        assert f"/{payment['links']['pay'].rsplit('/', 1)[1]}/payos" in page.text
        assert payos(watched).orders.known == {}
        gone = await http.get(f"{payment['links']['pay']}/payos")

    assert gone.status_code == 303
    assert gone.headers["location"].startswith(watched.banks.config.values["PAYOS_BASE_URL"])
    watched.banks.pay(gone.headers["location"], Choice.PAY)
    await watched.work()
    assert (await watched.shown(payment))["state"] == "paid"
