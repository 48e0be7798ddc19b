"""How a payment ends without its money: withdrawn, its time over, or replaced by another."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.domain import ledger
from gateway.domain.payment import Break, Part, Payment, Step
from gateway.domain.states import Move, advance


def cancel(payment: Payment, held: Sequence[Part]) -> Step:
    """Withdraw it. What is on account stays there, and each part is a case."""
    after = replace(payment, state=advance(payment.state, Move.CANCEL))
    return Step(
        payment.agency_id,
        after,
        entries=ledger.cancelled(payment.id, payment.book_lines),
        events=("payment.cancelled",),
        breaks=_left(payment, held),
    )


def expire(payment: Payment, held: Sequence[Part]) -> Step:
    """End the link's time; this refuses no money, and the debt stays owed in the books.

    Parts that came are cases from now on: an expired payment is paid by its whole amount alone.
    """
    after = replace(payment, state=advance(payment.state, Move.EXPIRE))
    return Step(payment.agency_id, after, events=("payment.expired",), breaks=_left(payment, held))


def replace_expired(payment: Payment) -> Step:
    """Write off the debt of an expired payment that a new one replaces (D M4 K M1)."""
    return Step(payment.agency_id, entries=ledger.cancelled(payment.id, payment.book_lines))


def _left(payment: Payment, held: Sequence[Part]) -> tuple[Break, ...]:
    """Open a case for each part that can pay nothing any more; the money is on account still."""
    return tuple(
        Break(
            "partial", f"capture:{part.capture_id}", part.amount,
            "a part came, and the payment ended without the rest", payment.id, part.capture_id,
            proposal="refund", since_on=part.value_on,
        )
        for part in held
    )  # fmt: skip
