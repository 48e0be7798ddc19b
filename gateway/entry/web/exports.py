"""Lists as files for a spreadsheet: streamed, and no cell of them is ever a formula.

CSV is for programs: its columns and codes are ours, the same in both languages. XLSX is for people:
titles and words are those of the page.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fastapi.responses import StreamingResponse

from gateway.domain.errors import Refusal
from gateway.domain.texts import cell_of
from gateway.entry.web.console_words import actor, sentence, word
from gateway.entry.web.workbook import MEDIA_TYPE, Workbook

_BOM: Final = "\ufeff"  # Without it, spreadsheets read UTF-8 as something else.
rows_step: Final = 500  # Written by a thread at once, in about 10 ms: others go on meanwhile.
Rows = AsyncIterator[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the rows and in CSV, its titles, and what its codes are words of."""

    name: str
    vi: str
    en: str
    words: str = ""  # A table of words, or sentence, actor, day (which JSON writes as a text).


def file_of(
    ending: str, name: str, title: str, columns: Sequence[Column], rows: Rows, lang: str
) -> StreamingResponse:
    """Send rows as a file, some at a time: a million of them are never held at once."""
    content: AsyncIterator[str] | AsyncIterator[bytes]
    match ending:
        case "csv":
            kind, content = "text/csv; charset=utf-8", _csv(columns, rows)
        case "xlsx":
            kind, content = MEDIA_TYPE, _xlsx(title, columns, rows, lang)
        case _:
            raise Refusal("not-found", "There is no such file.")
    return StreamingResponse(
        content,
        media_type=kind,
        headers={
            "content-disposition": f'attachment; filename="{name}.{ending}"',
            "cache-control": "no-store", "x-content-type-options": "nosniff",
        },
    )  # fmt: skip


async def given(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """Give rows that are here already, as those that come by and by."""
    for row in rows:
        yield row


async def _csv(columns: Sequence[Column], rows: Rows) -> AsyncIterator[str]:
    yield _BOM + _line([column.name for column in columns])
    async for row in rows:
        yield _line([cell_of(row[column.name]) for column in columns])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


async def _xlsx(
    title: str, columns: Sequence[Column], rows: Rows, lang: str
) -> AsyncIterator[bytes]:
    book = Workbook(title, [c.en if lang == "en" else c.vi for c in columns])
    try:
        async for some in _some(rows):
            cells = [[_value(row[c.name], c.words, lang) for c in columns] for row in some]
            yield await asyncio.to_thread(book.add, cells)
        yield await asyncio.to_thread(book.end)
    finally:
        book.abandon()


async def _some(rows: Rows) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    some = list[Mapping[str, Any]]()
    async for row in rows:
        some.append(row)
        if len(some) == rows_step:
            yield some
            some = []
    yield some


def _value(value: Any, words: str, lang: str) -> object:  # noqa: ANN401 - a row's cell.
    """Say a code in the page's words; what is none stays what it is: a number, a day, a moment."""
    if not words or not value:
        return value
    match words:
        case "sentence":
            return sentence(str(value), lang)
        case "actor":
            return actor(str(value), lang)
        case "day":
            return date.fromisoformat(value)
        case _:
            return word(words, str(value), lang)
