"""A bank or e-wallet as the core sees it. An adapter translates, and does nothing else.

What stands here, with ``gateway.domain``, is all that a third-party adapter may import.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from gateway.domain.payment import FeeLine


class Verdict(StrEnum):
    """What a provider says of an attempt. An unknown code is PENDING, never CAPTURED."""

    CAPTURED = "captured"
    PENDING = "pending"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVIEW = "review"  # Money may have moved: nothing is booked, a person looks.


@dataclass(frozen=True, slots=True)
class Order:
    """What a provider is asked to collect, once.

    ``reference`` is ours, ASCII, unique per attempt and the idempotency key; ``serial`` is the
    same thing as a number below 2^53; ``payment_reference`` is what a transfer carries.
    """

    reference: str
    serial: int
    payment_reference: str
    amount: int  # đồng
    text: str  # Plain ASCII: letters, digits, space and . _ - : , /
    return_url: str
    created_at: datetime  # UTC
    expires_at: datetime  # UTC
    payer_address: str = field(default="127.0.0.1", repr=False)
    locale: str = "vi"
    method: str = ""  # One of the provider's own methods; empty: the payer chooses there.
    notice_url: str = ""  # Where this provider's notices reach us.
    provider_id: str = ""  # What the provider called this order, once ``Checkout`` said so.
    dossier_id: str = ""
    procedure: str = ""
    procedure_name: str = ""
    lines: tuple[FeeLine, ...] = ()
    # Personal data: filled only where ``Can.wants_payer`` says that the provider must have it.
    payer: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the citizen pays: an address to go to, a QR text to show, or either."""

    redirect_url: str | None = field(default=None, repr=False)
    qr_text: str | None = None
    beneficiary: "Beneficiary | None" = None
    provider_id: str = ""  # The provider's own name of the order, where only that can be asked for.


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """The account that a transfer goes to, exactly as a bank app shows it."""

    bank_bin: str
    bank_name: str
    account: str
    account_name: str


@dataclass(frozen=True, slots=True)
class RawNotice:
    """A notice as it arrived, before anyone read it. ``query`` is the raw query string."""

    method: str
    query: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)  # Names in lower case.
    body: bytes = field(repr=False)
    received_at: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Movement:
    """One bank movement, so that two reports of one credit are one capture (CONTRACT 6)."""

    account: str
    booked_on: str  # YYYY-MM-DD, Hanoi
    amount: int
    bank_reference: str  # Empty where the reporter does not know it.


class RefundVerdict(StrEnum):
    """What a provider says of a refund. An unknown code is PENDING, never DONE."""

    DONE = "done"  # The payer has it, or surely will.
    PENDING = "pending"
    REFUSED = "refused"  # Nothing was given back.


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What a provider is asked to give back, once.

    ``reference`` is ours, ASCII, unique per refund and the idempotency key; ``serial`` is the same
    thing as a number below 2^53. ``original`` is the order that took the money, ``txn_id`` the
    provider's transaction of it and ``captured`` its amount in đồng.
    """

    reference: str
    serial: int
    original: Order
    txn_id: str
    captured: int
    amount: int
    text: str  # Plain ASCII: letters, digits, space and . _ - : , /
    asked_by: str  # A word for who asked, ASCII, never a person's name.
    asked_at: datetime  # UTC

    @property
    def is_full(self) -> bool:
        """Tell whether all that was taken is given back at once."""
        return self.amount == self.captured


@dataclass(frozen=True, slots=True)
class RefundSaid:
    """A provider's word about one refund. ``reference`` is ours; ``txn_id`` the provider's."""

    verdict: RefundVerdict
    reference: str
    txn_id: str = ""
    code: str = ""  # The provider's own code, for a person's eyes only.


class DisputeState(StrEnum):
    """How far a payer's quarrel over a capture has come."""

    ASKED = "asked"  # The payer's bank asks; nothing is held yet, so nothing is booked.
    OPENED = "opened"  # The provider holds the money back.
    WON = "won"  # The agency keeps it.
    LOST = "lost"  # The payer has it back.


@dataclass(frozen=True, slots=True)
class Dispute:
    """A chargeback: ``id`` is the provider's, amounts in đồng."""

    id: str
    state: DisputeState
    amount: int
    fee: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """What a verified notice says.

    ``order_reference`` (or ``order_serial``, where a provider wants a number) names our attempt; a
    transfer may carry ``memo`` instead. ``amount`` is what was taken, in đồng. ``txn_id`` is the
    provider's own transaction id. A notice about a refund or a dispute says so in its own field,
    and ``verdict`` is then REVIEW: it is no word about taking money. ``also`` are the other
    transfers that an answer tells of, where an order is paid by several.
    """

    verdict: Verdict
    txn_id: str
    amount: int
    order_reference: str | None = None
    order_serial: int | None = None
    memo: str | None = field(default=None, repr=False)
    payment_reference: str = ""  # Where the account itself names the payment: a virtual one.
    movement: Movement | None = None
    paid_at: datetime | None = None  # UTC
    merchant: str | None = None
    code: str = ""  # The provider's own code, for a person's eyes only.
    is_cash: bool = False  # It lies in a drawer, and no provider owes it to us.
    refund: RefundSaid | None = None
    dispute: Dispute | None = None
    also: tuple["Notice", ...] = ()


class Outcome(StrEnum):
    """What became of a notice here; each provider has its own words for it."""

    RECORDED = "recorded"  # First time, whatever it said.
    REPEATED = "repeated"  # We knew.
    UNKNOWN_ORDER = "unknown_order"
    WRONG_AMOUNT = "wrong_amount"
    FORGED = "forged"
    FAILED = "failed"  # Our fault: send it again.


