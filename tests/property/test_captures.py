"""Any order and any repetition of captures leaves books that balance and agree with the payment."""

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import endings
from gateway.domain import payment as rules
from gateway.domain.ledger import Entry
from gateway.domain.payment import Capture, FeeLine, Part, Payment, Standing, Step
from gateway.domain.states import State

AT = datetime(2026, 11, 18, 1, tzinfo=UTC)
ON = date(2026, 11, 18)
LINES = (
    FeeLine("a", "le_phi", "Lệ phí", 10_000, "2767"),
    FeeLine("b", "phi", "Phí", 8_000, "2721"),
)


def opened() -> Step:
    return rules.open_payment(
        Payment(
            "pay_1", "a", "online", "cli_1", "0" * 12, "d", "p", ON, LINES, AT,
            datetime(2026, 11, 25, tzinfo=UTC), "token",
        )
    )  # fmt: skip


def capture(n: int, amount: int, kind: str) -> Capture:
    """Make one: a card is asked for by an attempt of ours, a file names the payment alone."""
    asked = kind == "card"
    return Capture(
        f"cap_{n}", "x", "default", str(n), amount, kind != "transfer", 18_000 if asked else None,
        "att_1" if asked else None, ON, ON, AT, AT, "notice", str(n), "",
    )  # fmt: skip


def balance(entries: list[Entry], account: str) -> int:
    return sum(e.amount for e in entries if e.debit == account) - sum(
        e.amount for e in entries if e.credit == account
    )


moves = st.lists(
    st.one_of(
        st.tuples(st.just("transfer"), st.integers(1, 40_000)),
        st.tuples(st.sampled_from(["card", "file"]), st.sampled_from([18_000, 18_001, 17_999, 1])),
        st.tuples(st.sampled_from(["expire", "cancel"]), st.just(0)),
    ),
    max_size=12,
)


@given(moves)
def test_any_walk_leaves_balanced_books_that_agree_with_the_payment(
    walk: list[tuple[str, int]],
) -> None:
    """No đồng is lost, invented, or told differently by the payment and by the ledger."""
    step = opened()
    assert step.payment is not None
    payment, entries, came = step.payment, list(step.entries), 0
    held: list[Part] = []
    for n, (kind, amount) in enumerate(walk):
        if kind in ("expire", "cancel"):
            if payment.state is not State.OPEN:
                continue
            ends = endings.expire if kind == "expire" else endings.cancel
            step = ends(payment, held)
            assert sum(b.amount for b in step.breaks) == payment.amount_on_account
        else:
            came += amount
            step = rules.take(payment, capture(n, amount, kind), "a", Standing(), held)
            assert step.capture is not None, "money that has moved is never refused"
            assert step.breaks or step.result in ("paid", "on_account")
            if step.result == "on_account":
                held.append(Part(step.capture.id, amount, ON))
            if step.result == "paid" and step.payment:
                surplus = sum(b.amount for b in step.breaks)
                assert surplus == step.payment.amount_suspended - payment.amount_suspended
                sums = {p.capture_id: p.amount for p in held} | {step.capture.id: amount}
                assert all(b.amount <= sums[b.capture_id or ""] for b in step.breaks)
        entries += step.entries
        payment = step.payment or payment

    told = payment.amount_received + payment.amount_on_account + payment.amount_suspended
    assert balance(entries, "1380") == came == told
    assert -balance(entries, "3330") - balance(entries, "3370") == payment.amount_received
    assert -balance(entries, "3310") - balance(entries, "3320") == (
        payment.amount_on_account + payment.amount_suspended
    )
    assert sum(balance(entries, m) for m in ("M1", "M2", "M3", "M4", "M5", "M9")) == 0
    assert balance(entries, "M2") == payment.amount_received
    assert balance(entries, "M1") >= 0


@given(st.integers(1, 17_998))
def test_a_card_that_pays_all_turns_what_was_on_account_into_surplus(held: int) -> None:
    """LEDGER: the capture pays, and each part goes back to whoever sent it."""
    first = opened().payment
    assert first is not None
    parts = [Part("cap_8", held, ON), Part("cap_9", 1, ON)]
    part = replace(first, amount_on_account=held + 1)

    step = rules.take(part, capture(1, 18_000, "card"), "a", Standing(), parts)

    assert step.payment is not None
    assert step.payment.amount_suspended == held + 1
    assert [(b.kind, b.capture_id, b.amount) for b in step.breaks] == [
        ("surplus", "cap_8", held), ("surplus", "cap_9", 1),
    ]  # fmt: skip


@given(st.integers(0, 17_999), st.sampled_from([1, 17_999, 18_001, 40_000]))
def test_another_amount_that_names_the_payment_alone_pays_nothing(held: int, amount: int) -> None:
    """CONTRACT 2, whoever tells of it; what is on account makes no part of it fit."""
    first = opened().payment
    assert first is not None
    open_still = replace(first, amount_on_account=held)
    ended = {
        State.PAID: "double", State.REFUNDED: "double", State.CANCELLED: "late",
        State.EXPIRED: "late",
    }  # fmt: skip

    told = rules.take(open_still, capture(1, amount, "file"), "a", Standing(), ())
    later = {
        state: rules.take(
            replace(first, state=state), capture(1, amount, "file"), "a", Standing(), ()
        ).result
        for state in ended
    }

    assert (told.result, [b.kind for b in told.breaks]) == ("amount", ["amount"])
    assert told.payment is not None
    assert (told.payment.state, told.payment.amount_on_account) == (State.OPEN, held)
    assert later == ended
