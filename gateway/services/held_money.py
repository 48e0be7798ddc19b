"""What of a capture paid no debt: where the books owe it to its payer, and the case of it."""

from datetime import datetime
from typing import Final

from sqlalchemy import text

from gateway.domain import ledger
from gateway.domain.dispute import Held
from gateway.domain.payment import Payment
from gateway.domain.refund import Source
from gateway.services.part_payments import parts_of
from gateway.services.refund_rows import SOURCES
from gateway.store.tx import Row, Tx

_CASE: Final = text(
    "SELECT kind, amount FROM break WHERE agency_id = :agency AND subject = :subject"
    " AND kind = ANY(:kinds) AND state = 'open' FOR UPDATE"
)
# A part that lay on account when another capture paid the whole: it is in that one's surplus.
_MOVED: Final = text(
    "SELECT k.subject, least(a.amount, k.amount - (SELECT coalesce(sum(x.amount), 0)::bigint"
    " FROM allocation x WHERE x.agency_id = k.agency_id AND x.capture_id = k.capture_id"
    " AND x.use = 'surplus')) AS amount FROM break k JOIN allocation a"
    " ON a.agency_id = k.agency_id AND a.payment_id = k.payment_id AND a.use = 'on_account'"
    " WHERE k.agency_id = :agency AND a.capture_id = :capture AND k.kind = 'surplus'"
    " AND k.state = 'open' ORDER BY k.id LIMIT 1 FOR UPDATE OF k"
)
# What is left of it is still owed; nothing left ends it.
_LESSEN: Final = text(
    "UPDATE break SET amount = amount - :taken"
    " WHERE agency_id = :agency AND subject = :subject AND kind = ANY(:kinds)"
    " AND state = 'open' AND amount > :taken"
)
_END: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND subject = :subject AND kind = ANY(:kinds)"
    " AND state = 'open' AND amount = :taken"
)


async def held_of(tx: Tx, capture: Row, payment: Payment | None) -> Held | None:
    """Say what of a capture is owed to its payer; nothing where it paid, or has gone back."""
    own = f"capture:{capture['id']}"
    case = await tx.row(_CASE, _about(capture["agency_id"], own))
    if case:
        source = SOURCES[case["kind"]]
        owing = ledger.SURPLUS if source is Source.SURPLUS else ledger.UNIDENTIFIED
        return Held(owing, case["amount"], source is Source.ON_ACCOUNT, own)
    for part in await parts_of(tx, payment) if payment else ():
        if part.capture_id == capture["id"]:  # The payment is open, so the part is no case yet.
            return Held(ledger.UNIDENTIFIED, part.amount, is_on_account=True)
    moved = await tx.row(_MOVED, {"agency": capture["agency_id"], "capture": capture["id"]})
    if moved and moved["amount"] > 0:
        return Held(ledger.SURPLUS, moved["amount"], is_on_account=False, case=moved["subject"])
    return None


async def lessen_case(
    tx: Tx, agency_id: str, held: Held, taken: int, ended: tuple[datetime, str]
) -> None:
    """Take from a case what its payer has back another way; ``ended`` says when and how."""
    values = _about(agency_id, held.case) | {"taken": taken}
    await tx.run(_END, values | {"now": ended[0], "how": ended[1]})
    await tx.run(_LESSEN, values)


def _about(agency_id: str, subject: str) -> dict[str, object]:
    return {"agency": agency_id, "subject": subject, "kinds": list(SOURCES)}
