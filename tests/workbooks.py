"""Writes small workbooks by hand, so that a test may say anything in them, true or false."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

Value = str | int | float | date | tuple[str, str]  # A pair is a formula and its last value.
_STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)
_BOOK = (
    '<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
_RELATIONS = (
    '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'
)


def workbook(rows: Sequence[Sequence[Value]], dimension: str = "A1:Z99", **parts: str) -> bytes:
    """Write a workbook of one sheet; texts are shared, days are numbers in a style."""
    texts: list[str] = []
    written = "".join(
        f'<row r="{number}">'
        + "".join(_cell(f"{chr(65 + at)}{number}", v, texts) for at, v in enumerate(row) if v != "")
        + "</row>"
        for number, row in enumerate(rows, 1)
    )
    sheet = f'<worksheet><dimension ref="{dimension}"/><sheetData>{written}</sheetData></worksheet>'
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
    return packed(
        {"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": f"<sst>{shared}</sst>"}
        | {f"xl/{name}.xml": text for name, text in parts.items()}
    )


def packed(parts: dict[str, str]) -> bytes:
    """Put parts together as a workbook, with those that each one has."""
    out = io.BytesIO()
    usual = {
        "xl/workbook.xml": _BOOK, "xl/_rels/workbook.xml.rels": _RELATIONS,
        "xl/styles.xml": _STYLES,
    }  # fmt: skip
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, text in (usual | parts).items():
            file.writestr(name, text)
    return out.getvalue()


def _cell(place: str, value: Value, texts: list[str]) -> str:
    match value:
        case (formula, last):
            return f'<c r="{place}"><f>{escape(formula)}</f><v>{last}</v></c>'
        case date():
            return f'<c r="{place}" s="1"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        case str():
            texts.append(value)
            return f'<c r="{place}" t="s"><v>{len(texts) - 1}</v></c>'
        case _:
            return f'<c r="{place}"><v>{value}</v></c>'
