"""Money that goes back: asked, agreed, sent once, in doubt until known, and in the books."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from books import balance
from east_bank import DUE, EastBank, ask, holds, paid, rows, told, with_east_bank
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.ports.provider import RefundRule
from gateway.services.sweeps import SweepError

PAUSE = timedelta(hours=2)  # Longer than any back-off.


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def decide(site: Site, refund: str, *, agree: bool = True, actor: str = "staff:b") -> None:
    await site.parts.refunds.decide(AGENCY, refund, actor, agree=agree)


async def events(site: Site) -> list[str]:
    await site.parts.outbox.sequence()
    return [e["type"] for e in (await site.get("/events"))["data"]]


async def test_a_whole_refund_goes_from_request_to_the_payers_account(
    site: Site, bank: EastBank
) -> None:
    payment = await paid(site)

    asked = await ask(site, payment, DUE, DUE)
    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "requested"
    waiting = await site.get(f"/payments/{payment['id']}")
    assert (waiting["amount_refundable"], waiting["amount_refunded"]) == (0, 0)
    assert bank.calls == []  # Nobody agreed yet.
    await decide(site, asked.json()["id"])
    assert await balance(site, "3380") == -DUE
    await holds(site)
    await site.parts.sender.send()

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_refunded"]) == ("refunded", DUE)
    assert (await site.get(f"/refunds/{asked.json()['id']}"))["state"] == "done"
    assert list(bank.given.values()) == [DUE]
    assert [await balance(site, a) for a in ("1380", "3330", "3380", "M2", "M5")] == [
        0, 0, 0, 0, DUE,
    ]  # fmt: skip
    assert (await events(site))[-3:] == ["refund.requested", "refund.done", "payment.refunded"]
    await holds(site)


async def test_part_refunds_end_exactly_at_nothing(site: Site, bank: EastBank) -> None:
    """Rounding that loses a đồng would leave a debt to the budget for ever."""
    payment = await paid(site)
    left = DUE
    for amount in (3_333, 1, 6_666):
        asked = await ask(site, payment, amount, left)
        await decide(site, asked.json()["id"])
        await site.parts.sender.send()
        left -= amount
        await holds(site)

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "refunded"
    assert await balance(site, "3330") == 0
    assert sorted(bank.given.values()) == [1, 3_333, 6_666]


async def test_of_two_who_ask_at_once_one_is_refused(site: Site) -> None:
    """Both saw the same remaining amount; only the first was right (SCENARIOS 26)."""
    payment = await paid(site)

    answers = await asyncio.gather(*(ask(site, payment, DUE, DUE) for _ in range(5)))

    assert sorted(a.status_code for a in answers) == [201, 409, 409, 409, 409]
    refused = next(a for a in answers if a.status_code == 409)
    assert refused.json()["type"] == "/problems/refund-mismatch"
    assert refused.json()["refundable"] == 0


async def test_the_same_key_asks_once(site: Site) -> None:
    payment = await paid(site)

    first, again = [await ask(site, payment, 4_000, DUE, "once") for _ in range(2)]

    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len((await site.get(f"/payments/{payment['id']}/refunds"))["data"]) == 1


async def test_whoever_asked_may_not_agree(site: Site) -> None:
    """Maker is not checker: the service says so, and so does the database."""
    payment = await paid(site)
    refund = await site.parts.refunds.ask_for_officer(
        AGENCY, payment["id"], (DUE, "sai", DUE), "staff:a"
    )

    with pytest.raises(Refusal) as caught:
        await decide(site, refund, actor="staff:a")

    assert caught.value.code == "same-person"
    with pytest.raises(Exception, match="maker_is_not_checker"):
        async with site.parts.store.begin() as tx:
            await tx.run(text("UPDATE refund SET decided_by = requested_by"))


async def test_below_the_agencys_limit_nobody_else_need_agree(site: Site) -> None:
    async with site.parts.store.begin() as tx:
        await tx.run(
            text("UPDATE agency SET settings = settings || '{\"refund_alone_max\": 5000}'")
        )
    payment = await paid(site)

    small, large = await ask(site, payment, 5_000, DUE), await ask(site, payment, 5_000, 5_000)
    above = await paid(site, 2, "E2")
    more = await ask(site, above, 5_001, DUE)

    assert [a.json()["state"] for a in (small, large, more)] == [
        "approved",
        "approved",
        "requested",
    ]


async def test_a_rejected_refund_frees_what_it_held(site: Site, bank: EastBank) -> None:
    payment = await paid(site)
    asked = await ask(site, payment, DUE, DUE)

    await decide(site, asked.json()["id"], agree=False)

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_refundable"]) == ("paid", DUE)
    assert (await events(site))[-1] == "refund.failed"
    assert bank.calls == []
    await holds(site)


async def test_silence_is_doubt_and_money_moves_once(site: Site, bank: EastBank) -> None:
    """The call times out, the bank did it: said failed, it would be paid twice (SCENARIOS 7)."""
    payment = await paid(site)
    asked = await ask(site, payment, DUE, DUE)
    await decide(site, asked.json()["id"])
    bank.answers = ["silent", "silent", "pending", "done"]

    seen = []
    for _ in range(4):
        await site.parts.sender.send()
        seen.append((await site.get(f"/refunds/{asked.json()['id']}"))["state"])
        site.clock.move(PAUSE)

    assert seen == ["in_doubt", "in_doubt", "sent", "done"]
    assert [c.split()[0] for c in bank.calls] == ["refund", "ask", "ask", "ask"]
    assert list(bank.given.values()) == [DUE]
    await holds(site)


async def test_after_a_crash_it_is_asked_about_and_not_sent_again(
    site: Site, bank: EastBank
) -> None:
    """A bank that has forgotten our reference by then would give it back twice."""
    payment = await paid(site)
    asked = await ask(site, payment, DUE, DUE)
    await decide(site, asked.json()["id"])
    bank.answers = ["away", "crash"]

    await site.parts.sender.send()
    assert (await site.get(f"/refunds/{asked.json()['id']}"))["state"] == "approved"  # Not reached.
    site.clock.move(PAUSE)
    with pytest.raises(SweepError):
        await site.parts.sender.send()
    assert (await site.get(f"/refunds/{asked.json()['id']}"))["state"] == "in_doubt"
    site.clock.move(PAUSE)
    await site.parts.sender.send()

    assert [c.split()[0] for c in bank.calls] == ["refund", "refund", "ask"]
    assert (await site.get(f"/refunds/{asked.json()['id']}"))["state"] == "done"
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_refusal_takes_the_approval_back_in_the_books(site: Site, bank: EastBank) -> None:
    payment = await paid(site)
    asked = await ask(site, payment, 4_000, DUE)
    await decide(site, asked.json()["id"])
    bank.answers = ["refused"]

    await site.parts.sender.send()

    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_refundable"], after["amount_refunded"]) == (
        "paid", DUE, 0,
    )  # fmt: skip
    assert [await balance(site, a) for a in ("3330", "3380", "M5")] == [-DUE, 0, 0]
    assert (await events(site))[-1] == "refund.failed"
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_bank_that_cannot_refund_leads_to_a_transfer_with_a_document(
    site: Site, bank: EastBank
) -> None:
    """Where the provider gives nothing back the agency transfers, and a document proves it."""
    bank.rule = RefundRule(partial=False)
    payment = await paid(site)
    refund = await site.parts.refunds.ask_for_officer(
        AGENCY, payment["id"], (4_000, "thừa", DUE), "staff:a",
        {"bank": "970436", "account": "0011", "name": "NGUYEN THI HOA"},
    )  # fmt: skip
    await decide(site, refund)
    await site.parts.sender.send()

    assert bank.calls == []
    with pytest.raises(Refusal) as caught:
        await site.parts.sender.prove(AGENCY, refund, "UNC 17", "staff:b")
    assert caught.value.code == "same-person"
    await site.parts.sender.prove(AGENCY, refund, "UNC 17", "staff:a")

    shown = await site.get(f"/refunds/{refund}")
    assert (shown["state"], shown["route"]) == ("done", "transfer")
    assert await balance(site, "1120") == -4_000  # Its line on the statement is still to come.
    payee = await site.parts.refunds.payee(AGENCY, refund, "staff:a")
    assert payee["account"] == "0011"


async def test_money_paid_twice_is_given_back_from_its_case(site: Site) -> None:
    """Every further đồng is a refundable case at once."""
    payment = await paid(site)
    attempt = (await rows(site, "SELECT provider_reference FROM attempt"))[0]["provider_reference"]
    await told(site, f"{attempt}|E2|{DUE}")
    (case,) = await rows(site, "SELECT id, kind FROM break WHERE state = 'open'")
    assert case["kind"] == "double"
    await holds(site)

    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "nộp hai lần", "staff:a")
    with pytest.raises(Refusal):
        await site.parts.refunds.ask_for_case(AGENCY, case["id"], "nộp hai lần", "staff:a")
    await decide(site, refund)
    await holds(site)
    await site.parts.sender.send()

    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], after["amount_suspended"]) == ("paid", 0)
    assert [await balance(site, a) for a in ("1380", "3310", "3380")] == [DUE, 0, 0]
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_refused_refund_of_a_case_opens_the_case_again(site: Site, bank: EastBank) -> None:
    payment = await paid(site)
    attempt = (await rows(site, "SELECT provider_reference FROM attempt"))[0]["provider_reference"]
    await told(site, f"{attempt}|E2|{DUE}")
    (case,) = await rows(site, "SELECT id FROM break WHERE state = 'open'")
    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "hai lần", "staff:a")
    await decide(site, refund)
    bank.answers = ["refused"]

    await site.parts.sender.send()

    assert len(await rows(site, "SELECT id FROM break WHERE state = 'open'")) == 1
    assert (await site.get(f"/payments/{payment['id']}"))["amount_suspended"] == DUE
    await holds(site)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"amount": 0, "reason": "x", "expected_refundable": DUE}, "/amount"),
        ({"amount": True, "reason": "x", "expected_refundable": DUE}, "/amount"),
        ({"amount": "5000", "reason": "x", "expected_refundable": DUE}, "/amount"),
        ({"amount": 5_000, "expected_refundable": DUE}, "/reason"),
        ({"amount": 5_000, "reason": " ", "expected_refundable": DUE}, "/reason"),
        ({"amount": 5_000, "reason": "x"}, "/expected_refundable"),
        ({"amount": 5_000, "reason": "x", "expected_refundable": DUE, "to": "me"}, "/to"),
    ],
)
async def test_a_wrong_field_is_named(site: Site, body: dict[str, Any], pointer: str) -> None:
    payment = await paid(site)

    answer = await site.ask(f"/payments/{payment['id']}/refunds", body)

    assert answer.status_code == 422
    assert pointer in [e["pointer"] for e in answer.json()["errors"]]


async def test_what_is_not_paid_has_nothing_to_give_back(site: Site) -> None:
    payment = await site.payment()

    answer = await ask(site, payment, DUE, 0)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/payment-not-refundable")
    assert (await ask(site, {"id": "pay_nobody"}, DUE, DUE)).status_code == 404
