"""Refunds: what may be given back, by which road, who must agree, and what is booked.

A refund gives back money of one capture. What it gives back from (its source) and how the payer
gets it (its route) decide the postings of LEDGER.md; nothing is ever advanced from other payers'
money.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.domain import ledger
from gateway.domain.errors import Refusal
from gateway.domain.ledger import Entry
from gateway.domain.payment import Payment
from gateway.domain.states import Move, RefundMove, RefundState, State, advance, advance_refund


class Source(StrEnum):
    """Which money is given back."""

    DEBT = "debt"  # It paid the fee; the books take the collection back.
    SURPLUS = "surplus"  # More than was due.
    SUSPENDED = "suspended"  # Money without a home: unknown, double, late, another amount.
    ON_ACCOUNT = "on_account"  # A part of a payment that ended without the rest.


class Route(StrEnum):
    """How the payer gets it."""

    PROVIDER = "provider"  # The provider that took it gives it back.
    TRANSFER = "transfer"  # The agency transfers it; a document proves it.
    TREASURY = "treasury"  # The treasury has it already: a claim on the treasury.


WON_BACK: Final = "The payer won this money back in a dispute."
# Payments that nothing in parts can pay any more.
ENDED: Final = frozenset({State.CANCELLED, State.EXPIRED})
# The account that the money leaves when it is proved that the payer has it.
_OUT_OF: Final[Mapping[Route, str]] = MappingProxyType(
    {
        Route.PROVIDER: ledger.CLEARING,
        Route.TRANSFER: ledger.BANK,
        Route.TREASURY: ledger.CLAIM_ON_TREASURY,
    }
)


@dataclass(frozen=True, slots=True)
class Refund:
    """One refund of one capture. Amounts in đồng."""

    id: str
    agency_id: str
    capture_id: str
    payment_id: str | None
    source: Source
    route: Route
    state: RefundState
    amount: int
    reason: str
    requested_by: str
    created_at: datetime
    decided_by: str | None = None
    parts: tuple[int, ...] = ()  # What each fee line gives back, once it is approved.


@dataclass(frozen=True, slots=True)
class RefundStep:
    """What one decision about a refund writes, in one transaction."""

    refund: Refund
    payment: Payment | None = None
    entries: tuple[Entry, ...] = ()
    events: tuple[str, ...] = ()


def refundable(payment: Payment) -> int:
    """Give how much may still be asked back: of what paid the debt, or of parts that never will.

    What the payer won back in disputes at the agency's cost is not given back once more.
    """
    if payment.state in ENDED:
        return payment.amount_on_account
    if payment.state not in (State.PAID, State.SETTLED):
        return 0
    return max(_unclaimed(payment), 0)


def _unclaimed(payment: Payment) -> int:
    """Give what nobody has got or asked back; below nothing once a dispute took what was asked."""
    gone = payment.amount_refunded + payment.amount_refunding + payment.amount_charged_back
    return payment.amount_received - gone


def ask(payment: Payment, refund: Refund, expected: int) -> RefundStep:
    """Ask for money that paid a debt; ``expected`` is what the asker believes is refundable.

    Two who ask at once both expect the same; only the first is right (SCENARIOS 26).
    """
    left = refundable(payment)
    if payment.state not in (State.PAID, State.SETTLED):
        raise Refusal("payment-not-refundable", f"A payment that is {payment.state} has none.")
    if payment.amount_charged_back >= payment.amount_received - payment.amount_refunded:
        raise Refusal("payment-not-refundable", WON_BACK)
    if expected != left:
        raise Refusal(
            "refund-mismatch", f"{left} đồng can be refunded, not {expected}; look again.",
            extra={"refundable": left},
        )  # fmt: skip
    if not 1 <= refund.amount <= left:
        raise Refusal("refund-too-much", f"At most {left} đồng can be refunded.")
    after = replace(payment, amount_refunding=payment.amount_refunding + refund.amount)
    return RefundStep(refund, after, events=("refund.requested",))


def whole_part(payment: Payment, amount: int, expected: int, parts: Sequence[int]) -> int:
    """Find the part that somebody asks back; each part goes back whole, to whoever paid it.

    Raises Refusal where nothing of that amount is left.
    """
    left = refundable(payment)
    if expected != left or amount not in parts:
        each = ", ".join(map(str, parts)) or "none"
        raise Refusal(
            "refund-mismatch", f"Parts go back whole; those left are, in đồng: {each}.",
            extra={"refundable": left},
        )  # fmt: skip
    return parts.index(amount)


def approve(
    refund: Refund, payment: Payment | None, left: Sequence[int], route: Route, by: str
) -> RefundStep:
    """Agree to it: from now on the payer is owed. ``left`` is what each fee line still has.

    Raises Refusal when the same person asked for it, for maker is not checker, and when the payer
    has won the money back since.
    """
    if by == refund.requested_by:
        raise Refusal("same-person", "Somebody else must approve what you asked for.")
    if refund.source is Source.DEBT and payment and _unclaimed(payment) < 0:
        raise Refusal("payment-not-refundable", WON_BACK)
    moved = advance_refund(refund.state, RefundMove.APPROVE)
    parts = share_out(left, refund.amount) if refund.source is Source.DEBT else ()
    after = replace(refund, state=moved, decided_by=by, route=route, parts=parts)
    moves = refund.source is Source.ON_ACCOUNT
    told = ("payment.suspended",) if moves else ()  # Its amounts are not what they were.
    return RefundStep(after, _off_account(refund, payment, 1), _approval(after, payment), told)


def _off_account(refund: Refund, payment: Payment | None, way: int) -> Payment | None:
    """Move a part from what is on account to what is suspended until the payer has it; or back."""
    if payment is None or refund.source is not Source.ON_ACCOUNT:
        return payment
    moved = way * refund.amount
    return replace(
        payment,
        amount_on_account=payment.amount_on_account - moved,
        amount_suspended=payment.amount_suspended + moved,
    )


def _approval(refund: Refund, payment: Payment | None) -> tuple[Entry, ...]:
    """D 3310, 3320 or the fee line's account K 3380; with the treasury, D 1388 (LEDGER)."""
    if refund.source is Source.SURPLUS:
        return ledger.refund_owed(refund.id, ledger.SURPLUS, refund.amount, refund.payment_id)
    if refund.source is not Source.DEBT or payment is None:
        return ledger.refund_owed(refund.id, ledger.UNIDENTIFIED, refund.amount, refund.payment_id)
    at_treasury = refund.route is Route.TREASURY
    lines = payment.book_lines
    given = [replace(x, amount=part) for x, part in zip(lines, refund.parts, strict=True)]
    return ledger.uncollected(refund.id, payment.id, given, at_treasury=at_treasury)


