"""What an adapter brings to the conformance suite: recorded messages of its provider."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar, Final, Literal, TypeVar

from gateway.ports.provider import (
    Notice,
    Order,
    Outcome,
    Provider,
    RawNotice,
    RefundOrder,
    RefundVerdict,
    Verdict,
)
from gateway.ports.wire import Reply, Wire

POWER_MARK: Final = "power"
Operation = Literal["checkout", "inquiry", "refund", "refund_inquiry"]
Test = TypeVar("Test", bound=Callable[..., object])


class Power(StrEnum):
    """What not every adapter has; a test about it says nothing of those that lack it."""

    CALLS = "calls its provider at checkout"
    ASKS = "asks what became of an order"
    CANCELS = "withdraws an order"
    REFUNDS = "gives money back"
    ASKS_REFUNDS = "asks what became of a refund"
    READS_RETURN = "reads the way back"


def about(power: Power) -> Callable[[Test], Test]:
    """Mark a test as one about a power, so that a table need not say «ok» without it."""

    def marked(test: Test) -> Test:
        setattr(test, POWER_MARK, power)
        return test

    return marked


class Vectors(ABC):
    """The questions of the suite. What is abstract, every adapter answers.

    The others have an answer for an adapter that lacks the power in question; an adapter that
    has it and gives nothing fails. All messages are about ``order()`` and ``refund_order()``.
    """

    carrier: ClassVar[Literal["query", "body"]]  # Where the notice's words are.
    signed_headers: ClassVar[tuple[str, ...]] = ()  # Headers without which nothing is believed.
    # Whether a notice has words that its signature leaves out; none of them may be believed.
    has_unsigned_words: ClassVar[bool] = False
    # The calls whose answers the provider does not sign: there, only who answers is known.
    unsigned_answers: ClassVar[frozenset[Operation]] = frozenset()
    # Outermost names of a signed answer that its signature leaves out.
    unsigned_names: ClassVar[frozenset[str]] = frozenset()

    # The adapter.

    @abstractmethod
    def provider(self, wire: Wire) -> Provider:
        """Build the adapter with test settings, sending through this wire."""

    @abstractmethod
    def secrets(self) -> tuple[str, ...]:
        """Give every secret the adapter was built with."""

    # Checkout.

    @abstractmethod
    def order(self) -> Order:
        """Give an order that the provider takes.

        ``payer`` is filled where ``Can.wants_payer``: it is looked for in all that is shown.
        """

    def accepted(self) -> Reply | None:
        """Give the genuine answer to the checkout of ``order()``; None where nobody is called."""
        return None

    def refusals(self) -> tuple[Reply, ...]:
        """Give answers to a checkout that say clearly that there is no order now."""
        return ()

    def known_already(self) -> Reply | None:
        """Give the answer to a checkout that says that this order is there already."""
        return None

    def foreign_accepted(self) -> tuple[Reply, ...]:
        """Give answers to a checkout that are about another order, amount or merchant."""
        return ()

    # Notices.

    @abstractmethod
    def notices(self) -> Mapping[Verdict, RawNotice]:
        """Give one genuine notice for each verdict the provider can express.

        CAPTURED is among them, unless a notice is only a hint and is read as something less.
        """

    @abstractmethod
    def understood(self) -> Notice:
        """Give what the CAPTURED notice (else the first) must be read as, to the last field."""

    @abstractmethod
    def unknown(self) -> tuple[RawNotice, ...]:
        """Give well-signed notices with codes nobody documented."""

    @abstractmethod
    def foreign(self) -> tuple[RawNotice, ...]:
        """Give notices signed with another secret, or for another merchant."""

    @abstractmethod
    def repeated(self) -> tuple[RawNotice, ...]:
        """Give notices in which a name stands twice, signed if that is possible."""

    @abstractmethod
    def resigned(self, raw: RawNotice, signature: str | None) -> RawNotice:
        """Replace the signature by this text; None removes it."""

    @abstractmethod
    def signature(self, raw: RawNotice) -> str:
        """Give the signature that a notice carries."""

    @abstractmethod
    def acknowledgements(self) -> Mapping[Outcome, tuple[int, object]]:
        """Give the status and the JSON body of each acknowledgement, as the bank documents it.

        The body is None where the bank wants none.
        """

    def returned(self) -> str | None:
        """Give the query of the browser's way back that says captured, for a ``ReadsReturn``."""
        return None

    # Inquiries.

    def answer(self) -> Reply | None:
        """Give the genuine answer to ``ask`` that says captured, where there is no other."""
        return None

    def answers(self) -> Mapping[Verdict, Reply]:
        """Give one genuine answer to ``ask`` for each verdict, five minutes after the order began.

        Empty for a provider that is no ``Inquires``; else CAPTURED is among them.
        """
        captured = self.answer()
        return {} if captured is None else {Verdict.CAPTURED: captured}

    def unknown_answers(self) -> tuple[Reply, ...]:
        """Give genuine answers to ``ask`` with codes nobody documented."""
        return ()

    def unknown_order(self) -> Reply | None:
        """Give the answer to ``ask`` when the provider never heard of the order."""
        return None

    def foreign_answers(self) -> tuple[Reply, ...]:
        """Give answers to ``ask`` that are about another order or merchant."""
        return ()

    # Refunds.

    def refund_order(self) -> RefundOrder | None:
        """Give a refund of ``order()`` that the provider takes, for a ``Refunds``."""
        return None

    def refund_answers(self) -> Mapping[RefundVerdict, Reply]:
        """Give one genuine answer to ``refund`` for each verdict; DONE or PENDING is among them."""
        return {}

    def refund_repeated(self) -> Reply | None:
        """Give the answer to a refund that was asked for before, where it is another one."""
        return None

    def foreign_refund_answers(self) -> tuple[Reply, ...]:
        """Give answers to ``refund`` that are about another refund or merchant."""
        return ()

    def refund_inquiries(self) -> Mapping[RefundVerdict, Reply]:
        """Give one genuine answer to ``ask_refund`` for each verdict, an hour after it was asked.

        Empty for a provider that is no ``AsksRefunds``; else DONE is among them.
        """
        return {}

    # Withdrawing.

    def withdrawn(self) -> Reply | None:
        """Give the genuine answer to ``cancel``, for a ``Cancels``."""
        return None

    # What follows from the answers.

    def has(self, power: Power) -> bool:
        """Tell whether something was given for a power."""
        given: dict[Power, object] = {
            Power.CALLS: self.accepted(),
            Power.ASKS: self.answers(),
            Power.CANCELS: self.withdrawn(),
            Power.REFUNDS: self.refund_order(),
            Power.ASKS_REFUNDS: self.refund_inquiries(),
            Power.READS_RETURN: self.returned(),
        }
        return bool(given[power])
