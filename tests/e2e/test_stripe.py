"""Stripe through the whole gateway: paid, lost, withdrawn, given back, disputed, settled."""

from argparse import Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from books import balance, reconcile, take
from front_door import AGENCY
from watched_city import Watched

from adapters.simulator import Choice, Fault
from adapters.simulator.stripe import StripeSide
from adapters.stripe import Stripe
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import InDoubtError
from gateway.entry.bootstrap import Parts
from gateway.entry.cli_accounts import do_list, do_test
from gateway.entry.reconciling import fetched_of, reconciliation_of
from gateway.ports.provider import ReportLine
from gateway.services.invariants import violations
from gateway.services.sweeps import SweepError
from gateway.services.ways import ABROAD

DUE = 10_000


def stripe(watched: Watched) -> StripeSide:
    side = watched.banks.sides["stripe"]
    assert isinstance(side, StripeSide)
    return side


async def paid(watched: Watched, n: int = 1) -> dict[str, Any]:
    payment = await watched.site.payment(n)
    attempt = await watched.site.attempt(payment, "stripe")
    watched.banks.pay(attempt["redirect_url"])
    await watched.work()
    return await watched.shown(payment)


def reference(watched: Watched) -> str:
    return list(stripe(watched).orders.known)[-1]


async def attempts(watched: Watched) -> list[str]:
    return [r["state"] for r in await watched.rows("SELECT state FROM attempt ORDER BY id")]


async def cases(watched: Watched) -> list[tuple[str, str]]:
    rows = await watched.rows("SELECT subject, state FROM break ORDER BY id")
    return [(r["subject"].partition(":")[0], r["state"]) for r in rows]


async def test_a_foreign_card_pays_a_fee_and_the_receipt_is_issued(watched: Watched) -> None:
    after = await paid(watched)

    assert (after["state"], after["amount_received"], len(after["receipts"])) == ("paid", DUE, 1)
    assert await watched.captures() == [("stripe", DUE, "paid")]
    assert await attempts(watched) == ["captured"]
    (entry,) = watched.banks.journal.entries("stripe")
    assert entry.txn_id == (await watched.rows("SELECT txn_id FROM capture"))[0]["txn_id"]
    assert await violations(watched.site.parts.store) == []


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.FORGED, Fault.WRONG_AMOUNT, Fault.BURST])
async def test_whatever_stripe_tells_the_money_is_booked_once(
    watched: Watched, fault: Fault
) -> None:
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "stripe")
    await watched.pay(attempt, fault=fault)
    await watched.pass_time(minutes=2)

    (captured,) = await watched.captures()
    right = fault is not Fault.WRONG_AMOUNT
    assert (await watched.shown(payment))["state"] == ("paid" if right else "open")
    assert captured == (("stripe", DUE, "paid") if right else ("stripe", DUE - 1_000, "amount"))
    assert await violations(watched.site.parts.store) == []


async def test_a_session_whose_name_was_lost_ends_with_our_attempt(watched: Watched) -> None:
    """It would live longer than our attempt; who pays meanwhile is heard, who does not is free."""
    payment = await watched.site.payment()
    watched.banks.faults.set(f"TP{payment['reference']}", Fault.RESET)
    lost = await watched.site.ask(f"/payments/{payment['id']}/attempts", {"provider": "stripe"})
    assert lost.json()["type"] == "/problems/payment-in-doubt"

    await watched.pass_time(minutes=2)
    assert (await watched.shown(payment))["in_doubt"]
    await watched.pass_time(minutes=15)

    assert await attempts(watched) == ["cancelled"]
    assert stripe(watched).session(stripe(watched).orders.known[reference(watched)], None)[
        "status"
    ] == "expired"  # fmt: skip
    watched.banks.faults.set(f"TP{payment['reference']}", None)
    again = await watched.site.attempt(payment, "stripe")
    watched.banks.pay(again["redirect_url"])
    await watched.work()
    assert (await watched.shown(payment))["state"] == "paid"
    assert await violations(watched.site.parts.store) == []


