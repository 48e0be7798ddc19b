"""Reads the canonical CSV files: UTF-8, commas, and the header of its profile, to the letter."""

import csv
from collections.abc import Iterable, Iterator

from reconciliation.readers.encodings import plain_lines
from reconciliation.readers.line import Rows, file_lines_max, refuse
from reconciliation.readers.profile import Profile


def rows(profile: Profile, content: bytes) -> Rows:
    """Give the rows of a canonical file."""
    found, names = records(plain_lines(content)), [c.name for c in profile.columns]
    if next(found)[1] != names:
        raise refuse(1, "", "must be the header " + ",".join(names))
    yield from found


def records(lines: Iterable[str], delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Give the header and each record, with the line where it begins."""
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    begins = 1
    try:
        for number, cells in enumerate(reader):
            if number > file_lines_max:
                raise refuse(begins, "", f"is beyond the limit of {file_lines_max} lines")
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise refuse(reader.line_num, "", f"is not CSV ({error})") from None
    if begins == 1:
        raise refuse(1, "", "has no header")