@dataclass(frozen=True, slots=True)
class Ack:
    """The provider's own acknowledgement."""

    status: int
    body: bytes
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Method:
    """One of the ways in which a provider takes money, with its own limits in đồng."""

    code: str  # The provider's own word, sent back to it in ``Order.method``.
    title_vi: str
    title_en: str
    amount_min: int = 1
    amount_max: int = 10**15


@dataclass(frozen=True, slots=True)
class RefundRule:
    """What a provider gives back through its API; amounts in đồng."""

    partial: bool = True
    amount_min: int = 1
    amount_max: int = 10**15
    days_max: int = 365  # After the capture; later a transfer is made instead.


@dataclass(frozen=True, slots=True)
class Can:
    """What a provider can do, as data, for the payment page, the console and the API."""

    title_vi: str
    title_en: str
    amount_min: int = 1
    amount_max: int = 10**15
    currencies: Sequence[str] = ("VND",)
    methods: Sequence[Method] = ()  # Empty: one way, or the payer chooses at the provider.
    fixed_amount: bool = True  # False: the payer types the amount (a transfer).
    redirects: bool = True
    at_counter: bool = False  # Taken by a clerk at a branch, and never offered online.
    expiry_s_max: int = 86_400
    inquires: bool = False
    refund: RefundRule | None = None
    reports: bool = False
    needs_abroad: bool = False  # Personal data leaves the country.
    wants_payer: bool = False  # The provider's protocol asks for the payer's name and number.
    issues_receipt: bool = False  # The provider's platform issues the receipt, so we must not.
    # A notice is only a reason to ask: its signature is too weak to be believed.
    notice_is_hint: bool = False
    notice_names: Sequence[str] = ()  # Path names under /notices/ that reach this adapter.
    # When an attempt that nobody spoke of is asked about first, after it was opened.
    ask_after_s: int = 60


@runtime_checkable
class HoldsAccount(Protocol):
    """A provider whose credits stand on a bank account that the agency gets statements of."""

    @property
    def account_number(self) -> str:
        """The account's number, as statements name it."""
        ...


@runtime_checkable
class HoldsVirtualAccounts(HoldsAccount, Protocol):
    """A bank account with virtual ones that stand for it, one of each payment."""

    def payment_of(self, account: str) -> str:
        """Give the reference of the payment that an account stands for; empty where none."""
        ...


@runtime_checkable
class Taker(Protocol):
    """Whoever takes money, and can be named in the books: a provider, or a counter."""

    @property
    def name(self) -> str:
        """Give the name used in paths, settings and the API."""
        ...

    @property
    def account(self) -> str:
        """Give the account's name; ``default`` comes from settings."""
        ...

    @property
    def can(self) -> Can:
        """Declare what it can do."""
        ...


@runtime_checkable
class Provider(Taker, Protocol):
    """The least a provider must do."""

    async def checkout(self, order: Order) -> Checkout:
        """Say where the citizen pays. Repeating it for the same order is safe.

        Raises DeclinedError when the provider said no, InDoubtError when it is not known.
        """
        ...

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse. Raises ForgedError; nothing of an unverified notice is believed."""
        ...

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer in the provider's own words."""
        ...


@runtime_checkable
class Inquires(Protocol):
    """A provider that can be asked what became of an order."""

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask. Raises InDoubtError when there is no believable answer.

        An order that the provider does not know is PENDING until it expired, then EXPIRED.
        """
        ...


@runtime_checkable
class ReadsReturn(Protocol):
    """A provider whose browser return carries a signed word; for display only."""

    def read_return(self, query: str) -> Notice:
        """Verify and read the query string of the citizen's return. Raises ForgedError."""
        ...


@runtime_checkable
class Refunds(Protocol):
    """A provider that can give money back; ``Can.refund`` says within which limits."""

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Give it back. Repeating it for the same order moves money once.

        Raises DeclinedError when surely nothing was asked, InDoubtError when it is not known.
        """
        ...


@runtime_checkable
class AsksRefunds(Protocol):
    """A provider that can be asked what became of a refund."""

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        """Ask. Raises InDoubtError when there is no believable answer.

        A refund that the provider does not know is REFUSED only when it can never happen any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Bill:
    """The receipt that a provider's platform issued, as it came: a PDF, and nothing we signed."""

    pdf: bytes = field(repr=False)


@runtime_checkable
class GivesBills(Protocol):
    """A provider whose platform issues the receipt, and hands it over when asked."""

    async def bill(self, order: Order) -> Bill:
        """Fetch the receipt of a paid order. Raises InDoubtError when it cannot be had now."""
        ...


@runtime_checkable
class Cancels(Protocol):
    """A provider whose open orders can be withdrawn, so that nobody pays them by mistake."""

    async def cancel(self, order: Order) -> None:
        """Withdraw. Raises DeclinedError when it is too late, InDoubtError when not known."""
        ...


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One row of a settlement report, as CONTRACT 6 names its columns; amounts in đồng."""

    txn_id: str
    reference: str
    kind: str  # payment | refund | charge | reversal
    gross: int
    fee: int
    net: int
    txn_at: datetime  # UTC
    settled_on: date
    batch_id: str


@runtime_checkable
class Reports(Protocol):
    """A provider whose settlement report can be fetched, and need not be sent as a file."""

    async def report(self, on: date) -> Sequence[ReportLine]:
        """Give what was settled on a day.

        Raises InDoubtError when it cannot be had now, DeclinedError when it never can.
        """
        ...