async def test_a_session_that_was_left_is_withdrawn_when_its_attempt_is_over(
    watched: Watched,
) -> None:
    """Its page stands open in another tab, and Stripe lets no session end before half an hour."""
    payment = await watched.site.payment()
    attempt = await watched.site.attempt(payment, "stripe")
    watched.banks.pay(attempt["redirect_url"], Choice.CANCEL)

    await watched.pass_time(minutes=2)
    before = await attempts(watched)
    await watched.pass_time(minutes=15)
    watched.banks.pay(attempt["redirect_url"])
    await watched.work()

    assert (before, await attempts(watched)) == (["redirected"], ["cancelled"])
    assert await watched.captures() == []


async def test_a_refund_goes_back_to_the_card_once_and_a_bank_may_send_it_back(
    watched: Watched,
) -> None:
    site, payment = watched.site, await paid(watched)
    body = {"amount": 4_000, "reason": "nộp nhầm", "expected_refundable": DUE}
    asked = (await site.ask(f"/payments/{payment['id']}/refunds", body)).json()
    await site.parts.refunds.decide(AGENCY, asked["id"], "staff:b", agree=True)

    while await site.parts.sender.send():
        pass
    await watched.work()

    (given,) = watched.banks.journal.entries("stripe", kind="refund")
    assert (given.amount, f"ref_{given.refund_reference}") == (4_000, asked["id"])
    assert (await site.get(f"/refunds/{asked['id']}"))["state"] == "done"
    about = {"id": given.txn_id, "object": "refund", "status": "failed",
             "metadata": {"thuphi_refund": given.refund_reference}}  # fmt: skip
    for _ in range(2):
        watched.banks.post.later(site.clock.now(), stripe(watched).event("refund.failed", about))
        await watched.work()
    assert await cases(watched) == [("refund", "open")]
    assert await violations(site.parts.store) == []


async def test_an_inquiry_is_a_case_and_a_dispute_is_postings_too(watched: Watched) -> None:
    payment = await paid(watched)

    stripe(watched).dispute(reference(watched), "warning_needs_response")
    await watched.work()
    assert await cases(watched) == [("inquiry", "open")]
    assert [await balance(watched.site, a) for a in ("1380", "1381")] == [DUE, 0]

    stripe(watched).dispute(reference(watched), "needs_response")
    await watched.work()
    assert await cases(watched) == [("inquiry", "resolved"), ("dispute", "open")]
    assert [await balance(watched.site, a) for a in ("1380", "1381")] == [0, DUE]

    stripe(watched).dispute(reference(watched), "lost")
    await watched.work()
    after = await watched.shown(payment)
    assert (after["state"], after["amount_received"]) == ("open", 0)
    assert [c[1] for c in await cases(watched)] == ["resolved", "resolved"]
    assert await violations(watched.site.parts.store) == []


async def test_an_inquiry_that_comes_to_nothing_leaves_nothing(watched: Watched) -> None:
    payment = await paid(watched)

    for status in ("warning_needs_response", "warning_closed"):
        stripe(watched).dispute(reference(watched), status)
        await watched.work()

    assert (await watched.shown(payment))["state"] == "paid"
    assert [await balance(watched.site, a) for a in ("1380", "1381")] == [DUE, 0]
    assert {state for _, state in await cases(watched)} == {"resolved"}
    assert await violations(watched.site.parts.store) == []


async def test_a_quarrel_that_was_won_is_found_on_both_its_lines(watched: Watched) -> None:
    """The report lists what was held back, and then what came again."""
    await paid(watched)
    for status in ("needs_response", "won"):
        stripe(watched).dispute(reference(watched), status)
        await watched.work()
    (entry,) = watched.banks.journal.entries("stripe")
    same = {"provider": "stripe", "fee": 0, "net": DUE, "batch_id": "po_1", "kind": "reversal",
            "merchant_reference": f"du_{entry.txn_id}"}  # fmt: skip
    await watched.pass_time(days=1)

    await take(
        watched.site, "provider", same | {"provider_txn_id": entry.txn_id, "kind": "payment"},
        same | {"provider_txn_id": "txn_2", "gross": -DUE, "net": -DUE},
        same | {"provider_txn_id": "txn_3"},
        same | {"provider_txn_id": "txn_4", "merchant_reference": "du_another"},
    )  # fmt: skip
    await reconcile(watched.site)

    rules = await watched.rows("SELECT rule FROM recon_match ORDER BY rule")
    assert [r["rule"] for r in rules] == ["01-provider-id", "01-taken-back", "01-taken-back"]
    left = await watched.rows("SELECT kind, line_id FROM break WHERE state = 'open'")
    (strange,) = await watched.rows("SELECT id FROM statement_line WHERE txn_id = 'txn_4'")
    assert [(b["kind"], b["line_id"]) for b in left] == [("reversed", strange["id"])]


