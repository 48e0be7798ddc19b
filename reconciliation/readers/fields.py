"""Where each field of ours stands in somebody else's row, and what it says there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciliation.readers.cells import (
    ANOTHER,
    Cell,
    Formula,
    amount_of,
    folded,
    is_dong,
    moment_of,
    text_of,
    word_of,
)
from reconciliation.readers.line import refuse
from reconciliation.readers.profile import Layout, Pick, Status

MONEY: Final = ("amount", "credit", "debit", "gross", "fee", "net", "balance")
_TEXTS: Final = ("memo", "content", "counterparty")
_DAYS: Final = ("booked_on", "txn_at")
_MOVED: Final = ("amount", "credit", "debit", "gross")
_BACK: Final = ("refund", "reversal")
_NEGATIVE: Final = "has an amount below zero in a column of its own sign"


@dataclass(slots=True)
class Fields:
    """The columns of one file, found in its heading or counted."""

    source: str
    layout: Layout
    places: list[tuple[Pick, int]] = field(default_factory=list)
    status_at: int | None = None

    def place(self, line_no: int, heading: Sequence[str]) -> None:
        """Find each column's place, from 0; a heading that stands twice is no place."""
        for pick in self.layout.picks:
            at = pick.position - 1 if pick.position else _at(line_no, heading, pick.header)
            if at is not None:
                self.places.append((pick, at))
        status = self.layout.status
        if status:
            at = status.position - 1
            self.status_at = at if status.position else _at(line_no, heading, status.header)

    def is_movement(self, cells: Sequence[Cell], first: int) -> bool:
        """Tell whether a row has its day and its money, whatever its first cell begins with."""
        after = [(pick.fills, cells[at]) for pick, at in self.places if first < at < len(cells)]
        filled = {fills for fills, cell in after if text_of(cell)}
        return not filled.isdisjoint(_DAYS) and not filled.isdisjoint(_MOVED)

    def moved_money(self, line_no: int, cells: Sequence[Cell]) -> bool:
        """Tell whether a row moved money, by the word for its state."""
        status = self.layout.status
        if status is None or self.status_at is None:
            return True
        word = folded(cells[self.status_at]) if self.status_at < len(cells) else ""
        if word in map(folded, status.keep):
            return True
        if word not in map(folded, status.skip):
            detail = "is a state that the profile neither keeps nor skips"
            raise refuse(line_no, named(status), detail)
        return False

    def amount(self, line_no: int, named: str, cell: Cell) -> int:
        """Read money, or refuse the file with the line and the column."""
        try:
            return amount_of(cell, self.layout.number, self.layout.amount_factor)
        except ValueError as wrong:
            raise refuse(line_no, named, str(wrong)) from None

    def read(
        self, line_no: int, cells: Sequence[Cell], fixed: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, int]]:
        """Give a row's fields, and the money that stands in its columns."""
        said, money = dict(fixed), dict[str, int]()
        for pick, at in self.places:
            cell = cells[at] if at < len(cells) else ""
            if isinstance(cell, Formula):
                raise refuse(line_no, named(pick), "is a formula, not a value")
            if pick.fills not in MONEY:
                said[pick.fills] = self._text(line_no, pick, cell) or said.get(pick.fills, "")
            elif text_of(cell):
                money[pick.fills] = self.amount(line_no, named(pick), cell)
            elif not pick.optional:
                raise refuse(line_no, named(pick), "is empty")
        return said | self._money(line_no, said, money), money

    def _text(self, line_no: int, pick: Pick, cell: Cell) -> str:
        if not text_of(cell):
            if pick.fills == "direction":  # A guess would make money of what went away.
                raise refuse(line_no, named(pick), "is empty")
            return ""
        if pick.values:
            said = {folded(k): v for k, v in pick.values.items()}.get(folded(cell))
            if said is None:
                raise refuse(line_no, named(pick), f"is not one of {', '.join(pick.values)}")
            return said
        if pick.fills == "currency":
            if not is_dong(cell):
                raise refuse(line_no, named(pick), ANOTHER)
            return "VND"
        if pick.fills == "txn_at":
            written = self._moment(line_no, pick, cell, self.layout.time)
            return written if "T" in written else f"{written}T00:00:00"
        if pick.fills.endswith("_on"):
            return self._moment(line_no, pick, cell, self.layout.day)[: len("2026-11-19")]
        return text_of(cell) if pick.fills in _TEXTS else word_of(cell)

    def _moment(self, line_no: int, pick: Pick, cell: Cell, layout: str) -> str:
        try:
            return moment_of(cell, pick.layout or layout)
        except ValueError as wrong:
            raise refuse(line_no, named(pick), str(wrong)) from None

    def _money(self, line_no: int, said: dict[str, str], money: dict[str, int]) -> dict[str, str]:
        if self.source == "provider":
            gross = money.get("gross", 0)
            fee, sign = money.get("fee", 0), 1
            if self.layout.back_is_positive and said.get("kind") in _BACK:
                sign = -1
            net = sign * money["net"] if "net" in money else sign * gross - fee
            made = {"gross": sign * gross, "fee": fee, "net": net}
        else:
            made = {"amount": self._signed(line_no, said.pop("direction", None), money)}
            if "balance" in money:
                made["balance"] = money["balance"]
        return {name: str(amount) for name, amount in made.items()}

    def _signed(self, line_no: int, direction: str | None, money: Mapping[str, int]) -> int:
        """Give what moved, with its sign, of one column, of two, or of one and a word beside it."""
        if "amount" in money:
            amount = money["amount"]
            if direction == "credit" and amount < 0:
                raise refuse(line_no, "", _NEGATIVE)
            return -abs(amount) if direction == "debit" else amount
        came, left = money.get("credit", 0), money.get("debit", 0)
        if self.layout.debit_is_negative:
            left = -left
        if came < 0 or left < 0:
            raise refuse(line_no, "", _NEGATIVE)
        if bool(came) == bool(left):
            raise refuse(line_no, "", "must be a debit or a credit, and is both or neither")
        return came - left


def needed(layout: Layout) -> list[Pick | Status]:
    """Name the columns that a heading must have.

    That of states is one: without it, what failed would be taken for money.
    """
    wanted: list[Pick | Status] = [p for p in layout.picks if p.header and not p.optional]
    return [*wanted, layout.status] if layout.status and layout.status.header else wanted


def named(pick: Pick | Status) -> str:
    """Name a column as the file does."""
    return pick.header[0] if pick.header else f"column {pick.position}"


def _at(line_no: int, heading: Sequence[str], names: Sequence[str]) -> int | None:
    for name in map(folded, names):
        if heading.count(name) > 1:
            raise refuse(line_no, "", f"has the column {name} twice")
        if name in heading:
            return heading.index(name)
    return None
