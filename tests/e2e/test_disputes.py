"""A payer takes a payment back through the provider: postings and a case, never silence."""

from datetime import timedelta

import pytest
import pytest_asyncio
from books import balance
from east_bank import (
    DUE,
    EastBank,
    ask,
    holds,
    last_event,
    paid,
    quarrel,
    rows,
    told,
    with_east_bank,
)
from front_door import AGENCY, Site

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.entry.reconciling import holders_of
from gateway.ports.provider import DisputeState
from gateway.services.working_calendar import vietnam
from reconciliation.inputs import DayRules, load

PAUSE = timedelta(hours=2)  # Longer than any back-off.


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def dues(site: Site) -> int:
    """Give what a run of today expects at the treasury."""
    now = site.clock.now()
    days = DayRules(lambda *about: hanoi_day(about[2]), vietnam())
    async with site.parts.store.begin() as tx:
        seen = await load(tx, AGENCY, hanoi_day(now), now, 1, holders_of(site.parts), days)
    return sum(due["amount"] for due in seen.dues)


@pytest.mark.usefixtures("proved")
async def test_a_dispute_is_postings_and_a_case_and_no_refund_beside_it(
    site: Site,
) -> None:
    payment = await paid(site)

    for _ in range(2):  # The provider says everything twice.
        await told(site, f"dispute|E1|D1|opened|{DUE}|500")

    assert [await balance(site, a) for a in ("1380", "1381", "6420", "1383")] == [
        -500, DUE, 500, 500,
    ]  # fmt: skip
    (case,) = await rows(site, "SELECT kind, subject FROM break WHERE state = 'open'")
    assert case["kind"] == "status_conflict"
    refused = await ask(site, payment, DUE, DUE)
    assert refused.json()["type"] == "/problems/payment-disputed"
    await told(site, f"dispute|E1|D1|won|{DUE}|500")
    assert [await balance(site, a) for a in ("1380", "1381")] == [DUE - 500, 0]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []


async def test_a_lost_dispute_makes_the_fee_owed_again(site: Site) -> None:
    """The payer has the money back, so the debt is open, and can be paid once more."""
    payment = await paid(site)

    await told(site, f"dispute|E1|D1|lost|{DUE}|0")

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_received"]) == ("open", 0)
    assert [await balance(site, a) for a in ("1380", "1381", "3330", "M1", "M2")] == [
        0, 0, 0, DUE, 0,
    ]  # fmt: skip
    await holds(site)
    attempt = await site.attempt(after, "vnpay")
    assert await site.vnpay_says(attempt) == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    await holds(site)
    assert (await ask(site, payment, 4_000, DUE)).status_code == 201
    (refund,) = await rows(
        site, "SELECT c.provider FROM refund r JOIN capture c ON c.id = r.capture_id"
    )
    assert refund["provider"] == "vnpay"  # What East Bank had captured, the payer has back.
    assert await dues(site) == DUE


async def test_a_dispute_opened_after_the_approval_stops_the_refund(
    site: Site, bank: EastBank
) -> None:
    """Sent all the same, the payer would have the money twice; stopped, somebody must see it."""
    payment = await paid(site)
    refund = (await ask(site, payment, DUE, DUE)).json()["id"]
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    await told(site, f"dispute|E1|D1|opened|{DUE}|0")

    await site.parts.sender.send()

    assert bank.calls == []
    cases = "SELECT split_part(subject, ':', 1) AS about FROM break WHERE state = 'open'"
    assert sorted(r["about"] for r in await rows(site, cases)) == ["dispute", "unsent"]
    await told(site, f"dispute|E1|D1|lost|{DUE}|0")
    assert (await site.get(f"/refunds/{refund}"))["state"] == "failed"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "open"
    assert await rows(site, cases) == []
    site.clock.move(PAUSE)
    await site.parts.sender.send()
    assert bank.calls == []
    await holds(site)


async def test_a_dispute_that_is_won_lets_the_refund_go(site: Site, bank: EastBank) -> None:
    payment = await paid(site)
    refund = (await ask(site, payment, DUE, DUE)).json()["id"]
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    await told(site, f"dispute|E1|D1|opened|{DUE}|0")
    await site.parts.sender.send()
    await told(site, f"dispute|E1|D1|won|{DUE}|0")
    site.clock.move(PAUSE)

    await site.parts.sender.send()

    assert list(bank.given.values()) == [DUE]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
    await holds(site)


async def test_a_lost_dispute_over_money_that_paid_nothing_takes_it_from_what_is_owed(
    site: Site,
) -> None:
    """Paid twice, the payer disputes the second: the agency owed it, and loses nothing."""
    payment = await paid(site)
    attempt = (await rows(site, "SELECT provider_reference FROM attempt"))[0]["provider_reference"]
    await told(site, f"{attempt}|E2|{DUE}")
    case = "SELECT id FROM break WHERE kind = 'double' AND state = 'open'"
    (double,) = await rows(site, case)
    refund = await site.parts.refunds.ask_for_case(AGENCY, double["id"], "hai lần", "staff:a")

    await told(site, f"dispute|E2|D1|lost|{DUE}|0")

    assert [await balance(site, a) for a in ("3310", "1381", "6430", "3330")] == [0, 0, 0, -DUE]
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_suspended"]) == ("paid", 0)
    assert await last_event(site) == ("payment.suspended", 0)
    assert await rows(site, case) == []
    with pytest.raises(Refusal) as caught:
        await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    assert caught.value.code == "payment-not-refundable"
    await holds(site)
    assert (await ask(site, payment, DUE, DUE)).status_code == 201  # What paid is untouched.


