"""Reads Stripe's payout reconciliation: its own columns, in any order, to the canonical ones.

A movement of a kind that we do not know refuses the file, like any other doubtful cell: left out,
it would be money that nobody misses.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reconciliation.readers.checks import check_row
from reconciliation.readers.encodings import plain_lines
from reconciliation.readers.line import Rows, refuse
from reconciliation.readers.profile import Profile, load_profile
from reconciliation.readers.table import records

PROFILE: Final = "stripe-payouts"
ACCOUNT: Final = "stripe"  # A file does not say whose it is; a profile of one's own may.
_KINDS: Final = MappingProxyType(
    {
        "charge": "payment", "refund": "refund", "dispute": "reversal",
        "dispute_reversal": "reversal", "refund_failure": "reversal", "fee": "charge",
        "network_cost": "charge",
    }
)  # fmt: skip
_QUARRELS: Final = frozenset({"dispute", "dispute_reversal"})
_MAJOR: Final = re.compile(r"(-?[0-9]{1,16})(?:\.0{1,4})?")
Named = Mapping[str, str]


def rows(profile: Profile, content: bytes) -> Rows:
    """Give the rows of a file, in the canonical columns."""
    canonical, found = load_profile("canonical-provider").columns, records(plain_lines(content))
    _, header = next(found)
    missing = [c.name for c in profile.columns if header.count(c.name) != 1]
    if missing:
        raise refuse(1, "", "must have the columns " + ", ".join(missing))
    provider = profile.layout.fixed.get("provider", ACCOUNT)
    places = [header.index(c.name) for c in profile.columns]
    for line_no, cells in found:
        if len(cells) != len(header):
            detail = f"has {len(cells)} cells where {len(header)} are wanted"
            raise refuse(line_no, "", detail)
        picked = [cells[place] for place in places]
        check_row(profile.columns, line_no, picked)
        names = (c.name for c in profile.columns)
        row = _canonical(line_no, dict(zip(names, picked, strict=True)), provider)
        yield line_no, [row[c.name] for c in canonical]


def _canonical(line_no: int, row: Named, provider: str) -> Named:
    category = row["reporting_category"]
    gross, fee, net = (_dong(line_no, row, name) for name in ("gross", "fee", "net"))
    txn_id, reference = _named(row, _KINDS[category])
    return {
        "provider": provider, "provider_txn_id": txn_id, "merchant_reference": reference,
        "kind": _KINDS[category], "gross": gross, "fee": fee, "net": net, "currency": "VND",
        "txn_at": _utc(row["created_utc"]),
        "settled_on": row["automatic_payout_effective_at_utc"][:10],
        "batch_id": row["automatic_payout_id"],
    }  # fmt: skip


def _named(row: Named, kind: str) -> tuple[str, str]:
    """Name a movement as its notice did, and as we call it."""
    movement = row["balance_transaction_id"]
    if kind == "payment":
        ours = row["payment_metadata[thuphi_attempt]"]
        return row["payment_intent_id"] or movement, ours
    if kind == "refund":
        return row["source_id"] or movement, row["refund_metadata[thuphi_refund]"]
    return movement, row["source_id"] if row["reporting_category"] in _QUARRELS else ""


def _dong(line_no: int, row: Named, name: str) -> str:
    whole = _MAJOR.fullmatch(row[name])
    if whole is None:
        raise refuse(line_no, name, "is not a whole number of đồng in plain digits")
    return str(int(whole[1]))


def _utc(text: str) -> str:
    return text if text.endswith("Z") or "+" in text else f"{text}Z"
