"""Amounts in Vietnamese words, the accountants' way, for every value to 10^15.

Convention, for no text read prescribes one (DOMAIN 1.1): «linh» for a zero ten, «nghìn», «không
trăm» inside a number, «mốt», «tư» only after no ten, «lăm», and «đồng» at the end. General-purpose
packages were wrong for 1.005.000 and 2.000.000.015.
"""

import unicodedata
from typing import Final

from gateway.domain.money import dong

DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
GROUPS: Final = ("", "nghìn", "triệu", "tỷ", "nghìn tỷ", "triệu tỷ")


def words(amount: int) -> str:
    """Write 99921049 as «Chín mươi chín triệu chín trăm hai mươi mốt nghìn … đồng», in NFC."""
    left = dong(amount)
    if left == 0:
        return "Không đồng"
    groups: list[int] = []
    while left:
        left, group = divmod(left, 1000)
        groups.append(group)
    said = [
        f"{_three(group, is_first=place == len(groups) - 1)} {_unit(groups, place)}".strip()
        for place, group in reversed(list(enumerate(groups)))
        if group
    ]
    text = " ".join(said)
    return unicodedata.normalize("NFC", f"{text[0].upper()}{text[1:]} đồng")


def _unit(groups: list[int], place: int) -> str:
    """Name a group; above the billion, «tỷ» is said once, by the last group that is not empty."""
    lower_says_it = place > 3 and any(groups[3:place])  # noqa: PLR2004 - the place of the tỷ.
    return GROUPS[place].removesuffix("tỷ").strip() if lower_says_it else GROUPS[place]


def _three(group: int, *, is_first: bool) -> str:
    """Say three digits; inside a number the hundreds are said even when they are zero."""
    hundreds, rest = divmod(group, 100)
    parts = [] if is_first and not hundreds else [f"{DIGITS[hundreds]} trăm"]
    tens, ones = divmod(rest, 10)
    if tens == 0 and ones:
        parts.append(f"linh {DIGITS[ones]}" if parts else DIGITS[ones])
    elif tens:
        parts.append("mười" if tens == 1 else f"{DIGITS[tens]} mươi")
        if ones:
            parts.append(_after_ten(tens, ones))
    return " ".join(parts)


def _after_ten(tens: int, ones: int) -> str:
    if ones == 1 and tens > 1:
        return "mốt"
    return "lăm" if ones == 5 else DIGITS[ones]  # noqa: PLR2004 - five is said otherwise here.
