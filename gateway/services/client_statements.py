"""What each procedure system's payments brought and gave back in a period, fee by fee.

Worked out of the ledger, so that all clients together are what the agency's books say of the same
days: the turnover of 3330 and 3370 by captures, refunds and disputes. Without a client it is the
agency's own.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.errors import Refusal
from gateway.store import tables as t
from gateway.store.tx import Row, Store

_COLLECTED: Final = "('3330','3370')"
# One movement of one payment: its fees of a budget line together. What is only apportioned stays
# inside, and what goes on to the treasury is of no payment.
_MOVED: Final = (
    "FROM entry e JOIN payment p ON p.agency_id = e.agency_id AND p.id = e.payment_id"
    " JOIN client c ON c.agency_id = p.agency_id AND c.id = p.client_id"
    " WHERE e.agency_id = :agency AND e.booked_on BETWEEN :since AND :upto"
    f" AND (e.debit IN {_COLLECTED}) <> (e.credit IN {_COLLECTED})"
    " AND (:client = '' OR p.client_id = :client)"
)
_SIGNED: Final = f"sum(CASE WHEN e.credit IN {_COLLECTED} THEN e.amount ELSE -e.amount END)::bigint"
_LINES: Final = text(
    "SELECT e.booked_on, c.name AS client, p.reference, p.dossier_id, p.procedure, p.id AS"
    " payment_id, e.voucher_kind AS kind, e.voucher_id AS voucher, coalesce(e.budget_line, '') AS"
    f" budget_line, {_SIGNED} AS amount {_MOVED}"
    " AND (e.booked_on, p.id, e.voucher_id, coalesce(e.budget_line, ''))"
    " > (:on, :payment, :voucher, :line)"
    " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 6, 8, 9 LIMIT :page"
)
_TOTALS: Final = text(
    f"SELECT x.client, sum(x.amount) FILTER (WHERE x.amount > 0)::bigint AS taken,"
    " sum(-x.amount) FILTER (WHERE x.amount < 0)::bigint AS given_back,"
    " sum(x.amount)::bigint AS amount, count(DISTINCT x.payment_id) AS payments"
    f" FROM (SELECT c.name AS client, p.id AS payment_id, e.voucher_id, {_SIGNED} AS amount"
    f" {_MOVED} GROUP BY 1, 2, 3) x GROUP BY 1 ORDER BY 1"
)
page: Final = 2_000
_START: Final[dict[str, Any]] = {"on": date(1, 1, 1), "payment": "", "voucher": "", "line": ""}


@dataclass(frozen=True, slots=True)
class Period:
    """Whose statement, and of which days by booking."""

    agency_id: str
    since: date
    upto: date
    client_id: str = ""

    @property
    def values(self) -> dict[str, Any]:
        """Give it as a query's values."""
        return {
            "agency": self.agency_id, "since": self.since, "upto": self.upto,
            "client": self.client_id,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClientStatements:
    """What clients' payments came to."""

    store: Store

    async def clients(self, agency_id: str) -> Sequence[Row]:
        """List an agency's clients."""
        c = t.client.c
        async with self.store.begin() as tx:
            return await tx.rows(
                select(c.id, c.name).where(c.agency_id == agency_id).order_by(c.name)
            )

    async def named(self, agency_id: str, name: str) -> str:
        """Give the id of a client. Raises Refusal, which names those that are there."""
        known = {row["name"]: row["id"] for row in await self.clients(agency_id)}
        if name not in known:
            raise Refusal("not-found", f"There is no client {name}; there are {', '.join(known)}.")
        return str(known[name])

    async def totals(self, period: Period) -> Sequence[Row]:
        """Give what each client's payments brought and gave back."""
        async with self.store.begin() as tx:
            return await tx.rows(_TOTALS, period.values)

    async def lines(self, period: Period) -> AsyncIterator[Row]:
        """Give every movement, in the order of their days, and never all of them at once."""
        start = _START
        while True:
            async with self.store.begin() as tx:
                rows = await tx.rows(_LINES, {**period.values, **start, "page": page})
            for row in rows:
                yield row
            if len(rows) < page:
                return
            last = rows[-1]
            start = {"on": last["booked_on"], "payment": last["payment_id"],
                     "voucher": last["voucher"], "line": last["budget_line"]}  # fmt: skip
