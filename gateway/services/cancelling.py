"""Withdraw a payment for its client: whoever may have taken money for it is asked first.

No transaction is open while a provider answers (CONTRACT 2, SCENARIOS 9); what it says is booked
before the payment is looked at again.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.domain.calendar import hanoi_day
from gateway.domain.endings import cancel
from gateway.domain.errors import Refusal
from gateway.ports.provider import Inquires
from gateway.services.access import Client
from gateway.services.attempt_rows import live_attempts, set_attempt
from gateway.services.attempts import Attempts
from gateway.services.part_payments import parts_of
from gateway.services.payments import Answer, Payments, render
from gateway.store.tx import Row, Store


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Withdraws payments."""

    store: Store
    payments: Payments
    attempts: Attempts

    async def cancel(self, client: Client, payment_id: str, once: tuple[str, str, str]) -> Answer:
        """Withdraw a payment; refuse while anybody may have taken its money and cannot say."""
        async with self.store.begin() as tx:
            stored = await self.payments.replay(tx, client, *once)
            live = () if stored else await live_attempts(tx, client.agency_id, payment_id)
        return stored or await self._cancel(client, payment_id, once, await self._ask(live))

    async def _ask(self, live: Sequence[Row]) -> Collection[str]:
        """Ask about the attempts that somebody can answer for; give those that were answered."""
        now = self.store.clock.now()
        asked = [attempt for attempt in live if self._can_ask(attempt)]
        heard = await asyncio.gather(*(self.attempts.ask_one(a, now) for a in asked))
        return {a["id"] for a, is_answered in zip(asked, heard, strict=True) if is_answered}

    async def _cancel(
        self, client: Client, payment_id: str, once: tuple[str, str, str], answered: Collection[str]
    ) -> Answer:
        async with self.store.begin() as tx:
            stored = await self.payments.replay(tx, client, *once)
            if stored:
                return stored
            await tx.open_day(client.agency_id, hanoi_day(self.store.clock.now()))
            live = await live_attempts(tx, client.agency_id, payment_id, lock=True)
            for attempt in live:  # The job that asks withdraws what is still open at a provider.
                await set_attempt(tx, attempt, ask_at=self.store.clock.now())
            payment = await tx.payment(client.agency_id, payment_id, lock=True)
            if payment is None:
                raise Refusal("not-found", "There is no such payment.")
            # One that is paid by now is refused with its state.
            step = cancel(payment, await parts_of(tx, payment))
            unheard = (a for a in live if self._can_ask(a) and a["id"] not in answered)
            if payment.in_doubt or any(unheard):
                raise Refusal("payment-in-doubt", "We are asking the provider; try again later.")
            (cancelled,) = await tx.record([step])
            if cancelled is None:
                raise LookupError(payment_id)
            answer = Answer(200, render(await tx.view(cancelled)))
            await self.payments.remember(tx, client, *once, answer)
        return answer

    def _can_ask(self, attempt: Row) -> bool:
        """Tell whether somebody can say what became of an attempt."""
        provider = self.attempts.providers.get((attempt["provider"], attempt["account"]))
        return isinstance(provider, Inquires)
