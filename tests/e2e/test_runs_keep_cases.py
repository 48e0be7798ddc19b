"""Runs keep what people decided: nothing is booked over it, and what contradicts it is a break."""

from datetime import timedelta
from typing import Any

import pytest
from books import NEXT, balance, reconcile, take
from cases import broken, night, resolve, to_payment, unknown_money
from east_bank import rows
from front_door import AGENCY, Site

from gateway.services.agencies import Agencies
from gateway.services.invariants import violations
from gateway.services.unexplained import unexplained
from reconciliation.by_hand import CONFLICT
from reconciliation.evidence import Side
from reconciliation.planning import LINK, UNDO, WRITE_OFF, Wanted


async def payout(site: Site) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Let VNPAY pay two captures out together, and never send its report; give both sides."""
    for n in (1, 2):
        attempt = await site.attempt(await site.payment(n))
        assert await site.vnpay_says(attempt, vnp_TransactionNo=f"1483139{n}") == "00"
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 20_000, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip
    await reconcile(site, NEXT)
    captures = await rows(site, "SELECT * FROM capture ORDER BY id")
    return captures, (await rows(site, "SELECT * FROM break WHERE subject LIKE 'line:%'"))[0]


@pytest.mark.usefixtures("proved")
async def test_a_payout_without_its_report_is_linked_to_what_it_brought_and_stays_so(
    site: Site,
) -> None:
    """Posted as any payout; and a report that comes later and says otherwise is a break."""
    captures, case = await payout(site)
    targets = tuple(Side("capture", c["id"], c["amount"]) for c in captures)
    wanted = Wanted(LINK, "", (Side("break", case["id"], 20_000),), targets)
    assert await balance(site, "1380") == 20_000

    await resolve(site, case, wanted)

    assert (await balance(site, "1380"), await balance(site, "1120")) == (0, 20_000)
    assert await violations(site.parts.store) == []
    again = await reconcile(site, NEXT)
    assert (again.posted, again.breaks) == (0, {})
    await take(
        site, "provider",
        {"provider_txn_id": "14831391", "fee": 0, "net": 10_000},
        {"provider_txn_id": "14831392", "fee": 0, "net": 10_000},
    )  # fmt: skip
    report = await reconcile(site, NEXT)
    assert (report.posted, report.breaks) == (0, {}), "the report says what people said"
    assert report.closed is not None
    assert list(report.closed.open_checks) == ["earlier days are closed"]
    first = await reconcile(site)
    assert first.closed is not None
    assert first.closed.is_closed, first.closed.open_checks
    assert await balance(site, "1380") == 0


@pytest.mark.usefixtures("proved")
async def test_what_the_rules_find_against_what_people_said_is_a_break(site: Site) -> None:
    """Nothing is booked over it, and nothing is hidden: people decide again."""
    captures, case = await payout(site)
    targets = tuple(Side("capture", c["id"], c["amount"]) for c in captures)
    await resolve(site, case, Wanted(LINK, "", (Side("break", case["id"], 20_000),), targets))
    await take(
        site, "provider",
        {"provider_txn_id": "14831391", "fee": 0, "net": 10_000, "batch_id": "B2"},
        {"provider_txn_id": "14831392", "fee": 0, "net": 10_000, "batch_id": "B2"},
    )  # fmt: skip
    await take(
        site, "statement",
        {"line_id": "9", "booked_on": "2026-11-19", "amount": 20_000, "reference": "B2",
         "memo": "VNPAY THANH TOAN TESTTMN1 B2"},
    )  # fmt: skip

    report = await reconcile(site, NEXT)

    assert (report.posted, report.breaks) == (0, {"status_conflict": 1})
    assert await balance(site, "1380") == 0
    assert (await broken(site, "status_conflict"))["why"] == CONFLICT


@pytest.mark.usefixtures("proved")
async def test_what_is_undone_is_found_again_by_the_rules_and_booked_once(site: Site) -> None:
    """A voucher that was taken back is not booked, so the report that comes may book it."""
    captures, case = await payout(site)
    targets = tuple(Side("capture", c["id"], c["amount"]) for c in captures)
    await resolve(site, case, Wanted(LINK, "", (Side("break", case["id"], 20_000),), targets))
    await reconcile(site, NEXT)
    (agreed,) = await rows(site, "SELECT id FROM case_action WHERE kind = 'agree'")
    await resolve(site, case, Wanted(UNDO, "nhầm", of=agreed["id"]))
    assert (await balance(site, "1380"), await balance(site, "1120")) == (20_000, 0)
    await take(
        site, "provider",
        {"provider_txn_id": "14831391", "fee": 0, "net": 10_000},
        {"provider_txn_id": "14831392", "fee": 0, "net": 10_000},
    )  # fmt: skip

    report = await reconcile(site, NEXT)

    assert (report.posted, report.breaks) == (1, {})
    assert (await balance(site, "1380"), await balance(site, "1120")) == (0, 20_000)
    assert await violations(site.parts.store) == []


@pytest.mark.usefixtures("proved")
async def test_money_that_never_came_is_written_off_and_a_payout_with_it_is_a_break(
    site: Site,
) -> None:
    """The day closes without it; if the provider pays it after all, people decide again."""
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    for n in (1, 2):
        attempt = await site.attempt(await site.payment(n))
        assert await site.vnpay_says(attempt, vnp_TransactionNo=f"1483139{n}") == "00"
    await night(site)
    listed = {"fee": 0, "net": 10_000}
    await take(site, "provider", {"provider_txn_id": "14831391", **listed})
    await reconcile(site)
    case = await broken(site, "missing_at_provider")

    await resolve(site, case, Wanted(WRITE_OFF, "VNPAY không trả"))

    again = await reconcile(site)
    assert again.closed is not None
    assert again.closed.is_closed, again.closed.open_checks
    assert again.breaks == {}
    assert [await balance(site, a) for a in ("1380", "6430", "1383")] == [10_000] * 3
    assert await violations(site.parts.store) == []
    site.clock.move(timedelta(days=1))
    await take(site, "provider", {"provider_txn_id": "14831392", **listed})
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 20_000, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip
    late = await reconcile(site, NEXT)
    assert (late.posted, late.breaks) == (0, {"status_conflict": 1})
    assert late.closed is not None
    assert [c.partition(" ")[0] for c in late.closed.open_checks] == ["the"], "the bank account"
    assert await balance(site, "1380") == 10_000


@pytest.mark.usefixtures("proved")
async def test_what_was_given_a_home_is_given_back_as_any_payment(site: Site) -> None:
    """The refund names the capture that paid, and the books end where they began."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await resolve(site, case, to_payment(case, (payment["id"], 10_000)))

    asked = await site.parts.refunds.ask_for_officer(
        AGENCY, payment["id"], (10_000, "nộp nhầm", 10_000), "staff:mai"
    )
    await site.parts.refunds.decide(AGENCY, asked, "staff:nam", agree=True)

    (refund,) = await rows(site, "SELECT capture_id, source, state FROM refund")
    assert list(refund.values()) == [case["capture_id"], "debt", "approved"]
    moved = [await balance(site, a) for a in ("3310", "3330", "3370", "3380")]
    assert moved == [0, 0, 0, -10_000]
    assert await violations(site.parts.store) == []


