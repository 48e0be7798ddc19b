"""A payer may write what a bank writes of a payout: it books nothing but what is proved."""

from datetime import timedelta
from typing import Any

from books import NEXT, balance, breaks, reconcile, take
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.entry.registry import Registry
from reconciliation.marks import marks, marks_in

MARKS = [mark["text"] for mark in marks()["mark"]]
BATCH = "VNPAY-20261118"
PAYOUT = {"reference": BATCH, "memo": f"VNPAY THANH TOAN {BATCH}", "booked_on": "2026-11-19"}
BOTH = ("vnpay/default", "vnpay/tay-ho")
TAY_HO = {
    "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret",
    "VNPAY_BASE_URL": "https://pay.example.vn/", "VNPAY_API_URL": "https://pay.example.vn/api",
}  # fmt: skip


async def booked(site: Site) -> list[tuple[Any, ...]]:
    """Give what was booked of statement lines: rule, account and amount."""
    async with site.parts.store.begin() as tx:
        found = await tx.rows(
            text(
                "SELECT rule, provider_account, amount FROM entry WHERE voucher_kind IN"
                " ('statement_line','remittance') AND debit <> '6420' AND credit <> '4900'"
                " ORDER BY rule, provider_account, amount"
            )
        )
    return [tuple(r.values()) for r in found]


async def test_whoever_names_a_payment_pays_it_whatever_else_is_written(site: Site) -> None:
    payments = [await site.payment(n) for n in range(len(MARKS))]
    lines = [
        {"line_id": str(n), "memo": f"{mark} TP{payment['reference']} 7"}
        for n, (mark, payment) in enumerate(zip(MARKS, payments, strict=True))
    ]
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "statement", *lines)

    report = await reconcile(site)

    states = {(await site.get(f"/payments/{p['id']}"))["state"] for p in payments}
    assert states == {"paid"}
    assert (report.recovered, report.breaks, await breaks(site)) == (len(MARKS), {}, [])
    assert {rule for rule, _, _ in await booked(site)} == {"payout"}
    async with site.parts.store.begin() as tx:
        kept = await tx.rows(text("SELECT DISTINCT marks, batch_id FROM statement_line"))
    assert [tuple(x.values()) for x in kept] == [([], None)]
    assert await balance(site, "1120") == 10_000 * len(MARKS)


async def test_a_payers_words_without_a_payment_are_money_that_nobody_knows(site: Site) -> None:
    """Each is somebody's case in suspense, and the day can be closed."""
    lines = [
        {"line_id": str(n), "amount": 1_000 + n, "reference": f"FT{n}", "memo": f"LE PHI {mark} 12"}
        for n, mark in enumerate(MARKS)
    ]
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "statement", *lines)

    report = await reconcile(site)
    again = await reconcile(site)

    assert report.recovered == len(MARKS)
    assert await breaks(site) == [("unknown_money", "capture")] * len(MARKS)
    async with site.parts.store.begin() as tx:
        kept = await tx.rows(text("SELECT marks FROM statement_line ORDER BY line_no"))
    assert [x["marks"] for x in kept] == [[] if m == "NOP NSNN" else [m] for m in MARKS]
    total = sum(int(str(line["amount"])) for line in lines)
    told = [await balance(site, a) for a in ("1120", "3310", "1380", "1383", "1130")]
    assert told == [total, -total, 0, 0, 0]
    assert report.closed is not None
    assert not [x for x in report.closed.open_checks if "statement" in x]
    assert (again.recovered, again.posted) == (0, 0)


def test_money_that_leaves_is_no_payout_and_money_that_comes_no_remittance() -> None:
    assert [m for m in MARKS if marks_in(m, -1)] == ["NOP NSNN"]
    assert [m for m in MARKS if not marks_in(m, 1)] == ["NOP NSNN"]


