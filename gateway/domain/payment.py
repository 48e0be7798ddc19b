"""A payment, and what a capture means for it: pure decisions, each returning a Step."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from gateway.domain import ledger
from gateway.domain.ledger import Entry, Line
from gateway.domain.states import Move, State, advance, can


@dataclass(frozen=True, slots=True)
class FeeLine:
    """One amount, phí or lệ phí, with its budget line."""

    code: str
    kind: str
    name: str
    amount: int
    budget_line: str


@dataclass(frozen=True, slots=True)
class Payment:
    """The fee lines of one dossier, owed once. Amounts in đồng, instants in UTC."""

    id: str
    agency_id: str
    branch_id: str
    client_id: str
    reference: str
    dossier_id: str
    procedure: str
    price_on: date
    lines: tuple[FeeLine, ...]
    created_at: datetime
    expires_at: datetime
    token: str = field(repr=False)
    state: State = State.OPEN
    instalment: int = 1
    amount_received: int = 0
    amount_on_account: int = 0
    amount_suspended: int = 0
    amount_refunded: int = 0
    amount_refunding: int = 0  # Asked back, and not yet done or refused.
    amount_charged_back: int = 0  # Of what paid, won back in disputes at the agency's cost.
    amount_settled: int = 0
    in_doubt: bool = False
    late: bool = False
    sequence: int = 0
    paid_at: datetime | None = None
    return_url: str | None = field(default=None, repr=False)
    metadata: dict[str, str] = field(default_factory=dict, repr=False)
    payer_sealed: bytes | None = field(default=None, repr=False)
    key_sealed: bytes | None = field(default=None, repr=False)  # Opens what is kept of the payer.
    erased_at: datetime | None = None  # When that key was destroyed, at somebody's wish.

    @property
    def amount(self) -> int:
        """What is due."""
        return sum(line.amount for line in self.lines)

    @property
    def book_lines(self) -> tuple[Line, ...]:
        """The lines as the ledger sees them."""
        return tuple(Line(x.kind, x.amount, x.budget_line) for x in self.lines)


@dataclass(frozen=True, slots=True)
class Capture:
    """A provider's word that money was taken, once. ``expected`` is the attempt's amount, if any.

    ``fixed`` says that the provider, not the payer, sets the amount, so another one is an error.
    """

    id: str
    provider: str
    account: str
    txn_id: str
    amount: int
    fixed: bool
    expected: int | None
    attempt_id: str | None
    booked_on: date
    value_on: date
    paid_at: datetime
    taken_at: datetime
    evidence_source: str
    evidence_id: str
    evidence_hash: str
    bank_reference: str | None = None
    into: str = ledger.CLEARING  # Where the money is now; cash lies in a drawer.
    receipt_elsewhere: bool = False  # The provider's platform issues the receipt, and we must not.


@dataclass(frozen=True, slots=True)
class Part:
    """What one capture holds on account for a payment."""

    capture_id: str
    amount: int
    value_on: date


@dataclass(frozen=True, slots=True)
class Allocation:
    """What part of a capture reached a payment, and as what."""

    payment_id: str
    use: str  # debt | on_account | surplus | suspended
    amount: int


@dataclass(frozen=True, slots=True)
class Break:
    """What should agree and does not; it has an owner and an age."""

    kind: str
    subject: str
    amount: int
    why: str
    payment_id: str | None = None
    capture_id: str | None = None
    line_id: str | None = None
    proposal: str | None = None
    since_on: date | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """All that one decision writes, in one transaction."""

    agency_id: str
    payment: Payment | None = None
    is_new: bool = False
    entries: tuple[Entry, ...] = ()
    events: tuple[str, ...] = ()
    capture: Capture | None = None
    result: str = ""
    allocations: tuple[Allocation, ...] = ()
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rest of the books say of an expired payment when money for it arrives.

    ``replaced``: another payment of this dossier and fee is open or paid. ``written_off``: its
    debt was cancelled in the books when a later payment took its place.
    """

    replaced: bool = False
    written_off: bool = False


def open_payment(payment: Payment) -> Step:
    """Owe it: assess each line; nothing due is waived at once, with no receipt number taken."""
    if payment.amount == 0:
        waived = replace(payment, state=advance(payment.state, Move.WAIVE))
        return Step(payment.agency_id, waived, is_new=True, events=("payment.waived",))
    return Step(
        payment.agency_id,
        payment,
        is_new=True,
        entries=ledger.assessed(payment.id, payment.book_lines),
        events=("payment.opened",),
    )


def settle(payment: Payment) -> Step:
    """Mark it: its day is closed, and three sides agree on it."""
    after = replace(
        payment, state=advance(payment.state, Move.SETTLE), amount_settled=payment.amount_received
    )
    return Step(payment.agency_id, after, events=("payment.settled",))


def unsettle(payment: Payment) -> Step:
    """Take the mark back: its day is open again."""
    after = replace(payment, state=advance(payment.state, Move.UNSETTLE), amount_settled=0)
    return Step(payment.agency_id, after, events=("payment.settlement_reversed",))


