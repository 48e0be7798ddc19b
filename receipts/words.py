"""An amount of đồng in Vietnamese words, the way accountants write it on a receipt.

The choices, where usage differs: «linh» (not «lẻ»), «nghìn» (not «ngàn»), «tỷ» (not «tỉ»), «bốn»
(not «tư») after «mươi», and every group after the first is read in full («không trăm linh năm»),
so that nothing can be written in front of it. The text is NFC and ends with «đồng».
"""

import unicodedata
from collections.abc import Iterator
from typing import Final

from gateway.domain.money import dong

_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_BILLION: Final = 1_000_000_000
_THOUSAND: Final = 1_000
_TEN: Final = 10
_FIVE: Final = 5


def in_words(amount: int) -> str:
    """Write an amount in words: 10000 is «Mười nghìn đồng»."""
    amount = dong(amount)
    said = " ".join(_words(amount)) if amount else _DIGITS[0]
    text = unicodedata.normalize("NFC", f"{said} đồng")
    return text[0].upper() + text[1:]


def _words(amount: int) -> Iterator[str]:
    """Read the billions as a number of their own, then the rest."""
    billions, rest = divmod(amount, _BILLION)
    if billions:
        yield from _below_billion(billions, first=True)
        yield "tỷ"
    yield from _below_billion(rest, first=not billions)


def _below_billion(number: int, *, first: bool) -> Iterator[str]:
    groups = ((number // 10**6, "triệu"), (number // _THOUSAND, "nghìn"), (number, ""))
    for prefix, unit in groups:
        group = prefix % _THOUSAND
        if group:
            yield from _group(group, first=first)
            if unit:
                yield unit
            first = False


def _group(group: int, *, first: bool) -> Iterator[str]:
    """Read three digits; the very first group of an amount has no leading zeros."""
    hundreds, rest = divmod(group, 100)
    tens, ones = divmod(rest, _TEN)
    said_hundreds = bool(hundreds) or not first
    if said_hundreds:
        yield from (_DIGITS[hundreds], "trăm")
    if tens == 0 and ones and said_hundreds:
        yield "linh"
    elif tens == 1:
        yield "mười"
    elif tens:
        yield from (_DIGITS[tens], "mươi")
    if ones:
        yield _one(tens, ones)


def _one(tens: int, ones: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    if ones == _FIVE and tens:
        return "lăm"
    return _DIGITS[ones]
