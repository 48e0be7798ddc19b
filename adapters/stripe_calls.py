"""What is asked of Stripe, and how its answers are read; pure, and without its client."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from adapters import stripe_words as words
from adapters.stripe_words import RefusalError
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import Notice, Order, RefundOrder, RefundSaid, Verdict

session_min: Final = timedelta(minutes=35)  # Thirty [D], and some for clocks that differ.
session_max: Final = timedelta(hours=23, minutes=55)  # A day [D], and the same the other way.
_NO: Final = frozenset({400, 401, 402, 403, 404, 429})  # Refused before anything was done [D].
_INTENTS: Final = {
    "requires_payment_method": Verdict.DECLINED, "canceled": Verdict.CANCELLED,
}  # fmt: skip


def request(order: Order) -> Any:  # noqa: ANN401 - the client's own type is loaded with it.
    """Write what is paid and for how much; of the payer, nothing."""
    ends = max(order.expires_at, order.created_at + session_min)
    ours = {words.ATTEMPT: order.reference}
    return {
        "mode": "payment",
        "payment_method_types": ["card"],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": words.CURRENCY,
                    "unit_amount": order.amount,
                    "product_data": {"name": f"TP{order.payment_reference}"},
                },
            }
        ],
        "adaptive_pricing": {"enabled": False},  # A fee is so many đồng, by law.
        "client_reference_id": order.reference,
        "metadata": ours,
        "payment_intent_data": {"metadata": ours},
        "locale": "en" if order.locale == "en" else "vi",
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "expires_at": int(min(ends, order.created_at + session_max).timestamp()),
    }


def outcome(refusal: RefusalError) -> DeclinedError | InDoubtError:
    """Say what a no means: nothing was done, or this key was used for something else before."""
    if refusal.status in _NO and refusal.kind != "idempotency_error":
        return DeclinedError("Stripe refused; nothing was done.")
    return InDoubtError("Stripe has another request under this key.")


def is_unknown(refusal: RefusalError) -> bool:
    """Tell whether there is no such session: its name is unknown, or it can be opened no more.

    A repeat of what Stripe knows is answered as before, so a refusal of its time says that the
    first never came.
    """
    return refusal.code == "resource_missing" or refusal.param == "expires_at"


def standing(session: Mapping[str, Any]) -> Notice:
    """Read a session's state, and that of the payment in it."""
    status = words.word(session.get("status"))
    intent = words.inner(session, "payment_intent")
    if status == "expired":
        otherwise = Verdict.EXPIRED
    elif status == "complete":
        otherwise = _INTENTS.get(words.word(intent.get("status")), Verdict.PENDING)
    else:
        otherwise = Verdict.PENDING
    paid_at = words.instant(words.inner(intent, "latest_charge").get("created"))
    code = f"{status} {words.word(session.get('payment_status'))}"
    return words.of_session(session, otherwise, paid_at, code, may_be_paid=status == "complete")


def refunded(refund: Mapping[str, Any], order: RefundOrder) -> RefundSaid:
    """Read a refund that is exactly ours; one that is done has a name."""
    known = words.of_refund(refund)
    intent = words.name_of(refund.get("payment_intent"))
    about = (intent, refund.get("amount"), refund.get("currency"))
    if known is None or known.reference != order.reference or not known.txn_id:
        raise InDoubtError("Stripe answered about another refund.")
    if about != (order.txn_id, order.amount, words.CURRENCY):
        raise InDoubtError("Stripe answered about another refund.")
    return known
