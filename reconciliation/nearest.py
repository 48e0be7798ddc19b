"""What comes nearest to a break, and what differs: for whoever looks, and it resolves nothing.

Of a capture that its file lacks, it is the money of the same account that nobody claims; of one
that the treasury lacks, a line of it that nothing explains; of a provider's line, its capture.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.store.tx import Row, Tx
from reconciliation.proposals import near_days_max

_CAPTURE: Final = (
    "SELECT 'capture', c.id, c.provider, coalesce(c.bank_reference, c.txn_id), c.amount,"
    " c.value_on, coalesce(c.txn_id = s.txn_id OR c.bank_reference = s.bank_reference, false)"
    " FROM self s"
)
# A number that both sides name comes before an amount, and an amount before a day.
_NEAREST: Final = text(
    "WITH self AS (SELECT k.kind AS of, k.amount, k.capture_id, k.line_id, k.payment_id,"
    " c.bank_reference, coalesce(l.account, c.provider || '/' || c.account) AS holder, l.source,"
    " l.txn_id, coalesce(l.booked_on, c.value_on) AS day_on"
    " FROM break k LEFT JOIN capture c ON c.agency_id = k.agency_id AND c.id = k.capture_id"
    " LEFT JOIN statement_line l ON l.agency_id = k.agency_id AND l.id = k.line_id"
    " WHERE k.agency_id = :agency AND k.id = :id), near AS ("
    " SELECT 'line' AS kind, l.id, l.source AS told_by, l.reference AS name, l.net AS amount,"
    " l.booked_on AS day_on, coalesce(l.obligation_id = s.payment_id, false) AS is_named"
    " FROM self s JOIN statement_line l ON l.agency_id = :agency AND l.source = 'treasury'"
    f" AND l.booked_on BETWEEN s.day_on AND s.day_on + {near_days_max}"
    " WHERE s.of = 'missing_at_treasury' AND NOT EXISTS (SELECT 1 FROM recon_match m"
    " WHERE m.agency_id = :agency AND m.line_id = l.id) AND NOT EXISTS (SELECT 1 FROM break o"
    " WHERE o.agency_id = :agency AND o.line_id = l.id AND o.capture_id <> s.capture_id)"
    f" UNION ALL {_CAPTURE} JOIN capture c ON c.agency_id = :agency AND c.id = s.capture_id"
    " WHERE s.source = 'provider'"
    f" UNION ALL {_CAPTURE} JOIN break o ON o.agency_id = :agency AND o.kind = 'unknown_money'"
    " AND o.state = 'open' JOIN capture c ON c.agency_id = :agency AND c.id = o.capture_id"
    " AND c.provider || '/' || c.account = s.holder"
    f" AND c.value_on BETWEEN s.day_on - {near_days_max} AND s.day_on + {near_days_max}"
    " WHERE s.of = 'missing_at_provider' AND s.line_id IS NULL)"
    " SELECT n.*, n.amount - s.amount AS amount_by, abs(n.day_on - s.day_on) AS days FROM near n"
    " CROSS JOIN self s ORDER BY n.is_named DESC, abs(n.amount - s.amount), days, n.id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Nearest:
    """One line or capture, and how it differs from what a break is about."""

    kind: str  # line | capture
    id: str
    told_by: str  # Of a line, its kind of file; of a capture, its provider.
    name: str
    amount: int
    amount_by: int  # How much more it is.
    days: int  # How far apart they are.
    is_named: bool  # Both name the same number.


async def nearest(tx: Tx, agency_id: str, case: Row) -> Nearest | None:
    """Find it for an open break, within some days; mostly nothing for other kinds."""
    if case["state"] != "open":
        return None
    row = await tx.row(_NEAREST, {"agency": agency_id, "id": case["id"]})
    if row is None:
        return None
    return Nearest(
        row["kind"], row["id"], row["told_by"], row["name"] or row["id"], row["amount"],
        row["amount_by"], row["days"], row["is_named"],
    )  # fmt: skip
