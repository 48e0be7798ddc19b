"""Unexplained đồng-days (LEDGER): what differs and nobody can say why, times the days it does.

A line of a file is explained by what it proves or by a case that names it; a capture by the file
that lists it, the case that it is missing there, or the two people who gave it up. A closed day
has none left, so only what came since the last close is looked at, and a page that shows it stays
fast.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.services.capture_facts import IS_CASH, WRITTEN_OFF
from gateway.store.tx import Store, Tx

# A line is late from the day on which it could be known; a capture from the morning after its day,
# when its file is there.
_OPEN: Final = text(
    "WITH last AS (SELECT coalesce(max(booked_on), DATE '2000-01-01') AS closed_on,"
    " coalesce(max(closed_at), TIMESTAMPTZ '2000-01-01') AS closed_at FROM day"
    " WHERE agency_id = :agency AND state = 'closed'), item AS ("
    " SELECT 'line' AS kind, l.id, abs(l.net) AS amount, greatest(l.booked_on,"
    " CAST(f.taken_at AT TIME ZONE 'Asia/Ho_Chi_Minh' AS date)) AS since_on FROM last"
    " JOIN statement_line l ON l.agency_id = :agency JOIN statement_file f"
    " ON f.agency_id = l.agency_id AND f.id = l.file_id AND (l.booked_on > last.closed_on"
    " OR f.taken_at > last.closed_at) WHERE NOT EXISTS (SELECT 1 FROM recon_match m"
    " WHERE m.agency_id = l.agency_id AND m.line_id = l.id) AND NOT EXISTS (SELECT 1 FROM break k"
    " WHERE k.agency_id = l.agency_id AND k.line_id = l.id)"
    " UNION ALL SELECT 'capture', c.id, c.amount, c.booked_on + 1 FROM last JOIN capture c"
    " ON c.agency_id = :agency AND c.booked_on > last.closed_on AND c.booked_on < :today"
    " WHERE NOT EXISTS (SELECT 1 FROM recon_match m WHERE m.agency_id = c.agency_id"
    " AND m.capture_id = c.id) AND NOT EXISTS (SELECT 1 FROM break k WHERE"
    " k.agency_id = c.agency_id AND k.capture_id = c.id AND k.kind = 'missing_at_provider'"
    f" AND k.state = 'open') AND NOT {IS_CASH} AND {WRITTEN_OFF} = 0)"
    " SELECT kind, id, amount, since_on, :today - since_on AS days,"
    " sum(amount * (:today - since_on)) OVER ()::bigint AS dong_days,"
    " sum(amount) OVER ()::bigint AS total, count(*) OVER () AS items"
    " FROM item WHERE since_on < :today AND amount > 0 ORDER BY since_on, id LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Unexplained:
    """The sum, and the oldest item of it. Amounts in đồng."""

    dong_days: int = 0
    total: int = 0
    items: int = 0
    kind: str = ""  # line | capture
    id: str = ""
    amount: int = 0
    since_on: date | None = None
    days: int = 0


async def unexplained_in(tx: Tx, agency_id: str, on: date) -> Unexplained:
    """Count what nothing explains as a day begins."""
    row = await tx.row(_OPEN, {"agency": agency_id, "today": on})
    return Unexplained(**row) if row else Unexplained()


async def unexplained(store: Store, agency_id: str) -> Unexplained:
    """Count what nothing explains today."""
    async with store.begin() as tx:
        return await unexplained_in(tx, agency_id, hanoi_day(store.clock.now()))
