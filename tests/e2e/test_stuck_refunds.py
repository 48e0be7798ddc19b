"""Refunds that no provider will end: two people end them, and what comes later is a case."""

import pytest
import pytest_asyncio
from books import balance
from east_bank import DUE, EastBank, ask, holds, paid, rows, told, with_east_bank
from front_door import AGENCY, Site
from officers import send, signed_in

from gateway.domain.errors import Refusal
from gateway.ports.provider import RefundSaid, RefundVerdict
from gateway.services.stuck_refunds import StuckRefunds, doubt_max

OPEN = "SELECT subject, why FROM break WHERE state = 'open'"


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def approved(site: Site) -> str:
    """Ask for a whole refund, and agree to it."""
    payment = await paid(site)
    refund: str = (await ask(site, payment, DUE, DUE)).json()["id"]
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)
    return refund


async def turn(site: Site, refund: str, actor: str = "staff:b") -> None:
    stuck = StuckRefunds(site.parts.store, site.parts.sender.rows, site.parts.providers)
    await stuck.by_transfer(AGENCY, refund, "CV 12", actor)


async def says(site: Site, bank: EastBank, refund: str, verdict: RefundVerdict) -> None:
    async with site.parts.store.begin() as tx:
        said = RefundSaid(verdict, refund.removeprefix("ref_"), "R9")
        assert await site.parts.sender.told(tx, bank, said)


async def test_money_that_no_attempt_asked_for_goes_back_by_transfer(site: Site) -> None:
    """A provider gives back what one of our orders took, and there was none."""
    await told(site, "NOBODY|E9|5000")
    (case,) = await rows(site, "SELECT id FROM break WHERE state = 'open'")

    refund = await site.parts.refunds.ask_for_case(AGENCY, case["id"], "lạ", "staff:a")
    await site.parts.refunds.decide(AGENCY, refund, "staff:b", agree=True)

    assert (await site.parts.refunds.get(AGENCY, refund))["route"] == "transfer"


async def test_a_refund_whose_account_is_gone_is_transferred_by_two_people(
    site: Site, bank: EastBank
) -> None:
    refund = await approved(site)
    with pytest.raises(Refusal) as early:
        await turn(site, refund)
    assert early.value.code == "refund-not-open"
    del site.parts.providers[bank.name, bank.account]
    page = f"/console/refunds/{refund}"

    async with signed_in(site, "accountant") as one, signed_in(site, "approver") as other:
        assert "Chuyển khoản thay" in (await one.get(page)).text
        nameless = await send(one, page, f"{page}/prove", outcome="transfer", document="")
        assert nameless.status_code == 400
        await send(one, page, f"{page}/prove", outcome="transfer", document="CV 12")
        own = await one.get(page)
        assert f"{page}/prove" not in own.text  # Whoever turned it does not prove it.
        done = await send(other, page, f"{page}/prove", outcome="done", document="UNC 17")

    assert "CV 12; UNC 17" in done.text
    (row,) = await rows(site, "SELECT state, route FROM refund")
    assert (row["state"], row["route"]) == ("done", "transfer")
    assert [await balance(site, a) for a in ("3380", "1120", "1380")] == [0, -DUE, DUE]
    acts = await rows(site, "SELECT action FROM audit WHERE action LIKE 'refund.%' ORDER BY at")
    assert [a["action"] for a in acts] == ["refund.approve", "refund.transfer", "refund.prove"]


async def test_a_refund_long_in_doubt_can_be_ended_and_a_late_word_is_a_case(
    site: Site, bank: EastBank
) -> None:
    refund = await approved(site)
    bank.answers = ["silent"]
    await site.parts.sender.send()
    with pytest.raises(Refusal) as early:
        await turn(site, refund)
    assert early.value.code == "refund-not-open"
    site.clock.move(doubt_max)
    asked_by = (await site.parts.refunds.get(AGENCY, refund))["requested_by"]
    with pytest.raises(Refusal) as own:
        await turn(site, refund, asked_by)
    assert own.value.code == "same-person"

    await turn(site, refund)
    with pytest.raises(Refusal) as alone:
        await site.parts.sender.give_up(AGENCY, refund, "staff:b")
    assert alone.value.code == "same-person"
    await site.parts.sender.send()
    assert len(bank.calls) == 1  # Nobody asks the bank any more.
    await says(site, bank, refund, RefundVerdict.REFUSED)  # Known: it is being transferred.
    assert (await site.parts.refunds.get(AGENCY, refund))["state"] == "approved"
    await site.parts.sender.give_up(AGENCY, refund, "staff:c")
    await says(site, bank, refund, RefundVerdict.DONE)

    assert (await site.parts.refunds.get(AGENCY, refund))["state"] == "failed"
    (case,) = await rows(site, OPEN)
    assert case == {
        "subject": f"refund:{refund}",
        "why": "it was given up or failed, and then the provider gave it back",
    }


async def test_a_bank_that_gives_it_back_after_all_leaves_nothing_to_transfer(
    site: Site, bank: EastBank
) -> None:
    refund = await approved(site)
    bank.answers = ["silent"]
    await site.parts.sender.send()
    site.clock.move(doubt_max)
    await turn(site, refund)

    await says(site, bank, refund, RefundVerdict.DONE)

    row = await site.parts.refunds.get(AGENCY, refund)
    assert (row["state"], row["route"]) == ("done", "provider")
    assert [await balance(site, a) for a in ("3380", "1120", "1380")] == [0, 0, 0]
    await holds(site)


async def test_given_back_by_the_bank_and_by_transfer_is_a_case(site: Site, bank: EastBank) -> None:
    refund = await approved(site)
    bank.answers = ["silent"]
    await site.parts.sender.send()
    site.clock.move(doubt_max)
    await turn(site, refund)
    await site.parts.sender.prove(AGENCY, refund, "UNC 17", "staff:c")

    await says(site, bank, refund, RefundVerdict.DONE)

    (case,) = await rows(site, OPEN)
    assert case["why"] == "it was transferred, and then the provider gave it back too"
