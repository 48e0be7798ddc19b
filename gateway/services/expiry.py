"""Lets payments expire: whoever may still take money is asked first, and nobody is waited for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, exists, select, tuple_

from gateway.domain import endings
from gateway.domain.states import LIVE, State
from gateway.services.attempt_rows import Account, live_attempts, set_attempt
from gateway.services.part_payments import parts_of
from gateway.services.sweeps import sweep
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

CanAsk = Collection[Account]  # The accounts that can be asked what became of an order.
expiry_batch: Final = 1_000  # Some 10 s of work, so a tick ends well within its lease.

_P: Final = t.payment.c
_A: Final = t.attempt.c
_S: Final = t.attempt_share.c


async def expire(store: Store, can_ask: CanAsk) -> int:
    """End the links whose time is over; gives how many. Raises SweepError if some failed.

    Each in a transaction of its own, so nobody's notice waits for the whole batch.
    """
    ended = 0

    async def one(row: Row) -> None:
        nonlocal ended
        ended += await _expire(store, row["agency_id"], row["id"], can_ask)

    async with store.begin() as tx:
        rows = await tx.rows(_due(store.clock.now(), can_ask))
    await sweep("expire", {row["id"]: row for row in rows}, one)
    return ended


def _due(now: datetime, can_ask: CanAsk) -> Select[Any]:
    """Choose those about which something can be done now.

    Whoever waits for a provider's word is left to the job that asks, with its back-off: payments
    of a provider that does not answer must not fill every batch.
    """
    is_being_asked = exists().where(
        _S.agency_id == _P.agency_id, _S.payment_id == _P.id, _A.agency_id == _S.agency_id,
        _A.id == _S.attempt_id, _A.state.in_([str(x) for x in LIVE]), _A.ask_at.is_not(None),
        tuple_(_A.provider, _A.account).in_(sorted(can_ask)),
    )  # fmt: skip
    return (
        select(_P.agency_id, _P.id)
        .where(_P.state == "open", _P.expires_at <= now, ~is_being_asked)
        .order_by(_P.expires_at)
        .limit(expiry_batch)
    )


async def _expire(store: Store, agency_id: str, payment_id: str, can_ask: CanAsk) -> bool:
    """End one link, unless somebody holds it: its money may come at this moment."""
    async with store.begin() as tx:
        free = await live_attempts(tx, agency_id, payment_id, if_free=True)
        live = await live_attempts(tx, agency_id, payment_id)
        if len(free) < len(live) or not await _hold(tx, agency_id, payment_id):
            return False  # The next tick looks again.
        payment = await tx.payment(agency_id, payment_id)
        if payment is None or payment.state is not State.OPEN:
            return False  # Its money came a moment ago.
        if await _still_asking(tx, live, can_ask, store.clock.now()):
            return False
        await tx.record([endings.expire(payment, await parts_of(tx, payment))])
    return True


async def _hold(tx: Tx, agency_id: str, payment_id: str) -> bool:
    """Lock the payment, if nobody else has."""
    held = await tx.row(
        select(_P.id)
        .where(_P.agency_id == agency_id, _P.id == payment_id)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return held is not None


async def _still_asking(tx: Tx, live: Sequence[Row], can_ask: CanAsk, now: datetime) -> bool:
    """Close the attempts nobody can be asked about; have the others asked at once."""
    waiting = False
    for attempt in live:
        if (attempt["provider"], attempt["account"]) in can_ask:
            waiting = True
            if attempt["ask_at"] is None:
                await set_attempt(tx, attempt, ask_at=now)
        else:
            await set_attempt(tx, attempt, state="expired", ask_at=None)
    return waiting