def reject(refund: Refund, payment: Payment | None, by: str) -> RefundStep:
    """Say no; what was reserved for it is free again."""
    if by == refund.requested_by:
        raise Refusal("same-person", "Somebody else must decide what you asked for.")
    moved = advance_refund(refund.state, RefundMove.REJECT)
    after = replace(refund, state=moved, decided_by=by)
    return RefundStep(after, _freed(refund, payment), events=("refund.failed",))


def sent(refund: Refund) -> RefundStep:
    """Note that the provider has it and has not said how it ended."""
    return RefundStep(replace(refund, state=advance_refund(refund.state, RefundMove.SEND)))


def in_doubt(refund: Refund) -> RefundStep:
    """Note, before it is sent, that nobody knows whether the provider has it.

    A crash while it is asked, and a timeout, leave it so: neither is a failure.
    """
    return RefundStep(replace(refund, state=advance_refund(refund.state, RefundMove.DOUBT)))


def missed(refund: Refund) -> RefundStep:
    """Note that the provider was surely not reached: it is to be sent again."""
    return RefundStep(replace(refund, state=advance_refund(refund.state, RefundMove.MISS)))


def by_transfer(refund: Refund, by: str) -> RefundStep:
    """Decide anew how the payer gets what the provider will not end; another person proves it."""
    if by == refund.requested_by:
        raise Refusal("same-person", "Somebody else must decide what you asked for.")
    moved = advance_refund(refund.state, RefundMove.TURN)
    return RefundStep(replace(refund, state=moved, route=Route.TRANSFER, decided_by=by))


def done(refund: Refund, payment: Payment | None, provider_account: str) -> RefundStep:
    """Note the proof that the payer has it."""
    after = replace(refund, state=advance_refund(refund.state, RefundMove.DONE))
    entries = ledger.refund_done(
        refund.id, _OUT_OF[refund.route], refund.amount, refund.payment_id, provider_account
    )
    if payment is None:
        return RefundStep(after, None, entries)
    if refund.source is not Source.DEBT:
        paid_back = replace(payment, amount_suspended=payment.amount_suspended - refund.amount)
        return RefundStep(after, paid_back, entries, ("refund.done",))
    given = payment.amount_refunded + refund.amount
    freed = replace(
        payment, amount_refunded=given, amount_refunding=payment.amount_refunding - refund.amount
    )
    if given < payment.amount_received:
        return RefundStep(after, freed, entries, ("refund.done",))
    whole = replace(freed, state=advance(payment.state, Move.REFUND), amount_settled=0)
    return RefundStep(after, whole, entries, ("refund.done", "payment.refunded"))


def failed(refund: Refund, payment: Payment | None) -> RefundStep:
    """Note that it surely did not happen: the approval is taken back in the books."""
    after = replace(refund, state=advance_refund(refund.state, RefundMove.FAIL))
    undone = ledger.storno(_approval(refund, payment))
    freed = _freed(refund, _off_account(refund, payment, -1))
    return RefundStep(after, freed, undone, ("refund.failed",))


def _freed(refund: Refund, payment: Payment | None) -> Payment | None:
    if payment is None or refund.source is not Source.DEBT:
        return payment
    return replace(payment, amount_refunding=payment.amount_refunding - refund.amount)


def share_out(left: Sequence[int], amount: int) -> tuple[int, ...]:
    """Say what each fee line gives back of ``amount``, in proportion to what it has left.

    The remainder goes to the largest fractions, and among equals to the first line; no line gives
    more than it has, so any sequence of part refunds ends exactly at nothing.
    """
    whole = sum(left)
    if not 1 <= amount <= whole:
        raise ValueError("The lines have not so much left.")
    shares = [part * amount // whole for part in left]
    by_fraction = sorted(range(len(left)), key=lambda n: (-(left[n] * amount % whole), n))
    for n in by_fraction[: amount - sum(shares)]:
        shares[n] += 1
    return tuple(shares)
