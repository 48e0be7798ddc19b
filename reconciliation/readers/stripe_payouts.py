"""Reads Stripe's payout reconciliation: its own columns, in any order, to the canonical ones.

A movement of a kind that we do not know refuses the file, like any other doubtful cell: left out,
it would be money that nobody misses.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from reconciliation.readers.table import (
    Profile,
    StatementLine,
    build_lines,
    checked,
    decode,
    load_profile,
    records,
    refuse,
)

PROFILE: Final = "stripe-payouts"
ACCOUNT: Final = "stripe"  # A file does not say whose it is; its agency has one account.
_KINDS: Final = MappingProxyType(
    {
        "charge": "payment", "refund": "refund", "dispute": "reversal",
        "dispute_reversal": "reversal", "refund_failure": "reversal", "fee": "charge",
        "network_cost": "charge",
    }
)  # fmt: skip
_QUARRELS: Final = frozenset({"dispute", "dispute_reversal"})
_MAJOR: Final = re.compile(r"(-?[0-9]{1,16})(?:\.0{1,4})?")
Row = Mapping[str, str]


def read(profile: Profile, content: bytes) -> tuple[StatementLine, ...]:
    """Read a whole file, or refuse it whole with the line that is wrong."""
    return build_lines(profile.source, _rows(profile, decode(content)))


def _rows(profile: Profile, text: str) -> Iterator[tuple[int, Row]]:
    canonical, rows = load_profile("canonical-provider"), records(text)
    _, header = next(rows)
    places = {c.name: header.index(c.name) for c in profile.columns if c.name in header}
    missing = [c.name for c in profile.columns if header.count(c.name) != 1]
    if missing:
        raise refuse(1, "", "must have the columns " + ", ".join(missing))
    for line_no, cells in rows:
        if len(cells) != len(header):
            detail = f"has {len(cells)} cells where {len(header)} are wanted"
            raise refuse(line_no, "", detail)
        picked = [cells[place] for place in places.values()]
        row = _canonical(line_no, checked(profile, line_no, picked))
        yield line_no, checked(canonical, line_no, [row[c.name] for c in canonical.columns])


def _canonical(line_no: int, row: Row) -> Row:
    category = row["reporting_category"]
    gross, fee, net = (_dong(line_no, row, name) for name in ("gross", "fee", "net"))
    txn_id, reference = _named(row, _KINDS[category])
    return {
        "provider": ACCOUNT, "provider_txn_id": txn_id, "merchant_reference": reference,
        "kind": _KINDS[category], "gross": gross, "fee": fee, "net": net, "currency": "VND",
        "txn_at": _utc(row["created_utc"]),
        "settled_on": row["automatic_payout_effective_at_utc"][:10],
        "batch_id": row["automatic_payout_id"],
    }  # fmt: skip


def _named(row: Row, kind: str) -> tuple[str, str]:
    """Name a movement as its notice did, and as we call it."""
    movement = row["balance_transaction_id"]
    if kind == "payment":
        ours = row["payment_metadata[thuphi_attempt]"]
        return row["payment_intent_id"] or movement, ours
    if kind == "refund":
        return row["source_id"] or movement, row["refund_metadata[thuphi_refund]"]
    return movement, row["source_id"] if row["reporting_category"] in _QUARRELS else ""


def _dong(line_no: int, row: Row, name: str) -> str:
    whole = _MAJOR.fullmatch(row[name])
    if whole is None:
        raise refuse(line_no, name, "is not a whole number of đồng in plain digits")
    return str(int(whole[1]))


def _utc(text: str) -> str:
    return text if text.endswith("Z") or "+" in text else f"{text}Z"
