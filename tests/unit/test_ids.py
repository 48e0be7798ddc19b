"""References survive hands and banks: one error is repaired, a swap is never mistaken."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ids import (
    ALPHABET,
    find_references,
    fold,
    is_reference,
    make_reference,
    read_reference,
    read_typed,
    read_whole,
)

references = st.binary(min_size=7, max_size=7).map(make_reference)


@given(references)
def test_a_reference_reads_as_itself(reference: str) -> None:
    assert is_reference(reference)
    assert is_reference(reference.lower().replace("1", "l").replace("0", "o"))


@given(references, st.integers(0, 11), st.integers(1, 31))
def test_every_single_wrong_character_is_repaired(reference: str, at: int, step: int) -> None:
    wrong = ALPHABET[(ALPHABET.index(reference[at]) + step) % 32]

    read = read_reference(reference[:at] + wrong + reference[at + 1 :])

    assert read is not None
    assert (read.reference, read.corrected) == (reference, True)


@given(references, st.integers(0, 10))
def test_a_swap_of_neighbours_is_detected_and_never_mistaken_for_one_error(
    reference: str, at: int
) -> None:
    """CONTRACT 1: a swap must not be «repaired» into somebody else's reference."""
    a, b = reference[at], reference[at + 1]
    swapped = reference[:at] + b + a + reference[at + 2 :]

    read = read_reference(swapped)

    assert a == b or read is None


def test_every_swap_of_every_pair_of_symbols_is_detected() -> None:
    """The code is linear, so one reference and all differences prove it for every reference."""
    zero = make_reference(bytes(7))
    for at, (a, b) in itertools.product(range(11), itertools.combinations(range(32), 2)):
        # A swap of a and b differs from the word by (a^b) at both places.
        symbols = [0] * 12
        symbols[at] = symbols[at + 1] = a ^ b
        assert read_reference("".join(ALPHABET[s] for s in symbols)) is None
    assert zero == "0" * 12


@pytest.mark.parametrize(
    "noise",
    [
        "TP{r}",
        "mbvcb.4525077405.9p0019630833 ct tu 0351000646393 nguyen the hung toi tp{r}",
        "T P {a} {b}",
        "Nộp lệ phí TP{a}\n{b} cho hồ sơ",
        "tp{r}-CHUYEN TIEN-OQCH0004",
    ],
)
def test_a_reference_is_found_in_a_banks_memo(noise: str) -> None:
    reference = make_reference(b"seventh")
    memo = noise.format(r=reference.lower(), a=reference[:5].lower(), b=reference[5:])

    assert next(find_references(memo)).reference == reference


def test_a_damaged_reference_comes_after_a_whole_one() -> None:
    """A repaired reference is only a candidate."""
    whole, damaged = make_reference(b"1234567"), make_reference(b"7654321")
    damaged = damaged[:-1] + ("0" if damaged[-1] != "0" else "1")

    found = list(find_references(f"TP{damaged} TP{whole}"))

    assert not found[0].corrected
    assert found[0].reference == whole


def test_folding_keeps_the_letter_d() -> None:
    """The usual way to strip accents drops Đ."""
    assert fold("Đặng Thị Hoà") == fold("ĐẶNG THỊ HOÀ") == "DANG THI HOA"


@given(references, st.sampled_from(["{}", "TP{}", "tp {}", " {} ", "TP-{}"]))
def test_a_reference_is_read_however_somebody_types_it(reference: str, typed: str) -> None:
    spaced = f"{reference[:4]}-{reference[4:8]} {reference[8:]}"

    for text in (reference, reference.lower(), spaced, reference.replace("1", "l")):
        read = read_typed(typed.format(text))
        assert read is not None
        assert read.reference == reference


def test_a_reference_may_begin_with_the_letters_of_the_prefix() -> None:
    reference = make_reference((ALPHABET.index("T") | ALPHABET.index("P") << 5).to_bytes(7))

    assert reference.startswith("TP")
    for typed in (reference, f"TP{reference}"):
        read = read_typed(typed)
        assert read is not None
        assert read.reference == reference


@given(st.lists(st.tuples(references, st.integers(0, 11), st.sampled_from(f"{ALPHABET}UOIL"))))
def test_many_read_at_once_are_read_as_each_alone(changed: list[tuple[str, int, str]]) -> None:
    words = [reference[:at] + sign + reference[at + 1 :] for reference, at, sign in changed]

    alone = [read_reference(word) for word in words]

    assert read_whole(words) == [x.reference if x and not x.corrected else None for x in alone]
