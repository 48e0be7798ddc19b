"""Files made to harm: one clear sentence each, in little memory, and nothing half in."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from books import written
from workbooks import packed, workbook

memory_mb_max = 256
CHILD = Path(__file__).parent / "read_bad_files.py"
_CAMT = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">'
_LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_HEADING = "Ngày giao dịch,Số tham chiếu,Ghi nợ,Ghi có,Số dư,Mô tả\n"
_PARTS = {
    "head": "<worksheet><sheetData>", "tail": "</sheetData></worksheet>",
    "row": '<row r="{}"><c r="A{}"><v>1</v></c></row>',
}  # fmt: skip


def sparse(path: Path, size: int) -> None:
    """Make a file of a size that nobody wrote."""
    with path.open("wb") as file:
        file.truncate(size)


def bomb() -> bytes:
    """Pack 540 MB of nothing in 2 MB."""
    out = io.BytesIO(packed({}))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(540):
            part.write(bytes(1_000_000))
    return out.getvalue()


def far_cell() -> bytes:
    """Name the last cell of the largest sheet, so that whoever makes room for all makes 17e9."""
    sheet = (
        _PARTS["head"] + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>' + _PARTS["tail"]
    )
    return packed({"xl/worksheets/sheet1.xml": sheet})


def texts() -> bytes:
    """Share 70 MB of text."""
    shared = f"<si><t>{'x' * 400_000}</t></si>" * 175
    return workbook([["x"]], sharedStrings=f"<sst>{shared}</sst>")


MANY = written("statement", *({"line_id": f"{n}"} for n in range(60_000)))
TREE = f"{_CAMT}{'<a>' * 5_000_000}".encode()
# Profile-name -> what to write, and the sentence.
BAD: dict[str, tuple[bytes | Callable[[], bytes], str]] = {
    "camt053-xxe": (
        b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<d>&x;</d>',
        "Line 1: has a DTD, which no statement needs.",
    ),
    "camt053-laughs": (
        f'<?xml version="1.0"?>\n<!DOCTYPE d [<!ENTITY l0 "lol">{_LOL}]>\n<d>&l9;</d>'.encode(),
        "Line 2: has a DTD, which no statement needs.",
    ),
    "camt053-deep": (TREE, "Line 1: nests deeper than 64."),
    "camt053-tag": (
        f"{_CAMT}\n<a b='{'x' * 20_000_000}".encode(),
        "Line 2: has a tag or a text longer than any statement has.",
    ),
    "camt053-text": (
        f"{_CAMT}\n<BkToCstmrStmt>{'x' * 20_000_000}".encode(),
        "Line 2: has a tag or a text longer than any statement has.",
    ),
    "vietcombank-bomb": (
        bomb,
        "The workbook's part xl/worksheets/sheet1.xml is longer than 536870912 bytes.",
    ),
    "vietcombank-far": (far_cell, "Line 1048576: is beyond the limit of 1000000 lines."),
    "vietcombank-wide": (
        lambda: packed({
            "xl/worksheets/sheet1.xml": _PARTS["head"]
            + '<row r="1"><c r="XFD1"><v>1</v></c></row>' + _PARTS["tail"]
        }),
        "Line 1: has more than 256 cells, or one of them twice.",
    ),
    "vietcombank-texts": (texts, "The workbook has more than 67108864 bytes of text."),
    "vietcombank-dtd": (
        lambda: workbook([["x"]], workbook=f"<!DOCTYPE d [{_LOL}]><workbook/>"),
        "Line 1: has a DTD, which no statement needs.",
    ),
    "vietcombank-cut": (
        lambda: workbook([["x"]])[:-40],
        "The file is a damaged workbook (File is not a zip file).",
    ),
    "vietcombank-old": (
        b"\xd0\xcf\x11\xe0" + bytes(600), "The file is an old .xls: save it as .xlsx or CSV.",
    ),
    "vietcombank-column": (
        (_HEADING + '18/11/2026,FT1,,"1,000",,' + "x" * 200_000).encode(),
        "Line 2: is not CSV (field larger than field limit (131072)).",
    ),
    "canonical-statement-cut": (MANY[:-30], "Line 60001: has 2 cells where 10 are wanted."),
    "canonical-statement-cells": (
        MANY + b"," * 900_000 + b"\n", "Line 60002: has 900001 cells where 10 are wanted.",
    ),
    "canonical-statement-lines": (
        b"account,line_id,booked_on,value_on,amount,currency,counterparty,reference,memo,balance\n"
        + b"\n" * 60_000, "Line 2: has 0 cells where 10 are wanted.",
    ),
}  # fmt: skip


def test_files_made_to_harm_are_refused_in_little_memory(tmp_path: Path) -> None:
    """SCENARIOS 28, and the issue's list; the peak is of one process that reads all of them."""
    for name, (content, _) in BAD.items():
        path = tmp_path / f"{name.replace('canonical-', 'canonical_')}"
        path.write_bytes(content if isinstance(content, bytes) else content())
    sparse(tmp_path / "bidv-sparse", 1_000_000_000)
    sparse(tmp_path / "mt940-nothing", 100_000_000)
    expected = {name: why for name, (_, why) in BAD.items()} | {
        "bidv-sparse": "The file is longer than 134217728 bytes.",
        "mt940-nothing": "Line 1: is longer than 1000000 characters.",
    }

    out = subprocess.run(  # noqa: S603 - our own script.
        [sys.executable, CHILD, *sorted(tmp_path.iterdir())], capture_output=True, check=False
    )

    assert out.returncode == 0, out.stderr.decode()[-2000:]
    told = json.loads(out.stdout)
    assert {Path(p).name.replace("_", "-"): said for p, said in told["said"].items()} == expected
    assert told["mb"] < memory_mb_max