async def test_an_account_is_tried_without_opening_anything(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = watched.site.parts
    key = next(k for k in parts.providers if k[0] == "stripe")
    asked = Namespace(provider="stripe", name="default", json=False)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Parts]:
        yield parts

    assert await do_test(asked, opened()) == 0
    assert "we believe it (pending)" in capsys.readouterr().out
    ours = parts.providers[key]
    assert isinstance(ours, Stripe)
    parts.providers[key] = replace(ours, secret_key="sk_test_of_somebody_else")
    assert await do_test(asked, opened()) == 1
    assert "no answer that can be believed" in capsys.readouterr().out
    assert stripe(watched).orders.known == {}
    await watched.site.as_owner("UPDATE agency SET is_sandbox = false")
    assert await do_list(Namespace(agency=None, json=False), opened()) == 0
    assert f"stripe/default           {AGENCY}    open, not offered: {ABROAD}" in (
        capsys.readouterr().out
    )


async def files(watched: Watched, on: date, folder: Path) -> None:
    """Take in what the bank and the treasury say of a day, and nothing of Stripe's own."""
    intake = reconciliation_of(watched.site.parts).intake
    for profile, path in watched.banks.write_files(on, folder):
        if profile in ("canonical-statement", "canonical-treasury"):
            await intake.import_file(AGENCY, profile, path.name, path.read_bytes(), "test")


async def test_a_report_that_was_fetched_settles_the_day_like_a_file(
    watched: Watched, tmp_path: Path
) -> None:
    payment = await paid(watched)
    parts, on = watched.site.parts, hanoi_day(watched.site.clock.now())
    await watched.pass_time(days=1)
    await files(watched, on, tmp_path)

    for _ in range(2):  # Fetched again, it is the same report.
        await fetched_of(parts).fetch(hanoi_day(watched.site.clock.now()))

    lines = await watched.rows(
        "SELECT account, kind, gross, batch_id FROM statement_line WHERE source = 'provider'"
    )
    assert lines == [
        {"account": "stripe/default", "kind": "payment", "gross": DUE,
         "batch_id": f"po_{on:%Y%m%d}"}
    ]  # fmt: skip
    await watched.pass_time(days=1)
    await files(watched, on + timedelta(days=1), tmp_path)
    for day in (on, on + timedelta(days=1)):
        report = await reconciliation_of(parts).reconcile(AGENCY, day, "test")
        assert report.as_json()["closed"], report.as_json()
    assert (await watched.shown(payment))["state"] == "settled"
    assert await violations(parts.store) == []


async def test_a_report_that_cannot_be_had_stops_no_other(watched: Watched) -> None:
    await paid(watched)
    today = hanoi_day(watched.site.clock.now())
    await watched.pass_time(days=1)
    key = next(k for k in watched.site.parts.providers if k[0] == "stripe")
    working = watched.site.parts.providers[key]
    assert isinstance(working, Stripe)

    class Silent(Stripe):
        """Knows nothing yet of the day before."""

        async def report(self, on: date) -> Sequence[ReportLine]:
            if on == today:
                raise InDoubtError("Not now.")
            return await super().report(on)

    held = {f.name: getattr(working, f.name) for f in fields(working)}
    watched.site.parts.providers[key] = Silent(**held)
    with pytest.raises(SweepError, match=f"failed: stripe/default {today}$"):
        await fetched_of(watched.site.parts).fetch(today + timedelta(days=1))
    assert await watched.rows("SELECT id FROM statement_line")
