"""The life of a payment is a table; nothing moves that the table does not allow."""

import pytest

from gateway.domain.errors import Refusal
from gateway.domain.money import dong, figures
from gateway.domain.states import (
    MOVES,
    REFUND_MOVES,
    Move,
    RefundMove,
    RefundState,
    State,
    advance,
    advance_refund,
)


@pytest.mark.parametrize(
    "move", [(s, m) for s in State for m in Move if (s, m) not in MOVES], ids=str
)
def test_a_move_that_is_not_in_the_table_is_refused(move: tuple[State, Move]) -> None:
    with pytest.raises(Refusal, match="payment-not-open"):
        advance(*move)


def test_every_state_can_be_reached() -> None:
    assert {State.OPEN, *MOVES.values()} == set(State)
    assert {RefundState.REQUESTED, *REFUND_MOVES.values()} == set(RefundState)


@pytest.mark.parametrize(
    "move",
    [(s, m) for s in RefundState for m in RefundMove if (s, m) not in REFUND_MOVES],
    ids=str,
)
def test_a_refund_moves_by_its_table_alone(move: tuple[RefundState, RefundMove]) -> None:
    with pytest.raises(Refusal, match="refund-not-open"):
        advance_refund(*move)


@pytest.mark.parametrize(
    "wrong", [True, False, "150000", 1.5e5, 1.0, None, -1, 10**15 + 1, float("nan")]
)
def test_what_is_not_a_plain_whole_number_is_never_money(wrong: object) -> None:
    """SCENARIOS, measured traps: lax readers take true and «150_000» as money."""
    with pytest.raises(Refusal, match="invalid-amount"):
        dong(wrong)


def test_amounts_are_shown_the_vietnamese_way() -> None:
    assert figures(1_234_567) == "1.234.567"
