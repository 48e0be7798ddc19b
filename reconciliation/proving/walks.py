"""What became of a payment to which more than the ordinary happened, told in order of time.

Several captures, another amount, an end without money, a payer who takes it back: few payments, so
each is walked through one event at a time, as LEDGER.md says of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

CASH, CLEARING, UNIDENTIFIED, SURPLUS = "1110", "1380", "3310", "3320"
Row = Mapping[str, Any]
Entry = tuple[str, str, str, str, int, Any, int]  # kind, voucher, debit, credit, amount, day, at


class Order(IntEnum):
    """What comes first of things that happened at one instant."""

    OPENED = 0
    ENDED = 1
    CAPTURED = 2
    APPROVED = 3
    FAILED = 4
    DONE = 5
    LOST = 6
    MOVED = 7
    HOMED = 8


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, and to which payment; empty: money that names none."""

    at: int
    order: Order
    name: str
    payment_id: str
    said: Row


@dataclass(slots=True)
class Held:
    """Money of one capture that paid no debt: the account that owes it to its payer."""

    account: str
    amount: int
    going: int = 0  # Of it, approved to go back.
    is_part: bool = False  # It lies on account, until the debt is whole.


@dataclass(slots=True)
class Debt:
    """One payment as it stands."""

    id: str
    # Of each fee line, the account that it is due on, and how much.
    lines: Sequence[tuple[str, int]]
    state: str = "none"  # none | open | paid | cancelled | expired | refunded
    is_written_off: bool = False
    received: int = 0
    refunded: int = 0
    held: dict[str, Held] = field(default_factory=dict)

    @property
    def due(self) -> int:
        """What is owed."""
        return sum(amount for _, amount in self.lines)

    @property
    def on_account(self) -> int:
        """What lies on account."""
        return sum(h.amount - h.going for h in self.held.values() if h.is_part)


