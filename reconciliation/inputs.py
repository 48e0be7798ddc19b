"""What a run looks at: captures and lines of a window, as they stood at one pinned instant.

Everything here is written once and never changed, so the same window and instant give the same
inputs, and the same rules the same answer. No payer's data is read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from gateway.store.tx import Tx

Rows = list[dict[str, Any]]

_VALUES: Final = " AND c.value_on BETWEEN :since AND :upto AND c.taken_at <= :as_of"
_CAPTURES: Final = text(
    "SELECT c.id, c.provider || '/' || c.account AS provider_account, c.txn_id, c.amount,"
    " c.value_on, c.value_on - DATE '2000-01-01' AS day_no, c.paid_at,"
    " c.provider || '/' || c.account = ANY(:transfers) AS is_transfer,"
    " nullif(c.bank_reference, '') AS bank_reference"
    f" FROM capture c WHERE c.agency_id = :agency{_VALUES} ORDER BY c.id"
)
_SHARES: Final = text(
    "SELECT DISTINCT a.capture_id, a.payment_id, p.reference FROM allocation a"
    " JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id"
    " JOIN payment p ON p.agency_id = a.agency_id AND p.id = a.payment_id"
    f" WHERE a.agency_id = :agency{_VALUES} ORDER BY 1, 2"
)
# The capture that pays names the day on which the whole of the payment became due to the budget.
_DUES: Final = text(
    "SELECT a.payment_id, a.capture_id, f.budget_line, f.kind, sum(f.amount)::bigint AS amount,"
    " c.value_on AS booked_on, c.value_on - DATE '2000-01-01' AS day_no"
    " FROM capture c JOIN allocation a ON a.agency_id = c.agency_id AND a.capture_id = c.id"
    " AND a.use = 'debt' JOIN fee_line f ON f.agency_id = a.agency_id"
    " AND f.payment_id = a.payment_id AND f.amount > 0"
    f" WHERE c.agency_id = :agency AND c.result = 'paid'{_VALUES}"
    " GROUP BY 1, 2, 3, 4, 6 ORDER BY 1, 2, 3, 4"
)
_LINES: Final = text(
    "SELECT l.id, l.source, l.account, l.booked_on, l.booked_on - DATE '2000-01-01' AS day_no,"
    " l.line_no, l.kind, l.gross, l.fee, l.net, l.txn_id, l.reference, l.batch_id,"
    " l.obligation_id, l.budget_line, l.memo_folded AS memo, l.candidates"
    " FROM statement_line l JOIN statement_file f ON f.agency_id = l.agency_id"
    " AND f.id = l.file_id WHERE l.agency_id = :agency AND f.state = 'taken'"
    " AND l.booked_on BETWEEN :since AND :upto AND f.taken_at <= :as_of ORDER BY l.id"
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """The tables that the rules join; ``digest`` names them."""

    captures: Rows
    shares: Rows
    dues: Rows
    lines: Rows
    bank_accounts: Mapping[str, str]  # The bank's account number -> our provider account.

    @property
    def digest(self) -> str:
        """SHA-256 over every row."""
        said = [
            self.captures,
            self.shares,
            self.dues,
            self.lines,
            sorted(self.bank_accounts.items()),
        ]
        return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


async def load(
    tx: Tx, agency_id: str, on: date, as_of: datetime, days: int, bank_accounts: Mapping[str, str]
) -> Inputs:
    """Read the window that ends with a day, as it stood at an instant."""
    asked: dict[str, Any] = {
        "agency": agency_id, "since": on - timedelta(days=days), "upto": on, "as_of": as_of,
    }  # fmt: skip
    transfers: Sequence[str] = sorted(set(bank_accounts.values()))
    return Inputs(
        captures=list(map(dict, await tx.rows(_CAPTURES, asked | {"transfers": transfers}))),
        shares=list(map(dict, await tx.rows(_SHARES, asked))),
        dues=list(map(dict, await tx.rows(_DUES, asked))),
        lines=list(map(dict, await tx.rows(_LINES, asked))),
        bank_accounts=bank_accounts,
    )
