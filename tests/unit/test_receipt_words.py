"""The amount in words is part of the receipt; a wrong word makes it worthless."""

import unicodedata

import pytest

from gateway.domain.errors import Refusal
from receipts.words import in_words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Không đồng"),
        (5, "Năm đồng"),
        (10, "Mười đồng"),
        (11, "Mười một đồng"),
        (15, "Mười lăm đồng"),
        (21, "Hai mươi mốt đồng"),
        (24, "Hai mươi bốn đồng"),
        (105, "Một trăm linh năm đồng"),
        (10_000, "Mười nghìn đồng"),
        (150_000, "Một trăm năm mươi nghìn đồng"),
        (1_005_000, "Một triệu không trăm linh năm nghìn đồng"),
        (2_000_000_015, "Hai tỷ không trăm mười lăm đồng"),
        (
            99_921_049,
            "Chín mươi chín triệu chín trăm hai mươi mốt nghìn không trăm bốn mươi chín đồng",
        ),
        (10**15, "Một triệu tỷ đồng"),
    ],
)
def test_an_amount_is_written_as_accountants_write_it(amount: int, words: str) -> None:
    """These are the amounts that common libraries get wrong, and the sample of the treasury."""
    assert in_words(amount) == words
    assert unicodedata.is_normalized("NFC", in_words(amount))


@pytest.mark.parametrize("amount", [-1, 10**15 + 1, True, 1.0])
def test_what_is_no_amount_has_no_words(amount: int) -> None:
    with pytest.raises(Refusal, match="invalid-amount"):
        in_words(amount)
