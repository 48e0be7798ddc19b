"""Reads a table of somebody else's by its profile: titles, a heading, lines, totals.

A row is a line unless it is empty or its first words say that it is a total or a balance; those are
held against the lines. So nothing is left out because it looked odd.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciliation.readers.cells import ANOTHER, Cell, folded, is_dong, text_of
from reconciliation.readers.encodings import composed_lines
from reconciliation.readers.fields import MONEY, Fields, named, needed
from reconciliation.readers.line import Rows, refuse
from reconciliation.readers.profile import Layout, Profile, load_profile
from reconciliation.readers.table import records
from reconciliation.readers.totals import Totals, differs
from reconciliation.readers.xlsx import is_workbook, sheet_rows

title_rows_max: Final = 60  # A bank's letterhead has twenty.
footer_cells_max: Final = 2  # After the totals: a place, a date, a signature.
_ACCOUNT: Final = re.compile(r"\b(?=[A-Z]*[0-9])[0-9A-Z]{6,34}\b")  # A word has no digit.
_IN_A_NUMBER: Final = re.compile(r"(?<=[0-9])[ .](?=[0-9])")  # «0123 456 789» is one.
Grid = Iterator[tuple[int, Sequence[Cell]]]


def rows(profile: Profile, content: bytes, totals: Totals) -> Rows:
    """Give the rows of a table, in the canonical columns of its source."""
    fields = Fields(profile.source, profile.layout)
    table = _Table(fields, profile.layout, totals, is_ragged=is_workbook(content))
    return table.rows(grid(profile.layout, content))


def grid(layout: Layout, content: bytes) -> Grid:
    """Give a file's rows of cells, with the line where each begins, whatever it is kept in."""
    if is_workbook(content):
        return sheet_rows(content)
    return iter(records(composed_lines(content, layout.encodings), layout.delimiter))


@dataclass(frozen=True, slots=True)
class _Stated:
    """A balance that a file says of itself, and where."""

    line_no: int
    amount: int


