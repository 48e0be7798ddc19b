"""Stripe: a card page of its own for foreign cards. Personal data leaves the country there.

Checkout  a Checkout Session in đồng, which have no smaller unit [D]: 150000 means 150,000 đồng. Our
          reference is the idempotency key, remembered for 24 hours. It lives 30 minutes at least
          [D], longer than our attempt. Nothing about the payer is sent.
Notice    POST JSON, signed in ``Stripe-Signature`` (stripe_words.py); any 2xx thanks. Stripe
          repeats for three days, in no order, and once its secret is rolled with both signatures.
Ask       GET the session, with its payment and charge. Answers are not signed.
Refund    POST, our reference as idempotency key and in the metadata, by which it is found again.
Report    what each automatic payout is made of (stripe_report.py).
Whether an account of an agency can settle in đồng is a matter of its contract [G].
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from adapters import settings_rules, strict_json, stripe_report
from adapters import stripe_calls as calls
from adapters import stripe_words as words
from adapters.stripe_words import RefusalError
from gateway.domain.errors import DeclinedError, ForgedError, InDoubtError
from gateway.ports.plugin import AdapterSpec
from gateway.ports.provider import (
    Ack,
    Can,
    Checkout,
    Notice,
    Order,
    Outcome,
    RawNotice,
    RefundOrder,
    RefundRule,
    RefundSaid,
    RefundVerdict,
    ReportLine,
    Verdict,
)
from gateway.ports.wire import Wire

if TYPE_CHECKING:
    from adapters.stripe_client import Api

amount_dong_min: Final = 15_000  # 0.50 US dollars [D] at a careful rate [G]; a setting may differ.
notice_body_bytes_max: Final = 65_536  # Of an event we know under 10 KB; longer is an attack.
notice_query_chars_max: Final = 1_024  # Stripe sends none.
remembered: Final = timedelta(hours=24)  # How long an idempotency key is kept at least [D].
refunds_page: Final = 30  # No fee is given back in so many parts.
_SESSION: Final = re.compile(r"cs_[0-9A-Za-z_]{1,120}")
_TOO_MANY: Final = 429  # Done by nobody yet, and may be done later.
_GIVEN_BACK: Final = "charge_already_refunded"  # Perhaps by ourselves.
_EXPANDED: Final = "payment_intent.latest_charge"
_STATUSES: Final = {Outcome.FORGED: 400, Outcome.FAILED: 500}


@dataclass(frozen=True, slots=True)
class Stripe:
    """One account at Stripe."""

    wire: Wire = field(repr=False)
    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    base_url: str
    amount_min: int = amount_dong_min
    account: str = "default"
    name: str = "stripe"

    @property
    def is_live(self) -> bool:
        """Tell whether this account's money is real; the key says so."""
        return "_live_" in self.secret_key[:8]

    @property
    def can(self) -> Can:
        """Declare what Stripe can do."""
        return Can(
            title_vi="Thẻ quốc tế (Stripe)",
            title_en="Foreign card (Stripe)",
            amount_min=self.amount_min,
            amount_max=words.amount_dong_max,
            inquires=True,
            refund=RefundRule(amount_max=words.amount_dong_max),
            reports=True,
            needs_abroad=True,
            notice_names=("stripe",),
        )

    async def checkout(self, order: Order) -> Checkout:
        """Open a session; the same order is the same session, for its key is the same."""
        if not self.amount_min <= order.amount <= words.amount_dong_max:
            raise DeclinedError(f"Stripe takes {self.amount_min} to {words.amount_dong_max} đồng.")
        try:
            session = await self._create(order)
        except RefusalError as refusal:
            raise calls.outcome(refusal) from None
        page = strict_json.address_of(session.get("url"))
        if not page:
            raise InDoubtError("Stripe gave no page.")
        return Checkout(redirect_url=page, provider_id=str(session["id"]))

    async def _create(self, order: Order) -> Mapping[str, Any]:
        api = await self._api()
        asking = api.sessions.create_async(
            params=calls.request(order), options={"idempotency_key": order.reference}
        )
        return self._believed(await api.said(asking), order)

    def read(self, raw: RawNotice) -> Notice:
        """Verify, then parse, one event."""
        if raw.method != "POST" or len(raw.query) > notice_query_chars_max:
            raise ForgedError("Stripe sends a POST without a query.")
        if len(raw.body) > notice_body_bytes_max:
            raise ForgedError("The body is too long.")
        header = raw.headers.get("stripe-signature", "")
        words.require_signature(header, raw.body, self.webhook_secrets, raw.received_at)
        try:
            event = strict_json.read_object(raw.body)
            if event.get("livemode") is not self.is_live or event.get("account") is not None:
                raise ForgedError("The event is of another mode, or another account.")
            return words.of_event(event)
        except ValueError as error:
            raise ForgedError("The notice cannot be read.") from error

    def acknowledge(self, outcome: Outcome) -> Ack:
        """Answer by status alone; Stripe wants 2xx, also about what is no business of ours."""
        return Ack(_STATUSES.get(outcome, 200), b"")

    async def ask(self, order: Order, at: datetime) -> Notice:
        """Ask how the session stands; where its name was lost, our key finds it again."""
        try:
            session = await self._session(order, at)
        except RefusalError as refusal:
            if not calls.is_unknown(refusal):
                raise InDoubtError("Stripe would not say how the session stands.") from None
            verdict = Verdict.EXPIRED if at >= order.expires_at else Verdict.PENDING
            return Notice(verdict, "", 0, order_reference=order.reference, code=refusal.code)
        except DeclinedError as error:  # It did not arrive, so nothing was learned.
            raise InDoubtError("Stripe could not be reached.") from error
        try:
            return calls.standing(session)
        except ValueError as error:
            raise InDoubtError("Stripe's answer cannot be believed.") from error

    async def _session(self, order: Order, at: datetime) -> Mapping[str, Any]:
        name = order.provider_id
        if not name and at <= order.created_at:
            name = f"cs_{order.reference}"  # Nothing was lost yet: an account is tried.
        if not name and at >= order.created_at + remembered:
            raise InDoubtError("Stripe's name of the order was lost, and our key is forgotten.")
        if not name:
            name = str((await self._create(order))["id"])
        api = await self._api()
        asking = api.sessions.retrieve_async(name, params={"expand": [_EXPANDED]})
        session = self._believed(await api.said(asking), order)
        if session["id"] != name:
            raise InDoubtError("Stripe answered about something else.")
        return session

    async def cancel(self, order: Order) -> None:
        """End the session; where Stripe says no, how it stands decides."""
        try:
            session = await self._ended(order)
        except (DeclinedError, RefusalError) as error:
            raise InDoubtError("Stripe could not be asked to end the session.") from error
        if session.get("payment_status") == "paid":
            raise DeclinedError("The order was paid already.")
        if session.get("status") != "expired":
            raise InDoubtError("Stripe still has the session open.")

    async def _ended(self, order: Order) -> Mapping[str, Any]:
        name = order.provider_id or str((await self._create(order))["id"])
        api = await self._api()
        try:
            return self._believed(await api.said(api.sessions.expire_async(name)), order)
        except RefusalError:  # It is open no more.
            return await self._session(replace(order, provider_id=name), order.created_at)

    async def refund(self, order: RefundOrder) -> RefundSaid:
        """Give money back; our reference is the key, so a repeat is the same refund."""
        if not 0 < order.amount <= min(order.captured, words.amount_dong_max):
            raise DeclinedError("Stripe gives back 1 đồng to what it took.")
        api = await self._api()
        asking = api.refunds.create_async(
            params={
                "payment_intent": order.txn_id, "amount": order.amount,
                "metadata": {words.REFUND: order.reference},
            },
            options={"idempotency_key": order.reference},
        )  # fmt: skip
        try:
            return calls.refunded(await api.said(asking), order)
        except RefusalError as refusal:
            if refusal.code == _GIVEN_BACK or refusal.status == _TOO_MANY:
                raise InDoubtError("Stripe gave it back before, or is too busy.") from None
            raise calls.outcome(refusal) from None

    async def ask_refund(self, order: RefundOrder, at: datetime) -> RefundSaid:
        """Look it up among its payment's refunds; one that never came is sent again.

        To Stripe it is the same refund for as long as it remembers the key.
        """
        api = await self._api()
        asking = api.refunds.list_async(
            params={"payment_intent": order.txn_id, "limit": refunds_page}
        )
        try:
            listed = (await api.said(asking)).get("data")
        except (DeclinedError, RefusalError):
            raise InDoubtError("Stripe could not say what became of the refund.") from None
        if not isinstance(listed, list):
            raise InDoubtError("Stripe's answer is no list.")
        for one in listed:
            known = words.of_refund(one) if isinstance(one, dict) else None
            if known and known.reference == order.reference:
                return calls.refunded(one, order)
        if at - order.asked_at >= remembered:
            return RefundSaid(RefundVerdict.REFUSED, order.reference, code="unknown")
        try:
            return await self.refund(order)
        except DeclinedError as error:
            raise InDoubtError("Stripe would not take the refund now.") from error

    async def report(self, on: date) -> Sequence[ReportLine]:
        """Give what the payouts of a day are made of."""
        return await stripe_report.fetch(await self._api(), on)

    async def _api(self) -> "Api":
        """Give Stripe's own client on our wire; the first call loads it, while others go on."""
        client = await asyncio.to_thread(import_module, "adapters.stripe_client")
        api: Api = client.Api(self.wire, self.secret_key, self.base_url)
        return api

    def _believed(self, session: Mapping[str, Any], order: Order) -> Mapping[str, Any]:
        """Require that an answer is about this very order, for no signature says so."""
        named = (
            session.get("client_reference_id"), session.get("amount_total"),
            session.get("currency"), session.get("livemode"),
        )  # fmt: skip
        wanted = (order.reference, order.amount, words.CURRENCY, self.is_live)
        if named != wanted or type(session["amount_total"]) is not int:
            raise InDoubtError("Stripe's answer is about something else.")
        if not _SESSION.fullmatch(words.word(session.get("id"))):
            raise InDoubtError("Stripe gave the session no usable name.")
        return session


