"""The parts that lie on account for a payment; each is a case of its own once it pays no debt."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from gateway.domain.payment import Part, Payment
from gateway.store.tx import Tx

# What the payer won back while it lay on account.
_WON_BACK: Final = (
    "(SELECT coalesce(sum(d.amount), 0)::bigint FROM dispute d WHERE d.agency_id = a.agency_id"
    " AND d.capture_id = a.capture_id AND d.state = 'lost' AND d.is_borne IS NULL)"
)
# The newest are those still held: earlier ones may have become surplus before a dispute was lost.
_HELD: Final = text(
    "SELECT capture_id, amount, value_on FROM (SELECT a.capture_id, c.value_on,"
    f" a.amount - {_WON_BACK} AS amount, sum(a.amount - {_WON_BACK})"
    " OVER (ORDER BY c.taken_at DESC, c.id DESC) AS upto FROM allocation a"
    " JOIN capture c ON c.agency_id = a.agency_id AND c.id = a.capture_id"
    " WHERE a.agency_id = :agency AND a.payment_id = :payment AND a.use = 'on_account') x"
    " WHERE upto <= :held AND amount > 0 ORDER BY capture_id"
)


async def parts_of(tx: Tx, payment: Payment) -> Sequence[Part]:
    """List what each capture holds on account for a payment."""
    if not payment.amount_on_account:
        return ()
    rows = await tx.rows(
        _HELD,
        {"agency": payment.agency_id, "payment": payment.id, "held": payment.amount_on_account},
    )
    return [Part(**row) for row in rows]
