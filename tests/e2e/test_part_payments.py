"""A part that came for a payment which ended without the rest: a case, and it goes back whole."""

from typing import Any

import pytest
from books import balance, breaks
from east_bank import ask, holds, rows
from front_door import AGENCY, Site
from officers import send, signed_in
from sqlalchemy import text

from gateway.services.invariants import violations

ENDS = {"expires_at": "2026-11-18T02:00:00Z"}


async def ended(site: Site, how: str, *parts: int) -> dict[str, Any]:
    """Let parts come for a payment, and end it."""
    payment = await site.payment(**ENDS if how == "expired" else {})
    for n, amount in enumerate(parts, 1):
        await site.sepay_says(f"TP{payment['reference']}", amount, n)
    if how == "cancelled":
        await site.ask(f"/payments/{payment['id']}/cancel", {})
    else:
        site.clock.move(site.clock.now().replace(hour=2) - site.clock.now())
        await site.parts.payments.expire(site.parts.can_ask)
    after: dict[str, Any] = await site.get(f"/payments/{payment['id']}")
    assert after["state"] == how
    return after


async def open_cases(site: Site) -> list[dict[str, Any]]:
    """Give the open cases, smallest first."""
    return await rows(site, "SELECT * FROM break WHERE state = 'open' ORDER BY amount")


async def holds_without_a_statement(site: Site) -> None:
    """Say that every invariant holds, but that no file has brought to the bank what left it."""
    await site.parts.outbox.sequence()
    broken = await violations(site.parts.store)
    assert [v.rule for v in broken] == ["no balance is on its wrong side"]


@pytest.mark.parametrize("how", ["cancelled", "expired"])
async def test_each_part_is_a_case_with_an_owner_and_an_age(site: Site, how: str) -> None:
    """Nobody would look for it otherwise: no day's check asks why it lies there."""
    payment = await ended(site, how, 3_000, 4_000)

    found = await open_cases(site)

    assert [(k["kind"], k["amount"], k["payment_id"]) for k in found] == [
        ("partial", 3_000, payment["id"]), ("partial", 4_000, payment["id"]),
    ]  # fmt: skip
    assert {(k["owner_role"], k["proposal"], str(k["since_on"])) for k in found} == {
        ("accountant", "refund", "2026-11-18")
    }
    assert (payment["amount_on_account"], payment["amount_refundable"]) == (7_000, 7_000)
    assert await balance(site, "3310") == -7_000, "a case, and no more money than before"
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_replaced_payment_keeps_its_case_and_later_money_is_another(site: Site) -> None:
    payment = await ended(site, "expired", 4_000)
    await site.payment()

    await site.sepay_says(f"TP{payment['reference']}", 6_000, 9)

    assert await breaks(site) == [("late", "capture"), ("partial", "capture")]
    assert await balance(site, "3310") == -10_000
    await holds(site)


async def test_a_case_goes_back_from_the_console_and_leaves_the_account(site: Site) -> None:
    payment = await ended(site, "cancelled", 3_000, 4_000)
    case = (await open_cases(site))[1]["id"]

    async with signed_in(site, "accountant") as maker, signed_in(site, "approver") as checker:
        asked = await send(
            maker, f"/console/breaks/{case}", f"/console/breaks/{case}/refund", reason="huỷ hồ sơ"
        )
        page = asked.url.path
        agreed = await send(checker, page, f"{page}/decide", decision="approve")
        between = await site.get(f"/payments/{payment['id']}")
        await holds(site)
        await send(maker, page, f"{page}/prove", document="UNC 17")

    assert "tiền nộp một phần" in agreed.text
    assert (between["amount_on_account"], between["amount_suspended"]) == (3_000, 4_000)
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["amount_on_account"], after["amount_suspended"]) == (3_000, 0)
    assert [await balance(site, a) for a in ("3310", "3380", "1120")] == [-3_000, 0, -4_000]
    assert [k["amount"] for k in await open_cases(site)] == [3_000]
    await holds_without_a_statement(site)


async def test_a_client_asks_for_a_part_back_and_one_that_fails_is_a_case_again(
    site: Site,
) -> None:
    """Each part goes back whole, for two transfers may have two senders."""
    payment = await ended(site, "cancelled", 3_000, 2_000, 2_000)

    wrong = await ask(site, payment, 7_000, 7_000)
    stale = await ask(site, payment, 2_000, 3_000)
    asked, twin, again = [await ask(site, payment, 2_000, 7_000) for _ in range(3)]

    assert {a.json()["type"] for a in (wrong, stale, again)} == {"/problems/refund-mismatch"}
    assert [a.json()["source"] for a in (asked, twin)] == ["on_account"] * 2
    refund = asked.json()["id"]
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    await site.parts.sender.give_up(AGENCY, refund, "staff:a")
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["amount_on_account"], after["amount_suspended"]) == (7_000, 0)
    assert [k["amount"] for k in await open_cases(site)] == [2_000, 2_000, 3_000]
    assert await balance(site, "3310") == -7_000
    await holds(site)


async def test_within_the_limit_a_case_needs_nobody_else(site: Site) -> None:
    """And its events are counted on, whoever agreed."""
    async with site.parts.store.begin() as tx:
        await tx.run(
            text("UPDATE agency SET settings = settings || '{\"refund_alone_max\": 5000}'")
        )
    await ended(site, "cancelled", 4_000)
    (case,) = await open_cases(site)

    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "huỷ hồ sơ", "staff:a")
    await site.parts.sender.prove(AGENCY, refund, "UNC 18", "staff:b")

    assert (await site.get(f"/refunds/{refund}"))["state"] == "done"
    assert await balance(site, "3310") == 0
    await holds_without_a_statement(site)


@pytest.mark.usefixtures("proved")
async def test_a_card_that_pays_the_whole_sends_each_part_back_to_its_own_payer(
    site: Site,
) -> None:
    """Not to the card: who sent the parts would never see them, and the debt could not go back."""
    payment = await site.payment()
    for n, amount in enumerate((3_000, 4_000), 1):
        await site.sepay_says(f"TP{payment['reference']}", amount, n)

    await site.vnpay_says(await site.attempt(payment))

    found = await rows(
        site,
        "SELECT k.id, k.kind, k.amount, c.provider FROM break k JOIN capture c"
        " ON c.agency_id = k.agency_id AND c.id = k.capture_id ORDER BY k.amount",
    )
    assert [(k["kind"], k["amount"], k["provider"]) for k in found] == [
        ("surplus", 3_000, "vietqr"), ("surplus", 4_000, "vietqr"),
    ]  # fmt: skip
    await holds(site)
    for n, case in enumerate(found):
        refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "nộp thừa", "staff:a")
        await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
        await site.parts.sender.prove(AGENCY, refund, f"UNC 2{n}", "staff:a")
    debt = await ask(site, payment, 10_000, 10_000)
    await site.parts.refunds.decide(AGENCY, debt.json()["id"], "staff:b", agree=True)

    sent = await rows(
        site,
        "SELECT r.source, r.route, r.amount, c.provider FROM refund r JOIN capture c"
        " ON c.agency_id = r.agency_id AND c.id = r.capture_id ORDER BY r.amount",
    )
    assert [tuple(r.values()) for r in sent] == [
        ("surplus", "transfer", 3_000, "vietqr"), ("surplus", "transfer", 4_000, "vietqr"),
        ("debt", "provider", 10_000, "vnpay"),
    ]  # fmt: skip
    assert [await balance(site, a) for a in ("3310", "3320", "1120")] == [0, 0, -7_000]
    await holds_without_a_statement(site)
