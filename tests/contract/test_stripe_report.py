"""What Stripe's payouts are made of, fetched or read from its file: all of it, or nothing."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.conformance import ScriptedWire
from adapters.vectors.stripe_messages import (
    CREATED,
    INTENT,
    ORDER,
    REFUND,
    SECONDS,
    build,
    dispute,
    refund,
    reply,
)
from gateway.domain.errors import DeclinedError, InDoubtError, Refusal
from gateway.ports.provider import ReportLine
from reconciliation.readers import stripe_payouts
from reconciliation.readers.line import StatementLine
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import Reading
from reconciliation.readers.reading import read as read_file


def movement(number: int, category: str, amount: int, fee: int, source: object) -> dict[str, Any]:
    return {
        "id": f"txn_{number}", "object": "balance_transaction", "amount": amount, "fee": fee,
        "net": amount - fee, "currency": "vnd", "created": SECONDS + number,
        "reporting_category": category, "source": source,
    }  # fmt: skip


CHARGE = {
    "id": "ch_1", "object": "charge", "payment_intent": INTENT,
    "metadata": {"thuphi_attempt": ORDER.reference},
}  # fmt: skip
PAYOUT = {
    "id": "po_1", "object": "payout", "status": "paid", "currency": "vnd", "automatic": True,
    "reconciliation_status": "completed", "amount": 91_400,
}  # fmt: skip


def listed(*rows: object, has_more: bool = False) -> Any:
    return reply({"object": "list", "data": list(rows), "has_more": has_more})


async def test_a_payout_is_reported_movement_by_movement_page_by_page() -> None:
    first = listed(
        movement(0, "payout", -91_400, 0, "po_1"), movement(1, "charge", 150_000, 5_600, CHARGE),
        movement(2, "refund", -50_000, 0, refund()), has_more=True,
    )  # fmt: skip
    second = listed(
        movement(3, "dispute", -150_000, 1_500, dispute("lost")),
        movement(4, "dispute_reversal", 150_000, 0, dispute("won")),
        movement(5, "fee", 0, 1_000, None),
    )
    wire = ScriptedWire([listed(PAYOUT, {**PAYOUT, "status": "failed"}), first, second])

    rows = await build(wire).report(date(2026, 11, 24))

    assert rows[0] == ReportLine(
        INTENT, ORDER.reference, "payment", 150_000, 5_600, 144_400,
        CREATED + timedelta(seconds=1), date(2026, 11, 24), "po_1",
    )  # fmt: skip
    assert [(r.kind, r.reference, r.txn_id, r.net) for r in rows[1:]] == [
        ("refund", REFUND.reference, refund()["id"], -50_000),
        ("reversal", dispute("lost")["id"], "txn_3", -151_500),
        ("reversal", dispute("won")["id"], "txn_4", 150_000),
        ("charge", "", "txn_5", -1_000),
    ]
    asked = parse_qs(urlsplit(wire.asked[2][1]).query)
    assert (asked["payout"], asked["starting_after"]) == (["po_1"], ["txn_2"])
    day = parse_qs(urlsplit(wire.asked[0][1]).query)
    assert day["arrival_date[gte]"] == [str(int(datetime(2026, 11, 24, tzinfo=UTC).timestamp()))]


@pytest.mark.parametrize(
    ("payout", "row", "error"),
    [
        ({"reconciliation_status": "in_progress"}, {}, InDoubtError),
        ({"automatic": False}, {}, DeclinedError), ({"currency": "usd"}, {}, DeclinedError),
        ({}, {"currency": "usd"}, DeclinedError), ({}, {"net": 1}, InDoubtError),
        ({}, {"reporting_category": "risk_reserved_funds"}, DeclinedError),
        ({}, {"fee": 5_600.0}, InDoubtError), ({}, {"created": None}, InDoubtError),
    ],
)  # fmt: skip
async def test_a_report_that_cannot_be_booked_is_not_half_read(
    payout: dict[str, Any], row: dict[str, Any], error: type[Exception]
) -> None:
    """A movement that was left out would be money that nobody misses."""
    rows = listed(movement(1, "charge", 150_000, 5_600, CHARGE) | row)

    with pytest.raises(error):
        await build(ScriptedWire([listed(PAYOUT | payout), rows])).report(date(2026, 11, 24))


ROW = {
    "reporting_category": "charge", "currency": "vnd", "gross": "150000.00", "fee": "5600.00",
    "net": "144400.00", "automatic_payout_id": "po_1", "balance_transaction_id": "txn_1",
    "automatic_payout_effective_at_utc": "2026-11-26 00:00:00",
    "created_utc": "2026-11-24 17:30:00", "source_id": "ch_1", "payment_intent_id": INTENT,
    "payment_metadata[thuphi_attempt]": ORDER.reference, "refund_metadata[thuphi_refund]": "",
    "customer_email": "hoa@example.vn", "description": 'Lệ phí, "gấp"\nhai dòng',
}  # fmt: skip


def written(*rows: dict[str, str], leave_out: str = "") -> bytes:
    """Write Stripe's file, with columns of its own beside those that we read."""
    text = io.StringIO()
    names = [name for name in ROW if name != leave_out]
    writer = csv.DictWriter(text, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(ROW | row for row in rows)
    return text.getvalue().encode()


def read(*rows: dict[str, str], **more: str) -> tuple[StatementLine, ...]:
    return read_file(load_profile(stripe_payouts.PROFILE), written(*rows, **more))


def test_a_file_of_stripes_own_columns_becomes_lines_of_ours() -> None:
    """Its times are UTC and its đồng have decimals; the payer in it is nobody's business here."""
    back = {"gross": "-50000", "fee": "0", "net": "-50000.00", "payment_intent_id": INTENT}
    lost = {"gross": "-150000.00", "fee": "1500.00", "net": "-151500.00", "source_id": "du_1"}
    lines = read(
        {},
        back | {"reporting_category": "refund", "source_id": "re_1",
                "refund_metadata[thuphi_refund]": REFUND.reference},
        lost | {"reporting_category": "dispute", "balance_transaction_id": "txn_3"},
        {"reporting_category": "dispute_reversal", "balance_transaction_id": "txn_4",
         "source_id": "du_1", "fee": "0.00", "net": "150000.00"},
        {"reporting_category": "fee", "balance_transaction_id": "txn_5", "gross": "0.00",
         "fee": "1000.00", "net": "-1000.00", "source_id": ""},
    )  # fmt: skip

    assert [(x.kind, x.txn_id, x.reference, x.gross, x.fee, x.net) for x in lines] == [
        ("payment", INTENT, ORDER.reference, 150_000, 5_600, 144_400),
        ("refund", "re_1", REFUND.reference, -50_000, 0, -50_000),
        ("reversal", "txn_3", "du_1", -150_000, 1_500, -151_500),
        ("reversal", "txn_4", "du_1", 150_000, 0, 150_000),
        ("charge", "txn_5", None, 0, 1_000, -1_000),
    ]
    first = lines[0]
    assert first.txn_at == datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    assert (first.booked_on, first.value_on) == (date(2026, 11, 25), date(2026, 11, 26))
    assert (first.account, first.batch_id) == ("stripe/default", "po_1")
    profile = load_profile(stripe_payouts.PROFILE)
    (named,) = Reading(profile, written({}), {"stripe": ["stripe/cua-lo"]})
    assert named.account == "stripe/cua-lo"
    assert [x.line_no for x in lines] == [2, 4, 6, 8, 10]
    assert "hoa@example.vn" not in repr(lines)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"currency": "usd"}, "currency is not one of vnd"),
        ({"reporting_category": "risk_reserved_funds"}, "reporting_category is not one of"),
        ({"gross": "150000.50"}, "gross is not a whole number"),
        ({"gross": "150.000,00"}, "gross is not a whole number"),
        ({"gross": "1.5e5"}, "gross is not a whole number"),
        ({"net": "144401.00"}, "net is not gross less fee"),
        ({"created_utc": "24/11/2026"}, "created_utc is not a time"),
        ({"automatic_payout_id": ""}, "automatic_payout_id is empty"),
        ({"reporting_category": "refund"}, "gross of a refund is not below zero"),
    ],
)
def test_a_doubtful_cell_refuses_the_whole_file(row: dict[str, str], why: str) -> None:
    with pytest.raises(Refusal, match=f"Line 4: {why}"):
        read({}, row)


def test_a_file_without_a_column_that_is_needed_says_which() -> None:
    """Stripe lets each account choose its columns."""
    with pytest.raises(Refusal, match=r"Line 1: must have the columns payment_intent_id\."):
        read({}, leave_out="payment_intent_id")
    with pytest.raises(Refusal, match=r"Line 2: has 3 cells where 15 are wanted\."):
        read_file(load_profile(stripe_payouts.PROFILE), written() + b"a,b,c\r\n")
    with pytest.raises(Refusal, match="has no header"):
        read_file(load_profile(stripe_payouts.PROFILE), b"")
