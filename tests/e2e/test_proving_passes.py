"""The second calculator agrees to the đồng whenever one of the newer passes of matching fires."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from books import balance, reconcile, take
from cases import broken, resolve
from east_bank import rows
from front_door import AGENCY, Site, payment_body

from gateway.services.agencies import Agencies
from gateway.services.invariants import violations
from reconciliation.planning import WRITE_OFF, Wanted
from reconciliation.report import Report

pytestmark = pytest.mark.usefixtures("proved")
FEE = 1_000  # Of each payment that VNPAY lists here.
TOP_UP = "BU PHI THANH TOAN"


async def asked(site: Site, amount: int, *lines: tuple[str, int, str]) -> dict[str, Any]:
    """Ask for a payment of fee lines of one's own: kind, amount, budget line."""
    _, site.key = await site.parts.access.add_client(
        f"own-{site.asked}", AGENCY, may_price=True, return_origins=[]
    )
    fees = lines or (("le_phi", amount, "2767"),)
    body = {k: v for k, v in payment_body(100 + site.asked).items() if k != "facts"}
    body |= {
        "lines": [{"code": f"c{n}", "kind": kind, "name": "Phí", "amount": part, "budget_line": to}
                  for n, (kind, part, to) in enumerate(fees)],
    }  # fmt: skip
    answer = await site.ask("/payments", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def by_vnpay(
    site: Site, txn: str, amount: int, *lines: tuple[str, int, str]
) -> dict[str, Any]:
    """Let a citizen pay at VNPAY now; give the payment."""
    payment = await asked(site, amount, *lines)
    attempt = await site.attempt(payment)
    paid = (site.clock.now() + timedelta(hours=7)).strftime("%Y%m%d%H%M%S")
    assert await site.vnpay_says(attempt, vnp_TransactionNo=txn, vnp_PayDate=paid) == "00"
    return payment


def listed(txn: str, gross: int, batch: str, day: int = 18, **more: Any) -> dict[str, Any]:
    """Write a line of VNPAY's report."""
    return {
        "provider_txn_id": txn, "gross": gross, "fee": FEE, "net": gross - FEE, "batch_id": batch,
        "txn_at": f"2026-11-{day}T01:10:00Z", "settled_on": f"2026-11-{day}",
    } | more  # fmt: skip


def deposit(amount: int, day: int, reference: str = "", **more: Any) -> dict[str, Any]:
    """Write a payout of VNPAY's on the bank's statement."""
    memo = f"VNPAY THANH TOAN {reference}".strip()
    said = {"booked_on": f"2026-11-{day}", "amount": amount, "reference": reference, "memo": memo}
    return said | more


async def night(site: Site, day: int) -> Report:
    """Reconcile a day at 01:30 of the next."""
    at = datetime(2026, 11, day, 18, 30, tzinfo=UTC)
    site.clock.move(max(at - site.clock.now(), timedelta()))
    report = await reconcile(site, date(2026, 11, day))
    site.clock.move(timedelta(minutes=1))
    return report


async def balances(site: Site, *accounts: str) -> list[int]:
    return [await balance(site, account) for account in accounts]


async def fired(site: Site) -> set[str]:
    """Give the rules that matched, ever."""
    return {r["rule"] for r in await rows(site, "SELECT DISTINCT rule FROM recon_match")}


async def test_a_batch_in_two_deposits_over_two_nights_and_its_charges_once(site: Site) -> None:
    """The first carries the charges, and the agency's words make them good no more than once."""
    for txn in ("T1", "T2"):
        await by_vnpay(site, txn, 10_000)
    await take(site, "provider", listed("T1", 10_000, "B1"), listed("T2", 10_000, "B1"))
    await night(site, 18)
    await take(site, "statement", deposit(12_000, 19, "B1"))
    assert (await night(site, 19)).posted == 0
    top_up = {"amount": 2 * FEE, "booked_on": "2026-11-20", "memo": TOP_UP}
    await take(site, "statement", deposit(6_000, 20, "B1"), top_up)

    assert (await night(site, 20)).posted == 3
    assert await balances(site, "1380", "1120", "6420", "1383") == [0, 20_000, 2_000, 0]
    more = {"amount": 2 * FEE, "booked_on": "2026-11-21", "memo": TOP_UP}
    await take(site, "statement", more)
    await night(site, 21)

    assert "05-payout-parts" in await fired(site)
    assert await balances(site, "1380", "1383", "3310") == [0, 0, -2_000], "it is nobody's"
    assert await violations(site.parts.store) == []


async def test_payouts_without_a_name_one_batch_then_two_and_lines_without_any(site: Site) -> None:
    """An earlier one that stays in the window keeps its batch."""
    await by_vnpay(site, "U1", 31_000)
    await take(site, "provider", listed("U1", 31_000, "B1"))
    await night(site, 18)
    await take(site, "statement", deposit(30_000, 19))
    assert (await night(site, 19)).posted == 1
    for day, txn, amount, batch in ((20, "U2", 46_000, "B2"), (21, "U3", 62_000, "")):
        await by_vnpay(site, txn, amount)
        await take(site, "provider", listed(txn, amount, batch, day))
        await night(site, day)
    top_up = {"amount": 2 * FEE, "booked_on": "2026-11-22", "memo": TOP_UP}
    await take(site, "statement", deposit(106_000, 22), top_up)

    assert (await night(site, 22)).posted == 2

    assert "05-payout-unnamed" in await fired(site)
    assert await balances(site, "1380", "1120", "6420", "1383") == [0, 138_000, 3_000, 1_000]
    assert (await night(site, 23)).posted == 0
    assert await violations(site.parts.store) == []


async def test_a_batch_that_paid_an_unnamed_payout_pays_no_second_one(site: Site) -> None:
    """Though a later report gives the first payout another batch that it might have been."""
    await by_vnpay(site, "U1", 31_000)
    await by_vnpay(site, "U3", 31_000)
    site.clock.move(timedelta(days=5))
    await take(site, "provider", listed("U1", 31_000, "B1", settled_on="2026-11-23"))
    await take(site, "statement", deposit(30_000, 23))
    assert (await night(site, 23)).posted == 1
    await take(site, "provider", listed("U3", 31_000, "B3"))
    await take(site, "statement", deposit(30_000, 25, line_id="9"))

    await night(site, 25)

    assert await balances(site, "1120", "6420", "1380", "3310") == [30_000, 1_000, 31_000, 0]
    assert await violations(site.parts.store) == []


async def test_a_batch_with_lines_that_are_not_ours_is_paid_and_its_charges_made_good(
    site: Site,
) -> None:
    """A refund that we did not ask for, and a payment of another amount than we booked."""
    for txn in ("T1", "T2"):
        await by_vnpay(site, txn, 10_000)
    back = {"kind": "refund", "fee": 0, "net": -4_000, "merchant_reference": "la"}
    lines = [
        listed("T1", 10_000, "B1"), listed("R1", -4_000, "B1", **back),
        listed("T2", 9_000, "B1"),
    ]  # fmt: skip
    await take(site, "provider", *lines, lines[0])
    await night(site, 18)
    top_up = {"amount": 2 * FEE, "booked_on": "2026-11-19", "memo": TOP_UP}
    await take(site, "statement", deposit(13_000, 19, "B1"), top_up)

    report = await night(site, 19)

    assert (report.posted, report.breaks) == (2, {"amount": 1, "duplicate": 1, "reversed": 1})
    assert await balances(site, "1120", "1380", "6420", "1383") == [15_000, 5_000, 2_000, 0]
    assert await violations(site.parts.store) == []


async def test_a_batch_of_refunds_alone_is_no_part_of_an_unnamed_payout(site: Site) -> None:
    """Nothing of ours names it in the books, so its payout waits for a person."""
    await by_vnpay(site, "U1", 31_000)
    back = {"kind": "refund", "fee": 0, "net": -4_000, "merchant_reference": "la"}
    await take(site, "provider", listed("U1", 31_000, "B1"), listed("R1", -4_000, "B2", **back))
    await night(site, 18)
    await take(site, "statement", deposit(26_000, 19))

    await night(site, 19)

    assert await balances(site, "1120", "1380") == [0, 31_000]
    assert await violations(site.parts.store) == []


async def test_a_batch_that_is_paid_twice_is_charged_once(site: Site) -> None:
    await by_vnpay(site, "T1", 10_000)
    await take(site, "provider", listed("T1", 10_000, "B1"))
    await night(site, 18)
    for day in (19, 20):
        await take(site, "statement", deposit(9_000, day, "B1", line_id=str(day)))
        await night(site, day)

    assert await balances(site, "1120", "6420") == [18_000, 1_000]


async def test_the_treasury_in_documents_by_reference_and_in_lumps(site: Site) -> None:
    """Over nights: parts of a phí, a number, a text, what a lump leaves out; each once."""
    parts = await by_vnpay(site, "T1", 10_000, ("phi", 10_000, "2721"))
    named = await by_vnpay(site, "T2", 20_000, ("phi", 20_000, "2721"))
    told = await by_vnpay(site, "T3", 30_000, ("le_phi", 30_000, "2767"))
    for txn, amount in (("T4", 5_000), ("T5", 6_000)):
        in_lump = await by_vnpay(site, txn, amount, ("phi", amount, "2721"))
    await take(site, "provider", listed("T1", 10_000, "B1"))
    await night(site, 18)
    document = {"booked_on": "2026-11-19", "tieu_muc": "2721"}
    await take(
        site, "treasury",
        document | {"document_ref": "D-1", "obligation_id": parts["id"], "amount": 4_000},
        document | {"document_ref": named["reference"], "amount": 20_000},
    )  # fmt: skip
    assert (await night(site, 19)).posted == 1
    late = {"booked_on": "2026-11-20"}
    await take(
        site, "treasury",
        document | late | {"document_ref": "D-2", "obligation_id": parts["id"], "amount": 6_000},
        document | late | {"document_ref": "D-3", "amount": 11_000},
        late | {"document_ref": "D-4", "amount": 30_000,
                "content": f"NOP NSNN TP{told['reference']}"},
    )  # fmt: skip

    assert (await night(site, 20)).posted == 4

    assert {"08-parts", "08-reference", "09-lump"} <= await fired(site)
    assert await balances(site, "3370", "3330", "1130") == [0, 0, -71_000]
    again = document | {"booked_on": "2026-11-21"}
    await take(
        site, "treasury",
        again | {"document_ref": "D-5", "obligation_id": in_lump["id"], "amount": 6_000},
        again | {"document_ref": "D-6", "obligation_id": parts["id"], "amount": 10_000},
        again | {"document_ref": "D-7", "obligation_id": named["id"], "amount": 20_000},
        again | {"document_ref": f"{named['reference']}-2", "amount": 20_000,
                 "content": f"TP{named['reference']}"},
    )  # fmt: skip
    assert (await night(site, 21)).posted == 0, "nothing is confirmed a second time"


async def test_a_lump_whose_day_nobody_can_say_or_that_fits_by_chance_waits(site: Site) -> None:
    """Two days collected the same, and one lump came; of three lumps one is a day's money."""
    for day, txn in ((18, "T1"), (19, "T2")):
        await by_vnpay(site, txn, 20_000, ("phi", 10_000, "2721"), ("le_phi", 10_000 + day, "2767"))
        await night(site, day)
    lump = {"booked_on": "2026-11-20", "tieu_muc": "2767"}
    await take(
        site, "treasury", lump | {"tieu_muc": "2721", "amount": 10_000, "document_ref": "D-1"},
        *(lump | {"amount": amount, "document_ref": f"E-{amount}"} for amount in (10_018, 7, 8)),
    )  # fmt: skip

    assert (await night(site, 20)).posted == 0
    assert await balance(site, "1130") == 0


@pytest.mark.parametrize(
    "memo",
    ["TP{r[0]}{r[2]}{r[3]}{r[4]}{r[5]}{r[6]}{r[7]}{r[8]}{r[9]}{r[10]}{r[11]}",
     "nop tien TP{r[0]}{r[1]}Q{r[2]}{r[3]}{r[4]}{r[5]}{r[6]}{r[7]}{r[8]}{r[9]}{r[10]}{r[11]}",
     "TP{r[1]}{r[0]}{r[2]}{r[3]}{r[4]}{r[5]}{r[6]}{r[7]}{r[8]}{r[9]}{r[10]}{r[11]} VAN A"],
)  # fmt: skip
async def test_a_credit_whose_reference_is_damaged_pays_all_the_same(site: Site, memo: str) -> None:
    payment = await asked(site, 10_000)
    site.clock.move(timedelta(hours=1))
    await take(site, "statement", {"memo": memo.format(r=payment["reference"])})

    await night(site, 18)

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert await balances(site, "1120", "1380", "3310", "M2") == [10_000, 0, 0, 10_000]


async def test_a_notice_with_a_damaged_reference_is_nobodys_until_the_statement_says_more(
    site: Site,
) -> None:
    """What a notice says is read as CONTRACT 1 says, and no letter is guessed in it."""
    payment = await asked(site, 10_000)
    memo = f"TP{payment['reference'][1:]}"
    assert await site.sepay_says(memo, 10_000, 77) == 200
    await take(site, "statement", {"memo": memo, "reference": "FT77"})

    await night(site, 18)

    assert await balance(site, "1120") == 10_000
    assert await violations(site.parts.store) == []


async def test_a_credit_that_lost_its_reference_is_the_one_capture_that_lacks_its_credit(
    site: Site,
) -> None:
    payment = await asked(site, 10_000)
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 77, referenceCode="") == 200
    await night(site, 18)
    await take(site, "statement", {"booked_on": "2026-11-20", "memo": "CT"})

    report = await night(site, 20)

    assert (report.posted, report.recovered) == (1, 0)
    assert "13-lost-reference" in await fired(site)
    assert await balances(site, "1120", "1380", "3310") == [10_000, 0, 0]


