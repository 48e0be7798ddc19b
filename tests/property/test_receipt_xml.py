"""Laws of the receipt's XML: whatever stands on a receipt, it is written one way and read back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from receipt_samples import receipt, signer

from receipts.receipt import Line, total_in_words
from receipts.verify import Verdict, verify
from receipts.xml import NotAReceiptError, read, write

WORDS = st.text(min_size=1, max_size=300)
LINES = st.lists(
    st.builds(Line, WORDS, WORDS, st.integers(1, 10**12), WORDS), min_size=1, max_size=50
)


def possible(words: str) -> bool:
    """Tell whether XML 1.0 can carry it, in a way of its own: by the parser's word."""
    return all(
        c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
        for c in words
    )


@given(name=WORDS, lines=LINES)
@settings(max_examples=200, deadline=None)
def test_any_words_are_canonical_and_read_back_or_refused(name: str, lines: list[Line]) -> None:
    amount, in_words = total_in_words(tuple(lines))
    made = receipt(payer_name=name, lines=tuple(lines), amount=amount, amount_in_words=in_words)
    said = name + "".join(x.code + x.name + x.budget_line for x in lines)
    if not possible(said):
        with pytest.raises(ValueError, match="XML cannot carry"):
            write(made)
        return

    data = write(made)

    assert etree.tostring(etree.fromstring(data), method="c14n") == data
    assert read(data) == made
    sealed = signer().seal(data)
    assert verify(sealed, {signer().fingerprint}).verdict is Verdict.VALID


@given(data=st.binary(max_size=400), at=st.integers(0, 2_000))
@settings(max_examples=300, deadline=None)
def test_any_bytes_put_anywhere_break_nothing_and_never_pass(data: bytes, at: int) -> None:
    """The reader gives a receipt that is written just so, or refuses; the seal never holds."""
    good = write(receipt())
    try:
        mixed = good[:at] + data + good[at:]
        assert write(read(mixed)) == mixed
    except NotAReceiptError:
        pass
    sealed = signer().seal(good)
    mixed = sealed[:at] + data + sealed[at:]
    if mixed != sealed:
        found = verify(mixed, {signer().fingerprint})
        assert found.verdict in (Verdict.NOT_VALID, Verdict.UNREADABLE)
