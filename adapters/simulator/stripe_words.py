"""What Stripe's side writes and signs, apart from what it does; our adapter shares none of it."""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.simulator.orders import PayOrder
from adapters.simulator.post import Request


def settings(origin: str, secret: Callable[[str], str]) -> dict[str, str]:
    """Give our settings for a simulator at this origin; its rate of the dollar is its own."""
    key = re.sub(r"[^0-9A-Za-z]", "", secret("STRIPE_SECRET_KEY"))
    return {
        "STRIPE_SECRET_KEY": f"sk_test_{key}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secret('STRIPE_WEBHOOK_SECRET')}",
        "STRIPE_BASE_URL": f"{origin}/stripe", "STRIPE_AMOUNT_MIN": "1000",
    }  # fmt: skip


class ApiError(Exception):
    """Stripe refuses a call."""

    def __init__(self, status: int, code: str, param: str = "", kind: str = "") -> None:
        """Keep what is answered."""
        super().__init__(code)
        self.status = status
        words = {"code": code, "param": param, "message": "No."}
        self.body = {"error": {"type": kind or "invalid_request_error", **words}}


@dataclass(frozen=True, slots=True)
class Signed:
    """An event on the wire: the same bytes, signed with the time of each try."""

    url: str
    body: bytes = field(repr=False)
    secret: str = field(repr=False)

    def __call__(self, now: datetime) -> Request:
        """Make the request."""
        at = int(now.timestamp())
        mac = hmac.new(self.secret.encode(), f"{at}.".encode() + self.body, "sha256").hexdigest()
        signed = f"t={at},v1={mac},v0={'0' * 64}"
        headers = {"content-type": "application/json; charset=utf-8", "stripe-signature": signed}
        return Request("POST", self.url, headers, self.body)


def session_id(order: PayOrder) -> str:
    """Give Stripe's own name of an order; it stands in the page's address."""
    return f"cs_test_{order.reference}"


def listed(rows: list[dict[str, Any]], *, has_more: bool = False) -> dict[str, Any]:
    """Write a page of a list."""
    return {"object": "list", "data": rows, "has_more": has_more}
