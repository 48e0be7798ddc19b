"""Texts that people type, and cells that a spreadsheet opens: nothing in them deceives or runs."""

import re
import unicodedata
from typing import Final

from gateway.domain.errors import Refusal

# Controls, line ends of Unicode, marks that turn the direction of what follows, and no characters.
_STRANGE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")  # What a spreadsheet runs begins like this.


def one_line(said: str) -> str:
    """Compose what somebody typed, with single spaces: the same words are the same letters."""
    return " ".join(unicodedata.normalize("NFC", said).split())


def is_strange(said: str) -> bool:
    """Tell whether a text holds a character that no page and no paper shows as it is."""
    return _STRANGE.search(said) is not None


def without_strange(said: str) -> str:
    """Leave out what is not shown as it is."""
    return _STRANGE.sub("", said)


def reason_of(said: str, chars_max: int) -> str:
    """Give the reason that somebody typed. Raises Refusal."""
    clean = one_line(said)
    if not 1 <= len(clean) <= chars_max or is_strange(clean):
        raise Refusal("invalid-request", f"Give a reason of 1 to {chars_max} characters.")
    return clean


def cell_of(value: object) -> str:
    """Write one cell of a CSV file; an apostrophe makes a text of what would be run.

    Whole numbers stay numbers, below zero too.
    """
    if value is None:
        return ""
    said = str(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return f"'{said}" if not is_number and said.startswith(_FORMULAS) else said
