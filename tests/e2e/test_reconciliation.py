"""Expected against received: files, matches, breaks, bookings, and the closing of a day."""

import asyncio
from datetime import timedelta

import pytest
from books import (
    DAY,
    NEXT,
    balance,
    breaks,
    night,
    paid_by_vnpay,
    reconcile,
    reconciliation,
    take,
    two_days,
    written,
)
from front_door import AGENCY, Site
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.domain.errors import Refusal
from gateway.services.books import trial_balance, unbalanced
from gateway.services.invariants import violations


async def state(site: Site, payment: dict[str, str]) -> str:
    """Give a payment's state."""
    shown = await site.get(f"/payments/{payment['id']}")
    return str(shown["state"])


async def test_a_fee_is_settled_when_provider_bank_and_treasury_agree(site: Site) -> None:
    """The spine's end: the money's accounts are at zero, and charges are made good."""
    payment = await paid_by_vnpay(site)

    await two_days(site, payment)

    assert await state(site, payment) == "settled"
    moved = {a: await balance(site, a) for a in ("1380", "1120", "1130", "3330", "1383")}
    assert moved == {"1380": 0, "1120": 0, "1130": 0, "3330": 0, "1383": 0}
    assert (await balance(site, "6420"), await balance(site, "4900")) == (1_080, -1_080)
    assert await violations(site.parts.store) == []
    lines = await trial_balance(site.parts.store, AGENCY, NEXT)
    assert unbalanced(lines) == []


async def test_every_match_says_which_rule_and_why(site: Site) -> None:
    payment = await paid_by_vnpay(site)

    await two_days(site, payment)

    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT DISTINCT rule FROM recon_match ORDER BY rule"))
        silent = await tx.rows(text("SELECT id FROM recon_match WHERE why = ''"))
    assert [r["rule"] for r in rows] == [
        "01-provider-id", "05-batch", "07-remittance", "08-obligation", "10-top-up",
    ]  # fmt: skip
    assert silent == []


async def test_reopening_takes_the_marks_back_and_closing_again_gives_them_again(
    site: Site,
) -> None:
    payment = await paid_by_vnpay(site)
    await two_days(site, payment)
    casework = reconciliation(site).casework

    with pytest.raises(Refusal, match="Reopen 2026-11-19 first"):
        await casework.reopen(AGENCY, DAY, "test")
    assert await casework.reopen(AGENCY, NEXT, "test") == 1
    assert await state(site, payment) == "paid"
    again = await reconcile(site, NEXT)

    assert again.closed is not None
    assert (again.posted, again.closed.settled) == (0, 1)
    assert await state(site, payment) == "settled"
    await site.parts.outbox.sequence()
    said = [e["type"] for e in (await site.get("/events?after=0"))["data"]]
    assert said[-3:] == ["payment.settled", "payment.settlement_reversed", "payment.settled"]


async def test_a_closed_day_takes_no_entry(site: Site) -> None:
    """The database refuses what the code would never ask."""
    await two_days(site, await paid_by_vnpay(site))

    with pytest.raises(DBAPIError, match="closed"):
        async with site.parts.store.begin() as tx:
            await tx.run(
                text(
                    "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount,"
                    " voucher_kind, voucher_id, rule, storno, created_at) VALUES (:agency, :on,"
                    " :on, '1120', '1380', 1, 'correction', 'x', 'x', false, :now)"
                ),
                {"agency": AGENCY, "on": DAY, "now": site.clock.now()},
            )


async def test_a_day_that_is_not_over_is_not_closed(site: Site) -> None:
    with pytest.raises(Refusal, match="not over"):
        await reconcile(site)
    with pytest.raises(Refusal, match="has not begun"):
        await reconcile(site, NEXT)


async def test_a_day_without_its_files_stays_open_and_says_what_is_missing(site: Site) -> None:
    await paid_by_vnpay(site)
    await night(site)

    report = await reconcile(site)

    assert report.closed is not None
    assert not report.closed.is_closed
    assert list(report.closed.open_checks) == [
        "each capture was looked for in its provider's or bank's file"
    ]


