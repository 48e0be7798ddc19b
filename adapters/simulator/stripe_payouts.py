"""Stripe's itemised payout reconciliation, as its own CSV and as its API's balance transactions.

The columns are those of ``payout_reconciliation.itemized.5``; amounts are in whole đồng, which the
file writes with two decimals of nothing.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Any, Final

NAME: Final = "stripe"
PROFILE: Final = "stripe-payouts"
COLUMNS: Final = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,"
    "created,available_on_utc,available_on,currency,gross,fee,net,reporting_category,source_id,"
    "description,customer_facing_amount,customer_facing_currency,charge_id,payment_intent_id,"
    "payment_metadata[thuphi_attempt],refund_metadata[thuphi_refund],payment_method_type"
)
_CATEGORIES: Final = MappingProxyType({"payment": "charge", "refund": "refund"})
Row = Mapping[str, str | int]


def written(row: Row) -> dict[str, str | int]:
    """Write a movement as a line of the file."""
    at, is_charge = _stamp(_instant(row["txn_at"])), row["kind"] == "payment"
    settled = f"{row['settled_on']} 00:00:00"
    number = _number(row)
    source = f"ch_{number}" if is_charge else str(row["provider_txn_id"])
    return {
        "automatic_payout_id": row["batch_id"], "automatic_payout_effective_at_utc": settled,
        "balance_transaction_id": f"txn_{number}", "created_utc": at, "created": at,
        "available_on_utc": settled, "available_on": settled, "currency": "vnd",
        "gross": f"{row['gross']}.00", "fee": f"{row['fee']}.00", "net": f"{row['net']}.00",
        "reporting_category": _CATEGORIES[str(row["kind"])], "source_id": source,
        "description": 'Checkout, 1 "phí"', "customer_facing_amount": f"{row['gross']}.00",
        "customer_facing_currency": "vnd", "charge_id": source if is_charge else "",
        "payment_intent_id": row["provider_txn_id"] if is_charge else "",
        "payment_metadata[thuphi_attempt]": row["merchant_reference"] if is_charge else "",
        "refund_metadata[thuphi_refund]": "" if is_charge else row["merchant_reference"],
        "payment_method_type": "card",
    }  # fmt: skip


def movement(row: Row) -> dict[str, Any]:
    """Write a movement as the API gives it, its source expanded."""
    is_charge, name = row["kind"] == "payment", row["merchant_reference"]
    source = (
        {"id": f"ch_{_number(row)}", "object": "charge", "payment_intent": row["provider_txn_id"],
         "metadata": {"thuphi_attempt": name}}
        if is_charge
        else {"id": row["provider_txn_id"], "object": "refund", "metadata": {"thuphi_refund": name}}
    )  # fmt: skip
    return {
        "id": f"txn_{_number(row)}", "object": "balance_transaction", "amount": row["gross"],
        "fee": row["fee"], "net": row["net"], "currency": "vnd", "source": source,
        "created": int(_instant(row["txn_at"]).timestamp()),
        "reporting_category": _CATEGORIES[str(row["kind"])],
    }  # fmt: skip


def payout(name: str, on: date, rows: list[Row]) -> dict[str, Any]:
    """Write a payout as the API gives it."""
    arrival = datetime.combine(on, time(0), UTC)
    return {
        "id": name, "object": "payout", "amount": sum(int(r["net"]) for r in rows),
        "currency": "vnd", "arrival_date": int(arrival.timestamp()), "automatic": True,
        "status": "paid", "reconciliation_status": "completed",
    }  # fmt: skip


def _number(row: Row) -> str:
    return str(row["provider_txn_id"]).partition("_")[2]


def _instant(value: str | int) -> datetime:
    return datetime.fromisoformat(str(value))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
