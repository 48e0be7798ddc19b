"""Withdraws at a provider what nobody should pay any more; the job that asks tries it again."""

from datetime import datetime

from sqlalchemy import select

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.domain.payment import Payment
from gateway.domain.states import LIVE, AttemptState, State
from gateway.ports.provider import Cancels, Inquires, Order, Provider
from gateway.services.attempt_rows import set_attempt
from gateway.services.health import ProviderHealth
from gateway.services.payments import Payments
from gateway.store import tables as t
from gateway.store.tx import Row


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
    a, s = t.attempt.c, t.attempt_share.c
    async with payments.store.begin() as tx:
        known = await tx.row(
            select(a.state, s.payment_id)
            .join(t.attempt_share, (s.agency_id == a.agency_id) & (s.attempt_id == a.id))
            .where(a.agency_id == attempt["agency_id"], a.id == attempt["id"])
            .with_for_update(of=t.attempt, key_share=True)
        )
        if known is None or AttemptState(known["state"]) not in LIVE:
            return
        held = await tx.payment(attempt["agency_id"], known["payment_id"], lock=True)
        await set_attempt(tx, {**attempt, **known}, state="cancelled", ask_at=None)
        if held:
            await payments.settle_doubt(tx, held)
