"""What one cell says: money, a day, a time, as banks and spreadsheets write them.

A text counts only if it is wholly in the layout that the profile names: 1.234 is a thousand and
more in one country, and little over one in another, and no guess may decide between them.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from gateway.domain.ids import fold
from reconciliation.readers.profile import NUMBERS


class Formula(str):
    """What a spreadsheet last computed in a cell: a total may be one, a movement may not."""

    __slots__ = ()


# A text, or what a spreadsheet keeps as a number or a day of its own.
Cell = str | int | Decimal | datetime
_MONEY_SIGNS: Final = re.compile(r"\s*(?:VND|VNĐ|đồng|đ|₫)\s*$", re.IGNORECASE)
_DONG: Final = re.compile(r"(?:VND|VIET ?NAM|DONG|D|₫|[ ()/-])+")
ANOTHER: Final = "is another currency than VND"
_PLACES: Final = {"dd": "day", "yyyy": "year", "hh": "hour", "ss": "second"}
_SPACES: Final = re.compile(r"\s+")
_AS_TEXT: Final = re.compile(r'(?:\'|="?)?(.*?)"?')  # How exports keep a zero at the front.


def folded(cell: Cell) -> str:
    """Give a text as headings and words are compared: capitals, no accents, single spaces."""
    return _SPACES.sub(" ", fold(text_of(cell))).strip(" :")


def text_of(cell: Cell) -> str:
    """Give a cell as text."""
    if isinstance(cell, datetime):
        return cell.isoformat()
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell).strip()


def is_dong(cell: Cell) -> bool:
    """Tell whether a currency is ours, by its code or its name."""
    return _DONG.fullmatch(folded(cell)) is not None


def word_of(cell: Cell) -> str:
    """Give an id or a number of an account, without what keeps it a text in a spreadsheet."""
    found = _AS_TEXT.fullmatch(text_of(cell))
    return found[1].strip() if found else text_of(cell)


def amount_of(cell: Cell, number: str, factor: int) -> int:
    """Read whole đồng; raises ValueError with what is wrong."""
    if isinstance(cell, datetime):
        raise ValueError("is a date, not an amount")  # noqa: TRY004 - what a cell says, not its type.
    if isinstance(cell, str):
        written = _MONEY_SIGNS.sub("", cell.strip())
        found = _numbers(number).fullmatch(written)
        if found is None:
            raise ValueError(f"is not a whole number of đồng written as {number}")
        digits = re.sub(r"[^0-9]", "", found["whole"])
        cell = -int(digits) if found["sign"] == "-" or found["open"] else int(digits)
    whole = int(cell)
    if whole != cell:
        raise ValueError("is not a whole number of đồng")
    if whole % factor:
        raise ValueError(f"is not a multiple of {factor}")
    return whole // factor


@cache
def _numbers(number: str) -> re.Pattern[str]:
    mark = NUMBERS[number]
    point = "," if mark == "." else "."
    grouped = rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+|" if mark else ""
    return re.compile(
        rf"(?P<open>\()?(?P<sign>[+-]?)\s?(?P<whole>{grouped}[0-9]{{1,18}})"
        rf"(?:{re.escape(point)}0{{1,2}})?(?(open)\))"
    )


def moment_of(cell: Cell, layout: str) -> str:
    """Read a day or a time, and write it as ours; raises ValueError with what is wrong."""
    if isinstance(cell, datetime):
        return cell.isoformat() if "hh" in layout else cell.date().isoformat()
    return _written(cell.strip() if isinstance(cell, str) else text_of(cell), layout)


@cache
def _layout(layout: str) -> re.Pattern[str]:
    """Make a pattern of dd/mm/yyyy hh:mm:ss; after the hour, mm is minutes."""
    pattern, hours_seen = "", False
    for part in re.split(r"(dd|mm|yyyy|hh|ss)", layout):
        if part == "mm":
            pattern += f"(?P<{'minute' if hours_seen else 'month'}>[0-9]{{1,2}})"
        elif part in _PLACES:
            hours_seen = hours_seen or part == "hh"
            width = "4" if part == "yyyy" else "1,2"
            pattern += f"(?P<{_PLACES[part]}>[0-9]{{{width}}})"
        else:
            pattern += re.escape(part)
    return re.compile(pattern)


def _written(text: str, layout: str) -> str:
    found = _layout(layout).fullmatch(text)
    if found is None:
        raise ValueError(f"is not written as {layout}")
    said = {name: int(value) for name, value in found.groupdict().items()}
    try:
        day = date(said.pop("year"), said.pop("month"), said.pop("day"))
        at = datetime(day.year, day.month, day.day, **said)  # type: ignore[arg-type]  # noqa: DTZ001 - the profile's zone is added later.
    except ValueError:
        raise ValueError("is no day of the calendar") from None
    return at.isoformat() if "hh" in layout else day.isoformat()
