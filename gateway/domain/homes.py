"""Money without a home is given one by people: what that means for the payment that it pays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.domain import ledger
from gateway.domain.errors import Refusal
from gateway.domain.payment import Allocation, Payment, Step
from gateway.domain.states import Move, State, advance


@dataclass(frozen=True, slots=True)
class Share:
    """What of one capture in suspense is meant for a payment."""

    capture_id: str
    amount: int
    paid_at: datetime


def missing_of(payment: Payment) -> int:
    """Say what is still to come for a payment."""
    return payment.amount - payment.amount_on_account


def require_home(payment: Payment, given: int) -> None:
    """Raise Refusal unless a payment can be paid with money that lies in suspense."""
    if payment.state is not State.OPEN:
        raise Refusal("case-not-fit", "Only an open payment can be paid with this money.")
    if payment.in_doubt:
        raise Refusal("payment-in-doubt", "Its payer may just have paid; wait for the bank's word.")
    missing = missing_of(payment)
    if given != missing:
        raise Refusal("case-not-fit", f"{missing} đồng are missing for this payment, not {given}.")


def give_home(payment: Payment, shares: Sequence[Share]) -> Step:
    """Pay a payment with money that lies in suspense: all that is missing, to the đồng.

    Raises Refusal where it is not open, in doubt, or another amount is missing.
    """
    require_home(payment, sum(share.amount for share in shares))
    last = max(shares, key=lambda share: (share.paid_at, share.capture_id))
    entries = tuple(
        replace(e, voucher_kind="capture", voucher_id=last.capture_id)
        for e in ledger.assigned(payment.id, payment.book_lines)
    )
    paid = replace(
        payment, state=advance(payment.state, Move.CAPTURE), amount_received=payment.amount,
        amount_on_account=0, paid_at=last.paid_at,
    )  # fmt: skip
    return Step(payment.agency_id, paid, entries=entries, events=("payment.paid",))


def allocations(payment: Payment, shares: Sequence[Share]) -> list[tuple[str, Allocation]]:
    """Say what each capture is for: as with parts of a transfer, the last one covers the debt."""
    last = max(shares, key=lambda share: (share.paid_at, share.capture_id))
    return [
        (s.capture_id, Allocation(payment.id, "debt" if s is last else "on_account", s.amount))
        for s in shares
    ]
