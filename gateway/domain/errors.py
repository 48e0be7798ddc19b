"""Every refusal, with a stable code; what HTTP makes of it is decided at the door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: an RFC 6901 pointer and what the rule is."""

    pointer: str
    detail: str


@dataclass(eq=False, slots=True)
class Refusal(Exception):  # noqa: N818 - "refusal" is the glossary's word.
    """We will not do this, and say why; ``code`` is stable and documented."""

    code: str
    detail: str = ""
    errors: tuple[FieldError, ...] = ()
    extra: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it in one line, without values that a person sent."""
        return f"{self.code}: {self.detail}"


class ForgedError(Exception):
    """A notice whose signature does not hold, or that cannot be what it claims to be."""


class InDoubtError(Exception):
    """The other side may or may not have done it; ask before saying anything."""


class DeclinedError(Exception):
    """Nothing has moved: the other side said no, or it was never reached (``is_unreachable``)."""

    def __init__(self, said: str = "", *, is_unreachable: bool = False) -> None:
        """Keep the sentence, and whether anybody heard us."""
        super().__init__(said)
        self.is_unreachable = is_unreachable


# Code -> what it means; the problem table at the door and the documentation are made from it.
REFUSALS: Final[Mapping[str, str]] = {
    "invalid-request": "A field is missing, unknown or wrong.",
    "invalid-amount": "An amount is not a whole number of đồng in range.",
    "unauthenticated": "The key is missing, unknown or revoked.",
    "forbidden": "The key or the person may not do this.",
    "not-found": "No such object, or not yours to see.",
    "method-not-allowed": "This address does not take that method; Allow says which it takes.",
    "payment-already-open": "This dossier and procedure already has an open payment.",
    "payment-not-open": "The payment is no longer open, so it cannot be paid or changed.",
    "payment-in-doubt": "An attempt's outcome is unknown; ask again when it is settled.",
    "idempotency-key-missing": "Every POST that changes something needs an Idempotency-Key.",
    "idempotency-key-reused": "This key was used with another body.",
    "return-url-not-registered": "The return address is not on an origin of this client.",
    "no-rule-for-date": "No tariff rule covers this procedure on that day.",
    "no-calendar-for-year": "No working calendar covers that year.",
    "unknown-procedure": "The catalogue has no such procedure.",
    "price-not-allowed": "Only clients that may price can send lines.",
    "provider-unavailable": "This way to pay is not offered now, or not for this amount.",
    "provider-failed": "The provider refused or could not be reached; nothing was taken.",
    "payment-not-refundable": "Nothing that came for this payment can be given back.",
    "refund-mismatch": "Another amount can be refunded than you expect; look again.",
    "refund-too-much": "The amount is more than can be refunded.",
    "refund-not-open": "The refund is past the point where this can be done.",
    "refund-needs-payee": "A transfer needs the payee's bank, account and name.",
    "payment-disputed": "The payer disputes this payment with the provider; wait for its end.",
    "payer-needed": "The payer's data is needed until what runs about the payment has ended.",
    "receipt-replaced": "This receipt is not in force any more; look at the one that is.",
    "no-open-shift": "Money at a counter needs an open shift of your own.",
    "shift-not-open": "The shift is past the point where this can be done.",
    "shift-already-open": "This drawer, or this clerk, has a shift that is not closed.",
    "day-closed": "That day is closed; reopen it first.",
    "day-not-ready": "The day cannot be closed yet; the list says what is missing.",
    "same-person": "A second person must do this.",
    "case-changed": "What was shown is not so any more; look again.",
    "case-not-fit": "That does not resolve this break; the reason says why.",
    "file-refused": "The file was refused whole; the line is named.",
    "unavailable": "Something is wrong on our side; nothing was lost, so try again.",
    "too-large": "The request is larger than the limit.",
    "too-slow": "The body did not come in time; send it again.",
    "too-many-requests": "Too many tries; wait and try again.",
}
