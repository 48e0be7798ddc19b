"""A refusal as problem+json (RFC 9457): one table from code to status, and one way to write it."""

from typing import Any, Final

from fastapi.responses import Response

from gateway.domain.errors import REFUSALS, Refusal
from gateway.services.payments import render

STATUS: Final = {
    "invalid-request": 422,
    "invalid-amount": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "payment-already-open": 409,
    "payment-not-open": 409,
    "payment-in-doubt": 409,
    "idempotency-key-missing": 400,
    "idempotency-key-reused": 422,
    "return-url-not-registered": 422,
    "no-rule-for-date": 422,
    "no-calendar-for-year": 422,
    "unknown-procedure": 422,
    "price-not-allowed": 403,
    "provider-unavailable": 409,
    "provider-failed": 502,
    "payment-not-refundable": 409,
    "refund-mismatch": 409,
    "refund-too-much": 422,
    "refund-not-open": 409,
    "refund-needs-payee": 422,
    "payment-disputed": 409,
    "payer-needed": 409,
    "receipt-replaced": 409,
    "no-open-shift": 409,
    "shift-not-open": 409,
    "shift-already-open": 409,
    "day-closed": 409,
    "day-not-ready": 409,
    "same-person": 409,
    "case-changed": 409,
    "case-not-fit": 422,
    "file-refused": 422,
    "unavailable": 503,
    "too-large": 413,
    "too-slow": 408,
    "too-many-requests": 429,
}


def problem(refusal: Refusal) -> Response:
    """Write a refusal; the value that a person sent is never repeated."""
    status = STATUS[refusal.code]
    shown: dict[str, Any] = {
        "type": f"/problems/{refusal.code}",
        "title": REFUSALS[refusal.code],
        "status": status,
        "detail": refusal.detail or REFUSALS[refusal.code],
        **refusal.extra,
    }
    if refusal.errors:
        shown["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in refusal.errors]
    headers = {"www-authenticate": "Bearer"} if refusal.code == "unauthenticated" else None
    return Response(render(shown), status, headers, "application/problem+json")
