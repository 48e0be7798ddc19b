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
    case = await tx.row(_CASE, _about(capture))
    if case:
        source = SOURCES[case["kind"]]
        owing = ledger.SURPLUS if source is Source.SURPLUS else ledger.UNIDENTIFIED
        return Held(owing, case["amount"], source is Source.ON_ACCOUNT)
    for part in await parts_of(tx, payment) if payment else ():
        if part.capture_id == capture["id"]:  # The payment is open, so the part is no case yet.
            return Held(ledger.UNIDENTIFIED, part.amount, is_on_account=True)
    return None


async def lessen_case(tx: Tx, capture: Row, taken: int, now: datetime, how: str) -> None:
    """Take from a capture's case what its payer has back another way."""
    values = _about(capture) | {"taken": taken}
    await tx.run(_END, values | {"now": now, "how": how})
    await tx.run(_LESSEN, values)


def _about(capture: Row) -> dict[str, object]:
    return {
        "agency": capture["agency_id"], "subject": f"capture:{capture['id']}",
        "kinds": list(SOURCES),
    }  # fmt: skip