async def test_a_file_that_comes_after_the_first_run_closes_the_day(site: Site) -> None:
    """SCENARIOS 29: a run before the file came must not be the last word."""
    await paid_by_vnpay(site)
    await night(site)
    await reconcile(site)
    await take(site, "provider", {})

    report = await reconcile(site)

    assert report.closed is not None
    assert report.closed.is_closed


async def test_a_payment_that_only_the_providers_report_knows_is_paid_with_its_receipt(
    site: Site,
) -> None:
    """SCENARIOS 30: the settlement lists a payment whose confirmation never came."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    await night(site)
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})

    report = await reconcile(site)

    assert report.recovered == 1
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    after = await site.get(f"/payments/{payment['id']}")
    assert (after["state"], len(after["receipts"])) == ("paid", 1)


async def test_a_transfer_that_only_the_statement_knows_is_one_capture_whoever_tells_later(
    site: Site,
) -> None:
    """CONTRACT 6: one bank movement is one capture; the notice that limps behind is evidence."""
    payment = await site.payment()
    await night(site)
    memo = f"MBVCB.1.tp{payment['reference'].lower()}.CT tu 0351 toi 0123456789"
    await take(site, "statement", {"reference": "FT77", "memo": memo})

    report = await reconcile(site)
    assert report.recovered == 1
    assert await site.sepay_says(
        memo, 10_000, 77, transactionDate="2026-11-18 08:00:00"
    ) == 200  # fmt: skip

    assert await state(site, payment) == "paid"
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT source FROM evidence ORDER BY source"))
        captures = await tx.rows(text("SELECT id FROM capture"))
    assert [r["source"] for r in rows] == ["notice", "statement"]
    assert len(captures) == 1
    assert await breaks(site) == []


async def test_two_real_credits_that_look_alike_are_two(site: Site) -> None:
    """The same amount, day and text, without a bank's reference: the n-th is the n-th."""
    payment = await site.payment()
    for number in (1, 2):
        await site.sepay_says(f"TP{payment['reference']}", 10_000, number, referenceCode="")
    await night(site)
    row = {"memo": f"TP{payment['reference']}"}
    await take(site, "statement", row, row)

    report = await reconcile(site)

    assert (report.matched, report.recovered) == (2, 0)
    assert await balance(site, "1120") == 20_000
    assert await breaks(site) == [("double", "capture")]
    assert await violations(site.parts.store) == []


async def test_a_credit_that_may_mean_two_payments_is_nobodys(site: Site) -> None:
    """Never guess: an ambiguous line becomes a case, and the money is in the books."""
    one, two = await site.payment(1), await site.payment(2)
    await night(site)
    memo = f"TP{one['reference']} TP{two['reference']}"
    await take(site, "statement", {"reference": "FT1", "memo": memo})

    await reconcile(site)

    assert (await state(site, one), await state(site, two)) == ("open", "open")
    assert await breaks(site) == [("unknown_money", "capture")]
    assert (await balance(site, "1120"), await balance(site, "3310")) == (10_000, -10_000)


async def test_a_capture_that_the_provider_does_not_list_is_a_break_with_an_age(
    site: Site,
) -> None:
    await paid_by_vnpay(site, 1, "14831393")
    await paid_by_vnpay(site, 2, "14831394")
    await night(site)
    await take(site, "provider", {})

    report = await reconcile(site)

    assert report.breaks == {"missing_at_provider": 1}
    assert await breaks(site) == [("missing_at_provider", "capture")]
    await take(site, "provider", {"provider_txn_id": "14831394"})
    await reconcile(site)
    assert await breaks(site) == []
    assert await breaks(site, "resolved") == [("missing_at_provider", "capture")]


async def test_another_amount_at_the_provider_is_a_break_and_books_nothing(site: Site) -> None:
    await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {"gross": 9_000, "net": 7_920})

    report = await reconcile(site)

    assert report.breaks == {"amount": 1}
    assert report.recovered == 0
    assert await balance(site, "1380") == 10_000


async def test_a_payout_that_is_not_what_its_lines_add_up_to_keeps_the_day_open(
    site: Site,
) -> None:
    await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {})
    await take(
        site, "statement",
        {"amount": 8_919, "reference": "VNPAY-20261118", "memo": "VNPAY THANH TOAN"},
    )  # fmt: skip

    report = await reconcile(site)

    assert report.breaks == {"batch_total": 1}
    assert report.closed is not None
    assert "the bank account equals its statement" in report.closed.open_checks