@dataclass(slots=True)
class _Table:
    """One file on its way through."""

    fields: Fields
    layout: Layout
    totals: Totals
    is_ragged: bool  # A workbook leaves empty cells out; in CSV a short row was cut off.
    width: int = 0
    fixed: dict[str, str] = field(default_factory=dict)
    sums: dict[str, int] = field(default_factory=dict)
    moved: int = 0
    stated: dict[str, _Stated] = field(default_factory=dict)
    totals_at: int = 0

    def rows(self, found: Grid) -> Rows:
        """Give the lines, and hold the figures around them against their sum."""
        self.fixed = dict(self.layout.fixed)
        columns = load_profile(f"canonical-{self.fields.source}").columns
        last = self._begin(found)
        for last, cells in found:
            if self._is_line(last, cells):
                said = self._line(last, cells)
                yield last, [said.get(c.name, "") for c in columns]
        self._end(last)

    def _begin(self, found: Grid) -> int:
        """Read the titles and the heading; give the last line that was read."""
        if self.layout.has_header:
            return self._find_heading(found)
        self.fields.place(1, ())
        last = 0
        for _ in range(self.layout.title_rows):
            last, cells = next(found, (last, ()))
            self._title(last, cells)
        return last

    def _find_heading(self, found: Grid) -> int:
        missing = wanted = needed(self.layout)
        for _, (line_no, cells) in zip(range(title_rows_max), found, strict=False):
            heading = [folded(cell) for cell in cells]
            lacks = [p for p in wanted if not set(map(folded, p.header)) & set(heading)]
            if not lacks:
                self.width = len(_trimmed(cells))
                self.fields.place(line_no, heading)
                return line_no
            missing = min(missing, lacks, key=len)
            self._title(line_no, cells)
        raise refuse(1, "", f"must have the columns {', '.join(map(named, missing))}")

    def _title(self, line_no: int, cells: Sequence[Cell]) -> None:
        """Take the account and the balances that stand above the lines, and see the currency."""
        for at, cell in enumerate(cells):
            words, after = folded(cell), cells[at + 1 :]
            if label := _begun(words, self.layout.account_labels):
                text = _IN_A_NUMBER.sub("", " ".join(map(folded, (words, *after))))
                if number := _ACCOUNT.search(text, len(label)):
                    self.fixed.setdefault("account", number[0])
            elif not self._is_balance(line_no, cell, after):
                self._see_currency(line_no, cell, after)

    def _see_currency(self, line_no: int, cell: Cell, after: Sequence[Cell]) -> None:
        """Refuse a file of another currency; the label is a whole text, as others begin so too."""
        label, _, own = text_of(cell).partition(":")
        labels = set(map(folded, self.layout.currency_labels))
        if labels.isdisjoint(map(folded, label.split("/"))):
            return
        said = next((x for x in (own, *after) if text_of(x)), "")
        if said and not is_dong(said):
            raise refuse(line_no, label.strip(), ANOTHER)

    def _is_balance(self, line_no: int, cell: Cell, after: Sequence[Cell]) -> bool:
        """Read the balance that a label names, in its own cell or in one after it."""
        words, layout = folded(cell), self.layout
        for name, labels in (
            ("opening", layout.opening_labels),
            ("closing", layout.closing_labels),
        ):
            if _begun(words, labels):
                self.stated[name] = _Stated(line_no, self._figure(line_no, cell, after))
                return True
        return False

    def _figure(self, line_no: int, cell: Cell, after: Sequence[Cell]) -> int:
        label, _, own = text_of(cell).partition(":")
        for figure in (own, *reversed(after)):
            if text_of(figure):
                return self.fields.amount(line_no, label, figure)
        raise refuse(line_no, label, "has no figure")

    def _is_line(self, line_no: int, cells: Sequence[Cell]) -> bool:
        filled = [n for n, cell in enumerate(cells) if text_of(cell)]
        if not filled:
            return False
        first, after = cells[filled[0]], cells[filled[0] + 1 :]
        if _begun(folded(first), self._controls) and not self.fields.is_movement(cells, filled[0]):
            if not self._is_balance(line_no, first, after):
                self._check_sums(line_no, cells)
            return False
        if self.totals_at:
            if len(filled) > footer_cells_max:
                raise refuse(line_no, "", "stands after the totals")
            return False
        return self.fields.moved_money(line_no, cells)

    @property
    def _controls(self) -> Sequence[str]:
        said = self.layout
        return (*said.opening_labels, *said.closing_labels, *said.totals_labels)

    def _check_sums(self, line_no: int, cells: Sequence[Cell]) -> None:
        """Hold the row of totals against the sums of its columns."""
        self.totals_at, checked = line_no, 0
        for pick, at in self.fields.places:
            cell = cells[at] if at < len(cells) else ""
            if pick.fills not in MONEY or pick.fills == "balance" or not text_of(cell):
                continue
            said, made = (
                self.fields.amount(line_no, named(pick), cell),
                self.sums.get(pick.fills, 0),
            )
            checked += 1
            if said != made:
                raise refuse(line_no, "", differs(f"the sum of {named(pick)}", said, made))
        if not checked:
            raise refuse(line_no, "", "is the row of totals, and has no figure under a column")

    def _line(self, line_no: int, cells: Sequence[Cell]) -> dict[str, str]:
        """Make the canonical row of a line."""
        given = len(_trimmed(cells))
        if self.width and (given > self.width or (len(cells) < self.width and not self.is_ragged)):
            detail = f"has {min(len(cells), given)} cells where {self.width} are wanted"
            raise refuse(line_no, "", detail)
        said, money = self.fields.read(line_no, cells, self.fixed)
        for name, amount in money.items():
            self.sums[name] = self.sums.get(name, 0) + amount
        self.moved += int(said.get("amount", 0))
        return said

    def _end(self, last: int) -> None:
        """See that nothing was cut off."""
        if self.layout.totals_needed and not self.totals_at:
            raise refuse(last, "", "is the last, and the row of totals is missing")
        opening, closing = self.stated.get("opening"), self.stated.get("closing")
        account, known = self.fixed.get("account"), closing or opening
        if opening and closing and opening.amount + self.moved != closing.amount:
            made = opening.amount + self.moved
            raise refuse(closing.line_no, "", differs("the closing balance", closing.amount, made))
        if known and account:
            before = opening.amount if opening else known.amount - self.moved
            self.totals.section(known.line_no, account, before, before + self.moved)


def _begun(words: str, labels: Sequence[str]) -> str:
    """Give the label that a text begins with, or nothing."""
    return next((x for x in map(folded, labels) if words.startswith(x)), "")


def _trimmed(cells: Sequence[Cell]) -> Sequence[Cell]:
    """Leave out the empty cells at the end of a row, as spreadsheets add them."""
    end = len(cells)
    while end and not text_of(cells[end - 1]):
        end -= 1
    return cells[:end]
