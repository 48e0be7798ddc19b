"""Withdraws at a provider what nobody should pay any more; the job that asks tries it again.

What no provider ends is let go after a time: it keeps nobody from paying otherwise.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.domain.payment import Payment
from gateway.domain.states import LIVE, AttemptState, State
from gateway.ports.provider import Cancels, Inquires, Order, Provider
from gateway.services.attempt_rows import let_look, set_attempt, why_looked_at
from gateway.services.health import ProviderHealth
from gateway.services.payments import Payments
from gateway.store import tables as t
from gateway.store.tx import Row, Tx

pending_max: Final = timedelta(hours=1)  # After its end; no provider's own page lives that long.
_UNDECIDED: Final = "the provider has not decided long after the end"


def is_over(payment: Payment, attempt: Row, now: datetime) -> bool:
    """Tell whether nobody should pay this any more, while somebody still could."""
    ended = payment.state is not State.OPEN or payment.expires_at <= now
    return ended and AttemptState(attempt["state"]) in LIVE


async def withdraw(
    payments: Payments, health: ProviderHealth, attempt: Row, provider: Provider, order: Order
) -> None:
    """End an attempt at a payment that is over; no transaction is open across the wire.

    Where the provider says no, or nothing, money may have come: it is asked, and tried again.
    """
    if isinstance(provider, Cancels):
        try:
            await health.watched(provider, "cancel", lambda: provider.cancel(order))
        except (InDoubtError, DeclinedError):
            return
    elif isinstance(provider, Inquires):
        return  # Its order ends by itself; until then it may be paid.
    async with payments.store.begin() as tx:
        known, held = await _as_it_is(tx, attempt)
        if AttemptState(known["state"]) in LIVE:
            await set_attempt(tx, known, state="cancelled", ask_at=None)
            if held:
                await payments.settle_doubt(tx, held)


async def let_go(payments: Payments, attempt: Row, now: datetime) -> None:
    """Doubt no more what its provider still calls undecided long after its end; a person sees it.

    It is asked about as before, and money that comes through it is taken as ever. Where a person
    looks for another reason, it stays in doubt.
    """
    if now - attempt["expires_at"] < pending_max:
        return
    async with payments.store.begin() as tx:
        known, held = await _as_it_is(tx, attempt)
        why = await why_looked_at(tx, known)
        if why not in (None, _UNDECIDED) or AttemptState(known["state"]) not in LIVE:
            return
        if known["state"] == AttemptState.IN_DOUBT:
            has_gone = known["redirect_url"] or known["qr_text"]
            await set_attempt(tx, known, state="redirected" if has_gone else "started")
        if why is None:
            await let_look(tx, known, held, _UNDECIDED)
        if held:
            await payments.settle_doubt(tx, held)


async def _as_it_is(tx: Tx, attempt: Row) -> tuple[Row, Payment | None]:
    """Load an attempt and its payment, both locked."""
    a, s = t.attempt.c, t.attempt_share.c
    known = await tx.row(
        select(t.attempt, s.payment_id)
        .join(t.attempt_share, (s.agency_id == a.agency_id) & (s.attempt_id == a.id))
        .where(a.agency_id == attempt["agency_id"], a.id == attempt["id"])
        .with_for_update(of=t.attempt, key_share=True)
    )
    if known is None:
        raise LookupError(attempt["id"])
    return known, await tx.payment(known["agency_id"], known["payment_id"], lock=True)