async def test_a_credit_that_lost_its_reference_contradicts_what_was_written_off(
    site: Site,
) -> None:
    await Agencies(site.parts.store).change(AGENCY, {"write_off_max": "10000"}, {}, "test")
    payment = await asked(site, 10_000)
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 77, referenceCode="") == 200
    await night(site, 18)
    await take(site, "statement", {"booked_on": "2026-11-24", "amount": -5, "memo": "PHI"})
    await night(site, 24)
    case = await broken(site, "missing_at_provider")
    await resolve(site, case, Wanted(WRITE_OFF, "ngân hàng không có"))
    await take(site, "statement", {"booked_on": "2026-11-20", "memo": "CT"})

    report = await night(site, 24)

    assert (report.posted, report.breaks["status_conflict"]) == (0, 1)
    assert await balances(site, "1120", "6430") == [0, 10_000]


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_movement_that_the_bank_numbers_twice_is_booked_once(
    site: Site, *, is_told: bool
) -> None:
    payment = await asked(site, 10_000)
    memo = f"TP{payment['reference']}"
    if is_told:
        assert await site.sepay_says(memo, 10_000, 77) == 200
    line = {"line_id": "L1", "memo": memo}
    await take(site, "statement", line, line)

    report = await night(site, 18)

    assert report.breaks == {"duplicate": 1}
    assert await balances(site, "1120", "1380", "3310", "3320") == [10_000, 0, 0, 0]