async def test_an_obligation_that_the_treasury_books_twice_is_a_break(site: Site) -> None:
    payment = await paid_by_vnpay(site)
    await night(site, 2)
    again = {"obligation_id": payment["id"], "document_ref": "NS20261119-00002"}
    await take(site, "treasury", {"obligation_id": payment["id"]}, again)

    report = await reconcile(site, NEXT)

    assert report.breaks["duplicate"] == 1
    assert await balance(site, "3330") == 0


async def test_a_lump_by_budget_line_is_the_sum_of_one_day(site: Site) -> None:
    """One treasury document may cover many payments."""
    await paid_by_vnpay(site, 1, "14831393")
    await paid_by_vnpay(site, 2, "14831394")
    await night(site, 2)
    await take(site, "treasury", {"amount": 20_000})

    report = await reconcile(site, NEXT)

    assert report.matched == 1
    assert await balance(site, "3330") == 0


async def test_a_file_is_taken_whole_or_not_at_all_and_says_the_line(site: Site) -> None:
    """SCENARIOS 28."""
    good = written("statement", {"line_id": "1"}, {"line_id": "2"}, {"line_id": "3"})
    bad = good.replace(b"10000", b"10.000", 2).replace(b"10.000", b"10000", 1)
    intake = reconciliation(site).intake

    with pytest.raises(Refusal, match="Line 3: amount is not a whole number"):
        await intake.import_file(AGENCY, "canonical-statement", "x.csv", bad, "test")

    async with site.parts.store.begin() as tx:
        assert await tx.rows(text("SELECT id FROM statement_line")) == []
    taken = await intake.import_file(AGENCY, "canonical-statement", "x.csv", good, "test")
    assert (taken.lines, taken.added) == (3, 3)


async def test_the_same_file_twice_and_an_overlapping_one_add_nothing(site: Site) -> None:
    """SCENARIOS 32: periods overlap when the frequency changes."""
    first = await take(site, "statement", {"line_id": "1"}, {"line_id": "2"})
    twice = await take(site, "statement", {"line_id": "1"}, {"line_id": "2"})
    overlap = await take(site, "statement", {"line_id": "2"}, {"line_id": "3"})

    assert (first.added, twice.added, overlap.added) == (2, 0, 1)


async def test_a_run_can_be_run_again_and_gives_the_same_answer(site: Site) -> None:
    """Pinned by instant and hashes: what came later does not change an old answer."""
    await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {})
    report = await reconcile(site)
    site.clock.move(timedelta(minutes=1))
    await take(site, "provider", {"provider_txn_id": "999"})
    await reconcile(site)

    assert await reconciliation(site).again(AGENCY, report.run_id)


async def test_two_workers_who_reconcile_at_once_book_once(site: Site) -> None:
    payment = await site.payment()
    await site.sepay_says(f"TP{payment['reference']}", 10_000, 5)
    await night(site)
    await take(site, "statement", {"reference": "FT5", "memo": f"TP{payment['reference']}"})

    reports = await asyncio.gather(*(reconcile(site) for _ in range(4)))

    assert sorted(r.posted for r in reports) == [0, 0, 0, 1]
    assert await balance(site, "1120") == 10_000


async def test_what_comes_for_a_closed_day_is_booked_on_the_next_with_its_true_day(
    site: Site,
) -> None:
    await two_days(site, await paid_by_vnpay(site))
    payment = await site.payment(2)
    await take(
        site, "statement", {"reference": "FT9", "memo": f"TP{payment['reference']}"}
    )  # fmt: skip
    site.clock.move(timedelta(days=1))

    await reconcile(site, NEXT + timedelta(days=1))

    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT DISTINCT booked_on, value_on FROM entry WHERE payment_id = :id"
                 " AND credit = '3330'"),
            {"id": payment["id"]},
        )  # fmt: skip
    assert [(r["booked_on"], r["value_on"]) for r in rows] == [(NEXT + timedelta(days=1), DAY)]
    assert await state(site, payment) == "paid"
