"""One provider's order book: what a citizen does on its page, the money, and who is told of it.

Every provider keeps its orders like this; how it writes a notice and the way back is its dialect.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.simulator.faults import Fault, FaultScript, Variant, plan, wrong
from adapters.simulator.journal import BudgetLine, Journal, JournalEntry
from adapters.simulator.post import Letter, Post
from gateway.ports.clock import Clock

maintenance: Final = timedelta(hours=1)
broken_answer_bytes: Final = 1_000_000  # Announced, never sent: the connection breaks in between.


class Choice(StrEnum):
    """What a citizen does on a provider's page."""

    PAY = "pay"
    DECLINE = "decline"
    CANCEL = "cancel"
    PAY_LESS = "pay_less"
    PAY_MORE = "pay_more"
    PAY_TWICE = "pay_twice"
    PAY_LATE = "pay_late"
    LEAVE = "leave"


class TxnState(StrEnum):
    """What became of one transaction, before any provider puts it into its own codes."""

    TAKEN = "taken"
    WAITING = "waiting"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PageError(Exception):
    """The provider's page or API refuses the request, with its own code."""


@dataclass(frozen=True, slots=True)
class Txn:
    """One transaction at the provider; several can belong to one order."""

    number: str
    amount: int
    state: TxnState
    at: datetime


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One refund at the provider; the same reference again is the same refund."""

    reference: str
    txn_id: str
    amount: int
    at: datetime
    is_done: bool = True


@dataclass(slots=True)
class PayOrder:
    """An order as the provider knows it since it was opened."""

    reference: str
    amount: int
    info: str
    return_url: str
    expires_at: datetime
    more: dict[str, str] = field(default_factory=dict, repr=False)  # What its dialect remembers.
    txns: list[Txn] = field(default_factory=list)
    refunds: list[GivenBack] = field(default_factory=list)
    errors_due: int = 0  # How many calls of ours still fail.
    opened_at: datetime | None = None
    was_reset: bool = False

    @property
    def taken(self) -> Txn | None:
        """Give the first transaction that took money."""
        return next((t for t in self.txns if t.state is TxnState.TAKEN), None)

    @property
    def last(self) -> Txn | None:
        """Give the transaction that counts: the one that took money, else the newest."""
        return self.taken or (self.txns[-1] if self.txns else None)

    @property
    def given_back(self) -> int:
        """Sum up what was refunded."""
        return sum(r.amount for r in self.refunds)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Where the citizen goes next; ``is_broken`` when the page fails after the choice."""

    return_url: str = field(repr=False)
    txn_ids: tuple[str, ...] = ()
    fault: Fault | None = None

    @property
    def is_broken(self) -> bool:
        """Tell whether the page breaks after the money was taken."""
        return self.fault is Fault.SERVER_ERROR


class Dialect(Protocol):
    """How one provider says things."""

    @property
    def name(self) -> str:
        """Give the provider's name."""
        ...

    def letter(self, order: PayOrder, txn: Txn, variant: Variant) -> Letter | None:
        """Write the notice about a transaction; None where this provider sends none."""
        ...

    def back(self, order: PayOrder, txn: Txn) -> str:
        """Give the address that the citizen's browser goes back to."""
        ...


class Side(Dialect, Protocol):
    """One provider as the simulator sees it."""

    @property
    def orders(self) -> "Orders":
        """Give its order book."""
        ...

    def routes(self) -> Sequence[Route]:
        """Give its API and its page, each path beginning with ``/{name}/``."""
        ...

    def opened(self, redirect_url: str) -> PayOrder:
        """Find the order behind an address of its page. Raises PageError."""
        ...


_REFUSALS: Final = {Choice.DECLINE: TxnState.DECLINED, Choice.CANCEL: TxnState.CANCELLED}
Mover = Callable[[PayOrder, int, Fault | None, str, tuple[BudgetLine, ...]], Txn]
_PAYING: Final = frozenset({Choice.PAY, Choice.PAY_LESS, Choice.PAY_MORE, Choice.PAY_TWICE})


