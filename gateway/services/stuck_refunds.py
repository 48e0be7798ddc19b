"""Refunds that their provider will not end: an officer turns them into transfers, with a document.

Another one proves the transfer, or gives it up: it takes two, for money could go back twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.domain import refund as rules
from gateway.domain.errors import Refusal
from gateway.domain.refund import Route
from gateway.domain.states import REFUND_LIVE, RefundState
from gateway.ports.provider import Provider, Refunds
from gateway.services.refund_rows import RefundRows
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import refund_of

# As long as a provider remembers a request (MoMo's 30 days, the longest): until then asking may
# still tell how it ended, or send it once more.
doubt_max: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class StuckRefunds:
    """Finds them, and turns them."""

    store: Store
    rows: RefundRows
    providers: Mapping[tuple[str, str], Provider]

    async def is_stuck(self, agency_id: str, refund_id: str) -> bool:
        """Tell whether a refund needs people, because its provider will not end it."""
        async with self.store.begin() as tx:
            row = await self.rows.refund(tx, agency_id, refund_id)
            return await self._is_stuck(tx, row)

    async def by_transfer(
        self, agency_id: str, refund_id: str, document: str, actor: str
    ) -> None:  # fmt: skip
        """Turn one into a transfer; the document says why the provider did not give it back."""
        async with self.store.begin() as tx:
            await self.rows.hold_today(tx, agency_id)
            row = await self.rows.refund(tx, agency_id, refund_id)
            if not await self._is_stuck(tx, row):
                raise Refusal("refund-not-open", "The provider may still end this one.")
            step = rules.by_transfer(refund_of(row), actor)
            await self.rows.keep(tx, step, row, ask_at=None, document=document)
            await tx.note(agency_id, actor, "refund.transfer", refund_id)

    async def _is_stuck(self, tx: Tx, row: Row) -> bool:
        """Decide: never to be sent, or without an end for longer than any provider remembers."""
        refund = refund_of(row)
        if refund.route is not Route.PROVIDER or refund.state not in REFUND_LIVE:
            return False
        if refund.state is RefundState.APPROVED:
            capture = await self.rows.capture(tx, refund)
            provider = self.providers.get((capture["provider"], capture["account"]))
            if capture["attempt_id"] is None or not isinstance(provider, Refunds):
                return True
        since = row["sent_at"] or row["decided_at"]
        return bool(self.store.clock.now() - since >= doubt_max)
