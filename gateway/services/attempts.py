"""Begin a try with a provider, and ask the provider when nobody told us how it ended."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError, Refusal
from gateway.domain.payment import Payment
from gateway.domain.states import LIVE, AttemptState, State
from gateway.ports.provider import (
    Checkout,
    Inquires,
    Notice,
    Order,
    Provider,
    ReadsReturn,
    Verdict,
)
from gateway.services import catalogue
from gateway.services.access import Client
from gateway.services.attempt_rows import (
    Account,
    accounts_due,
    live_attempts,
    next_due,
    set_attempt,
)
from gateway.services.captures import Captures
from gateway.services.first_answers import as_it_is, is_free_to_take
from gateway.services.health import ProviderHealth
from gateway.services.lanes import Lanes
from gateway.services.payments import Answer, Payments, render
from gateway.services.ways import Ways, due_at
from gateway.services.withdrawals import is_over, let_go, withdraw
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

ask_first_s: Final = 30  # The back-off doubles from here.
ask_last_s: Final = 3_600  # Never less often than once an hour until it is known.
attempt_minutes_max: Final = 15  # What VNPAY's pay page allows; short enough to know soon.


@dataclass(frozen=True, slots=True)
class Attempts:
    """Tries to pay, through one provider each."""

    store: Store
    payments: Payments
    captures: Captures
    providers: Mapping[tuple[str, str], Provider]
    ways: Ways
    health: ProviderHealth

    async def transfer(self, payment: Payment) -> Checkout | None:
        """Say what a bank transfer needs, if one is offered; showing it begins no attempt.

        A transfer finds its payment by the text it carries, so it needs none; where a provider has
        a page of its own, that page shows it.
        """
        may_leave = await self.ways.may_leave(payment.agency_id)
        for provider in self.ways.fitting(payment, may_leave=may_leave):
            if not provider.can.fixed_amount and not provider.can.redirects:
                order = Order(
                    reference=payment.reference, serial=0, payment_reference=payment.reference,
                    amount=due_at(payment, provider), text=f"TP{payment.reference}",
                    return_url=self.store.public_url, created_at=payment.created_at,
                    expires_at=payment.expires_at,
                )  # fmt: skip
                return await provider.checkout(order)
        return None

    async def start_for_client(
        self, client: Client, payment_id: str, wanted: tuple[str, str], address: str,
        once: tuple[str, str, str],
    ) -> Answer:  # fmt: skip
        """Begin an attempt over the API, once for each idempotency key.

        Twins of one body that run at the same time share the live attempt; whoever remembers first
        is the answer of all. The key is its body's before anything begins.
        """
        stored = await self.payments.stored(client, once)
        if stored:
            return stored
        name, method = wanted
        made = await self.start(
            client.agency_id, payment_id, name, address, method=method,
            claim=lambda tx: self.payments.claim(tx, client, *once),
        )  # fmt: skip
        return await self.payments.answered(client, once, Answer(201, render(made)))

    async def start(
        self, agency_id: str, payment_id: str, name: str, address: str, locale: str = "vi",
        method: str = "", claim: Callable[[Tx], Awaitable[None]] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Begin one attempt, or give back the live one; shows it as CONTRACT 3 does.

        No transaction is open while the provider is called; the attempt is on disk before.
        """
        footing = await self.ways.footing(agency_id)
        async with self.store.begin() as tx:
            if claim:
                await claim(tx)
            payment = await tx.payment(agency_id, payment_id, lock=True)
            if payment is None:
                raise Refusal("not-found", "There is no such payment.")
            now = self.store.clock.now()
            if payment.state is not State.OPEN or payment.expires_at <= now:
                raise Refusal("payment-not-open", "This payment can no longer be started.")
            if payment.in_doubt:
                raise Refusal(
                    "payment-in-doubt", "We are checking an earlier try; do not pay again."
                )
            provider = self.ways.choose(payment, name, method, footing)
            attempt = await self._live(tx, payment, provider, method) or await self._begin(
                tx, payment, provider, address, locale, method
            )
        if attempt["state"] == "redirected":
            return shown(attempt, provider)
        return await self._open_at_provider(attempt, payment, provider)

    async def _live(self, tx: Tx, payment: Payment, provider: Provider, method: str) -> Row | None:
        for attempt in await live_attempts(tx, payment.agency_id, payment.id):
            if (
                attempt["provider"] == provider.name
                and (attempt["method"] or "") == method
                and attempt["amount"] == due_at(payment, provider)
                and attempt["expires_at"] > self.store.clock.now()
            ):
                return attempt
        return None

    async def _begin(
        self, tx: Tx, payment: Payment, provider: Provider, address: str, locale: str, method: str
    ) -> Row:
        clock = self.store.clock
        now, attempt_id = clock.now(), clock.new_id("att")
        amount = due_at(payment, provider)
        lifetime = timedelta(minutes=attempt_minutes_max)
        ends = min(payment.expires_at, now + lifetime) if provider.can.redirects else None
        ask_at = now + timedelta(seconds=provider.can.ask_after_s)
        row = await tx.row(
            t.attempt.insert().returning(t.attempt),
            {"agency_id": payment.agency_id, "id": attempt_id, "provider": provider.name,
             "account": provider.account, "provider_reference": attempt_id.removeprefix("att_"),
             "state": "started", "amount": amount, "payer_address": address, "locale": locale,
             "created_at": now, "expires_at": ends or payment.expires_at, "asked": 0,
             "ask_at": ask_at if provider.can.inquires else None, "method": method or None},
        )  # fmt: skip
        if row is None:
            raise LookupError(attempt_id)
        await tx.run(
            t.attempt_share.insert(),
            {"agency_id": payment.agency_id, "attempt_id": attempt_id,
             "payment_id": payment.id, "amount": amount},
        )  # fmt: skip
        return row

    async def _open_at_provider(
        self, attempt: Row, payment: Payment, provider: Provider
    ) -> dict[str, Any]:
        known: dict[str, Any]
        refusal: Refusal | None = None
        try:
            order = await self.order(attempt, payment, provider)
            checkout = await (
                self.health.watched(provider, "checkout", lambda: provider.checkout(order))
                if provider.can.redirects  # A QR of our own calls nobody.
                else provider.checkout(order)
            )
            known = {
                "state": "redirected", "redirect_url": checkout.redirect_url,
                "qr_text": checkout.qr_text, "provider_id": checkout.provider_id or None,
            }  # fmt: skip
        except DeclinedError:
            known = {"state": "declined", "ask_at": None}
            refusal = Refusal("provider-failed", "The provider refused; nothing was taken.")
        except InDoubtError:
            known = {"state": "in_doubt"}
            refusal = Refusal("payment-in-doubt", "The provider did not answer; we are asking.")
        async with self.store.begin() as tx:
            was = now = await as_it_is(tx, attempt)
            if await is_free_to_take(tx, was, attempt, AttemptState(known["state"])):
                await set_attempt(tx, was, **known)
                now = {**was, **known}
            if refusal or was["state"] == "in_doubt":
                held = await tx.payment(payment.agency_id, payment.id, lock=True)
                if held:
                    await self.payments.settle_doubt(tx, held)
        if refusal and now["state"] != "redirected":  # Else a twin knows where to pay.
            raise refusal
        return shown(now, provider)

    async def order(self, attempt: Row, payment: Payment, provider: Provider) -> Order:
        """Say what a provider is asked to collect; the payer only where it must be told."""
        name = (*provider.can.notice_names, provider.name)[0]
        title_vi, _ = catalogue.name_of(payment.agency_id, payment.procedure)
        return Order(
            reference=attempt["provider_reference"], serial=attempt["serial"],
            payment_reference=payment.reference, amount=attempt["amount"],
            text=f"TP{payment.reference} {payment.procedure}",
            return_url=f"{self.store.public_url}/pay/{payment.token}",
            created_at=attempt["created_at"], expires_at=attempt["expires_at"],
            payer_address=attempt["payer_address"], locale=attempt["locale"],
            method=attempt["method"] or "", provider_id=attempt["provider_id"] or "",
            notice_url=f"{self.store.public_url}/notices/{name}/{provider.account}",
            dossier_id=payment.dossier_id, procedure=payment.procedure, procedure_name=title_vi,
            lines=payment.lines,
            payer=await self.payments.payer_of(payment) if provider.can.wants_payer else {},
        )  # fmt: skip

    async def returned(self, payment: Payment, query: str) -> Verdict | None:
        """Read the word that the citizen's browser brought: for display, and a reason to ask now.

        It proves nothing, so nothing is booked; without a notice yet, the attempt is in doubt.
        """
        for provider in self.providers.values():
            if not isinstance(provider, ReadsReturn):
                continue
            try:
                said = provider.read_return(query)
            except ForgedError:
                continue
            await self._doubt(payment, provider, said)
            return said.verdict
        return None

    async def came_back(self, payment: Payment, name: str) -> None:
        """Take note that a citizen is back from a provider whose return says nothing: ask now.

        Whoever says nothing has given no reason to doubt: nobody is kept from another way.
        """
        async with self.store.begin() as tx:
            for attempt in await live_attempts(tx, payment.agency_id, payment.id, lock=True):
                provider = self.providers.get((attempt["provider"], attempt["account"]))
                if attempt["provider"] == name and provider is not None and provider.can.inquires:
                    await set_attempt(tx, attempt, ask_at=self.store.clock.now())

    async def _doubt(self, payment: Payment, provider: Provider, said: Notice) -> None:
        async with self.store.begin() as tx:
            found = await self.captures.find(tx, provider, said, payment.agency_id)
            attempt, held = found.attempt, found.payment
            if attempt is None or held is None or (held.id, held.state) != (payment.id, State.OPEN):
                return
            if AttemptState(attempt["state"]) in LIVE:
                unknown = said.verdict in (Verdict.CAPTURED, Verdict.PENDING, Verdict.REVIEW)
                state = "in_doubt" if unknown else attempt["state"]
                await set_attempt(tx, attempt, state=state, ask_at=self.store.clock.now())
            await self.payments.settle_doubt(tx, held)

    async def ask(self) -> int:
        """Ask providers about the attempts that are due, each provider apart from the others."""
        return await Lanes("ask doubtful", self._due, self._claim, self._ask_claimed).run()

    async def _due(self) -> list[Account]:
        async with self.store.begin() as tx:
            due = await accounts_due(tx, self.store.clock.now())
        return [account for account in due if account in self.providers]

    async def _claim(self, account: Account) -> tuple[str, Row] | None:
        """Take the next attempt of a provider; when it is asked again is on disk before."""
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            attempt = await next_due(tx, account, now)
            if attempt is None:
                return None
            pause = min(ask_first_s * 2 ** min(attempt["asked"], 10), ask_last_s)
            again_at = now + timedelta(seconds=pause)
            await set_attempt(tx, attempt, asked=attempt["asked"] + 1, ask_at=again_at)
        return attempt["id"], attempt

    async def _ask_claimed(self, attempt: Row) -> bool:
        """Ask, and tell whether it is worth asking the same provider about the next."""
        provider = self.providers[attempt["provider"], attempt["account"]]
        answered = await self.ask_one(attempt, self.store.clock.now())
        return answered or not isinstance(provider, Inquires)

    async def ask_one(self, attempt: Row, now: datetime) -> bool:
        """Ask about one attempt; tell whether there was a believable answer.

        Without one nothing changes but the next time. An order that nobody should pay any more is
        withdrawn first.
        """
        provider = self.providers.get((attempt["provider"], attempt["account"]))
        if provider is None:
            return False
        async with self.store.begin() as tx:
            payment = await self.captures.payment_of(tx, attempt)
        if payment is None:
            return False
        order = await self.order(attempt, payment, provider)
        if is_over(payment, attempt, now):
            await withdraw(self.payments, self.health, attempt, provider, order)
        if not isinstance(provider, Inquires):
            return False
        try:
            said = await self.health.watched(provider, "ask", lambda: provider.ask(order, now))
        except (InDoubtError, DeclinedError):
            return False  # The next time is already on disk.
        for word in (*said.also, replace(said, also=())):
            named = replace(word, order_reference=attempt["provider_reference"])
            async with self.store.begin() as tx:  # One each: money is locked before the attempt.
                await self.captures.apply(tx, provider, named, "inquiry", attempt["id"], "")
        if said.verdict is Verdict.PENDING and attempt["expires_at"] <= now:
            # It outlives our attempt there: whoever still has its page must not pay twice.
            await withdraw(self.payments, self.health, attempt, provider, order)
            await let_go(self.payments, attempt, now)
        return True


def shown(attempt: Row, provider: Provider) -> dict[str, Any]:
    """Show an attempt as CONTRACT 3 does, and who issues the receipt if it is paid."""
    return {
        "id": attempt["id"], "provider": attempt["provider"],
        "provider_reference": attempt["provider_reference"], "state": attempt["state"],
        "amount": attempt["amount"], "redirect_url": attempt["redirect_url"],
        "qr_text": attempt["qr_text"], "expires_at": rfc3339(attempt["expires_at"]),
        "receipt_issuer": provider.name if provider.can.issues_receipt else "agency",
    }  # fmt: skip
