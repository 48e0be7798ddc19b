"""Stripe's adapter against its simulated side, over real sockets, with every fault."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from town import Town

from adapters.simulator import Choice, Fault
from adapters.simulator.stripe import StripeSide
from adapters.stripe import Stripe
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import (
    DisputeState,
    Notice,
    Order,
    RefundOrder,
    RefundVerdict,
    Verdict,
)
from reconciliation.readers import stripe_payouts
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import read


def stripe(town: Town) -> Stripe:
    provider = town.providers["stripe"]
    assert isinstance(provider, Stripe)
    return provider


def side(town: Town) -> StripeSide:
    made = town.simulator.sides["stripe"]
    assert isinstance(made, StripeSide)
    return made


async def opened(town: Town, amount: int = 150_000) -> tuple[Order, str]:
    """Open a session; give the order as we then know it, and the page's address."""
    order = town.order(amount)
    checkout = await stripe(town).checkout(order)
    assert checkout.redirect_url
    return replace(order, provider_id=checkout.provider_id), checkout.redirect_url


async def paid(town: Town, fault: Fault | None = None) -> Order:
    order, url = await opened(town)
    town.simulator.faults.set(order.reference, fault)
    town.simulator.pay(url)
    await town.simulator.pump()
    return order


async def ask(town: Town, order: Order) -> Notice:
    return await stripe(town).ask(order, town.clock.now())


def refund_of(town: Town, order: Order, amount: int, number: int = 1) -> RefundOrder:
    (entry, *_) = town.simulator.journal.entries("stripe")
    return RefundOrder(
        reference=f"REF{number:09d}", serial=number, original=order, txn_id=entry.txn_id,
        captured=order.amount, amount=amount, text="Hoan tra", asked_by="thuphi",
        asked_at=town.clock.now(),
    )  # fmt: skip


async def test_a_paid_session_is_told_and_answered_alike(town: Town) -> None:
    order = await paid(town)

    (told,), asked = town.office.read, await ask(town, order)

    (entry,) = town.simulator.journal.entries("stripe")
    assert (told.verdict, told.txn_id, told.amount) == (Verdict.CAPTURED, entry.txn_id, 150_000)
    assert entry.txn_id.startswith("pi_")
    assert (asked.verdict, asked.txn_id, asked.amount) == (told.verdict, told.txn_id, told.amount)
    assert told.order_reference == asked.order_reference == order.reference
    assert told.paid_at == asked.paid_at == town.clock.now()
    assert town.office.forged == 0


async def test_the_page_shows_the_session_and_takes_the_citizen_back(town: Town) -> None:
    _, url = await opened(town, 1_250_000)

    async with httpx.AsyncClient(trust_env=False) as http:
        page, strange = await http.get(url), await http.get(f"{url}0")
        form = {"side": "stripe", "reference": "ATT000000001", "choice": "pay"}
        back = await http.post(f"{town.origin}/choose", data=form)

    assert (page.status_code, strange.status_code, back.status_code) == (200, 400, 303)
    assert "1.250.000 đ" in page.text
    assert back.headers["location"] == "http://127.0.0.1:9/return?l=vi"


async def test_who_declines_or_goes_back_leaves_the_session_open_and_can_pay_it_still(
    town: Town,
) -> None:
    """On Stripe's page another card can be tried, for as long as it lives."""
    order, url = await opened(town)

    for choice in (Choice.DECLINE, Choice.CANCEL, Choice.LEAVE):
        town.simulator.pay(url, choice)
        await town.simulator.pump()
        assert (await ask(town, order)).verdict is Verdict.PENDING
    town.simulator.pay(url)
    await town.simulator.pump()

    assert (await ask(town, order)).verdict is Verdict.CAPTURED
    assert [n.verdict for n in town.office.read] == [Verdict.PENDING, Verdict.CAPTURED]


async def test_a_session_ends_by_time_or_by_our_word(town: Town) -> None:
    order, _ = await opened(town)
    other, url = await opened(town)

    await stripe(town).cancel(other)
    await town.simulator.pump()
    assert (await ask(town, other)).verdict is Verdict.EXPIRED
    assert [n.verdict for n in town.office.read] == [Verdict.EXPIRED]
    town.simulator.pay(url)
    assert town.simulator.journal.entries("stripe") == []
    await stripe(town).cancel(other)  # Again: it is ended, and that is all we want.
    assert (await ask(town, order)).verdict is Verdict.PENDING
    await town.wait(timedelta(minutes=35))
    assert (await ask(town, order)).verdict is Verdict.EXPIRED
    third, url = await opened(town)
    town.simulator.pay(url)
    with pytest.raises(DeclinedError):
        await stripe(town).cancel(third)


@pytest.mark.parametrize(
    ("fault", "captured", "forged"),
    [
        (Fault.DUPLICATE, 2, 0), (Fault.BURST, 20, 0), (Fault.LATE, 1, 0), (Fault.SILENT, 0, 0),
        (Fault.OUT_OF_ORDER, 1, 0), (Fault.FORGED, 1, 1), (Fault.WRONG_MERCHANT, 1, 1),
        (Fault.TWELVE_HOURS, 1, 0),
    ],
)  # fmt: skip
async def test_whatever_is_sent_only_the_genuine_word_is_captured(
    town: Town, fault: Fault, captured: int, forged: int
) -> None:
    order = await paid(town, fault)
    asked = await ask(town, order)
    for _ in range(4):
        await town.wait(timedelta(hours=1))

    said = [n for n in town.office.read if n.verdict is Verdict.CAPTURED]
    assert len(said) == captured
    assert {n.txn_id for n in said} <= {asked.txn_id}
    assert town.office.forged == forged
    assert asked.verdict is Verdict.CAPTURED


