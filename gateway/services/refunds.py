"""Refunds as people ask for them: with a reason, and agreed to by a second person above a limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import select, text

from gateway.domain import refund as rules
from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.domain.refund import Refund, RefundStep, Route, Source
from gateway.domain.states import REFUND_LIVE, RefundState
from gateway.ports.provider import (
    Provider,
)
from gateway.ports.provider import (
    Refunds as GivesBack,
)
from gateway.services import refund_money as money
from gateway.services.access import Client
from gateway.services.payments import Answer, Payments, render
from gateway.services.refund_rows import SOURCES, RefundRows
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import refund_of, refund_view

# Below it nobody else need agree; an agency may set another in ``refund_alone_max``, 0 for never.
alone_max_default: Final = 0
RULE: Final = "rule:refund_alone_max"  # Who decided, where no second person had to.
reason_chars_max: Final = 500
_REQUESTED: Final = ("refund.requested",)

_GIVEN: Final = text(
    "SELECT parts FROM refund WHERE agency_id = :agency AND payment_id = :payment"
    " AND source = 'debt' AND state IN ('approved','sent','in_doubt','done')"
)
# The parts of a payment that ended, and that nobody has asked back yet.
_PARTS: Final = text(
    "SELECT k.* FROM break k WHERE agency_id = :agency AND payment_id = :payment"
    " AND kind = 'partial' AND state = 'open' AND NOT EXISTS (SELECT 1 FROM refund r"
    " WHERE r.agency_id = k.agency_id AND r.capture_id = k.capture_id AND r.source = 'on_account'"
    " AND r.state = 'requested') ORDER BY k.id FOR UPDATE"
)
_CASE: Final = "SELECT * FROM break WHERE agency_id = :agency AND id = :id AND state = 'open'"


@dataclass(frozen=True, slots=True)
class RefundDesk:
    """Refunds, as clients and officers ask for them and providers make them."""

    store: Store
    payments: Payments
    rows: RefundRows
    providers: Mapping[tuple[str, str], Provider]

    async def ask_for_client(
        self, client: Client, payment_id: str, wanted: tuple[int, str, int],
        once: tuple[str, str, str],
    ) -> Answer:  # fmt: skip
        """Ask for a refund over the API, once for each idempotency key."""
        route, key, body_hash = once
        async with self.store.begin() as tx:
            stored = await self.payments.replay(tx, client, route, key, body_hash)
            if stored:
                return stored
            made = await self._ask(tx, client.agency_id, payment_id, wanted, f"client:{client.id}")
            answer = Answer(201, render(refund_view(made)))
            await self.payments.remember(tx, client, route, key, body_hash, answer)
        return answer

    async def ask_for_officer(
        self, agency_id: str, payment_id: str, wanted: tuple[int, str, int], actor: str,
        payee: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """Ask for a refund at the desk; give its id."""
        async with self.store.begin() as tx:
            made = await self._ask(tx, agency_id, payment_id, wanted, actor, payee)
        return str(made["id"])

    async def _ask(
        self, tx: Tx, agency_id: str, payment_id: str, wanted: tuple[int, str, int], actor: str,
        payee: Mapping[str, str] | None = None,
    ) -> Row:  # fmt: skip
        amount, reason, expected = wanted
        await self.rows.hold_today(tx, agency_id)
        payment = await self._locked(tx, agency_id, payment_id)
        if payment.state in rules.ENDED and payment.amount_on_account:
            found = await tx.rows(_PARTS, {"agency": agency_id, "payment": payment_id})
            n = rules.whole_part(payment, amount, expected, [p["amount"] for p in found])
            return await self._ask_about(tx, found[n], reason, actor, payee)
        capture = money.choose(await money.captures_of(tx, agency_id, payment_id), amount)
        fresh = replace(
            self._fresh(agency_id, payment_id, capture, amount), reason=reason, requested_by=actor
        )
        step = rules.ask(payment, fresh, expected)
        if not capture:
            raise Refusal("payment-not-refundable", "Nothing was captured for this payment.")
        row = await self.rows.keep(tx, step, None, **await self._to(tx, fresh, payee))
        if amount <= await self._alone_max(tx, agency_id):
            return await self._approve(tx, row, payment_of(step), RULE)
        return row

    def _fresh(
        self,
        agency_id: str,
        payment_id: str | None,
        capture_id: str,
        amount: int,
        source: Source = Source.DEBT,
    ) -> Refund:
        clock = self.store.clock
        return Refund(
            id=clock.new_id("ref"), agency_id=agency_id, capture_id=capture_id,
            payment_id=payment_id, source=source, route=Route.PROVIDER,
            state=RefundState.REQUESTED, amount=amount, reason="", requested_by="",
            created_at=clock.now(),
        )  # fmt: skip

    async def ask_for_case(
        self, agency_id: str, break_id: str, reason: str, actor: str,
        payee: Mapping[str, str] | None = None,
    ) -> str:  # fmt: skip
        """Ask to give back the money of a case: a surplus, or money without a home."""
        async with self.store.begin() as tx:
            case = await self._case(tx, agency_id, break_id)
            if case is None or case["capture_id"] is None or case["kind"] not in SOURCES:
                raise Refusal("not-found", "There is no open case with money to give back.")
            return str((await self._ask_about(tx, case, reason, actor, payee))["id"])

    async def _ask_about(
        self, tx: Tx, case: Row, reason: str, actor: str, payee: Mapping[str, str] | None
    ) -> Row:
        agency_id, amount = case["agency_id"], case["amount"]
        await money.require_undisputed(tx, agency_id, case["capture_id"])
        pending = await tx.row(
            select(t.refund.c.id).where(
                t.refund.c.agency_id == agency_id,
                t.refund.c.capture_id == case["capture_id"], t.refund.c.source != "debt",
                t.refund.c.state.in_(["requested", *map(str, REFUND_LIVE)]),
            )
        )  # fmt: skip
        if pending:
            raise Refusal("refund-mismatch", "A refund of this case waits already.")
        source = SOURCES[case["kind"]]
        fresh = replace(
            self._fresh(agency_id, case["payment_id"], case["capture_id"], amount, source),
            reason=reason, requested_by=actor,
        )  # fmt: skip
        sealed = await self._to(tx, fresh, payee)
        row = await self.rows.keep(tx, RefundStep(fresh), None, **sealed)
        step = RefundStep(fresh, await self.rows.payment(tx, fresh, lock=True), (), _REQUESTED)
        if step.payment:
            await self.rows.tell(tx, row, step.payment, step.events)
        if amount <= await self._alone_max(tx, agency_id):
            return await self._approve(tx, row, payment_of(step), RULE)
        return row

    async def decide(self, agency_id: str, refund_id: str, actor: str, *, agree: bool) -> None:
        """Approve or reject, as a second person."""
        async with self.store.begin() as tx:
            await self.rows.hold_today(tx, agency_id)
            row = await self.rows.refund(tx, agency_id, refund_id)
            refund = refund_of(row)
            payment = await self.rows.payment(tx, refund, lock=True)
            if agree:
                await money.require_undisputed(tx, agency_id, refund.capture_id)
                if refund.source is not Source.DEBT:
                    await money.require_case(tx, refund)
                await self._approve(tx, row, payment, actor)
            else:
                now = self.store.clock.now()
                step = rules.reject(refund, payment, actor)
                await self.rows.keep(tx, step, row, decided_at=now, ended_at=now)
            await tx.note(agency_id, actor, f"refund.{'approve' if agree else 'reject'}", refund_id)

    async def _approve(self, tx: Tx, row: Row, payment: Payment | None, by: str) -> Row:
        refund, now = refund_of(row), self.store.clock.now()
        route = await self._route(tx, refund)
        left = await self._left(tx, payment) if payment else ()
        step = rules.approve(refund, payment, left, route, by)
        due = now if route is Route.PROVIDER else None
        kept = await self.rows.keep(tx, step, row, decided_at=now, ask_at=due)
        if refund.source is not Source.DEBT:
            await self.rows.case(tx, refund, is_open=False)
        return kept

    async def _route(self, tx: Tx, refund: Refund) -> Route:
        """Choose how the payer gets it, by what the provider can and where the money is."""
        capture = await self.rows.capture(tx, refund)
        asked = {"agency": refund.agency_id, "capture": refund.capture_id}
        if refund.source is Source.DEBT and await money.is_at_treasury(tx, asked):
            return Route.TREASURY
        provider = self.providers.get((capture["provider"], capture["account"]))
        rule = provider.can.refund if provider and isinstance(provider, GivesBack) else None
        if rule is None or capture["attempt_id"] is None:  # It gives back what our order took.
            return Route.TRANSFER
        last = capture["paid_at"] + timedelta(days=rule.days_max)
        fits = rule.amount_min <= refund.amount <= rule.amount_max
        whole = rule.partial or refund.amount == capture["amount"]
        on_time = self.store.clock.now() <= last
        return Route.PROVIDER if fits and whole and on_time else Route.TRANSFER

    async def _left(self, tx: Tx, payment: Payment) -> tuple[int, ...]:
        """Give what each fee line still has."""
        given = await tx.rows(_GIVEN, {"agency": payment.agency_id, "payment": payment.id})
        left = [line.amount for line in payment.lines]
        for row in given:
            left = [have - gone for have, gone in zip(left, row["parts"], strict=True)]
        return tuple(left)

    async def name_payee(
        self, agency_id: str, refund_id: str, payee: Mapping[str, str], actor: str
    ) -> None:
        """Keep whom a transfer goes to, sealed."""
        async with self.store.begin() as tx:
            row = await self.rows.refund(tx, agency_id, refund_id)
            await self.rows.payment(tx, refund_of(row), lock=True)
            sealed = await self._to(tx, refund_of(row), payee)
            await tx.run(
                t.refund.update()
                .where(t.refund.c.agency_id == agency_id, t.refund.c.id == refund_id)
                .values(**sealed)
            )
            await tx.note(agency_id, actor, "refund.payee", refund_id)

    async def payee(self, agency_id: str, refund_id: str, actor: str) -> dict[str, str] | None:
        """Open whom a transfer goes to, and write down who looked; None once it was erased."""
        async with self.store.begin() as tx:
            row = await self.rows.refund(tx, agency_id, refund_id)
            await tx.note(agency_id, actor, "payee.read", refund_id)
            return await self.rows.payee(tx, row)

    async def get(self, agency_id: str, refund_id: str) -> Row:
        """Give one refund; another agency's answers as one that does not exist."""
        async with self.store.begin() as tx:
            return await self.rows.refund(tx, agency_id, refund_id)

    async def of_payment(self, agency_id: str, payment_id: str) -> Sequence[Row]:
        """List the refunds of a payment, oldest first."""
        c = t.refund.c
        async with self.store.begin() as tx:
            if await tx.payment(agency_id, payment_id) is None:
                raise Refusal("not-found", "There is no such payment.")
            return await tx.rows(
                select(t.refund)
                .where(c.agency_id == agency_id, c.payment_id == payment_id)
                .order_by(c.id)
            )

    async def _case(self, tx: Tx, agency_id: str, break_id: str) -> Row | None:
        """Load an open case, locked after its payment."""
        wanted = {"agency": agency_id, "id": break_id}
        await self.rows.hold_today(tx, agency_id)
        seen = await tx.row(text(_CASE), wanted)
        if seen and seen["payment_id"]:
            await tx.payment(agency_id, seen["payment_id"], lock=True)
        return await tx.row(text(f"{_CASE} FOR UPDATE"), wanted)

    async def _locked(self, tx: Tx, agency_id: str, payment_id: str) -> Payment:
        payment = await tx.payment(agency_id, payment_id, lock=True)
        if payment is None:
            raise Refusal("not-found", "There is no such payment.")
        return payment

    async def _to(
        self, tx: Tx, refund: Refund, payee: Mapping[str, str] | None
    ) -> dict[str, bytes]:
        whose = (refund.agency_id, refund.payment_id)
        return (
            {"payee_sealed": await self.rows.sealed(tx, refund.id, whose, payee)} if payee else {}
        )

    async def _alone_max(self, tx: Tx, agency_id: str) -> int:
        row = await tx.row(select(t.agency.c.settings).where(t.agency.c.id == agency_id))
        said = row["settings"].get("refund_alone_max", alone_max_default) if row else 0
        return int(said)


def payment_of(step: RefundStep) -> Payment | None:
    """Give the payment as a step leaves it, with the events that the step tells counted."""
    if step.payment is None:
        return None
    return replace(step.payment, sequence=step.payment.sequence + len(step.events))
