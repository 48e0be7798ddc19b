"""Rows as lines outside the database, and back: what a receipt needs to be there again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date as DateType
from sqlalchemy import DateTime, LargeBinary, Table

from gateway.domain.payment import Payment
from gateway.domain.states import State
from gateway.store import tables as t
from gateway.store.tx import Row
from gateway.store.views import payment_of, payment_row
from receipts.outside import ERASED, LOGGED, NUMBERED, SEALED, YEAR, Record

NO_SERIES: Final = "-"


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row in the words of JSON."""
    said: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, (bytes, memoryview)):
            said[name] = bytes(value).hex()
        else:
            said[name] = value.isoformat() if isinstance(value, (date, datetime)) else value
    return said


def row_of(table: Table, said: Mapping[str, Any]) -> dict[str, Any]:
    """Read a row again, by what its table's columns hold."""
    row: dict[str, Any] = {}
    for name, value in said.items():
        kind = table.c[name].type
        if value is None:
            row[name] = None
        elif isinstance(kind, LargeBinary):
            row[name] = bytes.fromhex(value)
        elif isinstance(kind, DateTime):
            row[name] = datetime.fromisoformat(value)
        else:
            row[name] = date.fromisoformat(value) if isinstance(kind, DateType) else value
    return row


def numbered(row: Row, payment: Payment, correction: Row | None = None) -> Record:
    """Keep a numbered receipt with the payment that it is of, and what two people agreed to."""
    body = {
        "receipt": _plain(row),
        "payment": _plain(payment_row(payment) | {"erased_at": payment.erased_at})
        | {"lines": [asdict(x) for x in payment.lines]},
        "correction": _plain(correction) if correction else None,
    }
    return Record(NUMBERED, row["form"], row["series"], row["number"], body)


def sealed(row: Row, xml: bytes, at: datetime, *, is_proved: bool) -> Record:
    """Keep a receipt's sealed file."""
    body = {"id": row["id"], "at": at.isoformat(), "is_proved": is_proved, "xml": xml.decode()}
    return Record(SEALED, row["form"], row["series"], row["number"], body)


def logged(book: Row, leaves: Sequence[Row], note: str) -> Record:
    """Keep a batch of leaves, the checkpoint that it was signed with, and the log's key."""
    body = {
        "log": _plain(book), "note": note,
        "leaves": [x["receipt_id"] for x in leaves], "at": leaves[0]["logged_at"].isoformat(),
    }  # fmt: skip
    return Record(LOGGED, NO_SERIES, NO_SERIES, leaves[0]["leaf_index"], body)


def year(row: Row) -> Record:
    """Keep the key of a year, as the master key sealed it: it opens the payments' own."""
    return Record(YEAR, NO_SERIES, NO_SERIES, row["year"], _plain(row))


def erased(row: Row) -> Record:
    """Keep that a payer was erased: what comes back from outside must not bring them back."""
    return Record(ERASED, NO_SERIES, NO_SERIES, 0, _plain(row))


def unpaid(said: Mapping[str, Any]) -> Payment:
    """Give a payment as it was opened; its money comes back by whoever holds it."""
    plain = {name: value for name, value in said.items() if name != "lines"}
    payment = payment_of(row_of(t.payment, plain), said["lines"])
    return replace(
        payment, state=State.OPEN, amount_received=0, amount_on_account=0, amount_suspended=0,
        amount_refunded=0, amount_refunding=0, amount_charged_back=0, amount_settled=0,
        in_doubt=False, late=False, sequence=0, paid_at=None,
    )  # fmt: skip