async def test_stripe_repeats_until_it_is_thanked_and_signs_each_time_anew(town: Town) -> None:
    """A signature is of its time; the one of the first try would be too old."""
    town.office.failing = True
    await paid(town)
    assert town.office.read == []

    await town.wait(timedelta(minutes=5))
    town.office.failing = False
    assert await town.wait(timedelta(minutes=30)) == 1
    assert await town.wait(timedelta(days=3)) == 0

    assert [n.verdict for n in town.office.read] == [Verdict.CAPTURED]


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.EARLY, Fault.SLOW, Fault.MAINTENANCE])
async def test_a_checkout_whose_answer_is_lost_is_found_again(town: Town, fault: Fault) -> None:
    """Our key finds the session that we have no name of; nobody opens a second one."""
    order = town.order()
    town.simulator.faults.set(order.reference, fault)
    lost = fault in (Fault.RESET, Fault.MAINTENANCE)

    if lost:
        with pytest.raises(InDoubtError):
            await stripe(town).checkout(order)
    else:
        checkout = await stripe(town).checkout(order)
        assert checkout.redirect_url
    await town.wait(timedelta(seconds=30))
    if fault is Fault.MAINTENANCE:
        with pytest.raises(InDoubtError):
            await ask(town, order)
        await town.wait(timedelta(hours=1))
    asked = await ask(town, order)

    wanted = {Fault.EARLY: Verdict.CAPTURED, Fault.MAINTENANCE: Verdict.EXPIRED}
    assert asked.verdict is wanted.get(fault, Verdict.PENDING)
    assert len(side(town).orders.known) == 1
    assert len(town.simulator.journal.entries("stripe")) == int(fault is Fault.EARLY)


async def test_the_same_key_for_something_else_is_no_second_session(town: Town) -> None:
    order, _ = await opened(town)

    with pytest.raises(InDoubtError):
        await stripe(town).checkout(replace(order, amount=order.amount + 1))
    assert (await stripe(town).checkout(order)).provider_id == order.provider_id


async def test_an_error_after_the_money_was_taken_is_doubt_and_then_known(town: Town) -> None:
    order = await paid(town, Fault.SERVER_ERROR)

    with pytest.raises(InDoubtError):
        await ask(town, order)
    assert (await ask(town, order)).verdict is Verdict.CAPTURED


async def test_refunds_move_money_once_in_parts_and_never_more_than_came(town: Town) -> None:
    order = await paid(town)
    first, rest = refund_of(town, order, 50_000), refund_of(town, order, 100_000, 2)
    town.simulator.faults.set(order.reference, Fault.RESET)

    with pytest.raises(InDoubtError):  # Obeyed, and the answer broke off.
        await stripe(town).refund(first)
    known = await stripe(town).ask_refund(first, town.clock.now())
    again = await stripe(town).refund(first)
    assert (await stripe(town).refund(rest)).verdict is RefundVerdict.DONE
    with pytest.raises(InDoubtError):  # All is given back: perhaps it was this one.
        await stripe(town).refund(refund_of(town, order, 1, 3))
    await town.simulator.pump()

    assert (known.verdict, known.txn_id) == (RefundVerdict.DONE, again.txn_id)
    given = town.simulator.journal.entries("stripe", kind="refund")
    assert [e.amount for e in given] == [50_000, 100_000]
    told = [n.refund for n in town.office.read if n.refund]
    assert [(r.reference, r.txn_id) for r in told] == [
        (e.refund_reference, e.txn_id) for e in given
    ]
    much = refund_of(town, order, 150_001, 4)
    with pytest.raises(DeclinedError):
        await stripe(town).refund(much)


async def test_a_dispute_is_told_with_its_payment(town: Town) -> None:
    order = await paid(town)

    for status in ("warning_needs_response", "needs_response", "lost"):
        side(town).dispute(order.reference, status)
        await town.simulator.pump()

    said = [n for n in town.office.read if n.dispute]
    states = [n.dispute.state for n in said if n.dispute]
    assert states == [DisputeState.ASKED, DisputeState.OPENED, DisputeState.LOST]
    (entry,) = town.simulator.journal.entries("stripe")
    assert {(n.txn_id, n.amount) for n in said} == {(entry.txn_id, 150_000)}


async def test_a_payout_is_reported_as_the_file_writes_it(town: Town, tmp_path: Path) -> None:
    """Who fetches the report and who imports the file know the same movements."""
    first, *_ = [await paid(town) for _ in range(52)]  # More than a page of them.
    await stripe(town).refund(refund_of(town, first, 10_000))
    on = date(2026, 11, 18)

    lines = await stripe(town).report(on + timedelta(days=1))

    written = dict(town.simulator.write_files(on, tmp_path))
    content = written[stripe_payouts.PROFILE].read_bytes()
    filed = read(load_profile(stripe_payouts.PROFILE), content)
    ours = [
        (x.kind, x.txn_id, x.reference, x.gross, x.fee, x.net, x.txn_at, x.settled_on, x.batch_id)
        for x in lines
    ]
    theirs = [
        (x.kind, x.txn_id, x.reference, x.gross, x.fee, x.net, x.txn_at, x.value_on, x.batch_id)
        for x in filed
    ]
    assert (len(lines), ours) == (53, theirs)
    assert {x.account for x in filed} == {"stripe/default"}
    assert await stripe(town).report(on) == []