@pytest.mark.usefixtures("proved")
async def test_a_transfer_that_was_written_off_and_comes_after_all_is_a_break(site: Site) -> None:
    """Its line is not booked over what people decided."""
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    payment = await site.payment()
    memo = f"TP{payment['reference']}"
    assert await site.sepay_says(memo, 10_000, 77) == 200
    on = NEXT + timedelta(days=5)
    site.clock.move(timedelta(days=7))
    await take(site, "statement", {"booked_on": "2026-11-24", "amount": 5, "memo": "LAI"})
    await reconcile(site, on)
    case = await broken(site, "missing_at_provider")
    await resolve(site, case, Wanted(WRITE_OFF, "ngân hàng không có"))
    assert (await unexplained(site.parts.store, AGENCY)).items == 0, "two people explained it"
    await take(site, "statement", {"line_id": "9", "memo": memo})

    late = await reconcile(site, on)

    assert (late.posted, late.breaks["status_conflict"]) == (0, 1)
    assert await balance(site, "6430") == 10_000


@pytest.mark.usefixtures("proved")
async def test_a_credit_that_people_linked_makes_no_charge_good_later(site: Site) -> None:
    """Its text says a top-up; when there is something to make good at last, it is taken already."""
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    attempt = await site.attempt(await site.payment())
    assert await site.vnpay_says(attempt) == "00"
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=1))
    day = {"booked_on": "2026-11-19"}
    # While a payout is not explained, what is written as a top-up may still become one.
    await take(site, "statement", {**day, "memo": "BU PHI THANH TOAN"},
               {**day, "amount": 5_000, "memo": "VNPAY THANH TOAN", "reference": "VNPAY-20261119"},
               {**day, "amount": -10_000, "memo": "THU PHI QUAN LY TAI KHOAN"})  # fmt: skip
    await reconcile(site, NEXT)
    (capture,) = await rows(site, "SELECT id FROM capture")
    (case,) = await rows(site, "SELECT * FROM break WHERE kind = 'charge'")
    wanted = Wanted(
        LINK, "", (Side("break", case["id"], 10_000),), (Side("capture", capture["id"], 10_000),)
    )
    await resolve(site, case, wanted)
    (cost,) = await rows(
        site, "SELECT k.* FROM break k JOIN statement_line l ON l.id = k.line_id WHERE l.net < 0"
    )
    await resolve(site, cost, Wanted(WRITE_OFF, "phí ngân hàng"))

    again = await reconcile(site, NEXT)

    assert again.posted == 0
    assert [await balance(site, a) for a in ("1380", "1383", "1120")] == [0, 10_000, 0]


@pytest.mark.usefixtures("proved")
async def test_what_was_written_off_is_no_remittance_when_its_list_comes_later(site: Site) -> None:
    """The line is a loss by now; it is not booked a second time."""
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=1))
    await take(
        site, "statement", {"booked_on": "2026-11-19", "amount": 50_000, "memo": "CT"},
        {"booked_on": "2026-11-19", "amount": -10_000, "reference": "NS20261119",
         "memo": "NOP NSNN 19/11/2026 NS20261119"},
    )  # fmt: skip
    await reconcile(site, NEXT)
    (case,) = await rows(
        site, "SELECT k.* FROM break k JOIN statement_line l ON l.id = k.line_id WHERE l.net < 0"
    )
    await resolve(site, case, Wanted(WRITE_OFF, "không ai biết"))
    await take(site, "treasury", {"obligation_id": "pay_of_another"})

    await reconcile(site, NEXT)

    assert [await balance(site, a) for a in ("1130", "6430", "1120")] == [0, 10_000, 40_000]
