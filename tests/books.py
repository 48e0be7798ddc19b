"""A day's files, written by hand: what a bank, VNPAY and the treasury would say."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.entry.reconciling import reconciliation_of
from reconciliation.intake import Taken
from reconciliation.report import Report
from reconciliation.service import Reconciliation

COLUMNS = {
    "provider": "provider,provider_txn_id,merchant_reference,kind,gross,fee,net,currency,txn_at,"
    "settled_on,batch_id",
    "statement": "account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,"
    "balance",
    "treasury": "document_ref,obligation_id,booked_on,agency_code,chapter,tieu_muc,amount,currency,"
    "content",
}
DEFAULTS: dict[str, dict[str, Any]] = {
    "provider": {
        "provider": "vnpay", "provider_txn_id": "14831393", "kind": "payment", "gross": 10_000,
        "fee": 1_080, "net": 8_920, "currency": "VND", "txn_at": "2026-11-18T01:10:00Z",
        "settled_on": "2026-11-19", "batch_id": "VNPAY-20261118",
    },
    "statement": {
        "account": "0123456789", "booked_on": "2026-11-18", "amount": 10_000, "currency": "VND",
    },
    "treasury": {
        "document_ref": "NS20261119-00001", "booked_on": "2026-11-19", "agency_code": "1057757",
        "chapter": "412", "tieu_muc": "2767", "amount": 10_000, "currency": "VND",
    },
}  # fmt: skip
DAY, NEXT = date(2026, 11, 18), date(2026, 11, 19)


def written(kind: str, *rows: dict[str, Any]) -> bytes:
    """Write a canonical file; what a row leaves out is as in an ordinary day."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS[kind].split(","), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(DEFAULTS[kind] | row for row in rows)
    return out.getvalue().encode()


def reconciliation(site: Site) -> Reconciliation:
    """Give the accountant's side of a site."""
    return reconciliation_of(site.parts)


async def take(site: Site, kind: str, *rows: dict[str, Any]) -> Taken:
    """Import a file."""
    return await reconciliation(site).intake.import_file(
        AGENCY, f"canonical-{kind}", f"{kind}.csv", written(kind, *rows), "staff:ketoan"
    )


async def reconcile(site: Site, on: date = DAY) -> Report:
    """Reconcile a day, and close it if it can be closed."""
    return await reconciliation(site).reconcile(AGENCY, on, "test")


async def breaks(site: Site, state: str = "open") -> list[tuple[str, str]]:
    """Give kind and what kind of subject, of the breaks in a state."""
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT kind, subject FROM break WHERE state = :state ORDER BY kind, subject"),
            {"state": state},
        )
    return [(r["kind"], r["subject"].partition(":")[0]) for r in rows]


async def balance(site: Site, account: str) -> int:
    """Give debit less credit of one account."""
    async with site.parts.store.begin() as tx:
        row = await tx.row(
            text(
                "SELECT coalesce(sum(CASE WHEN debit = :a THEN amount ELSE -amount END), 0)::bigint"
                " AS balance FROM entry WHERE :a IN (debit, credit)"
            ),
            {"a": account},
        )
    assert row is not None
    return int(row["balance"])


def hanoi(site: Site, day: date, hour: int, minute: int = 0) -> None:
    """Move the clock on to a time in Hanoi."""
    at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=7)
    site.clock.move(at - site.clock.now())


async def booked(site: Site, payment: dict[str, Any]) -> set[tuple[date, date]]:
    """Give the days on which a payment's money is booked, and its true days."""
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text(
                "SELECT c.booked_on, c.value_on, e.booked_on AS entered_on, e.value_on AS true_on"
                " FROM capture c JOIN entry e ON e.voucher_kind = 'capture' AND e.voucher_id = c.id"
                " WHERE e.payment_id = :id"
            ),
            {"id": payment["id"]},
        )
    assert all((r["booked_on"], r["value_on"]) == (r["entered_on"], r["true_on"]) for r in rows)
    return {(r["booked_on"], r["value_on"]) for r in rows}


async def closed(site: Site, on: date) -> Report:
    """Reconcile and close a day at 01:30 on the next."""
    hanoi(site, on + timedelta(days=1), 1, 30)
    report = await reconcile(site, on)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    return report


async def paid_by_vnpay(site: Site, n: int = 1, txn: str = "14831393") -> dict[str, str]:
    """Let a citizen pay 10,000 đồng at VNPAY, and give the payment."""
    payment = await site.payment(n)
    attempt = await site.attempt(payment)
    assert await site.vnpay_says(attempt, vnp_TransactionNo=txn) == "00"
    return payment | {"attempt": attempt["provider_reference"]}


async def night(site: Site, nights: int = 1) -> None:
    """Let the day end: 01:30 on the next day in Hanoi."""
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=nights - 1))


async def two_days(site: Site, payment: dict[str, str]) -> None:
    """Import what an ordinary day and its next bring, and close both."""
    await night(site)
    await take(site, "provider", {"merchant_reference": payment["attempt"]})
    first = await reconcile(site)
    assert first.closed is not None
    assert first.closed.is_closed, first.closed.open_checks
    assert first.closed.settled == 0
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 8_920, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": 1_080, "reference": "BP",
         "memo": "BU PHI THANH TOAN VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": -10_000, "reference": "NS20261119",
         "memo": "NOP NSNN 19/11/2026 NS20261119"},
    )  # fmt: skip
    await take(site, "treasury", {"obligation_id": payment["id"]})
    second = await reconcile(site, NEXT)
    assert second.closed is not None
    assert second.closed.is_closed, second.closed.open_checks
