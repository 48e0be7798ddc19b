"""What is owed a receipt: read in the transaction that gives the numbers."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select, text

from gateway.store import tables as t
from gateway.store.tx import Tx
from receipts.draft import Draft, drafts_of

_ELSEWHERE: Final = text(
    "SELECT x.payment_id FROM allocation x JOIN capture c ON c.agency_id = x.agency_id"
    " AND c.id = x.capture_id AND c.receipt_elsewhere WHERE x.agency_id = :agency"
    " AND x.payment_id = ANY(:payments) AND x.use = 'debt'"
)


async def owed(tx: Tx, agency_id: str, payment_ids: Sequence[str]) -> list[Draft]:
    """Give what has no receipt yet, in the order in which it was paid.

    What a capture paid whose platform issues the receipt gets none from us: no debt has two.
    """
    p, r = t.payment.c, t.receipt.c
    rows = await tx.rows(select(t.payment).where(p.agency_id == agency_id, p.id.in_(payment_ids)))
    there = await tx.rows(
        select(r.payment_id, r.kind).where(r.agency_id == agency_id, r.payment_id.in_(payment_ids))
    )
    has = {(x["payment_id"], x["kind"]) for x in there}
    elsewhere = await tx.rows(_ELSEWHERE, {"agency": agency_id, "payments": list(payment_ids)})
    not_ours = {x["payment_id"] for x in elsewhere}
    payments = {payment.id: payment for payment in await tx.payments_of(rows)}
    return [
        draft
        for payment_id in dict.fromkeys(payment_ids)
        if payment_id not in not_ours
        for draft in drafts_of(payments[payment_id])
        if (payment_id, draft.kind) not in has
    ]
