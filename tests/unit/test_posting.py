"""What a payout's batch books: the net that came, and the charges that its lines declare."""

from datetime import date
from typing import Any

from gateway.domain.ledger import Entry
from reconciliation.engine import Match, Result
from reconciliation.inputs import Inputs
from reconciliation.posting import postings

ON = date(2026, 11, 19)
BATCH = {"source": "provider", "account": "p/default", "batch_id": "B"}


def booked(net: int, *lines: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Book a payout of a batch with these lines; give debit, credit and amount."""
    payout = {"id": "out", "source": "statement", "net": net, "reference": "B", "booked_on": ON}
    report = [
        {**BATCH, "id": f"in{n}", "booked_on": ON, "net": line["gross"] - line["fee"], **line}
        for n, line in enumerate(lines)
    ]
    captures = [{"id": "c", "provider_account": "p/default"}]
    proved = [Match("x", x["id"], None, 0, "x") for x in report if not x.get("is_twice")]
    found = Result((Match("05-batch", "out", "c", 0, "x"), *proved), ())
    (posting,) = postings(
        Inputs(captures, [], [], [], [payout, *report], [], [], [], [], []), found
    )
    return [_short(entry) for entry in posting.entries]


def _short(entry: Entry) -> tuple[str, str, int]:
    return entry.debit, entry.credit, entry.amount


def test_fees_and_charge_lines_are_the_batchs_charges() -> None:
    entries = booked(
        8_500, {"kind": "payment", "gross": 10_000, "fee": 1_000},
        {"kind": "charge", "gross": 0, "fee": 300}, {"kind": "charge", "gross": -200, "fee": 0},
    )  # fmt: skip

    assert entries == [("6420", "1380", 1_500), ("1383", "4900", 1_500), ("1120", "1380", 8_500)]


def test_a_batch_that_gives_charges_back_books_them_the_other_way_round() -> None:
    """An entry of a negative amount cannot be booked, and every night would end at it."""
    entries = booked(
        11_000, {"kind": "payment", "gross": 20_000, "fee": 0},
        {"kind": "refund", "gross": -10_000, "fee": -1_000},
    )  # fmt: skip

    assert entries == [("1380", "6420", 1_000), ("4900", "1383", 1_000), ("1120", "1380", 11_000)]


def test_a_line_that_stands_there_twice_charges_once() -> None:
    line = {"kind": "payment", "gross": 10_000, "fee": 1_000, "txn_id": "1"}

    entries = booked(9_000, line, line | {"is_twice": True})

    assert ("6420", "1380", 1_000) in entries


def test_a_batch_without_charges_books_none() -> None:
    entries = booked(10_000, {"kind": "payment", "gross": 10_000, "fee": 0})

    assert entries == [("1120", "1380", 10_000)]
