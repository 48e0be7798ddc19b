"""Refunds as people at a desk look for them; one agency's alone, and nothing sealed is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.desk import page_rows_max
from gateway.store.tx import Row, Store

_ROWS: Final = (
    "SELECT r.id, r.state, r.source, r.route, r.amount, r.reason, r.requested_by, r.decided_by,"
    " r.created_at, r.decided_at, r.sent_at, r.ended_at, r.document, r.code, r.payment_id,"
    " r.payee_sealed IS NOT NULL AS has_payee, p.dossier_id, p.reference, c.provider, c.txn_id"
    " FROM refund r JOIN capture c ON c.agency_id = r.agency_id AND c.id = r.capture_id"
    " LEFT JOIN payment p ON p.agency_id = r.agency_id AND p.id = r.payment_id"
    " WHERE r.agency_id = :agency"
)
_ORDER: Final = " ORDER BY r.id DESC LIMIT :rows"


@dataclass(frozen=True, slots=True)
class RefundList:
    """The read side of refunds."""

    store: Store

    async def of_agency(self, agency_id: str, state: str, before: str) -> Sequence[Row]:
        """List refunds, newest first; one row more than a page says that there are more."""
        query = _ROWS
        values: dict[str, object] = {"agency": agency_id, "rows": page_rows_max + 1}
        for name, value, rule in (
            ("state", state, " AND r.state = :state"), ("before", before, " AND r.id < :before"),
        ):  # fmt: skip
            if value:
                query += rule
                values[name] = value
        async with self.store.begin() as tx:
            return await tx.rows(text(query + _ORDER), values)

    async def one(self, agency_id: str, refund_id: str) -> Row:
        """Give one refund."""
        async with self.store.begin() as tx:
            row = await tx.row(
                text(f"{_ROWS} AND r.id = :id"), {"agency": agency_id, "id": refund_id}
            )
        if row is None:
            raise Refusal("not-found", "There is no such refund in this agency.")
        return row
