"""Cash that left a drawer in a bag is looked for on the bank's statement, and missed in time."""

from datetime import date

import pytest
from books import DAY, NEXT, balance, breaks, hanoi, reconcile, take
from east_bank import holds, rows
from front_door import Site
from officers import officer

from gateway.domain.errors import Refusal
from gateway.services.access import Officer

MONDAY = date(2026, 11, 23)  # The 18th is a Wednesday: two working days are over on Friday.


async def bagged(site: Site, bag: str, counted: int = 10_000, drawer_float: int = 0) -> str:
    """Take 10,000 đồng of cash, count the drawer, and let its cash leave; give the payment."""
    clerk, other = await officer(site, "lan"), await officer(site, "hoa", "accountant")
    payment = await site.payment()
    shift = await site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-1", drawer_float)
    await site.parts.counters.take(clerk, payment["id"], "cash")
    await site.parts.counters.count(clerk, shift, counted + drawer_float)
    await site.parts.counters.sign(other, shift, bag)
    await site.parts.receipts.issue()
    return str(payment["id"])


async def clerk_brings(site: Site) -> None:
    """Let two people agree that the clerk has brought what was missing."""
    (row,) = await rows(site, "SELECT id FROM shift_difference")
    (first,) = await rows(site, "SELECT id FROM staff WHERE username = 'hoa'")
    deciders = (
        Officer(first["id"], "hn-tthcc-test", "hoa", "accountant", ""),
        await officer(site, "an", "approver"),
    )
    for who in deciders:
        await site.parts.counters.settle_shortage(who, row["id"], "made_good")


@pytest.mark.parametrize(
    "line",
    [{"memo": "Nộp tiền mặt túi-07/HK quầy Hoàn Kiếm 18.11", "reference": "FT1"},
     {"memo": "NOP TIEN MAT", "reference": "TUI-07/HK"}],
)  # fmt: skip
async def test_a_bag_that_the_bank_credits_settles_the_payments_that_were_in_it(
    site: Site, line: dict[str, str]
) -> None:
    """Banks drop the signs of a number, or carry it as their reference."""
    payment = await bagged(site, "TUI-07/HK", drawer_float=50_000)
    hanoi(site, NEXT, 1, 30)
    await reconcile(site)
    hanoi(site, date(2026, 11, 20), 1, 30)
    await take(site, "statement", {"booked_on": "2026-11-19", **line})

    report = await reconcile(site, NEXT)

    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    assert (report.breaks, report.recovered, report.closed.settled) == ({}, 0, 1)
    assert (await site.get(f"/payments/{payment}"))["state"] == "settled"
    assert [await balance(site, a) for a in ("1110", "1120", "1130")] == [0, 10_000, 0]
    await holds(site)


async def test_a_bag_that_the_bank_has_not_counted_in_time_is_missed_until_it_comes(
    site: Site,
) -> None:
    """It lies in transit, and on its way somebody may have opened it."""
    await bagged(site, "TUI-1")
    hanoi(site, date(2026, 11, 24), 1, 30)
    other = {"line_id": "1", "amount": -1, "memo": "PHI", "booked_on": "2026-11-20"}
    await take(site, "statement", other)
    await reconcile(site, date(2026, 11, 20))
    in_time = await breaks(site)
    await take(site, "statement", other | {"line_id": "2", "booked_on": "2026-11-23"})
    await reconcile(site, MONDAY)
    late = await rows(site, "SELECT kind, amount, since_on FROM break WHERE subject LIKE 'shift:%'")
    deposit = {"line_id": "3", "memo": "NOP TIEN MAT TUI1", "booked_on": "2026-11-23"}
    await take(site, "statement", deposit)

    await reconcile(site, MONDAY)

    assert in_time == [("reversed", "line")]
    assert late == [{"kind": "missing_at_provider", "amount": 10_000, "since_on": DAY}]
    assert await breaks(site, "resolved") == [("missing_at_provider", "shift")]
    assert await balance(site, "1130") == 0


@pytest.mark.usefixtures("proved")
async def test_what_a_clerk_brings_later_leaves_under_the_same_number(site: Site) -> None:
    await bagged(site, "TUI-3", counted=9_000)
    await clerk_brings(site)
    hanoi(site, NEXT, 1, 30)
    named = {"memo": "NOP TIEN MAT TUI 3 SO TUI3", "booked_on": "2026-11-18"}
    await take(
        site, "statement", {"line_id": "1", "amount": 9_000, "memo": "NOP TIEN MAT TUI-3"},
        {"line_id": "2", "amount": 1_000, "memo": "NOP TIEN MAT TUI-3"},
        {"line_id": "3", "amount": 500, "memo": "NOP TIEN MAT TUI-3"},
        {"line_id": "4", "amount": 700, **named},
    )  # fmt: skip

    report = await reconcile(site)

    # The third is not what was in it; the fourth is of a bag «3», which no drawer knows.
    assert report.breaks == {"amount": 1}
    assert report.recovered == 1, "whoever wrote it, it is money that nobody knows"
    assert [await balance(site, a) for a in ("1120", "1130", "3310")] == [10_700, 0, -700]
    assert await breaks(site) == [("amount", "line"), ("unknown_money", "capture")]


@pytest.mark.parametrize("bag", ["TÚI", "---"])
async def test_a_bag_without_a_number_is_not_signed(site: Site, bag: str) -> None:
    """Nobody could find it on a statement."""
    with pytest.raises(Refusal, match="Write the number of the deposit bag"):
        await bagged(site, bag)


async def test_two_bags_that_a_statement_cannot_tell_apart_are_one(site: Site) -> None:
    """The number is kept as it is looked for, or the bank's line would be of either."""
    await bagged(site, "TÚI-07/hk")
    hoa = await rows(site, "SELECT id FROM staff WHERE username = 'hoa'")
    other = Officer(hoa[0]["id"], "hn-tthcc-test", "hoa", "accountant", "")
    clerk = await officer(site, "kim")
    shift = await site.parts.counters.open_shift(clerk, "hoan-kiem", "quay-2", 0)
    await site.parts.counters.count(clerk, shift, 0)

    with pytest.raises(Refusal, match="This bag's number was used before"):
        await site.parts.counters.sign(other, shift, "tui_07-HK")

    assert await rows(site, "SELECT state, bag FROM shift ORDER BY state") == [
        {"state": "closed", "bag": "TUI07HK"}, {"state": "counted", "bag": None}
    ]  # fmt: skip
