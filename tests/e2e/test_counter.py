"""A clerk takes cash or a card in a shift; the same debt is never taken twice."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from books import NEXT, balance, breaks, reconcile, take
from east_bank import holds, rows
from front_door import AGENCY, Site
from officers import officer
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.access import Officer

DUE = 10_000


@pytest_asyncio.fixture
async def clerk(site: Site) -> Officer:
    """Give a clerk with an open shift."""
    made = await officer(site, "lan")
    await site.parts.counters.open_shift(made, "hoan-kiem", "quay-1", 0)
    return made


async def shift_of(site: Site, who: Officer) -> str:
    row = await site.parts.counters.my_shift(who)
    assert row is not None
    return str(row["id"])


async def refused(code: str, doing: Any) -> None:
    with pytest.raises(Refusal) as caught:
        await doing
    assert caught.value.code == code


async def test_cash_pays_at_once_and_lies_in_the_drawer(site: Site, clerk: Officer) -> None:
    payment = await site.payment()

    taken = await site.parts.counters.take(clerk, payment["id"], "cash")

    assert taken == DUE
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert [await balance(site, a) for a in ("1110", "1380", "3330", "M2")] == [DUE, 0, -DUE, DUE]
    (take,) = await rows(site, "SELECT * FROM counter_take")
    assert (take["staff_id"], take["branch_id"], take["method"]) == (clerk.id, "hoan-kiem", "cash")
    await holds(site)


async def test_a_card_is_owed_by_the_terminals_bank_and_its_slip_counts_once(
    site: Site, clerk: Officer
) -> None:
    first, second = await site.payment(1), await site.payment(2)

    await site.parts.counters.take(clerk, first["id"], "card", "000123")

    assert [await balance(site, a) for a in ("1110", "1380")] == [0, DUE]
    await refused(
        "invalid-request", site.parts.counters.take(clerk, second["id"], "card", "000123")
    )
    assert (await site.get(f"/payments/{second['id']}"))["state"] == "open"
    await holds(site)


async def test_a_slips_number_that_comes_again_is_taken_with_what_is_proposed(
    site: Site, clerk: Officer
) -> None:
    """Terminals begin anew, and a branch has two: the card is charged, so it needs a record."""
    payments = [await site.payment(n) for n in range(1, 5)]
    await site.parts.counters.take(clerk, payments[0]["id"], "card", "000123")
    await shut(site, clerk)
    site.clock.move(timedelta(days=1))
    await site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-1", 0)

    for n, proposed in ((1, "000123-2"), (2, "000123-3")):
        with pytest.raises(Refusal, match="another day or amount") as caught:
            await site.parts.counters.take(clerk, payments[n]["id"], "card", "000123")
        assert caught.value.extra == {"slip": proposed}
        await site.parts.counters.take(clerk, payments[n]["id"], "card", proposed)
    with pytest.raises(Refusal, match="in the books already; check"):
        await site.parts.counters.take(clerk, payments[3]["id"], "card", "000123-3")

    assert await balance(site, "1380") == 3 * DUE
    slips = await rows(site, "SELECT slip FROM counter_take ORDER BY slip")
    assert [s["slip"] for s in slips] == ["000123", "000123-2", "000123-3"]
    await site.parts.receipts.issue()
    await holds(site)


async def shut(site: Site, clerk: Officer) -> None:
    """End the clerk's shift, as another signs it."""
    shift = await shift_of(site, clerk)
    await site.parts.counters.count(clerk, shift, 0)
    await site.parts.counters.sign(await officer(site, "hoa", "accountant"), shift, "TUI-1")


async def test_without_an_open_shift_no_money_is_taken(site: Site) -> None:
    payment = await site.payment()
    who = await officer(site, "hoa")

    await refused("no-open-shift", site.parts.counters.take(who, payment["id"], "cash"))
    await refused(
        "forbidden",
        site.parts.counters.take(await officer(site, "kim", "auditor"), payment["id"], "cash"),
    )
    with pytest.raises(Exception, match="null value in column"):
        async with site.parts.store.begin() as tx:
            await tx.run(
                text(
                    "INSERT INTO counter_take (agency_id, capture_id, shift_id, branch_id, method)"
                    f" VALUES ('{AGENCY}', 'c', 's', 'hoan-kiem', 'cash')"
                )
            )