async def test_charges_are_made_good_by_no_more_than_the_agency_owes(site: Site) -> None:
    """The same words from a payer are unknown money, before and after the bill is paid.

    And beside a payment's reference, though a damaged one, they are that payment's.
    """
    reference = (await site.payment(2))["reference"]
    damaged = f"TP{reference[:3]}{'7' if reference[3] != '7' else '8'}{reference[4:]}"
    await site.vnpay_says(await site.attempt(await site.payment()), vnp_TransactionNo="14831393")
    site.clock.move(timedelta(days=1, hours=17, minutes=30))
    await take(site, "provider", {})
    words = {"booked_on": "2026-11-19", "memo": "BU PHI THANH TOAN"}
    await take(
        site, "statement", {"line_id": "1", "amount": 2_000, **words},
        {"line_id": "6", "amount": 900, **words, "memo": f"BU PHI THANH TOAN {damaged}"},
        {"line_id": "2", "amount": 8_920, **PAYOUT}, {"line_id": "3", "amount": 1_080, **words},
        {"line_id": "4", "amount": 500, **words},
    )  # fmt: skip
    await reconcile(site)

    first = await reconcile(site, NEXT)
    site.clock.move(timedelta(days=1))
    await take(site, "statement", {"line_id": "5", "amount": 300, **words})
    second = await reconcile(site, NEXT)

    assert (first.recovered, second.recovered) == (3, 1)
    assert [r for r in await booked(site) if r[0] == "topped_up"] == [("topped_up", None, 1_080)]
    assert await balance(site, "1383") == 0
    assert await balance(site, "3310") == -(2_000 + 900 + 500 + 300)
    assert set(await breaks(site)) == {("unknown_money", "capture")}


async def test_a_payout_waits_for_its_report_and_its_words_alone_do_not_pass_for_it(
    site: Site,
) -> None:
    """A report may come after the money; what it then does not list is a payer's."""
    for n in (1, 2):
        attempt = await site.attempt(await site.payment(n))
        await site.vnpay_says(attempt, vnp_TransactionNo=f"1483139{n + 2}")
    site.clock.move(timedelta(days=1, hours=17, minutes=30))
    day = {"booked_on": "2026-11-19"}
    await take(
        site, "statement", {"line_id": "1", "amount": 8_920, **PAYOUT},
        {"line_id": "2", "amount": 1_080, "memo": "BU PHI THANH TOAN", **day},
        {"line_id": "3", "amount": 777, "memo": "VNPAY THANH TOAN HO SO", **day},
    )  # fmt: skip

    early = await reconcile(site, NEXT)
    moved_early = await booked(site)
    later = {"provider_txn_id": "14831394", "txn_at": "2026-11-19T01:10:00Z", "batch_id": "B2"}
    await take(site, "provider", {}, later)
    await reconcile(site, NEXT)

    assert early.breaks == {"missing_at_provider": 2, "charge": 1}
    assert (early.recovered, moved_early) == (0, [])
    assert await booked(site) == [
        ("payout", "vietqr/default", 777), ("payout", "vnpay/default", 8_920),
        ("topped_up", None, 1_080),
    ]  # fmt: skip
    assert await balance(site, "3310") == -777
    assert await breaks(site) == [("unknown_money", "capture")]


async def listed_at_two_accounts(site: Site, *fees: int) -> None:
    """Let an agency have a second account at VNPAY; both list a batch of one name."""
    registry = site.parts.registry
    assert isinstance(registry, Registry)
    await registry.accounts.add(AGENCY, "vnpay", "tay-ho", TAY_HO, "staff:vanhanh")
    await registry.refresh()
    site.clock.move(timedelta(days=1, hours=17, minutes=30))
    await take(
        site, "provider",
        *({"provider": name, "provider_txn_id": f"1483139{n}", "fee": fee, "net": 10_000 - fee}
          for n, (name, fee) in enumerate(zip(BOTH, fees, strict=True))),
    )  # fmt: skip


async def test_a_payout_is_of_the_account_whose_batch_it_is(site: Site) -> None:
    """An agency may have any number of accounts at a provider, and other agencies their own."""
    await listed_at_two_accounts(site, 1_080, 500)
    await take(
        site, "statement", {"line_id": "1", "amount": 9_500, **PAYOUT},
        {"line_id": "2", "amount": 8_920, **PAYOUT},
    )  # fmt: skip

    await reconcile(site, NEXT)

    assert await booked(site) == [
        ("payout", "vnpay/default", 8_920), ("payout", "vnpay/tay-ho", 9_500),
    ]  # fmt: skip
    assert await balance(site, "1380") == 0


async def test_a_payout_that_two_accounts_may_have_made_is_of_neither(site: Site) -> None:
    await listed_at_two_accounts(site, 1_080, 1_080)
    await take(site, "statement", {"line_id": "1", "amount": 8_920, **PAYOUT})

    report = await reconcile(site, NEXT)

    assert report.breaks["batch_total"] == 1
    assert await booked(site) == []
    async with site.parts.store.begin() as tx:
        (said,) = await tx.rows(text("SELECT why FROM break WHERE kind = 'batch_total'"))
    assert said["why"] == "several accounts of this provider have such a batch"
