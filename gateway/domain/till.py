"""A drawer's shift: what lies in it, what is missing or too much, and what is booked (LEDGER)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.domain import ledger
from gateway.domain.errors import Refusal
from gateway.domain.ids import fold
from gateway.domain.ledger import Entry
from gateway.domain.payment import Break


class ShiftState(StrEnum):
    """Where a shift stands: while counted it takes nothing more, and waits for a second person."""

    OPEN = "open"
    COUNTED = "counted"
    CLOSED = "closed"


def bag_number(text: str) -> str:
    """Read a deposit bag's number as a bank's text carries it; empty where there is none.

    It is the first word with a digit, without its signs: banks drop those, and names have no digit.
    """
    words = (re.sub(r"[^0-9A-Z]", "", word) for word in fold(text).split())
    return next((word for word in words if re.search(r"[0-9]", word)), "")


@dataclass(frozen=True, slots=True)
class Shift:
    """One clerk at one drawer of one branch. Amounts in đồng."""

    id: str
    agency_id: str
    branch_id: str
    drawer: str
    staff_id: str
    float_amount: int = 0
    state: ShiftState = ShiftState.OPEN
    counted_amount: int | None = None
    expected_amount: int | None = None
    signed_by: str | None = None
    bag: str | None = None

    @property
    def difference(self) -> int:
        """Give what is too much (above zero) or missing (below zero)."""
        return (self.counted_amount or 0) - (self.expected_amount or 0)


@dataclass(frozen=True, slots=True)
class ShiftStep:
    """What one decision about a shift writes, in one transaction."""

    shift: Shift
    entries: tuple[Entry, ...] = ()
    breaks: tuple[Break, ...] = ()
    missing: int = 0  # A shortage that two people will decide about.


def open_shift(shift: Shift) -> ShiftStep:
    """Begin it with the float that the safe gives out."""
    return ShiftStep(shift, ledger.float_issued(shift.id, shift.float_amount, shift.branch_id))


def count(shift: Shift, counted: int, taken: Iterable[int]) -> ShiftStep:
    """Write down what the clerk counted, blind; only then is it compared with what was taken."""
    if shift.state is not ShiftState.OPEN:
        raise Refusal("shift-not-open", "This shift was counted already.")
    expected = shift.float_amount + sum(taken)
    return ShiftStep(
        replace(shift, state=ShiftState.COUNTED, counted_amount=counted, expected_amount=expected)
    )


def sign(shift: Shift, by: str, bag: str) -> ShiftStep:
    """Close it as a second person: the difference gets its home, and the cash leaves in a bag."""
    if shift.state is not ShiftState.COUNTED or shift.counted_amount is None:
        raise Refusal("shift-not-open", "Only a shift that was counted can be signed.")
    if by == shift.staff_id:
        raise Refusal("same-person", "Somebody else must sign your count.")
    number = bag_number(bag)
    if not number:
        raise Refusal("invalid-request", "Write the number of the deposit bag.")
    # As banks carry it, so that two that a statement cannot tell apart are one, and refused.
    closed = replace(shift, state=ShiftState.CLOSED, signed_by=by, bag=number)
    entries: tuple[Entry, ...] = ()
    breaks: tuple[Break, ...] = ()
    off = shift.difference
    if off < 0:
        entries += ledger.shift_short(shift.id, -off, shift.branch_id)
    if off > 0:
        entries += ledger.shift_over(shift.id, off, shift.branch_id)
        breaks = (
            Break(
                "cash_over", f"shift:{shift.id}", off, "more cash was counted than was taken",
                proposal="identify",
            ),
        )  # fmt: skip
    entries += ledger.bagged(shift.id, shift.counted_amount, shift.branch_id)
    return ShiftStep(closed, entries, breaks, max(-off, 0))
