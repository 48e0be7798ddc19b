"""Any order and any repetition of credit advices ends in the same number of captures."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.movements import Advice, home_of, proved

REPORTERS = ("payos", "sepay", "statement")


def advice(reporter: str, reference: str = "", payment: str | None = None) -> Advice:
    return Advice(reporter, reference, payment)


def placed(told: list[tuple[str, Advice]]) -> list[Advice]:
    """Place advices one after the other, each told under a name of its reporter's."""
    known: dict[tuple[str, str], Advice] = {}
    captures: dict[str, str | None] = {}
    for name, fresh in told:
        if (fresh.reporter, name) in known:
            continue  # The same word again.
        home = home_of(fresh, list(known.values()))
        capture = home.capture_id
        if capture is None:
            capture = f"cap{len(captures):03}"
            captures[capture] = home.payment_id
        known[fresh.reporter, name] = Advice(
            fresh.reporter, fresh.bank_reference, fresh.payment_id, capture, captures[capture]
        )
    return list(known.values())


def captures_of(told: list[tuple[str, Advice]]) -> int:
    return len({a.capture_id for a in placed(told)})


advices = st.builds(
    advice,
    st.sampled_from(REPORTERS),
    st.sampled_from(("", "", "FT1", "FT2", "FT3")),
    st.sampled_from((None, None, "pay_1", "pay_2")),
)
reports = st.lists(st.tuples(st.sampled_from("abcdefgh"), advices), max_size=9)


@given(reports, st.randoms(use_true_random=False))
@settings(max_examples=500, deadline=None)
def test_any_order_and_repetition_ends_in_the_same_number_of_captures(
    told: list[tuple[str, Advice]], chance: object
) -> None:
    """A notice may come before, between or after the lines of a statement."""
    once = list({(a.reporter, name): (name, a) for name, a in reversed(told)}.values())
    shuffled = [*once, *once]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random.

    assert captures_of(shuffled) == captures_of(once) == proved([a for _, a in once])


@given(reports, st.tuples(st.sampled_from("abcdefgh"), advices))
def test_one_more_word_adds_one_capture_at_most_and_takes_none_away(
    told: list[tuple[str, Advice]], more: tuple[str, Advice]
) -> None:
    known = [a for _, a in told]

    assert proved(known) <= proved([*known, more[1]]) <= proved(known) + 1


movements = st.lists(
    st.tuples(st.booleans(), st.sampled_from((None, "pay_1", "pay_2", "pay_3"))), max_size=6
)


@given(movements, st.data())
@settings(max_examples=300, deadline=None)
def test_real_credits_told_by_several_are_as_many_as_they_are(
    real: list[tuple[bool, str | None]], data: st.DataObject
) -> None:
    """One reporter tells all of them; others tell some, with or without reference and text.

    Two real credits stay two, and one credit told by three is one.
    """
    complete = data.draw(st.sampled_from(REPORTERS))
    told: list[tuple[str, Advice]] = []
    for reporter in REPORTERS:
        knows = data.draw(st.booleans())  # Whether this reporter has the bank's references.
        shows = data.draw(st.booleans())  # Whether it shows the text.
        for n, (has_reference, payment) in enumerate(real):
            if reporter != complete and data.draw(st.booleans()):
                continue  # This one was lost.
            reference = f"FT{n}" if knows and has_reference else ""
            told.append((str(n), advice(reporter, reference, payment if shows else None)))

    assert captures_of(data.draw(st.permutations(told))) == len(real)


def test_two_reports_of_one_credit_are_one_and_two_of_two_are_two() -> None:
    one = [("1", advice("sepay")), ("x", advice("statement", "FT1"))]
    two = [*one, ("2", advice("sepay")), ("y", advice("statement", "FT2"))]

    assert {captures_of(list(order)) for order in permutations(one)} == {1}
    assert {captures_of(list(order)) for order in permutations(two)} == {2}


def test_the_banks_reference_decides_where_both_have_it() -> None:
    """The same text, day and amount, and another reference: the citizen paid twice."""
    told = [("1", advice("sepay", "FT1", "pay_1")), ("x", advice("statement", "FT2", "pay_1"))]

    assert captures_of(told) == 2


def test_two_transfers_from_different_banks_with_one_reference_are_two() -> None:
    """SCENARIOS 18: where their texts name different payments, a reference alone joins nothing."""
    told = [("1", advice("sepay", "FT1", "pay_1")), ("2", advice("sepay", "FT1", "pay_2"))]

    assert captures_of(told) == 2
    assert captures_of([*told, ("x", advice("statement", "FT1", "pay_2"))]) == 2


def test_a_lost_notice_is_found_though_many_credits_look_alike() -> None:
    """With fixed tariffs a day has hundreds of equal credits; the text tells them apart."""
    told = [(str(n), advice("sepay", "", f"pay_{n}")) for n in range(50) if n != 17]
    lines = [(f"l{n}", advice("statement", f"FT{n}", f"pay_{n}")) for n in range(50)]

    ended = placed([*told, *lines])

    assert len({a.capture_id for a in ended}) == 50
    assert {a.payment_id for a in ended if a.payment_id != a.booked_for} == set()


def test_a_credit_that_was_taken_for_anothers_gets_a_capture_and_not_its_payment() -> None:
    """A notice without text was taken for the one that pays; then the reporter tells that one too.

    There is one credit more than we thought, and it is nobody's: the payment was paid once.
    """
    told = [
        ("x", advice("statement", "FT1", "pay_1")),
        ("1", advice("sepay")),
        ("2", advice("sepay", "FT1", "pay_1")),
    ]

    booked = {a.capture_id: a.booked_for for a in placed(told)}

    assert sorted(booked.values(), key=str) == [None, "pay_1"]


def test_what_a_later_word_names_is_paid_by_the_capture_that_it_makes() -> None:
    told = [
        ("1", advice("sepay")),
        ("x", advice("statement", "", "pay_1")),
        ("2", advice("sepay")),
    ]

    booked = {a.capture_id: a.booked_for for a in placed(told)}

    assert sorted(booked.values(), key=str) == [None, "pay_1"]
