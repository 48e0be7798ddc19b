"""Words and figures say the same: an independent reader turns the words back into the number."""

from hypothesis import given
from hypothesis import strategies as st

from receipts.words import in_words

_ONES = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "lăm": 5, "sáu": 6,
    "bảy": 7, "tám": 8, "chín": 9,
}  # fmt: skip


def _read(words: str) -> int:
    """Read words as a Vietnamese reader does: word by word, from the left."""
    total = part = last = 0
    for word in words.lower().removesuffix(" đồng").split():
        match word:
            case "tỷ":
                total, part, last = (part + last) * 10**9, 0, 0
            case "triệu" | "nghìn":
                unit = 10**6 if word == "triệu" else 1000
                whole = part // 10**6 * 10**6
                part, last = whole + (part - whole + last) * unit, 0
            case "trăm":
                part, last = part + last * 100, 0
            case "mươi":
                part, last = part + last * 10, 0
            case "mười":
                part, last = part + 10, 0
            case "linh":
                last = 0
            case _:
                last = _ONES[word]
    return total + part + last


@given(
    st.integers(0, 10**15)
    | st.integers(0, 5000)
    | st.lists(st.sampled_from("0015"), min_size=1, max_size=15).map(lambda d: int("".join(d)))
)
def test_the_words_read_back_as_the_same_amount(amount: int) -> None:
    """A law over the whole range, with many zeros, where reading goes wrong."""
    assert _read(in_words(amount)) == amount