@dataclass(slots=True)
class Orders:
    """The orders of one account at one provider."""

    clock: Clock
    journal: Journal
    post: Post
    faults: FaultScript
    dialect: Dialect = field(repr=False)
    account: str
    first_number: int = 14_000_000  # Transactions are numbered from here,
    prefixes: tuple[str, str] = ("", "")  # and these stand before them, and before refunds'.
    move: Mover | None = None  # To a bank account, where the provider holds no money itself.
    known: dict[str, PayOrder] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Remember what an earlier run took, so that questions are still answered."""
        for e in self.journal.entries(self.dialect.name):
            order = PayOrder(e.reference, e.expected, "", "", e.at)
            known = self.known.setdefault(e.reference, order)
            known.txns.append(Txn(e.txn_id, e.amount, TxnState.TAKEN, e.at))

    def open(self, fresh: PayOrder) -> PayOrder:
        """Take an order up; the same order again is the same order, with what it says now."""
        order = self.known.setdefault(fresh.reference, fresh)
        self.faults.set_asked(order.reference)
        order.opened_at = order.opened_at or self.clock.now()
        order.info, order.return_url = fresh.info, fresh.return_url
        order.expires_at, order.more = fresh.expires_at, order.more | fresh.more
        return order

    async def open_early(self, order: PayOrder) -> None:
        """Let money be taken, and told, before our own call is even answered, when so scripted."""
        if self.fault_of(order) is Fault.EARLY and order.taken is None:
            self.choose(order.reference, Choice.PAY)
            await self.post.pump()

    def fault_of(self, order: PayOrder) -> Fault | None:
        """Find the fault of an order: set by its reference, or by the payment that it names."""
        named = order.info.split(" ", 1)[0]
        key = named if self.faults.has(named) else order.reference
        return self.faults.of(key, order.amount)

    def choose(
        self,
        reference: str,
        choice: Choice,
        obligation_id: str = "",
        lines: tuple[BudgetLine, ...] = (),
    ) -> Chosen:
        """Do what the citizen chose; choosing to pay what is paid takes nothing again."""
        order, now = self.known[reference], self.clock.now()
        if choice is Choice.LEAVE:
            return Chosen(order.return_url)
        state = _REFUSALS.get(choice)
        if choice in _PAYING and now >= order.expires_at:
            state = TxnState.EXPIRED
        if state:
            return self._back(order, self._refuse(order, state), None)
        if order.taken and choice is not Choice.PAY_TWICE:
            self.journal.explain(order.taken.number, obligation_id, lines)
            return self._back(order, order.taken, None)
        if choice is Choice.PAY_LATE:
            when = order.expires_at + timedelta(minutes=1)
            self.post.later(when, lambda: self._take_late(order, obligation_id, lines))
            return self._back(order, Txn("0", order.amount, TxnState.WAITING, now), None)
        return self._pay(order, choice, obligation_id, lines)

    def _pay(
        self, order: PayOrder, choice: Choice, obligation_id: str, lines: tuple[BudgetLine, ...]
    ) -> Chosen:
        fault = self.fault_of(order)
        amount = order.amount
        if choice is Choice.PAY_LESS or fault is Fault.WRONG_AMOUNT:
            amount = wrong(order.amount)
        elif choice is Choice.PAY_MORE:
            amount = order.amount + 1_000
        txn = self._take(order, amount, fault, obligation_id, lines)
        if choice is Choice.PAY_TWICE:
            self._take(order, amount, None, obligation_id, lines)
        return self._back(order, txn, fault)

    def _take_late(
        self, order: PayOrder, obligation_id: str, lines: tuple[BudgetLine, ...]
    ) -> None:
        self._take(order, order.amount, None, obligation_id, lines)

    def _take(
        self, order: PayOrder, amount: int, fault: Fault | None, obligation_id: str,
        lines: tuple[BudgetLine, ...],
    ) -> Txn:  # fmt: skip
        order.errors_due = 1 if fault is Fault.SERVER_ERROR else order.errors_due
        if self.move:
            return self.move(order, amount, fault, obligation_id, lines)
        number = f"{self.prefixes[0]}{self.first_number + len(self.journal) + 1}"
        txn = Txn(number, amount, TxnState.TAKEN, self.clock.now())
        order.txns.append(txn)
        self.journal.add(
            JournalEntry(
                self.dialect.name, number, order.reference, "", amount, order.amount, txn.at,
                self.account, obligation_id=obligation_id, lines=lines, fault=fault or "",
            )
        )  # fmt: skip
        self.tell(order, txn, fault)
        return txn

    def _refuse(self, order: PayOrder, state: TxnState) -> Txn:
        order.txns.append(txn := Txn("0", order.amount, state, self.clock.now()))
        self.tell(order, txn, None)
        return txn

    def tell(self, order: PayOrder, txn: Txn, fault: Fault | None) -> None:
        """Say of a transaction what the plan of its fault says."""
        for delivery in plan(fault):
            letter = self.dialect.letter(order, txn, delivery.variant)
            if letter is None:
                continue
            if delivery.variant is not Variant.GENUINE:  # A forger does not try again.
                letter = replace(letter, gaps=())
            for _ in range(delivery.times):
                self.post.later(txn.at + delivery.after, letter)

    def _back(self, order: PayOrder, txn: Txn, fault: Fault | None) -> Chosen:
        taken = tuple(t.number for t in order.txns if t.state is TxnState.TAKEN)
        return Chosen(self.dialect.back(order, txn), taken, fault)

    def give_back(self, order: PayOrder, reference: str, amount: int) -> GivenBack:
        """Refund, once for each reference. Raises PageError when it is more than was taken."""
        for refund in order.refunds:
            if refund.reference == reference:
                return refund
        taken = sum(t.amount for t in order.txns if t.state is TxnState.TAKEN)
        if amount <= 0 or order.given_back + amount > taken:
            raise PageError("The refund is more than was taken and not given back.")
        number = f"{self.prefixes[1]}{self.first_number + len(self.journal) + 1}"
        refund = GivenBack(reference, number, amount, self.clock.now())
        order.refunds.append(refund)
        self.journal.add(
            JournalEntry(
                self.dialect.name, number, order.reference, "", amount, amount, refund.at,
                self.account, kind="refund", refund_reference=reference,
            )
        )  # fmt: skip
        return refund

    def misbehaved(self, order: PayOrder | None) -> Response | None:
        """Answer a call of ours wrongly when the order's fault says so, after doing what it asks.

        A server error and a reset are given once, so that asking again learns the truth;
        maintenance lasts an hour.
        """
        if order is None:
            return None
        fault, now = self.fault_of(order), self.clock.now()
        if order.errors_due:
            order.errors_due -= 1
            return Response("Internal error", 500)
        if fault is Fault.MAINTENANCE and now < (order.opened_at or now) + maintenance:
            return HTMLResponse("<h1>Bảo trì hệ thống</h1>", 503)
        if fault is Fault.RESET and not order.was_reset:
            order.was_reset = True
            announced = {"content-length": str(broken_answer_bytes)}
            return StreamingResponse(iter([b"{"]), 200, announced, "application/json")
        return None

    def is_slow(self, order: PayOrder | None) -> bool:
        """Tell whether calls about this order take long."""
        return order is not None and self.fault_of(order) is Fault.SLOW


def with_query(url: str, query: str) -> str:
    """Add a query to an address that may have one."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"
