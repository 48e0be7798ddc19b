"""Stripe's own client, on our wire: it knows the words, and has no way out of its own.

Loaded at the first call: it takes 0.2 s, and 6 MB beside all else in the web process (30 MB alone),
which a process that only hears notices, or has no such account, need not spend.
"""

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import stripe
from stripe import (
    BalanceTransactionService,
    PayoutService,
    RefundService,
    V1Services,
)
from stripe import _util as stripe_log
from stripe.checkout import SessionService

from adapters import strict_json
from adapters.stripe_words import RefusalError
from gateway.domain.errors import InDoubtError
from gateway.ports.wire import Wire

answer_bytes_max: Final = 65_536  # A session or a refund is under 8 KB; longer is an attack.
page_bytes_max: Final = 1_000_000  # A page of a list; each row of a payout is under 8 KB.
answer_timeout_s: Final = 30.0
# What Stripe needs to answer. It is not told what machine, platform or language asks.
_SENT: Final = frozenset(
    {"authorization", "idempotency-key", "stripe-version", "content-type", "user-agent"}
)
# It would write a file beside us to know this machine again, and logs what was asked with the link.
stripe.enable_telemetry = False
stripe_log.STRIPE_LOG = None
logging.getLogger("stripe").setLevel(logging.CRITICAL + 1)


class _Answered(Protocol):
    @property
    def last_response(self) -> Any: ...  # noqa: ANN401 - the client's own type is not exported.


class OurWire(stripe.HTTPClient):
    """The client's transport. An answer that cannot be used is doubt, before anyone reads it."""

    name = "thuphi"

    def __init__(self, wire: Wire, bytes_max: int) -> None:
        """Keep the wire, and how long an answer may be."""
        super().__init__()
        self._wire, self._bytes_max = wire, bytes_max

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None  # noqa: ANN401 - the client's signature.
    ) -> tuple[bytes, int, Mapping[str, str]]:  # fmt: skip
        """Send one request; nothing is tried again here."""
        reply = await self._wire.send(
            method.upper(), url,
            headers={k.lower(): v for k, v in headers.items() if k.lower() in _SENT},
            body=(post_data or "").encode(), timeout_s=answer_timeout_s,
        )  # fmt: skip
        if reply.status >= 500 or len(reply.body) > self._bytes_max:  # noqa: PLR2004 - HTTP's own word.
            raise InDoubtError("Stripe failed, or its answer is too long.")
        try:
            strict_json.read_object(reply.body)
        except ValueError as error:
            raise InDoubtError("Stripe's answer cannot be read.") from error
        return reply.body, reply.status, reply.headers

    async def close_async(self) -> None:
        """Keep nothing open: each request has a connection of its own."""


@dataclass(frozen=True, slots=True)
class Api:
    """One account's API, answer by answer."""

    wire: Wire = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str

    @property
    def sessions(self) -> SessionService:
        """Give Checkout's sessions."""
        return self._client(answer_bytes_max).checkout.sessions

    @property
    def refunds(self) -> RefundService:
        """Give refunds."""
        return self._client(answer_bytes_max).refunds

    @property
    def payouts(self) -> PayoutService:
        """Give payouts."""
        return self._client(page_bytes_max).payouts

    @property
    def movements(self) -> BalanceTransactionService:
        """Give the movements of the account's balance."""
        return self._client(page_bytes_max).balance_transactions

    def _client(self, bytes_max: int) -> V1Services:
        """Make a client; it tries nothing again by itself, for who tries is ours to say."""
        made = stripe.StripeClient(
            self.secret_key, http_client=OurWire(self.wire, bytes_max),
            base_addresses={"api": self.base_url}, max_network_retries=0,
        )  # fmt: skip
        return made.v1

    async def said(self, asking: Awaitable[_Answered]) -> Mapping[str, Any]:
        """Give an answer as it was written. Raises RefusalError or InDoubtError."""
        refusal: Exception = InDoubtError("Stripe's answer is none of its kind.")
        try:
            data = (await asking).last_response.data
        except stripe.StripeError as error:
            refusal = _refusal(error) or refusal
        except (AttributeError, KeyError, TypeError, ValueError):
            pass  # The client trusts Stripe to have written what it documents; we need not.
        else:
            if isinstance(data, dict):
                return data
        raise refusal


def _refusal(error: stripe.StripeError) -> RefusalError | None:
    body = error.json_body
    inner = body.get("error") if isinstance(body, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get("type"), str):
        return None
    words = (inner.get("code"), inner.get("param"))
    code, param = (word if isinstance(word, str) else "" for word in words)
    return RefusalError(error.http_status or 0, inner["type"], code, param)
