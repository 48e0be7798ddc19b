"""Which credit advices are one bank movement (CONTRACT 6): pure, and the same in any order.

A credit advice is one reporter's word about one credit: a service's notice, a statement's line.
Advices of one account, day and amount look alike. Three things tell them apart:

- a reporter tells each credit under one name, so two names are two credits;
- the bank's own references differ (and where a reporter repeats one, it is the same credit);
- their texts name different payments.

There are as many movements as this proves, and no more: the n-th of equals in one report is the
n-th in another. That number never falls as advices come, and each adds one at most; so when a
capture is made whenever it grows, their number is the same in whatever order the advices come.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """One reporter's word about one credit; ``payment_id`` is the payment that it names."""

    reporter: str
    bank_reference: str = ""  # Empty where the reporter does not know the bank's own.
    payment_id: str | None = None
    capture_id: str = ""  # Where it was placed.
    booked_for: str | None = None  # The payment that this capture was booked for.


@dataclass(frozen=True, slots=True)
class Home:
    """Where an advice belongs: a capture there is, or a new one and the payment it is for."""

    capture_id: str | None = None
    payment_id: str | None = None


def proved(advices: Sequence[Advice]) -> int:
    """Count the movements that advices of one account, day and amount prove."""
    by_reference = _told(a for a in advices if a.bank_reference)
    by_reporter = max((_told(own) for own in _by_reporter(advices)), default=0)
    return max(by_reference, by_reporter, sum(_wanted(advices).values()))


def home_of(fresh: Advice, known: Sequence[Advice]) -> Home:
    """Say where an advice belongs among those of its account, day and amount."""
    captures = sorted({a.capture_id for a in known})
    if proved([*known, fresh]) > len(captures):
        return Home(None, _owed(fresh, known))
    likeness = {c: _likeness(fresh, [a for a in known if a.capture_id == c]) for c in captures}
    return Home(max(captures, key=lambda c: likeness[c]))  # The first of those alike.


def _told(advices: Iterable[Advice]) -> int:
    """Count: each reference once for each payment that is named with it, each other by itself."""
    named: dict[str, set[str | None]] = {}
    plain = 0
    for a in advices:
        if a.bank_reference:
            named.setdefault(a.bank_reference, set()).add(a.payment_id)
        else:
            plain += 1
    return plain + sum(max(1, len(payments - {None})) for payments in named.values())


def _by_reporter(advices: Iterable[Advice]) -> list[list[Advice]]:
    found: dict[str, list[Advice]] = {}
    for a in advices:
        found.setdefault(a.reporter, []).append(a)
    return list(found.values())


def _wanted(advices: Iterable[Advice]) -> Counter[str]:
    """Count, for each payment that is named, the movements that name it."""
    found: dict[str, list[Advice]] = {}
    for a in advices:
        if a.payment_id:
            found.setdefault(a.payment_id, []).append(a)
    return Counter(
        {
            payment: max(
                _told(a for a in named if a.bank_reference),
                *(_told(own) for own in _by_reporter(named)),
            )
            for payment, named in found.items()
        }
    )


def _owed(fresh: Advice, known: Sequence[Advice]) -> str | None:
    """Say which payment a new capture is for: what its own advice names, if that lacks one.

    Else it is the credit of an advice that was taken for another's: of one whose payment has no
    capture, or of one that names none, and then it is nobody's until a person looks.
    """
    wanted = _wanted([*known, fresh])
    for payment in {a.capture_id: a.booked_for for a in known}.values():
        if payment is not None and payment in wanted:
            wanted[payment] -= 1
    names = [fresh.payment_id, *(a.payment_id for a in known)]
    return next((name for name in names if name and wanted[name] > 0), None)


def _likeness(fresh: Advice, of: Sequence[Advice]) -> tuple[bool, ...]:
    """Say how much a capture's advices are like this one, the strongest reason first."""
    references = {a.bank_reference for a in of} - {""}
    payments = {a.payment_id for a in of} | {a.booked_for for a in of}
    same_payment = fresh.payment_id is not None and fresh.payment_id in payments
    no_other = fresh.payment_id is None or same_payment or payments == {None}
    return (
        fresh.bank_reference in references and no_other,
        not fresh.bank_reference or not references,
        no_other,
        all(a.reporter != fresh.reporter for a in of),
        same_payment,
    )