def _build(values: Mapping[str, str], wire: Wire, account: str) -> Stripe:
    """Check the settings and build the adapter."""
    secrets = [settings_rules.secret(values, "STRIPE_WEBHOOK_SECRET")]
    if "STRIPE_WEBHOOK_SECRET_FORMER" in values:
        secrets.append(settings_rules.secret(values, "STRIPE_WEBHOOK_SECRET_FORMER"))
    least = settings_rules.optional(
        values, "STRIPE_AMOUNT_MIN", r"[1-9][0-9]{0,6}", "1 to 9999999 đồng"
    )
    return Stripe(
        wire=wire,
        secret_key=settings_rules.matching(
            values, "STRIPE_SECRET_KEY", r"[sr]k_(test|live)_[0-9A-Za-z_]{8,240}",
            "a secret or restricted key: sk_ or rk_, test or live",
        ),
        webhook_secrets=tuple(secrets),
        base_url=settings_rules.web_address(values, "STRIPE_BASE_URL").rstrip("/"),
        amount_min=int(least or amount_dong_min),
        account=account,
    )  # fmt: skip


STRIPE: Final = AdapterSpec(
    name="stripe",
    fields=("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_BASE_URL"),
    secret_fields=("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_WEBHOOK_SECRET_FORMER"),
    build=_build,
    optional_fields=("STRIPE_WEBHOOK_SECRET_FORMER", "STRIPE_AMOUNT_MIN"),
    suite="adapters.vectors.stripe:StripeConformance",
)
