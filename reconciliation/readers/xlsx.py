"""Reads the first visible sheet of an XLSX workbook, row by row, in little memory.

What the file says of its own size is not believed: rows are counted as they come, a part is read to
its limit and not further, and texts that cells share are kept packed. Measured against two
libraries: see docs/adr/0007-dependencies.md.
"""

import io
import lzma
import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from gateway.domain.errors import Refusal
from reconciliation.readers.cells import Cell, Formula
from reconciliation.readers.line import file_lines_max, refuse
from reconciliation.readers.strict_xml import fed, parser, read_chunks

part_bytes_max: Final = 536_870_912  # Of the sheet, unpacked: a million lines have about so much.
small_part_bytes_max: Final = 8_388_608  # Of the list of sheets, or the styles.
shared_bytes_max: Final = 67_108_864  # Of the texts that cells share.
columns_max: Final = 256
_MAGIC: Final = b"PK\x03\x04"
_OLD_MAGIC: Final = b"\xd0\xcf\x11\xe0"
_EPOCHS: Final = (datetime(1899, 12, 30), datetime(1904, 1, 1))  # noqa: DTZ001 - a sheet has no zone.
_DAYS: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
_PLACE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_QUOTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_UNCOMPUTED: Final = (
    "has a formula without its value: open the file in a spreadsheet program and save it"
)
days_max: Final = 2_958_465  # The year 9999.
# What unpacking a spoilt or a strange part raises: of each of the ways in which one may be packed.
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, RuntimeError,
)  # fmt: skip
day_seconds: Final = 86_400


def is_workbook(content: bytes) -> bool:
    """Tell whether a file is a workbook; raises Refusal for one of the old kind."""
    if content.startswith(_OLD_MAGIC):
        raise Refusal("file-refused", "The file is an old .xls: save it as .xlsx or CSV.")
    return content.startswith(_MAGIC)


def sheet_rows(content: bytes) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Give the rows of the first visible sheet, by the number that each has in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheet, is_1904 = _first_sheet(book)
            dated = _dated_styles(book)
            texts = _Shared(book)
            reader = _Sheet(texts, dated, _EPOCHS[is_1904])
            for _pause in fed(
                reader.parser, _part(book, sheet, part_bytes_max), reader.pieces, reader.path
            ):
                made, reader.made = reader.made, []
                yield from made
    except _DAMAGED as error:
        words = " ".join(f"{error}".split())[:100]
        raise Refusal("file-refused", f"The file is a damaged workbook ({words}).") from None


def _part(book: zipfile.ZipFile, name: str, bytes_max: int) -> Iterator[bytes]:
    try:
        about = book.getinfo(name)
    except KeyError:
        raise Refusal("file-refused", f"The file is a damaged workbook (no {name}).") from None
    if about.file_size > bytes_max:  # More than this size is not unpacked, whatever comes.
        raise Refusal(
            "file-refused", f"The workbook's part {name} is longer than {bytes_max} bytes."
        )
    with book.open(about) as part:
        yield from read_chunks(part.read)


def _tags(book: zipfile.ZipFile, name: str) -> list[tuple[str, Mapping[str, str]]]:
    """Give every tag of a small part, with what stands in it."""
    found: list[tuple[str, Mapping[str, str]]] = []
    reader = parser()
    reader.StartElementHandler = lambda tag, said: found.append((tag.rpartition(":")[2], said))
    for _ in fed(reader, _part(book, name, small_part_bytes_max), []):
        pass
    return found


def _first_sheet(book: zipfile.ZipFile) -> tuple[str, bool]:
    """Give the path of the first visible sheet, and whether its days count from 1904."""
    tags = _tags(book, "xl/workbook.xml")
    is_1904 = any(t == "workbookPr" and said.get("date1904") in ("1", "true") for t, said in tags)
    visible = [
        next((v for k, v in said.items() if k.rpartition(":")[2] == "id"), "")
        for tag, said in tags
        if tag == "sheet" and said.get("state", "visible") == "visible"
    ]
    places = {
        said.get("Id", ""): said.get("Target", "")
        for tag, said in _tags(book, "xl/_rels/workbook.xml.rels")
        if tag == "Relationship"
    }
    target = places.get(visible[0], "") if visible else ""
    if not target:
        raise Refusal("file-refused", "The file is a damaged workbook (no visible sheet).")
    return (target.lstrip("/") if target.startswith("/") else f"xl/{target}"), is_1904


def _dated_styles(book: zipfile.ZipFile) -> frozenset[str]:
    """Name the styles that show a number as a day or a time."""
    if "xl/styles.xml" not in book.namelist():
        return frozenset()
    own, styles, within = set[str](), list[str](), ""
    for tag, said in _tags(book, "xl/styles.xml"):
        if tag in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = tag
        if tag == "numFmt" and re.search("[dmyh]", _QUOTED.sub("", said.get("formatCode", ""))):
            own.add(said.get("numFmtId", ""))
        if tag == "xf" and within == "cellXfs":
            styles.append(said.get("numFmtId", "0"))
    known = {str(n) for n in _DAYS} | own
    return frozenset(str(n) for n, style in enumerate(styles) if style in known)


