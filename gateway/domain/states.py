"""The life of a payment and of an attempt as tables; diagrams, tests and refusals come from them.

Opening and closing a day move payments between paid and settled; money that arrives late may pay
an expired payment, because the bank's word outranks our clock.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.domain.errors import Refusal


class State(StrEnum):
    """Where a payment stands (CONTRACT 2)."""

    OPEN = "open"
    PAID = "paid"
    SETTLED = "settled"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    WAIVED = "waived"


class Move(StrEnum):
    """What can happen to a payment."""

    CAPTURE = "capture"
    WAIVE = "waive"
    EXPIRE = "expire"
    CANCEL = "cancel"
    SETTLE = "settle"
    UNSETTLE = "unsettle"
    REFUND = "refund"  # All of it was given back.
    CHARGE_BACK = "charge_back"  # The payer won it back, and owes it again.


MOVES: Final[Mapping[tuple[State, Move], State]] = MappingProxyType(
    {
        (State.OPEN, Move.CAPTURE): State.PAID,
        (State.OPEN, Move.WAIVE): State.WAIVED,
        (State.OPEN, Move.EXPIRE): State.EXPIRED,
        (State.OPEN, Move.CANCEL): State.CANCELLED,
        # Late money is still money: the bank's word outranks our clock.
        (State.EXPIRED, Move.CAPTURE): State.PAID,
        (State.PAID, Move.SETTLE): State.SETTLED,
        (State.SETTLED, Move.UNSETTLE): State.PAID,
        (State.PAID, Move.REFUND): State.REFUNDED,
        (State.SETTLED, Move.REFUND): State.REFUNDED,
        (State.PAID, Move.CHARGE_BACK): State.OPEN,
        (State.SETTLED, Move.CHARGE_BACK): State.OPEN,
    }
)


def can(state: State, move: Move) -> bool:
    """Tell whether a move is possible from here."""
    return (state, move) in MOVES


def advance(state: State, move: Move) -> State:
    """Make the move, or refuse it."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise Refusal("payment-not-open", f"A payment that is {state} cannot {move}.") from None


class AttemptState(StrEnum):
    """Where one try with one provider stands (CONTRACT 3)."""

    STARTED = "started"
    REDIRECTED = "redirected"
    IN_DOUBT = "in_doubt"
    CAPTURED = "captured"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE: Final = frozenset({AttemptState.STARTED, AttemptState.REDIRECTED, AttemptState.IN_DOUBT})


class RefundState(StrEnum):
    """Where a refund stands (CONTRACT 3)."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    SENT = "sent"
    IN_DOUBT = "in_doubt"
    DONE = "done"
    FAILED = "failed"


class RefundMove(StrEnum):
    """What can happen to a refund."""

    APPROVE = "approve"
    REJECT = "reject"
    SEND = "send"
    DOUBT = "doubt"
    MISS = "miss"  # The provider was surely not reached.
    TURN = "turn"  # The provider will not end it: a transfer does.
    DONE = "done"
    FAIL = "fail"


REFUND_MOVES: Final[Mapping[tuple[RefundState, RefundMove], RefundState]] = MappingProxyType(
    {
        (RefundState.REQUESTED, RefundMove.APPROVE): RefundState.APPROVED,
        (RefundState.REQUESTED, RefundMove.REJECT): RefundState.REJECTED,
        (RefundState.APPROVED, RefundMove.SEND): RefundState.SENT,
        (RefundState.APPROVED, RefundMove.DOUBT): RefundState.IN_DOUBT,
        (RefundState.APPROVED, RefundMove.DONE): RefundState.DONE,
        (RefundState.APPROVED, RefundMove.FAIL): RefundState.FAILED,
        (RefundState.IN_DOUBT, RefundMove.MISS): RefundState.APPROVED,
        (RefundState.APPROVED, RefundMove.TURN): RefundState.APPROVED,
        (RefundState.IN_DOUBT, RefundMove.TURN): RefundState.APPROVED,
        (RefundState.SENT, RefundMove.TURN): RefundState.APPROVED,
        (RefundState.IN_DOUBT, RefundMove.SEND): RefundState.SENT,
        (RefundState.IN_DOUBT, RefundMove.DONE): RefundState.DONE,
        (RefundState.IN_DOUBT, RefundMove.FAIL): RefundState.FAILED,
        (RefundState.SENT, RefundMove.DONE): RefundState.DONE,
        (RefundState.SENT, RefundMove.FAIL): RefundState.FAILED,
    }
)
REFUND_LIVE: Final = frozenset({RefundState.APPROVED, RefundState.SENT, RefundState.IN_DOUBT})


def advance_refund(state: RefundState, move: RefundMove) -> RefundState:
    """Make the move, or refuse it."""
    try:
        return REFUND_MOVES[state, move]
    except KeyError:
        raise Refusal("refund-not-open", f"A refund that is {state} cannot {move}.") from None
