"""A day's files, written by hand: what a bank, VNPAY and the treasury would say."""

import csv
import io
from datetime import date
from typing import Any

from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.entry.bootstrap import reconciliation_of
from reconciliation.intake import Taken
from reconciliation.service import Reconciliation, Report

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
        AGENCY, f"canonical-{kind}", f"{kind}.csv", written(kind, *rows), "test"
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
