"""One item that cannot be done stops nobody else, and is seen (SCENARIOS 11)."""

from datetime import timedelta
from typing import Any

import pytest
from books import NEXT, balance, breaks, reconcile, reconciliation, take, written
from front_door import AGENCY, Site
from receipt_days import LE_PHI, pay
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.seed import seed
from gateway.services.sweeps import SweepError
from receipts.corrections import Corrections, Wanted


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def spoil(site: Site, query: str) -> None:
    """Change what stands in the database, as an older version might have left it."""
    async with site.parts.store.begin() as tx:
        await tx.run(text(query))


async def test_replacements_that_cannot_be_made_stop_no_other(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait in front of it, as many as are looked at together."""
    monkeypatch.setattr("receipts.replacing.page", 1)
    for _ in range(3):
        await pay(site, "online", (LE_PHI, LE_PHI))
    await site.parts.receipts.issue()
    corrections = Corrections(site.parts.store, site.parts.vault)
    wanted = Wanted("amount", "ghi nhầm", {}, (8_000, 12_000))
    for receipt in await rows(site, "SELECT id FROM receipt ORDER BY id"):
        asked = await corrections.ask(AGENCY, receipt["id"], wanted, "staff:mai")
        await corrections.decide(AGENCY, asked, "staff:nam", agree=True)
    await spoil(site, "UPDATE correction SET said = '{\"amounts\": [1]}' WHERE id < ("
                "SELECT max(id) FROM correction)")  # fmt: skip

    assert await site.parts.replacing.run() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"gross": 0, "fee": 0, "net": 0}, "gross of a payment is not above zero"),
        ({"gross": -5, "fee": 0, "net": -5}, "gross of a payment is not above zero"),
        ({"fee": -1, "net": 10_001}, "fee of a payment is below zero"),
        ({"kind": "refund", "fee": 0, "net": 10_000}, "gross of a refund is not below zero"),
        ({"kind": "reversal", "gross": 0, "fee": 0, "net": 0}, "gross of a reversal is zero"),
        ({"kind": "charge", "gross": 0, "fee": 0, "net": 0}, "net of a charge is not below zero"),
        ({"fee": 0, "net": 4_000}, "net is not gross less fee"),
        ({"kind": "charge", "gross": 0, "fee": 0, "net": -900}, "net is not gross less fee"),
    ],
)
async def test_an_amount_that_cannot_be_of_its_kind_refuses_the_file_by_its_line(
    site: Site, changes: dict[str, Any], said: str
) -> None:
    """Once taken it could never be booked, and every night would end at it."""
    with pytest.raises(Refusal, match=f"Line 3: {said}"):
        await take(site, "provider", {}, {"provider_txn_id": "999"} | changes)

    assert await rows(site, "SELECT id FROM statement_line") == []


async def test_a_charge_that_nobody_declared_is_a_break_and_never_booked(site: Site) -> None:
    """Six thousand đồng that the provider kept would pass as its charge."""
    payment = await site.payment()
    attempt = await site.attempt(payment)
    assert await site.vnpay_says(attempt) == "00"
    site.clock.move(timedelta(hours=41, minutes=30))
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})
    await spoil(site, "UPDATE statement_line SET fee = 0, net = 4000")
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 4_000, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip

    report = await reconcile(site, NEXT)

    assert report.breaks == {"batch_total": 1}
    assert [await balance(site, a) for a in ("1380", "6420", "1383")] == [10_000, 0, 0]


async def test_a_line_that_cannot_be_taken_up_stops_no_other_line(site: Site) -> None:
    payment = await site.payment()
    attempt = await site.attempt(payment)
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(
        site, "provider", {"provider_txn_id": "1"},
        {"provider_txn_id": "2", "merchant_reference": attempt["provider_reference"]},
    )  # fmt: skip
    await spoil(site, "UPDATE statement_line SET gross = 0 WHERE txn_id = '1'")

    report = await reconcile(site)

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert (report.recovered, len(report.failed)) == (1, 1)
    assert report.closed is not None
    assert report.closed.open_checks == {"every line was taken up": report.failed}
    assert await breaks(site) == [("unknown_money", "line")]


async def test_an_agency_that_cannot_be_reconciled_stops_no_other_and_the_job_is_seen_to_fail(
    site: Site,
) -> None:
    """«hn-tthcc» comes first, and its file cannot be opened; its twin's day is closed."""
    await seed(site.parts.store, live=True)
    await site.payment()
    site.clock.move(timedelta(hours=17, minutes=30))
    await reconciliation(site).intake.store(
        "hn-tthcc", "canonical-provider", "x.csv", written("provider", {}), "staff:a"
    )
    await spoil(site, "UPDATE statement_file SET content_sealed = '\\x00'")

    with pytest.raises(SweepError, match=r"failed: hn-tthcc$"):
        await reconciliation(site).reconcile_yesterday()

    assert await rows(site, "SELECT agency_id FROM day") == [{"agency_id": AGENCY}]


async def test_a_line_that_cannot_be_taken_up_fails_the_nights_job(site: Site) -> None:
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "provider", {})
    await spoil(site, "UPDATE statement_line SET gross = 0")

    with pytest.raises(SweepError, match=f"failed: {AGENCY}"):
        await reconciliation(site).reconcile_yesterday()


async def test_a_file_that_cannot_be_opened_stops_no_other_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many lie in front: they are looked at some at a time."""
    monkeypatch.setattr("reconciliation.intake.queued_page", 1)
    intake = reconciliation(site).intake
    files = [
        await intake.store(
            AGENCY, "canonical-statement", "x.csv", written("statement", {"line_id": n}), "staff:a"
        )
        for n in ("1", "2")
    ]
    await spoil(site, f"UPDATE statement_file SET content_sealed = '\\x00' WHERE id = '{files[0]}'")
    site.clock.move(timedelta(hours=17, minutes=30))

    with pytest.raises(SweepError, match=files[0]):
        await intake.take_all()
    await intake.store(
        AGENCY, "canonical-statement", "x.csv", written("statement", {"line_id": "3"}), "staff:a"
    )
    report = await reconcile(site)

    assert await rows(site, "SELECT txn_id FROM statement_line ORDER BY txn_id") == [
        {"txn_id": "2"}, {"txn_id": "3"},
    ]  # fmt: skip
    assert report.closed is not None
    assert report.closed.open_checks == {"every line was taken up": files[:1]}
