"""A list as a workbook: read back by our own reader, and as XML by the rules of its form."""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest
from lxml import etree

from gateway.entry.web.workbook import Workbook, cell_chars_max, number_max
from reconciliation.readers.xlsx import sheet_rows

TITLES = ("Mã", "Số tiền")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(*rows: Sequence[object], **limits: int) -> bytes:
    book = Workbook("Chênh lệch", TITLES, **limits)
    return b"".join([*(book.add([row]) for row in rows), book.end()])


def read(content: bytes) -> list[Sequence[object]]:
    return [cells for _, cells in sheet_rows(content)]


def part(content: bytes, name: str) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return etree.fromstring(file.read(name))


def test_numbers_are_numbers_days_are_days_and_texts_are_texts() -> None:
    """A spreadsheet adds up amounts, sorts days, and keeps the zeros of a tax code."""
    at = datetime(2026, 11, 18, 18, 30, tzinfo=UTC)
    content = written(
        ("0106512345", 10_000), (date(2026, 11, 18), -5), (at, number_max), (None, True),
        ("", number_max + 1),
    )  # fmt: skip

    assert read(content) == [
        list(TITLES), ["0106512345", 10_000], [datetime(2026, 11, 18), -5],  # noqa: DTZ001 - a sheet has no zone.
        [datetime(2026, 11, 19, 1, 30), number_max],  # noqa: DTZ001 - the same, in Hanoi.
        ["", "1"], ["", "1000000000000000"],
    ]  # fmt: skip
    kinds = [
        (c.get("t", "n"), c.get("s"))
        for c in part(content, "xl/worksheets/sheet1.xml").iter(f"{_MAIN}c")
    ]
    assert kinds[2:6] == [("inlineStr", "0"), ("n", "2"), ("n", "3"), ("n", "2")]


@pytest.mark.parametrize("said", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=x"])
def test_what_looks_like_a_formula_is_none_here_and_none_when_saved_as_csv(said: str) -> None:
    content = written((said, 1))

    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert [*sheet.iter(f"{_MAIN}f")] == []
    (text,) = sheet.xpath("//x:row[2]/x:c[1]/x:is/x:t/text()", namespaces={"x": _MAIN[1:-1]})
    assert text.replace("_x000D_", "\r") == f"'{said}"


def test_no_character_damages_the_file_or_turns_into_another() -> None:
    said = "<a>&\"' \x00\x1f\ufffe _x0041_ 🙂 Đỗ\nhai dòng "
    content = written((said, 1), ("x" * (cell_chars_max + 5), 2))

    (_, (text, _), (long, _)) = read(content)
    assert text == "<a>&\"' _x0000__x001F__xFFFE_ _x005F_x0041_ 🙂 Đỗ\nhai dòng "
    assert (len(str(long)), str(long)[-2:]) == (cell_chars_max, "x…")


def test_the_titles_stay_in_sight_on_each_sheet_and_a_long_list_goes_on_in_another() -> None:
    """A sheet has a limit of rows, and a part of the file one of bytes; no row is left out."""
    rows = [(f"brk_{n}", n) for n in range(5)]
    content = written(*rows, rows_max=3)

    book = part(content, "xl/workbook.xml")
    assert book.xpath("//@name") == ["Chênh lệch", "Chênh lệch 2", "Chênh lệch 3"]
    found = list[str]()
    for n in (1, 2, 3):
        sheet = part(content, f"xl/worksheets/sheet{n}.xml")
        assert sheet.xpath("//@state") == ["frozen"]
        found += sheet.xpath("//x:row/x:c[1]//x:t/text()", namespaces={"x": _MAIN[1:-1]})
    assert found == ["Mã", "brk_0", "brk_1", "Mã", "brk_2", "brk_3", "Mã", "brk_4"]
    with zipfile.ZipFile(io.BytesIO(written(*rows, bytes_max=400))) as file:
        assert len([n for n in file.namelist() if "worksheets" in n]) > 1


def test_every_part_is_named_and_of_the_kind_that_it_is() -> None:
    """What no list of kinds names, a spreadsheet program calls damaged."""
    content = written(("a", 1))

    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        names = {f"/{n}" for n in file.namelist() if not n.endswith((".rels", "Types].xml"))}
    assert set(part(content, "[Content_Types].xml").xpath("//@PartName")) == names
    targets = part(content, "xl/_rels/workbook.xml.rels").xpath("//@Target")
    assert {f"/xl/{t}" for t in targets} | {"/xl/workbook.xml"} == names
    styles = part(content, "xl/styles.xml")
    for kind in ("numFmts", "fonts", "fills", "borders", "cellXfs"):
        (group,) = styles.iter(f"{_MAIN}{kind}")
        assert int(group.get("count", "")) == len(group)
    assert content == written(("a", 1)), "the same rows are the same bytes"


def test_a_long_list_is_never_held_whole_and_one_that_nobody_wants_is_left() -> None:
    """What was added is handed over at once: at the end only what tells of the sheets is left."""
    book = Workbook("x", TITLES)
    noise = [(re.sub(r"\D", "", f"{n * 7919**5}"), n) for n in range(2_000)]
    sizes = [len(book.add(noise)) for _ in range(20)]

    assert min(sizes[1:]) > max(sizes) // 2
    assert len(book.end()) < max(sizes)
    book.abandon()
    gone = Workbook("x", TITLES)
    gone.add(noise)
    gone.abandon()
    assert read(written()) == [list(TITLES)], "a list without rows has its titles"