class _Shared:
    """The texts that cells share, packed: as texts of their own they would fill the memory."""

    def __init__(self, book: zipfile.ZipFile) -> None:
        self.packed, self.ends = bytearray(), array("Q")
        if "xl/sharedStrings.xml" in book.namelist():
            self._read(book)

    def _read(self, book: zipfile.ZipFile) -> None:
        reader, pieces = parser(), list[str]()
        text, path = list[str](), list[str]()

        def start(tag: str, _: Mapping[str, str]) -> None:
            path.append(tag)
            pieces.clear()
            if tag.rpartition(":")[2] == "rPh":  # How a text is pronounced is no part of it.
                raise refuse(reader.CurrentLineNumber, "", "has phonetic texts; save it as CSV")

        def end(tag: str) -> None:
            path.pop()
            name = tag.rpartition(":")[2]
            if name == "t":
                text.append("".join(pieces))
            elif name == "si":
                self.packed += "".join(text).encode()
                self.ends.append(len(self.packed))
                text.clear()
                if len(self.packed) > shared_bytes_max:
                    said = f"The workbook has more than {shared_bytes_max} bytes of text."
                    raise Refusal("file-refused", said)
            pieces.clear()

        reader.StartElementHandler, reader.EndElementHandler = start, end
        reader.CharacterDataHandler = pieces.append
        for _ in fed(reader, _part(book, "xl/sharedStrings.xml", part_bytes_max), pieces, path):
            pass

    def text(self, number: str) -> str:
        at = int(number)
        if not 0 <= at < len(self.ends):
            raise ValueError("a cell names a text that is not there")
        begin = self.ends[at - 1] if at else 0
        return self.packed[begin : self.ends[at]].decode()


class _Sheet:
    """A sheet on its way through the parser."""

    def __init__(self, texts: _Shared, dated: frozenset[str], epoch: datetime) -> None:
        self.texts, self.dated, self.epoch = texts, dated, epoch
        self.made: list[tuple[int, Sequence[Cell]]] = []
        self.pieces: list[str] = []
        self.path: list[str] = []
        self.row: list[Cell] = []
        self.row_no = 0
        self.parser = parser()
        self._listen()

    def _listen(self) -> None:
        of, pieces, path = self.parser, self.pieces, self.path
        kind = style = ""
        column, is_formula, is_told = 0, False, False
        value = ""

        def start(tag: str, said: Mapping[str, str]) -> None:
            nonlocal kind, style, column, is_formula, is_told, value
            path.append(tag)
            pieces.clear()
            match tag.rpartition(":")[2]:
                case "c":
                    kind, style = said.get("t", "n"), said.get("s", "0")
                    column = self._column(said.get("r"), column)
                    is_formula, is_told, value = False, False, ""
                case "row":
                    self._open_row(said.get("r"))
                    column = 0
                case "f":
                    is_formula = True

        def end(tag: str) -> None:
            nonlocal value, is_told
            path.pop()
            match tag.rpartition(":")[2]:
                case "v" | "t":  # A text in the cell itself may be in several styles.
                    value, is_told = value + "".join(pieces), True
                case "c" if is_formula:
                    self._put(column, self._computed(value, is_text=is_told and kind == "str"))
                case "c" if value:
                    self._put(column, self._cell(kind, style, value))
                case "row":
                    self.made.append((self.row_no, self.row))
                    self.row = []
            pieces.clear()

        of.StartElementHandler, of.EndElementHandler = start, end
        of.CharacterDataHandler = pieces.append

    def _open_row(self, said: str | None) -> None:
        number = int(said) if said else self.row_no + 1
        if number <= self.row_no:
            raise refuse(number, "", "stands after a row with a higher number")
        if number > file_lines_max + columns_max:
            raise refuse(number, "", f"is beyond the limit of {file_lines_max} lines")
        self.row_no = number

    def _column(self, place: str | None, before: int) -> int:
        """Give a cell's column, from 1: it says it, or it is the one after the last."""
        if place is None:
            return before + 1
        found = _PLACE.fullmatch(place)
        if found is None:
            raise refuse(self.row_no, "", "has a cell whose place is not one")
        column = 0
        for letter in found[1]:
            column = column * 26 + ord(letter) - 64
        return column

    def _put(self, column: int, cell: Cell) -> None:
        if not len(self.row) < column <= columns_max:
            raise refuse(
                self.row_no, "", f"has more than {columns_max} cells, or one of them twice"
            )
        self.row.extend([""] * (column - len(self.row) - 1))
        self.row.append(cell)

    def _computed(self, value: str, *, is_text: bool) -> Formula:
        """Give what was last computed; only a text may be nothing."""
        if not value and not is_text:
            raise refuse(self.row_no, "", _UNCOMPUTED)
        return Formula(value)

    def _cell(self, kind: str, style: str, value: str) -> Cell:
        match kind:
            case "s":
                return self.texts.text(value)
            case "n":
                return self._number(style, value)
            case "d":
                return datetime.fromisoformat(value)
            case _:
                return value

    def _number(self, style: str, value: str) -> Cell:
        if not _NUMBER.fullmatch(value):
            raise refuse(self.row_no, "", "has a number that is none")
        number = Decimal(value)
        if style in self.dated:
            if not 0 <= number <= days_max:
                raise refuse(self.row_no, "", "has a day outside the calendar")
            try:
                return self.epoch + timedelta(seconds=round(number * day_seconds))
            except OverflowError:  # Counted from 1904, the last days of 9999 are beyond it.
                raise refuse(self.row_no, "", "has a day outside the calendar") from None
        return int(number) if number == int(number) else number