def take(
    payment: Payment | None, capture: Capture, agency_id: str, now: Standing, held: Sequence[Part]
) -> Step:
    """Decide what a new capture means, by the table of CONTRACT 2.

    The caller has already found that this capture was never booked. It is never refused, because
    the money has moved: what does not fit goes to suspense, where an accountant will find it.
    ``held`` are the parts that lie on account.
    """
    if payment is None:
        return _suspend(None, capture, agency_id, "unknown_money", "no such payment")
    refused = _why_not(payment, capture, now)
    if refused:
        return _suspend(payment, capture, agency_id, *refused)
    if payment.state is State.EXPIRED:
        paid = _pay(replace(payment, late=True), capture, ())
        owed_again = ledger.storno(ledger.cancelled(payment.id, payment.book_lines))
        return replace(paid, entries=owed_again + paid.entries) if now.written_off else paid
    if not capture.fixed and payment.amount_on_account + capture.amount < payment.amount:
        return _hold(payment, capture)
    return _pay(payment, capture, held)


def _why_not(payment: Payment, capture: Capture, now: Standing) -> tuple[str, str] | None:
    """Name the break that keeps this money from paying, or None when it may."""
    if capture.fixed and capture.expected is not None and capture.amount != capture.expected:
        return "amount", "not the amount that was asked for"
    if payment.state in (State.PAID, State.SETTLED, State.REFUNDED, State.WAIVED):
        return "double", "the payment was already paid"
    if not can(payment.state, Move.CAPTURE):
        return "late", "the payment was cancelled"
    fits = capture.amount == payment.amount and payment.amount_on_account == 0
    if payment.state is State.EXPIRED and (now.replaced or not fits):
        return "late", "the payment had expired"
    if capture.fixed and capture.expected is None and capture.amount != payment.amount:
        return "amount", "not the amount that is due"  # Told without an attempt, as by a file.
    return None


def _suspend(
    payment: Payment | None, capture: Capture, agency_id: str, kind: str, why: str
) -> Step:
    payment_id = payment.id if payment else None
    after = payment and replace(payment, amount_suspended=payment.amount_suspended + capture.amount)
    return Step(
        agency_id,
        after,
        entries=ledger.unidentified(payment_id, capture.amount, kind, capture.into),
        events=("payment.suspended",) if payment else (),
        capture=capture,
        result=kind,
        allocations=(Allocation(payment_id, "suspended", capture.amount),) if payment_id else (),
        breaks=(
            Break(
                kind, f"capture:{capture.id}", capture.amount, why, payment_id, capture.id,
                proposal="refund" if kind in ("double", "late", "amount") else "identify",
                since_on=capture.value_on,
            ),
        ),
    )  # fmt: skip


def _hold(payment: Payment, capture: Capture) -> Step:
    """Keep a part on account; the payment stays open."""
    after = replace(payment, amount_on_account=payment.amount_on_account + capture.amount)
    return Step(
        payment.agency_id,
        after,
        entries=ledger.unidentified(payment.id, capture.amount, "partial", capture.into),
        events=("payment.partly_paid",),
        capture=capture,
        result="on_account",
        allocations=(Allocation(payment.id, "on_account", capture.amount),),
    )


def _pay(payment: Payment, capture: Capture, parts: Sequence[Part]) -> Step:
    """Cover the debt; what is beyond becomes a refundable surplus at once.

    With money on account, a fixed capture of the whole pays, and what was on account moves to
    surplus (LEDGER), each part for whoever sent it; a transfer that completes the sum goes on
    account first and is then assigned.
    """
    held, due = payment.amount_on_account, payment.amount
    if held and not capture.fixed:
        missing = due - held
        extra = capture.amount - missing
        entries = (
            *ledger.unidentified(payment.id, missing, "partial", capture.into),
            *ledger.assigned(payment.id, payment.book_lines),
        )
        debt = missing
    else:
        extra = capture.amount - due + held
        entries = ledger.captured(payment.id, payment.book_lines, capture.into)
        debt = due
        if held:
            entries += ledger.to_surplus(payment.id, held)
    from_this = capture.amount - debt
    if from_this:
        entries += ledger.surplus(payment.id, from_this, capture.into)
    after = replace(
        payment,
        state=advance(payment.state, Move.CAPTURE),
        amount_received=due,
        amount_on_account=0,
        amount_suspended=payment.amount_suspended + extra,
        paid_at=capture.paid_at,
        in_doubt=False,
    )
    allocations = [Allocation(payment.id, "debt", debt)]
    if from_this:
        allocations.append(Allocation(payment.id, "surplus", from_this))
    beyond = [Part(capture.id, from_this, capture.value_on)] if from_this else []
    if capture.fixed:
        beyond += parts
    return Step(
        payment.agency_id,
        after,
        entries=entries,
        events=("payment.paid", "payment.suspended") if extra else ("payment.paid",),
        capture=capture,
        result="paid",
        allocations=tuple(allocations),
        breaks=tuple(_surplus(payment, part) for part in beyond),
    )


def _surplus(payment: Payment, part: Part) -> Break:
    """Open a case on the capture that brought it: from there it goes back to its payer."""
    return Break(
        "surplus", f"capture:{part.capture_id}", part.amount, "more came than was due", payment.id,
        part.capture_id, proposal="refund", since_on=part.value_on,
    )  # fmt: skip


def unmoved(capture: Capture, payment: Payment | None) -> Break:
    """Open a case for money booked on its own day because no calendar could move it."""
    return Break(
        "cut_off", f"capture:{capture.id}", capture.amount,
        "no working calendar covers this year, so the day was not moved",
        payment.id if payment else None, capture.id, since_on=capture.value_on,
    )  # fmt: skip
