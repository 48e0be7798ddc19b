"""Lists as CSV for a spreadsheet: streamed, and no cell of it is ever a formula."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from fastapi.responses import StreamingResponse

from gateway.domain.texts import cell_of

_BOM: Final = "\ufeff"  # Without it, spreadsheets read UTF-8 as something else.
Rows = AsyncIterator[Sequence[Any]]


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
        yield _line([cell_of(value) for value in row])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
