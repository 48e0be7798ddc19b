"""Who looked at what is kept of a payer, for whoever watches over it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.services.desk import page_rows_max
from gateway.store.tx import Row, Store

# Whatever names the payer of a dossier: its payments, and what belongs to them. Who the payer is
# stands sealed, so one person's other dossiers cannot be found from here, and need not be.
_READ: Final = text(
    "WITH mine AS (SELECT id FROM payment WHERE agency_id = :agency AND dossier_id ="
    " (SELECT dossier_id FROM payment WHERE agency_id = :agency AND id = :id)),"
    " came AS (SELECT capture_id FROM allocation WHERE agency_id = :agency"
    " AND payment_id IN (SELECT id FROM mine) UNION SELECT capture_id FROM break"
    " WHERE agency_id = :agency AND payment_id IN (SELECT id FROM mine)),"
    " things AS (SELECT id FROM mine UNION SELECT id FROM receipt WHERE agency_id = :agency"
    " AND payment_id IN (SELECT id FROM mine) UNION SELECT transmission_id FROM receipt"
    " WHERE agency_id = :agency AND payment_id IN (SELECT id FROM mine)"
    " UNION SELECT c.transmission_id FROM correction c JOIN receipt r ON r.agency_id = c.agency_id"
    " AND r.id = c.receipt_id WHERE c.agency_id = :agency"
    " AND r.payment_id IN (SELECT id FROM mine) UNION SELECT id FROM refund"
    " WHERE agency_id = :agency AND (payment_id IN (SELECT id FROM mine)"
    " OR capture_id IN (SELECT capture_id FROM came)) UNION SELECT line_id FROM recon_match"
    " WHERE agency_id = :agency AND capture_id IN (SELECT capture_id FROM came)"
    " UNION SELECT source_id FROM evidence WHERE agency_id = :agency AND source = 'statement'"
    " AND capture_id IN (SELECT capture_id FROM came) UNION SELECT line_id FROM break"
    " WHERE agency_id = :agency AND payment_id IN (SELECT id FROM mine))"
    " SELECT id, at, actor, action, object_id FROM audit WHERE agency_id = :agency"
    " AND object_id IN (SELECT id FROM things WHERE id IS NOT NULL) AND action LIKE '%.read'"
    " AND (CAST(:before AS text) = '' OR id < :before) ORDER BY id DESC LIMIT :rows"
)


@dataclass(frozen=True, slots=True)
class Readings:
    """The audit trail of reading."""

    store: Store

    async def of_payer(self, agency_id: str, payment_id: str, before: str) -> Sequence[Row]:
        """List who looked, newest first; one row more than a page says that there are more."""
        asked = {"agency": agency_id, "id": payment_id, "before": before}
        async with self.store.begin() as tx:
            return await tx.rows(_READ, asked | {"rows": page_rows_max + 1})
