"""Writes a list as an XLSX workbook, some rows at a time, and never holds it whole.

Texts stand in their cells as texts, so that no cell is a formula; one that looks like a formula
gets the apostrophe that it has in a CSV file too, for whoever saves the sheet as one. The same rows
give the same bytes. A list that is longer than a sheet goes on in another.
"""

import io
import re
import threading
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any, Final
from xml.sax.saxutils import escape

from gateway.domain.calendar import HANOI
from gateway.domain.texts import cell_of

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
sheet_rows_max: Final = 1_048_576  # What spreadsheet programs open, the titles among them.
# A part of 2 GiB needs the long form of ZIP, which not every spreadsheet program reads in a stream.
sheet_bytes_max: Final = 1_073_741_824
cell_chars_max: Final = 32_767  # A longer text makes the whole file damaged to Excel.
number_max: Final = 999_999_999_999_999  # Fifteen digits: beyond, a sheet rounds what it shows.
title_chars_max: Final = 28  # Of 31 that a sheet's name may have; the rest tells it from its next.
width_chars: Final = 18  # Of a column: an amount with its separators, or most of an id.
_DATE: Final = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # The first that the form can say: the same rows, the same bytes.
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_FIRST_DAY: Final = date(1900, 3, 1)  # Before it, spreadsheet programs differ by a day.
_day_seconds: Final = 86_400
_TEXT, _HEAD, _NUMBER, _DAY, _TIME = range(5)  # Rows of cellXfs in the styles below.
# What XML cannot say, and what a spreadsheet would read as if it stood for something else.
_STRANGE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_LOOKS_STRANGE: Final = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOC: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACK: Final = "http://schemas.openxmlformats.org/package/2006"
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES: Final = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="dd/mm/yyyy"/>'
    '<numFmt numFmtId="165" formatCode="dd/mm/yyyy\\ hh:mm"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0"'
    ' applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0"'
    ' applyNumberFormat="1" applyFont="1"/>'
    + "".join(
        f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for n in (3, 164, 165)
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)


class _Sink(io.RawIOBase):
    """Where the archive is written to: what was written is taken out again at once."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - whatever has bytes.
        self.ready += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self.ready)
        self.ready.clear()
        return taken


class Workbook:
    """A workbook on its way out."""

    def __init__(
        self, name: str, titles: Sequence[str], *, rows_max: int = sheet_rows_max,
        bytes_max: int = sheet_bytes_max,
    ) -> None:  # fmt: skip
        """Begin one of a name, with the titles of its columns."""
        self._name, self._rows_max, self._bytes_max = name, rows_max, bytes_max
        self._titles = _row([_text(title, _HEAD) for title in titles])
        self._columns = len(titles)
        self._sink = _Sink()
        self._file = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._sheets = self._rows = self._bytes = 0
        self._sheet: IO[bytes] | None = None
        # A thread goes on with its rows when whoever wanted them has gone.
        self._at_work = threading.Lock()

    def add(self, rows: Iterable[Sequence[object]]) -> bytes:
        """Write some rows; give what can be sent."""
        with self._at_work:
            for row in rows:
                said = _row([_cell(value) for value in row])
                if self._rows >= self._rows_max or self._bytes + len(said) > self._bytes_max:
                    self._end_sheet()
                self._put(said)
            return self._sink.take()

    def end(self) -> bytes:
        """Write what comes last; give it. A list without rows has its titles."""
        with self._at_work:
            if not self._sheets:
                self._begin_sheet()
            self._end_sheet()
            for name, content in self._about():
                self._file.writestr(_entry(name), content)
            self._file.close()
            return self._sink.take()

    def abandon(self) -> None:
        """Leave it as it is: whoever wanted it is gone."""
        with self._at_work:
            if self._sheet is not None:
                self._sheet.close()
            self._file.close()

    def _put(self, said: bytes) -> None:
        if self._sheet is None:
            self._sheet = self._begin_sheet()
        self._sheet.write(said)
        self._rows += 1
        self._bytes += len(said)

    def _begin_sheet(self) -> IO[bytes]:
        self._sheets += 1
        self._rows = self._bytes = 0
        self._sheet = sheet = self._file.open(_entry(f"xl/worksheets/sheet{self._sheets}.xml"), "w")
        sheet.write(
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane'
            ' ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
            f'</sheetViews><cols><col min="1" max="{self._columns}" width="{width_chars}"'
            ' customWidth="1"/></cols><sheetData>'.encode()
        )
        self._put(self._titles)
        return sheet

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.write(b"</sheetData></worksheet>")
            self._sheet.close()
            self._sheet = None

    def _about(self) -> Iterable[tuple[str, str]]:
        """Say what the workbook consists of: known only now."""
        numbers = range(1, self._sheets + 1)
        name = _NOT_IN_NAMES.sub(" ", self._name)[:title_chars_max]
        sheets = "".join(
            f'<sheet name="{_quoted(name if n == 1 else f"{name} {n}")}" sheetId="{n}"'
            f' r:id="rId{n}"/>'
            for n in numbers
        )
        parts = "".join(
            f'<Relationship Id="rId{n}" Type="{_DOC}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        kinds = "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml"'
            f' ContentType="{_TYPE}.worksheet+xml"/>'
            for n in numbers
        )
        yield "xl/workbook.xml", (
            f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOC}">'
            f"<sheets>{sheets}</sheets></workbook>"
        )  # fmt: skip
        yield "xl/_rels/workbook.xml.rels", (
            f'{_XML}<Relationships xmlns="{_PACK}/relationships">{parts}<Relationship'
            f' Id="rId{self._sheets + 1}" Type="{_DOC}/styles" Target="styles.xml"/>'
            "</Relationships>"
        )  # fmt: skip
        yield "xl/styles.xml", _STYLES
        yield "_rels/.rels", (
            f'{_XML}<Relationships xmlns="{_PACK}/relationships"><Relationship Id="rId1"'
            f' Type="{_DOC}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        )  # fmt: skip
        yield "[Content_Types].xml", (
            f'{_XML}<Types xmlns="{_PACK}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override'
            f' PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/><Override'
            f' PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{kinds}</Types>'
        )  # fmt: skip


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _row(cells: Iterable[str]) -> bytes:
    return f"<row>{''.join(cells)}</row>".encode()


def _cell(value: object) -> str:
    match value:
        case None | "":
            return "<c/>"
        case bool():
            return f'<c t="b"><v>{value:d}</v></c>'
        case int() if abs(value) <= number_max:
            return f'<c s="{_NUMBER}"><v>{value}</v></c>'
        case datetime():
            local = value.astimezone(HANOI).replace(tzinfo=UTC)
            days = (local - _EPOCH).total_seconds() / _day_seconds
            return f'<c s="{_TIME}"><v>{days:.6f}</v></c>'
        case date() if value >= _FIRST_DAY:
            return f'<c s="{_DAY}"><v>{value.toordinal() - _EPOCH.toordinal()}</v></c>'
        case _:
            return _text(cell_of(value), _TEXT)


def _text(said: str, style: int) -> str:
    """Write a text into its cell; one that is cut says so by its last character."""
    if len(said) > cell_chars_max:
        said = f"{said[: cell_chars_max - 1]}…"
    said = _STRANGE.sub(lambda m: f"_x{ord(m[0]):04X}_", _LOOKS_STRANGE.sub("_x005F_", said))
    # A parser makes one line end of each carriage return, unless it is named.
    whole = escape(said, {"\r": "_x000D_"})
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{whole}</t></is></c>'


def _quoted(said: str) -> str:
    return escape(_STRANGE.sub("", said), {'"': "&quot;"})
