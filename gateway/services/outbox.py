"""The outbox: a sequencer stamps dense positions after commit; readers see only stamped rows."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.calendar import rfc3339
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store

sequence_batch: Final = 1_000
events_page_max: Final = 500

_STAMP: Final = text(
    "WITH waiting AS (SELECT agency_id, id, serial FROM event WHERE position IS NULL"
    " ORDER BY serial LIMIT :batch),"
    " tops AS (SELECT agency_id, (SELECT coalesce(max(position), 0) FROM event e"
    " WHERE e.agency_id = w.agency_id) AS top FROM (SELECT DISTINCT agency_id FROM waiting) w),"
    " numbered AS (SELECT w.agency_id, w.id, tops.top + row_number() OVER"
    " (PARTITION BY w.agency_id ORDER BY w.serial) AS position"
    " FROM waiting w JOIN tops USING (agency_id))"
    " UPDATE event e SET position = n.position FROM numbered n"
    " WHERE e.agency_id = n.agency_id AND e.id = n.id"
    " RETURNING e.agency_id, e.id, e.payment_id, e.sequence"
)
_FAN_OUT: Final = text(
    "INSERT INTO delivery (agency_id, event_id, endpoint_id, payment_id, sequence, state, tries,"
    " due_at, created_at)"
    " SELECT e.agency_id, e.id, p.id, e.payment_id, e.sequence, 'waiting', 0, :now, :now"
    " FROM event e JOIN endpoint p ON p.agency_id = e.agency_id AND p.disabled_at IS NULL"
    " LEFT JOIN payment y ON y.agency_id = e.agency_id AND y.id = e.payment_id"
    " WHERE e.id = ANY(:ids) AND (y.client_id = p.client_id OR e.payment_id IS NULL)"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Events, in order."""

    store: Store

    async def sequence(self) -> int:
        """Stamp what was committed, and queue its deliveries in the same transaction."""
        async with self.store.begin() as tx:
            # One sequencer at a time: whoever cannot have the lock has nothing to do.
            mine = await tx.row(locks.STAMPING)
            if not mine or not mine["mine"]:
                return 0
            stamped = await tx.rows(_STAMP, {"batch": sequence_batch})
            if stamped:
                await tx.run(
                    _FAN_OUT,
                    {"ids": [r["id"] for r in stamped], "now": self.store.clock.now()},
                )
        return len(stamped)

    async def after(self, agency_id: str, position: int, limit: int) -> list[dict[str, Any]]:
        """Read events of an agency after a position: the guaranteed channel."""
        c = t.event.c
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(t.event)
                .where(c.agency_id == agency_id, c.position > position)
                .order_by(c.position)
                .limit(limit)
            )
        return [event_view(r) for r in rows]


def event_view(row: Row) -> dict[str, Any]:
    """Show an event as CONTRACT 3 does; a webhook's body is the same."""
    return {
        "id": row["id"], "type": row["type"], "position": row["position"],
        "payment_id": row["payment_id"], "sequence": row["sequence"],
        "occurred_at": rfc3339(row["occurred_at"]), "agency": row["agency_id"],
        "data": row["data"],
    }  # fmt: skip
