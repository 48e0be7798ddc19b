"""Amounts in words: a reader that shares nothing with the writer turns them back into numbers."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receipts.words import words

ONES = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "lăm": 5, "sáu": 6,
    "bảy": 7, "tám": 8, "chín": 9,
}  # fmt: skip


def read(text: str) -> int:
    """Read as a person does: words build up a group, units close it."""
    *said, last = text.lower().split(" ")
    assert last == "đồng"
    billions = below = group = digit = 0
    for word in said:
        if word in ONES:
            digit = ONES[word]
        elif word == "trăm":
            group, digit = group + digit * 100, 0
        elif word == "mươi":
            group, digit = group + digit * 10, 0
        elif word == "mười":
            group += 10
        elif word in ("nghìn", "triệu"):
            below += (group + digit) * {"nghìn": 1_000, "triệu": 1_000_000}[word]
            group = digit = 0
        elif word == "tỷ":
            billions, below, group, digit = below + group + digit, 0, 0, 0
        else:
            assert word == "linh"
    return billions * 10**9 + below + group + digit


@given(
    st.one_of(
        st.integers(0, 10**15), st.integers(0, 10**6), st.integers(0, 15).map(lambda n: 10**n)
    )
)
def test_every_amount_can_be_read_back(amount: int) -> None:
    said = words(amount)

    assert read(said) == amount
    assert unicodedata.is_normalized("NFC", said)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "Không đồng"),
        (10_000, "Mười nghìn đồng"),
        (1_005_000, "Một triệu không trăm linh năm nghìn đồng"),
        (2_000_000_015, "Hai tỷ không trăm mười lăm đồng"),
        (21, "Hai mươi mốt đồng"),
        (115, "Một trăm mười lăm đồng"),
        (
            99_921_049,
            "Chín mươi chín triệu chín trăm hai mươi mốt nghìn không trăm bốn mươi chín đồng",
        ),
        (10**15, "Một triệu tỷ đồng"),
    ],
)
def test_the_amounts_that_packages_get_wrong(amount: int, said: str) -> None:
    assert words(amount) == said
