"""Stripe's recorded messages, and what its adapter must make of them.

The shapes are those of Stripe's documentation and of its own clients for Python and Node; the
signature of ``VECTOR`` was made by both clients alike.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from adapters.stripe import STRIPE, Stripe
from gateway.ports.provider import (
    Order,
    RawNotice,
    RefundOrder,
)
from gateway.ports.wire import Reply, Wire

SECRET_KEY: Final = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"  # Of Stripe's own documentation.
WEBHOOK_SECRET: Final = "whsec_test_of_the_recorded_messages"
SETTINGS: Final[Mapping[str, str]] = {
    "STRIPE_SECRET_KEY": SECRET_KEY,
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "STRIPE_BASE_URL": "https://api.stripe.com",
}
# Body, secret, seconds and signature, as stripe-node and stripe-python both have them.
VECTOR: Final = (
    b'{"id":"evt_1","object":"event"}',
    "whsec_test",
    1_795_494_600,
    "6ae48a700402ea7f2c8b64eadd93d388d30b30f7ec7d848c952a0dbaaf21b191",
)
CREATED: Final = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
SECONDS: Final = int(CREATED.timestamp())
SESSION: Final = "cs_test_a1b2c3d4e5f6g7h8i9j0"
INTENT: Final = "pi_3PXXXXXXXXXXXXXX1a2b3c4d"
REFUND_ID: Final = "re_3PXXXXXXXXXXXXXX1e5f6g7h"
ORDER: Final = Order(
    reference="HN20261124000001",
    serial=1,
    payment_reference="0123456789AB",
    amount=150_000,
    text="Nop phi ho so HN1",
    return_url="https://pay.example.gov.vn/pay/t",
    created_at=CREATED,
    expires_at=CREATED + timedelta(minutes=15),
    provider_id=SESSION,
)
REFUND: Final = RefundOrder(
    reference="HN20261125R00001",
    serial=2,
    original=ORDER,
    txn_id=INTENT,
    captured=150_000,
    amount=50_000,
    text="Hoan phi HN1",
    asked_by="ketoan",
    asked_at=CREATED + timedelta(days=1),
)


def session(**changes: object) -> dict[str, Any]:
    """Write a Checkout Session that was paid, with these words in place of the recorded ones."""
    return {
        "id": SESSION,
        "object": "checkout.session",
        "amount_total": 150_000,
        "client_reference_id": ORDER.reference,
        "currency": "vnd",
        "customer_details": {"email": "hoa@example.vn", "name": "Nguyễn Thị Hoà"},
        "expires_at": SECONDS + 2_100,
        "livemode": False,
        "metadata": {"thuphi_attempt": ORDER.reference},
        "mode": "payment",
        "payment_intent": INTENT,
        "payment_status": "paid",
        "status": "complete",
        "url": None,
        **changes,
    }


def event(kind: str, about: Mapping[str, Any], **changes: object) -> dict[str, Any]:
    """Wrap an object in an event."""
    return {
        "id": "evt_1PXXXXXXXXXXXXXX",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": SECONDS,
        "data": {"object": dict(about)},
        "livemode": False,
        "pending_webhooks": 1,
        "type": kind,
        **changes,
    }


def sign(body: bytes, secret: str = WEBHOOK_SECRET, seconds: int = SECONDS) -> str:
    """Sign as Stripe does."""
    return hmac.new(secret.encode(), b"%d.%s" % (seconds, body), hashlib.sha256).hexdigest()


def raw(body: bytes, header: str | None = None) -> RawNotice:
    """Send a body under this header, or a genuine one."""
    signed = f"t={SECONDS},v1={sign(body)}" if header is None else header
    return RawNotice("POST", "", {"stripe-signature": signed}, body, CREATED)


def notice(kind: str, about: Mapping[str, Any], **changes: object) -> RawNotice:
    """Make a genuine notice of an event."""
    return raw(json.dumps(event(kind, about, **changes), ensure_ascii=False).encode())


def completed(**changes: object) -> RawNotice:
    """Make the notice that a session is completed."""
    return notice("checkout.session.completed", session(**changes))


def dispute(status: str, **changes: object) -> dict[str, Any]:
    """Write a dispute."""
    return {
        "id": "du_1PXXXXXXXXXXXXXX",
        "object": "dispute",
        "amount": 150_000,
        "charge": "ch_3PXXXXXXXXXXXXXX",
        "currency": "vnd",
        "payment_intent": INTENT,
        "status": status,
        **changes,
    }


def refund(**changes: object) -> dict[str, Any]:
    """Write the refund that was asked for."""
    return {
        "id": REFUND_ID,
        "object": "refund",
        "amount": REFUND.amount,
        "currency": "vnd",
        "metadata": {"thuphi_refund": REFUND.reference},
        "payment_intent": INTENT,
        "status": "succeeded",
        **changes,
    }


def reply(said: Mapping[str, Any], status: int = 200) -> Reply:
    """Answer with this."""
    return Reply(status, {"content-type": "application/json"}, json.dumps(said).encode())


def refusal(status: int, kind: str = "invalid_request_error", **words: str) -> Reply:
    """Refuse as Stripe does."""
    return reply({"error": {"type": kind, "message": "No.", **words}}, status)


def opened(**changes: object) -> Reply:
    """Answer a checkout."""
    page = "https://checkout.stripe.com/c/pay/cs_test_a1b2c3d4e5f6g7h8i9j0#fid"
    fresh = {"status": "open", "payment_status": "unpaid", "payment_intent": None, "url": page}
    return reply(session(**(fresh | changes)))


def standing(status: str, payment_status: str, intent: str | None, **changes: object) -> Reply:
    """Answer a question: the session with its payment and the payment's charge."""
    whole = {"id": INTENT, "object": "payment_intent", "status": intent,
             "latest_charge": {"id": "ch_1", "object": "charge", "created": SECONDS}}  # fmt: skip
    said = {"status": status, "payment_status": payment_status}
    return reply(session(**(said | {"payment_intent": whole if intent else None} | changes)))


def build(wire: Wire, **more: str) -> Stripe:
    """Build the adapter with the sample keys."""
    provider = STRIPE.build({**SETTINGS, **more}, wire, "default")
    assert isinstance(provider, Stripe)
    return provider