async def test_two_clerks_at_once_take_the_debt_once(site: Site, clerk: Officer) -> None:
    payment = await site.payment()
    others = [await officer(site, f"c{n}") for n in range(3)]
    for n, other in enumerate(others):
        await site.parts.counters.open_shift(other, "hoan-kiem", f"quay-{n + 2}", 0)

    said = await asyncio.gather(
        *(site.parts.counters.take(c, payment["id"], "cash") for c in (clerk, *others)),
        return_exceptions=True,
    )

    assert sorted(isinstance(s, int) for s in said) == [False, False, False, True]
    assert await balance(site, "1110") == DUE
    await holds(site)


async def test_while_a_bank_has_not_said_how_it_ended_the_counter_waits(
    site: Site, clerk: Officer
) -> None:
    """The payer may just have paid by phone: the second asks first."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    async with site.parts.store.begin() as tx:
        await tx.run(text("UPDATE attempt SET state = 'in_doubt'"))
        await tx.run(text("UPDATE payment SET in_doubt = true"))

    await refused("payment-in-doubt", site.parts.counters.take(clerk, payment["id"], "cash"))

    assert await site.vnpay_says(attempt) == "00"
    await refused("payment-not-open", site.parts.counters.take(clerk, payment["id"], "cash"))
    assert await balance(site, "1110") == 0


async def test_a_transfer_that_paid_a_part_leaves_the_rest_to_the_counter(
    site: Site, clerk: Officer
) -> None:
    payment = await site.payment()
    await site.sepay_says(f"TP{payment['reference']}", 4_000, 1)

    assert await site.parts.counters.take(clerk, payment["id"], "cash") == 6_000

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert [await balance(site, a) for a in ("1110", "1380", "3310")] == [6_000, 4_000, 0]
    await holds(site)


@pytest.mark.parametrize(
    ("counted", "short", "over"), [(DUE, 0, 0), (9_000, 1_000, 0), (12_000, 0, 2_000)]
)
@pytest.mark.usefixtures("proved")
async def test_a_shift_is_counted_blind_and_signed_by_a_second_person(
    site: Site, clerk: Officer, counted: int, short: int, over: int
) -> None:
    payment = await site.payment()
    await site.parts.counters.take(clerk, payment["id"], "cash")
    shift, other = await shift_of(site, clerk), await officer(site, "hoa")

    await site.parts.counters.count(clerk, shift, counted)
    await refused("shift-not-open", site.parts.counters.count(clerk, shift, DUE))  # No second try.
    await refused(
        "no-open-shift",
        site.parts.counters.take(clerk, (await site.payment(2))["id"], "cash"),
    )
    await refused("same-person", site.parts.counters.sign(clerk, shift, "TUI-1"))
    await site.parts.counters.sign(other, shift, "TUI-1")

    assert [await balance(site, a) for a in ("1110", "1130", "1382", "3310")] == [
        0, counted, short, -over,
    ]  # fmt: skip
    await holds(site)


async def test_a_float_goes_out_and_comes_back(site: Site) -> None:
    who, other = await officer(site, "lan"), await officer(site, "hoa")
    shift = await site.parts.counters.open_shift(who, "tay-ho", "quay-1", 500_000)
    await holds(site)

    await site.parts.counters.count(who, shift, 500_000)
    await site.parts.counters.sign(other, shift, "TUI-2")

    assert [await balance(site, a) for a in ("1110", "1130")] == [0, 0]
    await holds(site)


@pytest.mark.usefixtures("proved")
async def test_a_shortage_is_decided_by_two(site: Site, clerk: Officer) -> None:
    payment = await site.payment()
    await site.parts.counters.take(clerk, payment["id"], "cash")
    shift, other = await shift_of(site, clerk), await officer(site, "hoa", "accountant")
    await site.parts.counters.count(clerk, shift, 9_000)
    await site.parts.counters.sign(other, shift, "TUI-3")
    (missing,) = await rows(site, "SELECT id FROM shift_difference")
    decide, third = site.parts.counters.settle_shortage, await officer(site, "an", "approver")

    await decide(other, missing["id"], "written_off")
    await refused("same-person", decide(other, missing["id"], "written_off"))
    assert await balance(site, "1382") == 1_000
    await decide(third, missing["id"], "written_off")

    assert [await balance(site, a) for a in ("1382", "6430", "1383", "4900")] == [
        0, 1_000, 1_000, -1_000,
    ]  # fmt: skip
    await holds(site)


async def test_a_drawer_and_a_clerk_have_one_shift_at_a_time(site: Site, clerk: Officer) -> None:
    other = await officer(site, "hoa")

    await refused(
        "shift-already-open", site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-9", 0)
    )
    await refused(
        "shift-already-open", site.parts.counters.open_shift(other, "hoan-kiem", "quay-1", 0)
    )
    await refused("not-found", site.parts.counters.open_shift(other, "ha-dong", "quay-1", 0))


async def test_a_payment_is_found_by_link_reference_or_dossier(site: Site, clerk: Officer) -> None:
    payment = await site.payment()
    find = site.parts.counters.find

    for words in (
        payment["links"]["pay"], f"{payment['links']['pay']}?lang=en", payment["reference"].lower(),
        f"TP{payment['reference']}", payment["dossier_id"], payment["id"],
    ):  # fmt: skip
        assert [p.id for p in await find(clerk, words)] == [payment["id"]], words
    assert await find(clerk, "nobody") == []


async def test_a_float_that_comes_back_short_lacks_in_the_safe_and_breaks_no_rule(
    site: Site,
) -> None:
    """Nothing was taken, so no bag makes up for it: found by a whole day of ``thuphi day``."""
    clerk, other = await officer(site, "lan"), await officer(site, "hoa")
    shift = await site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-1", 200_000)
    await site.parts.counters.count(clerk, shift, 199_000)

    await site.parts.counters.sign(other, shift, "TUI-1")

    assert [await balance(site, a) for a in ("1110", "1130", "1382")] == [0, -1_000, 1_000]
    await holds(site)
    (row,) = await rows(site, "SELECT id FROM shift_difference")
    for who in (clerk, other):
        await site.parts.counters.settle_shortage(who, row["id"], "made_good")
    assert await balance(site, "1130") == 0
    await holds(site)


async def test_a_day_with_cash_and_a_card_closes_once_the_terminals_slips_are_reported(
    site: Site, clerk: Officer
) -> None:
    """Cash was counted and stands in no file; a card's slip is matched by the terminal's report.

    The bag is banked when the statement names it; another amount in it is nobody's payment.
    """
    cash, card = await site.payment(1), await site.payment(2)
    await site.parts.counters.take(clerk, cash["id"], "cash")
    await site.parts.counters.take(clerk, card["id"], "card", "000123")
    shift, other = await shift_of(site, clerk), await officer(site, "hoa")
    await site.parts.counters.count(clerk, shift, DUE)
    await site.parts.counters.sign(other, shift, "TUI-9")
    site.clock.move(timedelta(days=2))

    early = await reconcile(site)
    await take(
        site, "provider",
        {"provider": f"counter/{AGENCY}", "provider_txn_id": "hoan-kiem/000123", "fee": 0,
         "net": DUE, "batch_id": "POS-20261118"},
    )  # fmt: skip
    deposit = {"reference": "TUI-9", "memo": "NOP TIEN MAT", "booked_on": "2026-11-19"}
    await take(
        site, "statement",
        {"line_id": "1", "amount": DUE, **deposit}, {"line_id": "2", "amount": 7_000, **deposit},
    )  # fmt: skip
    report, _ = await reconcile(site), await reconcile(site, NEXT)

    assert early.closed is not None
    assert not early.closed.is_closed  # The terminal's bank has not reported the slip yet.
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    assert [await balance(site, a) for a in ("1110", "1120", "1130")] == [0, DUE, 0]
    assert await breaks(site) == [("amount", "line")]
    await holds(site)
