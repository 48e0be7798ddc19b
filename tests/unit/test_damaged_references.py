"""What a bank's text may do to a reference, and what is still read of it."""

import pytest

from gateway.domain.ids import make_reference
from reconciliation.readers.damaged import damaged_references

REFERENCE = make_reference(b"thuphi!")


@pytest.mark.parametrize("at", range(12))
def test_a_letter_that_was_lost_is_found_wherever_it_stood(at: int) -> None:
    lost = REFERENCE[:at] + REFERENCE[at + 1 :]

    assert REFERENCE in set(damaged_references(f"nop tien TP{lost} NGUYEN VAN A"))


@pytest.mark.parametrize("at", range(12))
def test_a_letter_too_many_is_left_out(at: int) -> None:
    more = REFERENCE[:at] + "X" + REFERENCE[at:]

    assert REFERENCE in set(damaged_references(f"TP{more}"))


def test_neighbours_the_wrong_way_round_are_turned() -> None:
    turned = REFERENCE[1] + REFERENCE[0] + REFERENCE[2:]

    assert next(damaged_references(f"phí TP{turned}")) == REFERENCE


def test_two_letters_lost_are_too_many_and_a_text_without_a_code_names_nothing() -> None:
    assert REFERENCE not in set(damaged_references(f"TP{REFERENCE[2:]} VAN A"))
    assert list(damaged_references("chuyen tien hoc phi")) == []
