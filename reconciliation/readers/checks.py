"""Checks rows of canonical columns strictly, whatever file they come from.

Money is a plain integer, because a spreadsheet that writes 1.5E+05 or 150.000 has already guessed
once; guessing again would invent money.

Rows are checked a thousand at a time and column by column, since most columns say the same few
things; only where a column is in doubt is each of its cells asked, to name the first that is wrong.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from gateway.domain.errors import Refusal
from gateway.domain.money import amount_dong_max
from reconciliation.readers.line import Row, Rows, refuse
from reconciliation.readers.profile import Column

word_chars_max: Final = 128  # Ids and references; the longest known, a UUID with a prefix, is 45.
text_chars_max: Final = 2_000  # Memos; a bank carries 210 at most, an export may join several.
# Money of other years is a mistake; and a day is counted from, so it must not be the last of all.
year_min: Final = 2_000
year_max: Final = 2_199
_batch_rows: Final = 1_000

_AMOUNT: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_AMOUNTS: Final = re.compile(r"(?:-?[1-9][0-9]{0,14}\n|0\n|\n)*")  # None above the largest.
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
Batch = list[tuple[int, Row]]


def checked(columns: tuple[Column, ...], rows: Rows) -> Iterator[Batch]:
    """Check rows, and give them on, some at a time; the first wrong cell refuses the file."""
    more = True
    while more:
        batch, refusal = _next(rows)
        if batch and not _all_are_well(columns, batch):
            for line_no, cells in batch:
                check_row(columns, line_no, cells)
        if batch:
            yield batch
        if refusal:
            raise refusal
        more = len(batch) == _batch_rows


def _next(rows: Rows) -> tuple[Batch, Refusal | None]:
    """Take some rows; what refuses a later one waits until those before it are checked."""
    batch: Batch = []
    try:
        for row in islice(rows, _batch_rows):
            batch.append(row)
    except Refusal as refusal:
        return batch, refusal
    return batch, None


def check_row(columns: tuple[Column, ...], line_no: int, cells: Row) -> None:
    """Check the cells of one row."""
    if len(cells) != len(columns):
        detail = f"has {len(cells)} cells where {len(columns)} are wanted"
        raise refuse(line_no, "", detail)
    for column, text in zip(columns, cells, strict=True):
        wrong = check_cell(column, text)
        if wrong:
            raise refuse(line_no, column.name, wrong)


def _all_are_well(columns: tuple[Column, ...], batch: Batch) -> bool:
    rows = [cells for _, cells in batch]
    if any(len(cells) != len(columns) for cells in rows):
        return False
    by_column = map(set, zip(*rows, strict=True))
    return all(_is_well(*pair) for pair in zip(columns, by_column, strict=True))


def _is_well(column: Column, texts: set[str]) -> bool:
    """Tell whether every text of a column passes; in doubt it says no."""
    if not column.optional and "" in texts:
        return False
    match column.type:
        case "amount":
            joined = "\n".join(texts) + "\n"
            well = not (column.nonzero and "0" in texts) and joined.count("\n") == len(texts)
            return well and _AMOUNTS.fullmatch(joined) is not None
        case "word" | "text":
            limit = word_chars_max if column.type == "word" else text_chars_max
            tidy = column.type == "text" or set(map(str.strip, texts)) == texts
            return tidy and max(map(len, texts)) <= limit and not _CONTROL.search("".join(texts))
        case _:
            return not any(check_cell(column, text) for text in texts)


def check_cell(column: Column, text: str) -> str | None:
    """Say what is wrong with a cell, or None."""
    if not text:
        return None if column.optional else "is empty"
    if _CONTROL.search(text):
        return "has a control character"
    match column.type:
        case "choice":
            wrong = None if text in column.values else f"is not one of {', '.join(column.values)}"
        case "amount":
            wrong = _check_amount(text, nonzero=column.nonzero)
        case "day" | "instant":
            wrong = _check_time(column.type, text)
        case _:
            wrong = _check_text(column.type, text)
    return wrong


def _check_text(kind: str, text: str) -> str | None:
    if kind == "word" and text != text.strip():
        return "begins or ends with a space"
    limit = word_chars_max if kind == "word" else text_chars_max
    return f"is longer than {limit} characters" if len(text) > limit else None


def _check_amount(text: str, *, nonzero: bool) -> str | None:
    if not _AMOUNT.fullmatch(text) or text == "-0":
        return "is not a whole number of đồng in plain digits"
    if abs(int(text)) > amount_dong_max:
        return "is larger than any amount can be"
    return "is zero" if nonzero and int(text) == 0 else None


def _check_time(kind: str, text: str) -> str | None:
    pattern = _DAY if kind == "day" else _INSTANT
    try:
        if pattern.fullmatch(text) and (at := datetime.fromisoformat(text)):
            within = year_min <= at.year <= year_max
            return None if within else f"is in no year from {year_min} to {year_max}"
    except ValueError:
        pass
    return "is not a date YYYY-MM-DD" if kind == "day" else "is not a time YYYY-MM-DDThh:mm:ss"