@dataclass(slots=True)
class Walk:
    """Payments of one debt: what happens to one may decide what money means for another."""

    debts: Mapping[str, Debt]
    entries: list[Entry] = field(default_factory=list)
    paying: list[tuple[str, str, int]] = field(default_factory=list)  # Capture, payment, when.
    owed_again: list[tuple[str, str]] = field(default_factory=list)  # Dispute and payment.
    taken: list[tuple[str, int]] = field(default_factory=list)  # What clerks took, as was due.

    def tell(self, events: Iterable[Event]) -> None:
        """Go through what happened."""
        deeds = {
            Order.ENDED: self._ended, Order.OPENED: self._opened, Order.CAPTURED: self._captured,
            Order.APPROVED: self._approved, Order.FAILED: self._failed, Order.DONE: self._done,
            Order.LOST: self._lost, Order.MOVED: self._moved, Order.HOMED: self._homed,
        }  # fmt: skip
        for event in sorted(events, key=lambda e: (e.at, e.order, e.name)):
            deeds[event.order](self.debts[event.payment_id], event)

    def _opened(self, debt: Debt, event: Event) -> None:
        """Open it, and write off what it replaces."""
        debt.state = "open" if debt.due else "paid"
        for twin in self.debts.values():
            if twin is not debt and twin.state == "expired" and not twin.is_written_off:
                self._write_off(twin, event)

    def _ended(self, debt: Debt, event: Event) -> None:
        """End it; one debt has one open payment, so another that is open has replaced it."""
        debt.state = event.said["how"]
        replaced = any(t.state == "open" for t in self.debts.values() if t is not debt)
        if debt.state == "cancelled":
            self._memo(debt, event, "M4", "M1")
        elif replaced:
            self._write_off(debt, event)

    def _write_off(self, debt: Debt, event: Event) -> None:
        debt.is_written_off = True
        self._memo(debt, event, "M4", "M1")

    def _memo(self, debt: Debt, event: Event, debit: str, credit: str) -> None:
        day = event.said["on_day"]
        for _, amount in debt.lines:
            self.entries.append(("payment", debt.id, debit, credit, amount, day, event.at))

    def _captured(self, debt: Debt, event: Event) -> None:
        said, amount = event.said, event.said["amount"]
        if amount is None:
            amount = debt.due - debt.on_account
            self.taken.append((said["id"], amount))
        if self._pays(debt, said, amount):
            if debt.is_written_off:
                debt.is_written_off = False
                self._memo(debt, event, "M1", "M4")
            self._pay(debt, event, amount)
            return
        is_part = self._is_open(debt, said, amount) and not said["is_fixed"]
        debt.held[said["id"]] = Held(UNIDENTIFIED, amount, is_part=is_part)
        self._book(event, _into(said), UNIDENTIFIED, amount)

    def _is_open(self, debt: Debt, said: Row, amount: int) -> bool:
        wrong = said["is_fixed"] and said["expected"] not in (None, amount)
        return debt.state == "open" and not wrong

    def _pays(self, debt: Debt, said: Row, amount: int) -> bool:
        """Say whether this money makes the debt whole."""
        if debt.state == "expired":
            wrong = said["is_fixed"] and said["expected"] not in (None, amount)
            replaced = any(t.state in ("open", "paid") for t in self.debts.values())
            return amount == debt.due and not (debt.on_account or replaced or wrong)
        if not self._is_open(debt, said, amount):
            return False
        if said["is_fixed"]:
            return said["expected"] is not None or amount == debt.due
        return debt.on_account + amount >= debt.due

    def _pay(self, debt: Debt, event: Event, amount: int) -> None:
        said, held = event.said, debt.on_account
        gathers = held and not said["is_fixed"]
        part = debt.due - held if gathers else debt.due
        if gathers:
            self._book(event, _into(said), UNIDENTIFIED, part)
        for account, due in debt.lines:
            self._book(event, UNIDENTIFIED if gathers else _into(said), account, due)
            self._book(event, "M2", "M1", due)
        for one in [k for k, h in debt.held.items() if h.is_part]:
            if gathers:
                del debt.held[one]
            else:
                rest = debt.held[one].amount - debt.held[one].going
                debt.held[one] = Held(SURPLUS, rest)
        if held and not gathers:
            self._book(event, UNIDENTIFIED, SURPLUS, held)
        if amount > part:
            self._book(event, _into(said), SURPLUS, amount - part)
            debt.held[said["id"]] = Held(SURPLUS, amount - part)
        debt.state, debt.received = "paid", debt.due
        self.paying.append((said["id"], debt.id, event.at))

    def _moved(self, debt: Debt, event: Event) -> None:
        """Take money out of suspense, or put it back, as two people decided."""
        held = debt.held.get(event.said["capture_id"])
        if held:
            held.amount += event.said["amount"]

    def _homed(self, debt: Debt, event: Event) -> None:
        """Pay a debt with money in suspense: with all that it lacks, or not at all."""
        if debt.state != "open" or debt.on_account + event.said["amount"] != debt.due:
            return
        for account, due in debt.lines:
            self._book(event, UNIDENTIFIED, account, due)
            self._book(event, "M2", "M1", due)
        for one in [k for k, h in debt.held.items() if h.is_part]:
            del debt.held[one]
        debt.state, debt.received = "paid", debt.due
        self.paying.append((event.name, debt.id, event.at))

    def _book(self, event: Event, debit: str, credit: str, amount: int) -> None:
        if amount:
            kind = "dispute" if event.order is Order.LOST else "capture"
            day = event.said["on_day"]
            self.entries.append((kind, event.name, debit, credit, amount, day, event.at))

    def _approved(self, debt: Debt, event: Event) -> None:
        held = debt.held.get(event.said["capture_id"])
        if held and event.said["source"] != "debt":
            held.going += event.said["amount"]

    def _failed(self, debt: Debt, event: Event) -> None:
        held = debt.held.get(event.said["capture_id"])
        if held and event.said["source"] != "debt":
            held.going -= event.said["amount"]

    def _done(self, debt: Debt, event: Event) -> None:
        if event.said["source"] == "debt":
            debt.refunded += event.said["amount"]
            if debt.refunded >= debt.received:
                debt.state = "refunded"

    def _lost(self, debt: Debt, event: Event) -> None:
        """Give the payer what was owed to them anyhow first; only the rest concerns the debt."""
        said, held = event.said, debt.held.get(event.said["capture_id"])
        taken = min(said["amount"], held.amount - held.going) if held else 0
        if held and taken:
            held.amount -= taken
            self._book(event, held.account, "1381", taken)
        rest = said["amount"] - taken
        if rest and said["is_borne"] is True:
            self._book(event, "6430", "1381", rest)
            self._book(event, "1383", "4900", rest)
        elif rest and said["is_borne"] is False:
            self.owed_again.append((said["id"], debt.id))
            debt.state, debt.received = "open", 0


