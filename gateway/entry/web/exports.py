"""Lists as CSV for a spreadsheet: streamed, and no cell of it is ever a formula."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from fastapi.responses import StreamingResponse

# A spreadsheet runs what begins like this; an apostrophe makes it a text.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"  # Without it, spreadsheets read UTF-8 as something else.
Rows = AsyncIterator[Sequence[Any]]


def plain(cell: Any) -> str:  # noqa: ANN401 - whatever a row holds.
    """Write one cell; whole numbers stay numbers, below zero too."""
    if cell is None:
        return ""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    said = str(cell)
    return f"'{said}" if said.startswith(_FORMULAS) else said


def csv_of(name: str, columns: Sequence[str], rows: Rows) -> StreamingResponse:
    """Send rows as a file, line by line: a million of them are never held at once."""
    return StreamingResponse(
        _lines(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{name}.csv"',
            "cache-control": "no-store", "x-content-type-options": "nosniff",
        },
    )  # fmt: skip


async def _lines(columns: Sequence[str], rows: Rows) -> AsyncIterator[str]:
    yield _BOM + _line(columns)
    async for row in rows:
        yield _line([plain(cell) for cell in row])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
