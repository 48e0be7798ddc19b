"""Disputes: what it means in the books that a payer takes money back through the provider."""

from dataclasses import dataclass, replace

from gateway.domain import ledger
from gateway.domain.ledger import Entry
from gateway.domain.payment import Payment
from gateway.domain.states import Move, State, advance


@dataclass(frozen=True, slots=True)
class Quarrel:
    """A payer's dispute over one capture, as far as the books need to know. Amounts in đồng."""

    id: str
    capture_id: str
    account: str  # provider/account
    amount: int
    fee: int = 0


@dataclass(frozen=True, slots=True)
class DisputeStep:
    """What one word about a dispute writes."""

    payment: Payment | None = None
    entries: tuple[Entry, ...] = ()
    events: tuple[str, ...] = ()
    # The agency bears the loss, and nobody owes the fee again; None where no debt was touched.
    is_borne: bool | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What of a capture paid no debt and is owed to its payer. Amount in đồng."""

    owing: str  # The account of the books that owes it.
    amount: int
    is_on_account: bool  # Of the payment, in parts; otherwise suspended.
    case: str = ""  # What the open case is about, where there is one.


def dispute_opened(quarrel: Quarrel) -> DisputeStep:
    """Note that the provider holds the money back, and what it charges for that."""
    entries = ledger.dispute_opened(quarrel.id, quarrel.amount, quarrel.account)
    if quarrel.fee:
        entries += ledger.dispute_fee(quarrel.id, quarrel.fee, quarrel.account)
    return DisputeStep(entries=entries)


def dispute_won(quarrel: Quarrel) -> DisputeStep:
    """Note that the agency keeps the money."""
    return DisputeStep(entries=ledger.dispute_won(quarrel.id, quarrel.amount, quarrel.account))


def dispute_lost_held(
    quarrel: Quarrel, payment: Payment | None, held: Held | None
) -> tuple[DisputeStep, int]:
    """Note that the payer has back what was owed to them anyhow; give how much that was."""
    taken = min(quarrel.amount, held.amount) if held else 0
    if held is None or not taken:
        return DisputeStep(payment), 0
    payment_id = payment.id if payment else None
    entries = ledger.dispute_lost_owed(
        quarrel.id, payment_id, held.owing, taken, quarrel.account
    )  # fmt: skip
    if payment is None:
        return DisputeStep(None, entries), taken
    if held.is_on_account:
        less = replace(payment, amount_on_account=payment.amount_on_account - taken)
    else:
        less = replace(payment, amount_suspended=payment.amount_suspended - taken)
    return DisputeStep(less, entries, ("payment.suspended",)), taken


def dispute_lost(
    quarrel: Quarrel, payment: Payment | None, of_debt: int, *, may_owe_again: bool,
    at_treasury: bool,
) -> DisputeStep:  # fmt: skip
    """Note that the payer has the money back.

    Where it paid a whole debt and nothing else stands in its place, the fee is owed again;
    otherwise the agency bears it, and the payment is paid all the same. ``of_debt`` is what of it
    had paid, and can be given back no more.
    """
    whole = (
        payment is not None
        and payment.state in (State.PAID, State.SETTLED)
        and quarrel.amount == payment.amount_received
        and payment.amount_refunded + payment.amount_refunding + payment.amount_charged_back == 0
    )
    if payment is None or not (whole and may_owe_again):
        borne = ledger.dispute_lost_borne(quarrel.id, quarrel.amount, quarrel.account)
        less = payment and _charged_back(payment, of_debt)
        told = ("payment.charged_back",) if less else ()
        return DisputeStep(less, borne, told, is_borne=True)
    owed = replace(
        payment, state=advance(payment.state, Move.CHARGE_BACK), amount_received=0,
        amount_charged_back=0, amount_settled=0, paid_at=None,
    )  # fmt: skip
    entries = ledger.dispute_lost_owed_again(
        quarrel.id, payment.id, payment.book_lines, at_treasury=at_treasury
    )
    return DisputeStep(owed, entries, ("payment.opened",), is_borne=False)


def _charged_back(payment: Payment, of_debt: int) -> Payment | None:
    """Note what can be given back no more; None where nothing of it had paid."""
    most = min(payment.amount_charged_back + of_debt, payment.amount_received)
    if most == payment.amount_charged_back:
        return None
    return replace(payment, amount_charged_back=most)
