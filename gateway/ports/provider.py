"""A bank or e-wallet as the core sees it. An adapter translates, and does nothing else.

What stands here, with ``gateway.domain``, is all that a third-party adapter may import.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable


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


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the citizen pays: an address to go to, or a QR text to show; the other is None."""

    redirect_url: str | None = field(default=None, repr=False)
    qr_text: str | None = None
    beneficiary: "Beneficiary | None" = None


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


@dataclass(frozen=True, slots=True)
class Notice:
    """What a verified notice says.

    ``order_reference`` names our attempt; a transfer has none and carries ``memo`` instead.
    ``amount`` is what was taken, in đồng. ``txn_id`` is the provider's own transaction id.
    """

    verdict: Verdict
    txn_id: str
    amount: int
    order_reference: str | None = None
    memo: str | None = field(default=None, repr=False)
    movement: Movement | None = None
    paid_at: datetime | None = None  # UTC
    merchant: str | None = None
    code: str = ""  # The provider's own code, for a person's eyes only.


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
class Can:
    """What a provider can do, as data, for the payment page, the console and the API."""

    title_vi: str
    title_en: str
    amount_min: int = 1
    amount_max: int = 10**15
    fixed_amount: bool = True  # False: the payer types the amount (a transfer).
    redirects: bool = True
    expiry_s_max: int = 86_400
    inquires: bool = False
    refunds: bool = False
    reports: bool = False
    needs_abroad: bool = False  # Personal data leaves the country.
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
class Provider(Protocol):
    """The least a provider must do."""

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