async def test_a_refund_of_a_case_that_was_not_sent_gives_way_to_the_lost_dispute(
    site: Site, bank: EastBank
) -> None:
    payment = await paid(site)
    attempt = (await rows(site, "SELECT provider_reference FROM attempt"))[0]["provider_reference"]
    await told(site, f"{attempt}|E2|{DUE}")
    (double,) = await rows(site, "SELECT id FROM break WHERE state = 'open'")
    refund = await site.parts.refunds.ask_for_case(AGENCY, double["id"], "hai lần", "staff:a")
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)

    await told(site, f"dispute|E2|D1|lost|{DUE}|0")
    await site.parts.sender.send()

    assert bank.calls == []
    assert [await balance(site, a) for a in ("3310", "3380", "6430")] == [0, 0, 0]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
    assert (await site.get(f"/payments/{payment['id']}"))["amount_suspended"] == 0
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_of_a_lost_dispute_the_surplus_goes_first_and_the_fee_is_owed_again(
    site: Site,
) -> None:
    payment = await site.payment()
    assert await site.sepay_says(f"TP{payment['reference']}", 12_000, 1) == 200
    (came,) = await rows(site, "SELECT txn_id FROM capture")

    await quarrel(site, came["txn_id"], DisputeState.LOST, 12_000)

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_received"], after["amount_suspended"]) == ("open", 0, 0)
    assert [await balance(site, a) for a in ("3320", "3330", "1381", "6430")] == [0, 0, 0, 0]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
    await holds(site)


async def test_a_part_that_was_charged_back_lies_on_account_no_more(site: Site) -> None:
    """And once the payment ends, only the other part is a case."""
    payment = await site.payment()
    for number, amount in ((1, 3_000), (2, 4_000)):
        assert await site.sepay_says(f"TP{payment['reference']}", amount, number) == 200
    (part,) = await rows(site, "SELECT txn_id FROM capture WHERE amount = 4000")

    await quarrel(site, part["txn_id"], DisputeState.LOST, 4_000)

    assert (await site.get(f"/payments/{payment['id']}"))["amount_on_account"] == 3_000
    assert await last_event(site, "amount_on_account") == ("payment.suspended", 3_000)
    assert [await balance(site, a) for a in ("3310", "1381", "6430")] == [-3_000, 0, 0]
    await holds(site)
    assert (await site.ask(f"/payments/{payment['id']}/cancel", {})).status_code == 200
    cases = await rows(site, "SELECT amount FROM break WHERE state = 'open' AND kind = 'partial'")
    assert [k["amount"] for k in cases] == [3_000]
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_part_that_became_surplus_is_taken_from_the_surplus(site: Site) -> None:
    """A card paid the whole after a transfer of a part: the part is owed to who sent it."""
    payment = await site.payment()
    assert await site.sepay_says(f"TP{payment['reference']}", 4_000, 1) == 200
    attempt = await site.attempt(payment, "eastbank")
    await told(site, f"{attempt['provider_reference']}|E1|{DUE}")
    (part,) = await rows(site, "SELECT txn_id FROM capture WHERE amount = 4000")
    assert await balance(site, "3320") == -4_000

    await quarrel(site, part["txn_id"], DisputeState.LOST, 4_000)

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_suspended"]) == ("paid", 0)
    assert [await balance(site, a) for a in ("3320", "1381", "6430")] == [0, 0, 0]
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_of_unknown_money_only_what_was_not_charged_back_is_a_case(site: Site) -> None:
    assert await site.sepay_says("khong ro", 5_000, 1) == 200
    (came,) = await rows(site, "SELECT txn_id FROM capture")
    (case,) = await rows(site, "SELECT id FROM break WHERE state = 'open'")
    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "lạ", "staff:a")

    await quarrel(site, came["txn_id"], DisputeState.LOST, 2_000)

    (case,) = await rows(site, "SELECT id, amount FROM break WHERE state = 'open'")
    assert case["amount"] == 3_000
    with pytest.raises(Refusal) as caught:  # It was asked for when there was more.
        await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    assert caught.value.code == "payment-not-refundable"
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=False)
    await site.parts.refunds.ask_for_case(AGENCY, case["id"], "lạ", "staff:a")
    assert [await balance(site, a) for a in ("3310", "1381", "6430")] == [-3_000, 0, 0]
    await holds(site)


async def test_a_dispute_about_a_charge_nobody_knows_is_a_case_until_it_is_known(
    site: Site,
) -> None:
    """It has a date by which it must be answered, whatever our books say."""
    for _ in range(2):
        answer = await told(site, f"dispute|E1|D1|opened|{DUE}|500")
        assert answer == "unknown_order"

    cases = "SELECT agency_id, kind, subject, amount FROM break WHERE state = 'open'"
    assert [tuple(k.values()) for k in await rows(site, cases)] == [
        (AGENCY, "status_conflict", "dispute:D1", DUE)
    ]
    assert await balance(site, "1381") == 0
    await holds(site)

    await paid(site)
    await told(site, f"dispute|E1|D1|won|{DUE}|0")

    assert await rows(site, cases) == []
    assert await balance(site, "1381") == 0
    await holds(site)
