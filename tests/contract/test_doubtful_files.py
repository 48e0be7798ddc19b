"""What is doubtful in a file refuses it in one sentence with its line, and nothing else does."""

import zlib
from collections.abc import Callable
from datetime import date

import pytest
from books import written
from statement_samples import LINE, sample, titled

from gateway.domain.errors import Refusal
from reconciliation.readers.profile import load_profile
from reconciliation.readers.reading import read

MOST = 10**15  # The largest amount of a line.


def refusal(profile: str, content: bytes) -> str:
    """Give the sentence by which a file is refused."""
    with pytest.raises(Refusal) as refused:
        read(load_profile(profile), content)
    return refused.value.detail


def broken_inside() -> bytes:
    """Spoil what is packed of a workbook, so that unpacking it fails midway."""
    whole = bytearray(titled(LINE))
    at = whole.index(b"xl/worksheets/sheet1.xml") + len("xl/worksheets/sheet1.xml")
    whole[at : at + 20] = b"\xff" * 20
    with pytest.raises(zlib.error):
        zlib.decompress(bytes(whole[at:]), -zlib.MAX_WBITS)
    return bytes(whole)


def from_1904() -> bytes:
    """Count the last day there is from the epoch that is four years later."""
    book = (
        '<workbook xmlns:r="r"><workbookPr date1904="1"/>'
        '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    return titled([1, date(9999, 12, 31), *LINE[2:]], workbook=book)


@pytest.mark.parametrize(
    ("profile", "content", "why"),
    [
        ("vietcombank", broken_inside, "The file is a damaged workbook ("),
        ("vietcombank", from_1904, "Line 5: has a day outside the calendar"),
        ("canonical-provider", lambda: written("provider", {}, {"txn_at": "9999-12-31T23:00:00Z"}),
         "Line 3: txn_at is in no year from 2000 to 2199."),
        ("canonical-statement", lambda: written("statement", {"booked_on": "0001-01-01"}),
         "Line 2: booked_on is in no year from 2000 to 2199."),
        ("camt053", lambda: sample(
            "statement-v8.camt053.xml", ("2026-11-17T18:30:00Z", "9999-12-31T23:00:00Z")
        ), "Line 13: has a time that is not ISO 8601"),
        ("canonical-statement", lambda: written("statement", *[
            {"line_id": f"{n}", "amount": MOST, "account": f"{n % 2}"} for n in range(1_001)
        ]), "Line 1002: makes the sum of the file larger than 1000000000000000000."),
    ],
)  # fmt: skip
def test_a_file_that_no_book_can_hold_is_refused_in_a_sentence(
    profile: str, content: Callable[[], bytes], why: str
) -> None:
    """Whatever else were raised would leave the file waiting for ever."""
    assert why in refusal(profile, content())
