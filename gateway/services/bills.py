"""Receipts that a provider's platform issues: whether it does, and the receipt itself on request.

Nothing of it is kept here: it is the platform's proof, and the platform's to show.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from gateway.domain.errors import InDoubtError, Refusal
from gateway.domain.payment import Payment
from gateway.ports.provider import Bill, GivesBills
from gateway.services.attempts import Attempts
from gateway.store.tx import Row, Store

# The attempt whose capture paid the debt, where the provider's platform issues the receipt.
_ELSEWHERE: Final = text(
    "SELECT a.* FROM allocation x JOIN capture c ON c.agency_id = x.agency_id"
    " AND c.id = x.capture_id AND c.receipt_elsewhere JOIN attempt a ON a.agency_id = c.agency_id"
    " AND a.id = c.attempt_id WHERE x.agency_id = :agency AND x.payment_id = :payment"
    " AND x.use = 'debt' LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Bills:
    """The door to receipts that are not ours."""

    store: Store
    attempts: Attempts

    async def paid_by(self, payment: Payment) -> Row | None:
        """Give the attempt that paid, if the receipt is its provider's."""
        async with self.store.begin() as tx:
            return await tx.row(_ELSEWHERE, {"agency": payment.agency_id, "payment": payment.id})

    async def fetch(self, payment: Payment) -> Bill:
        """Ask the platform for its receipt; no transaction is open meanwhile."""
        attempt = await self.paid_by(payment)
        if attempt is None:
            raise Refusal("not-found", "No other platform issues the receipt of this payment.")
        provider = self.attempts.providers.get((attempt["provider"], attempt["account"]))
        if provider is None or not isinstance(provider, GivesBills):
            raise Refusal("provider-unavailable", "The platform is not connected any more.")
        try:
            return await provider.bill(await self.attempts.order(attempt, payment, provider))
        except InDoubtError:
            raise Refusal("unavailable", "The platform does not answer; try again.") from None
