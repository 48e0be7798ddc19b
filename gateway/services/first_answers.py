"""What a provider's answer to the beginning of an attempt changes, when it was not told alone.

A notice, a citizen who is back, or a twin of the same start may have come before it.
"""

from typing import Final

from sqlalchemy import select

from gateway.domain.states import AttemptState
from gateway.services.attempt_rows import why_looked_at
from gateway.store import tables as t
from gateway.store.tx import Row, Tx

_A: Final = t.attempt.c


async def as_it_is(tx: Tx, attempt: Row) -> Row:
    """Load an attempt again, and lock it."""
    row = await tx.row(
        select(t.attempt)
        .where(_A.agency_id == attempt["agency_id"], _A.id == attempt["id"])
        .with_for_update(key_share=True)
    )
    return row or attempt


async def is_free_to_take(tx: Tx, now: Row, began: Row, said: AttemptState) -> bool:
    """Tell whether an answer may say where an attempt stands, which ``began`` so.

    What was told since must not be moved back. But a provider that says where to pay knows the
    order, and a twin's doubt knows less: it was told of a duplicate, or nothing.
    """
    if now["state"] == AttemptState.STARTED:
        return True
    if said is not AttemptState.REDIRECTED or now["state"] != AttemptState.IN_DOUBT:
        return False
    if now["redirect_url"] or now["qr_text"] or now["ask_at"] != began["ask_at"]:
        return False  # Somebody told of it, or asked, since it began.
    return await why_looked_at(tx, now) is None