def _into(said: Row) -> str:
    return CASH if said["is_cash"] else CLEARING


# Money that names no payment goes by its own name.
_WHOSE: Final = "coalesce(c.payment_id, c.id) AS payment_id"
_OF_REFUND: Final = (
    "CASE r.source WHEN 'debt' THEN r.payment_id ELSE coalesce(c.payment_id, c.id) END"
    " AS payment_id, r.capture_id, r.source, r.amount FROM refund r JOIN capture c"
)
_HAPPENED: Final[Mapping[Order, str]] = MappingProxyType(
    {
        Order.OPENED: "SELECT p.id, p.id AS payment_id, p.noted_at, hanoi(p.noted_at) AS on_day"
        " FROM payment p",
        Order.ENDED: "SELECT payment_id AS id, payment_id, noted_at, how, hanoi(noted_at) AS on_day"
        " FROM ended",
        Order.CAPTURED: f"SELECT c.id, {_WHOSE}, noted_at, business_on AS on_day, amount, is_fixed,"
        " expected, is_cash FROM capture c",
        Order.APPROVED: f"SELECT r.id, r.decided AS noted_at, {_OF_REFUND} ON c.id = r.capture_id",
        Order.FAILED: f"SELECT r.id, r.ended AS noted_at, {_OF_REFUND} ON c.id = r.capture_id"
        " WHERE r.state = 'failed'",
        Order.DONE: f"SELECT r.id, r.ended AS noted_at, {_OF_REFUND} ON c.id = r.capture_id"
        " WHERE r.state = 'done'",
        Order.LOST: "SELECT d.id, coalesce(c.payment_id, (SELECT min(h.payment_id) FROM homed h"
        " WHERE h.capture_id = c.id AND h.noted_at <= d.ended), c.id) AS payment_id,"
        " d.ended AS noted_at, d.capture_id, d.amount, d.is_borne, hanoi(d.ended) AS on_day"
        " FROM dispute d JOIN capture c ON c.id = d.capture_id WHERE d.state = 'lost'",
        Order.MOVED: f"SELECT m.id, {_WHOSE}, m.noted_at, m.capture_id, m.amount FROM moved m"
        " JOIN capture c ON c.id = m.capture_id",
        Order.HOMED: "SELECT capture_id AS id, payment_id, noted_at, amount, hanoi(noted_at)"
        " AS on_day FROM homed",
    }
)


def walks(base: Any) -> Iterator[Walk]:  # noqa: ANN401 - duckdb ships no types.
    """Walk through every payment that is not ordinary; those of one debt together."""
    base.execute(
        "CREATE TEMP TABLE walked AS SELECT id, debt FROM payment WHERE id IN (SELECT payment_id"
        " FROM odd) UNION ALL SELECT id, id FROM capture WHERE payment_id IS NULL"
    )
    lines: dict[str, list[tuple[str, int]]] = {}
    for payment_id, account, amount in base.execute(
        "SELECT f.payment_id, home(f.kind), f.amount FROM fee_line f JOIN walked w"
        " ON w.id = f.payment_id ORDER BY f.payment_id, f.n"
    ).fetchall():
        lines.setdefault(payment_id, []).append((account, amount))
    groups: dict[str, dict[str, Debt]] = {}
    debt_of: dict[str, str] = {}
    for name, debt in base.execute("SELECT id, debt FROM walked").fetchall():
        groups.setdefault(debt, {})[name] = Debt(name, lines.get(name, ()))
        debt_of[name] = debt
    events: dict[str, list[Event]] = {debt: [] for debt in groups}
    for order, query in _HAPPENED.items():
        told = base.execute(
            f"SELECT * FROM ({query}) x WHERE payment_id IN (SELECT id FROM walked)"
        )
        names = [column[0] for column in told.description]
        for cells in told.fetchall():
            row = dict(zip(names, cells, strict=True))
            event = Event(row["noted_at"], order, row["id"], row["payment_id"], row)
            events[debt_of[row["payment_id"]]].append(event)
    for debt, group in groups.items():
        walk = Walk(group)
        walk.tell(events[debt])
        yield walk
