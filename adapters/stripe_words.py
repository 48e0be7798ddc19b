"""What Stripe says of payments, refunds and disputes, in our words; pure, and without its client.

The signature  ``t=<seconds>,v1=<hex>``: HMAC-SHA256 of ``t.body``. There are several ``v1`` while a
               secret is rolled, and one that holds is enough; ``v0`` is for tests, and is nothing.
An event       wraps an object. What is not listed here is thanked, and means nothing to us.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from adapters import signing
from gateway.domain.errors import ForgedError
from gateway.ports.provider import (
    Dispute,
    DisputeState,
    Notice,
    RefundSaid,
    RefundVerdict,
    Verdict,
)

amount_dong_max: Final = 99_999_999  # Eight digits [D], and đồng have no smaller unit [D].
tolerance: Final = timedelta(seconds=300)  # Stripe's own default; each repeat is signed anew.
signatures_max: Final = 8  # One for each secret that is valid; Stripe rolls one at a time.
header_chars_max: Final = 1_024
CURRENCY: Final = "vnd"
ATTEMPT: Final = "thuphi_attempt"  # Our names in Stripe's metadata.
REFUND: Final = "thuphi_refund"
_PART: Final = re.compile(r"([a-z0-9]{1,8})=([0-9A-Za-z]{1,128})")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,11}")
_WORD: Final = re.compile(r"[!-~]{1,128}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = (1_577_836_800, 253_402_300_799)  # From 2020 to the last that a datetime holds.
# What a session's event says where nothing was paid; a completed one is pending until it is.
_SESSIONS: Final = MappingProxyType(
    {
        "checkout.session.completed": Verdict.PENDING,
        "checkout.session.async_payment_succeeded": Verdict.PENDING,
        "checkout.session.async_payment_failed": Verdict.DECLINED,
        "checkout.session.expired": Verdict.EXPIRED,
    }
)
_PAYING: Final = frozenset(
    {"checkout.session.completed", "checkout.session.async_payment_succeeded"}
)
_REFUNDS: Final = frozenset(
    {"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"}
)
_REFUND_STATES: Final = MappingProxyType(
    {
        "succeeded": RefundVerdict.DONE,
        "failed": RefundVerdict.REFUSED,
        "canceled": RefundVerdict.REFUSED,
    }
)
# Only these hold money back; before them the payer's bank merely asks (``warning_…``).
_DISPUTE_STATES: Final = MappingProxyType(
    {
        "needs_response": DisputeState.OPENED,
        "under_review": DisputeState.OPENED,
        "won": DisputeState.WON,
        "warning_closed": DisputeState.WON,
        "lost": DisputeState.LOST,
    }
)


@dataclass(slots=True)
class RefusalError(Exception):
    """Stripe's own no to a call: an HTTP status, and an error in it that says why."""

    status: int
    kind: str
    code: str = ""
    param: str = ""


def require_signature(header: str, body: bytes, secrets: Iterable[str], now: datetime) -> None:
    """Verify before anything is read. Raises ForgedError."""
    if len(header) > header_chars_max:
        raise ForgedError("The signature's header is too long.")
    parts = [_PART.fullmatch(part) for part in header.split(",")]
    named = [(part[1], part[2]) for part in parts if part]
    times = [value for name, value in named if name == "t"]
    given = [value for name, value in named if name == "v1"]
    if len(named) != len(parts) or len(times) != 1 or not 1 <= len(given) <= signatures_max:
        raise ForgedError("The signature's header is none of Stripe's.")
    if not _SECONDS.fullmatch(times[0]):
        raise ForgedError("The signature has no time.")
    signed = times[0].encode() + b"." + body
    holds = [
        signing.agree(one, signing.hmac_sha256(secret, signed))
        for secret in secrets
        for one in given
    ]
    if not any(holds):
        raise ForgedError("The signature does not hold.")
    if abs(int(times[0]) - now.timestamp()) > tolerance.total_seconds():
        raise ForgedError("The signature is of another time.")


def of_event(event: Mapping[str, Any]) -> Notice:
    """Read a verified event. Raises ValueError where it says something that cannot be."""
    kind, about = word(event.get("type")), inner(event, "data", "object")
    at = instant(event.get("created"))
    if kind in _SESSIONS:
        otherwise = _SESSIONS[kind]
        return of_session(about, otherwise, at, kind, may_be_paid=kind in _PAYING)
    if kind in _REFUNDS:
        return _of_refund(about, kind)
    if kind == "charge.refunded":
        return _of_charge(about, kind)
    if kind.startswith("charge.dispute."):
        return _of_dispute(about, kind)
    if kind == "payment_intent.canceled":
        return Notice(Verdict.CANCELLED, "", 0, order_reference=_ours(about, ATTEMPT), code=kind)
    return Notice(Verdict.PENDING, "", 0, code=kind)


def of_session(
    session: Mapping[str, Any], otherwise: Verdict, at: datetime | None, code: str, *,
    may_be_paid: bool = True,
) -> Notice:  # fmt: skip
    """Read a Checkout Session: money that is đồng and can be told from its repeat is captured."""
    reference = word(session.get("client_reference_id")) or None
    if session.get("payment_status") != "paid":
        return Notice(otherwise, "", 0, order_reference=reference, code=code)
    intent, amount = name_of(session.get("payment_intent")), session.get("amount_total")
    if session.get("currency") != CURRENCY or not may_be_paid:
        return Notice(Verdict.REVIEW, intent, 0, order_reference=reference, code=code)
    if not intent:
        return Notice(Verdict.PENDING, "", 0, order_reference=reference, code=code)
    if type(amount) is not int or not 0 < amount <= amount_dong_max:
        raise ValueError("The amount is not a whole number of đồng.")
    return Notice(
        Verdict.CAPTURED, intent, amount, order_reference=reference, paid_at=at, code=code
    )


def of_refund(refund: Mapping[str, Any]) -> RefundSaid | None:
    """Read one of our refunds; none where somebody else made it."""
    reference = _ours(refund, REFUND)
    if reference is None:
        return None
    state = word(refund.get("status"))
    verdict = _REFUND_STATES.get(state, RefundVerdict.PENDING)
    return RefundSaid(verdict, reference, word(refund.get("id")), state)


def _of_refund(refund: Mapping[str, Any], code: str) -> Notice:
    """Read a refund. One that we did not ask for is found by the payout's report, as a case."""
    intent = name_of(refund.get("payment_intent"))
    return Notice(Verdict.REVIEW, intent, 0, code=code, refund=of_refund(refund))


def _of_charge(charge: Mapping[str, Any], code: str) -> Notice:
    """Read the newest refund of a charge, where it is told with it; else it is told by itself."""
    listed = inner(charge, "refunds").get("data")
    newest = listed[0] if isinstance(listed, list) and listed else None
    intent = name_of(charge.get("payment_intent"))
    return Notice(
        Verdict.REVIEW, intent, 0, order_reference=_ours(charge, ATTEMPT), code=code,
        refund=of_refund(newest) if isinstance(newest, dict) else None,
    )  # fmt: skip


def _of_dispute(dispute: Mapping[str, Any], code: str) -> Notice:
    """Read a dispute. Its fee comes with the payout's report, and is booked there, once."""
    name, amount = word(dispute.get("id")), dispute.get("amount")
    if not name or type(amount) is not int or not 0 < amount <= amount_dong_max:
        raise ValueError("The dispute has no name or amount.")
    state = _DISPUTE_STATES.get(word(dispute.get("status")), DisputeState.ASKED)
    if dispute.get("currency") != CURRENCY:
        state = DisputeState.ASKED  # A case for a person; what is no đồng is never booked as one.
    intent = name_of(dispute.get("payment_intent"))
    return Notice(Verdict.REVIEW, intent, amount, code=code, dispute=Dispute(name, state, amount))


def inner(said: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Give the object inside; an absent one is empty."""
    value: Any = said
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def name_of(value: object) -> str:
    """Give the id of an object that stands there by its id, or whole."""
    return word(value.get("id")) if isinstance(value, dict) else word(value)


def word(value: object) -> str:
    """Take a short word; anything else is as good as absent."""
    return value if isinstance(value, str) and _WORD.fullmatch(value) else ""


def instant(value: object) -> datetime | None:
    """Take a time in seconds; a bad one is no reason to lose money that moved."""
    if type(value) is not int or not _YEARS[0] <= value <= _YEARS[1]:
        return None
    return _EPOCH + timedelta(seconds=value)


def _ours(said: Mapping[str, Any], name: str) -> str | None:
    return word(inner(said, "metadata").get(name)) or None
