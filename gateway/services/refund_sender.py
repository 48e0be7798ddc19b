"""Refunds on their way to the payer: sent once, asked about until known, proved by a document.

No transaction is open while a provider is called; what was decided is on disk before, and a
provider that does not answer leaves the refund in doubt until it says how it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select

from gateway.domain import refund as rules
from gateway.domain.errors import DeclinedError, InDoubtError, Refusal
from gateway.domain.payment import Break
from gateway.domain.refund import Route
from gateway.domain.states import REFUND_LIVE, RefundState
from gateway.ports.provider import (
    AsksRefunds,
    Provider,
    RefundOrder,
    Refunds,
    RefundSaid,
    RefundVerdict,
)
from gateway.services.attempts import Attempts
from gateway.services.lanes import Lanes
from gateway.services.refund_money import quarrels_of
from gateway.services.refund_rows import RefundRows
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import refund_of

ask_first_s: Final = 60  # The back-off doubles from here.
ask_last_s: Final = 3_600

_R: Final = t.refund.c
_C: Final = t.capture.c
_GIVES_BACK: Final = (_C.agency_id == _R.agency_id) & (_C.id == _R.capture_id)
_DUE: Final = (
    select(_C.provider, _C.account)
    .join(t.refund, _GIVES_BACK)
    .where(_R.ask_at <= bindparam("now"))
    .distinct()
)
_NEXT: Final = (
    select(t.refund)
    .join(t.capture, _GIVES_BACK)
    .where(
        _R.ask_at <= bindparam("now"),
        _C.provider == bindparam("name"), _C.account == bindparam("holder"),
    )
    .order_by(_R.ask_at)
    .limit(1)
    .with_for_update(of=t.refund, skip_locked=True)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RefundSender:
    """Sends refunds, and takes providers' and officers' word of how they ended."""

    store: Store
    attempts: Attempts
    rows: RefundRows
    providers: Mapping[tuple[str, str], Provider]

    async def send(self) -> int:
        """Send what is approved, ask about what is under way, each provider apart from the others.

        Gives how many were due.
        """
        return await Lanes("send refunds", self._due, self._claim, self._send_one).run()

    async def _due(self) -> list[tuple[str, str]]:
        async with self.store.begin() as tx:
            rows = await tx.rows(_DUE, {"now": self.store.clock.now()})
        due = [(row["provider"], row["account"]) for row in rows]
        return [account for account in due if account in self.providers]

    async def _claim(self, account: tuple[str, str]) -> tuple[str, Row] | None:
        """Take the next refund of a provider; when it is looked at again is on disk before."""
        name, holder = account
        now, c = self.store.clock.now(), t.refund.c
        async with self.store.begin() as tx:
            row = await tx.row(_NEXT, {"now": now, "name": name, "holder": holder})
            if row is None:
                return None
            pause = min(ask_first_s * 2 ** min(row["asked"], 10), ask_last_s)
            await tx.run(
                t.refund.update()
                .where(c.agency_id == row["agency_id"], c.id == row["id"])
                .values(asked=row["asked"] + 1, ask_at=now + timedelta(seconds=pause))
            )
        return row["id"], row

    async def _send_one(self, row: Row) -> bool:
        """Send one, or ask about it; tells whether its provider answered."""
        now = self.store.clock.now()
        provider, order = await self._order(row)
        if provider is None or order is None or not isinstance(provider, Refunds):
            return True  # Its account was taken out of the settings: a person sees it in doubt.
        is_first = row["state"] == RefundState.APPROVED
        if is_first and not await self._begin(row):
            return True
        try:
            if not is_first and isinstance(provider, AsksRefunds):
                asking = provider
                said = await self.attempts.health.watched(
                    provider, "refund", lambda: asking.ask_refund(order, now)
                )
            else:
                giving = provider
                said = await self.attempts.health.watched(
                    provider, "refund", lambda: giving.refund(order)
                )
        except InDoubtError:
            said = RefundSaid(RefundVerdict.PENDING, order.reference, code="no answer")
        except DeclinedError as error:
            if is_first and error.is_unreachable:
                await self._missed(row)
            if not is_first or error.is_unreachable:
                return False  # It says nothing about what was sent before, if anything was.
            said = RefundSaid(RefundVerdict.REFUSED, order.reference, code="declined")
        is_silence = said.code == "no answer"
        async with self.store.begin() as tx:
            await self.told(tx, provider, said, is_silence=is_silence)
        return not is_silence

    async def _begin(self, row: Row) -> bool:
        """Write that it is in doubt from now on, before it is sent; tells whether it may be.

        The payer may have begun meanwhile to take the money back: then it is not sent.
        """
        agency_id = row["agency_id"]
        async with self.store.begin() as tx:
            await self.rows.hold_today(tx, agency_id)
            now = await self.rows.refund(tx, agency_id, row["id"])
            refund = refund_of(now)
            if refund.state is not RefundState.APPROVED or refund.route is not Route.PROVIDER:
                return False
            quarrels = await quarrels_of(tx, agency_id, refund.capture_id)
            if quarrels["is_open"]:
                await self._held_back(tx, now)
            elif quarrels["is_lost"]:
                payment = await self.rows.payment(tx, refund, lock=True)
                await self.rows.fail(tx, now, payment, code="disputed")
            else:
                begun = self.store.clock.now()
                await self.rows.keep(tx, rules.in_doubt(refund), now, sent_at=begun)
        return not (quarrels["is_open"] or quarrels["is_lost"])

    async def _missed(self, row: Row) -> None:
        """Write that the provider was surely not reached, so that it is sent again, not asked."""
        async with self.store.begin() as tx:
            now = await self.rows.refund(tx, row["agency_id"], row["id"])
            if now["state"] == RefundState.IN_DOUBT:
                await self.rows.keep(tx, rules.missed(refund_of(now)), now, sent_at=None)

    async def _held_back(self, tx: Tx, row: Row) -> None:
        """Open a case: it waits for the end of a dispute, which may be long."""
        await tx.open_break(
            row["agency_id"],
            Break(
                "status_conflict", f"unsent:{row['id']}", row["amount"],
                "the payer disputes this money, so its refund was not sent", row["payment_id"],
                row["capture_id"], proposal="answer the dispute",
            ),
        )  # fmt: skip

    async def told(
        self, tx: Tx, provider: Provider, said: RefundSaid, *, is_silence: bool = False
    ) -> bool:
        """Take a provider's word about one of our refunds; tells whether it is one.

        The same word again changes nothing.
        """
        await self.rows.hold_today(tx, self.attempts.captures.agency_of(provider))
        row = await tx.row(
            select(t.refund).where(t.refund.c.id == f"ref_{said.reference}").with_for_update()
        )
        if row is None:
            return False
        refund = refund_of(row)
        if refund.state not in REFUND_LIVE:
            await self._after_the_end(tx, row, said.verdict)
            return True
        payment = await self.rows.payment(tx, refund, lock=True)
        capture = await self.rows.capture(tx, refund)
        if (capture["provider"], capture["account"]) != (provider.name, provider.account):
            return False
        if refund.route is not Route.PROVIDER:
            if said.verdict is not RefundVerdict.DONE:
                return True  # It is being transferred, because the provider did not end it.
            refund = replace(refund, route=Route.PROVIDER)
        now = self.store.clock.now()
        word = {"provider_txn_id": said.txn_id or row["provider_txn_id"], "code": said.code or None}
        if said.verdict is RefundVerdict.DONE:
            account = f"{provider.name}/{provider.account}"
            step = rules.done(refund, payment, account)
            await self.rows.keep(tx, step, row, ended_at=now, ask_at=None, **word)
        elif said.verdict is RefundVerdict.REFUSED:
            await self.rows.fail(tx, row, payment, **word)
        elif is_silence and refund.state is RefundState.IN_DOUBT:
            await self.rows.keep(tx, rules.RefundStep(refund), row, **word)
        elif not is_silence and refund.state is not RefundState.SENT:
            await self.rows.keep(tx, rules.sent(refund), row, **word)
        return True

    async def _after_the_end(self, tx: Tx, row: Row, verdict: RefundVerdict) -> None:
        """Open a case where the provider says otherwise than the books, after the end."""
        state = RefundState(row["state"])
        is_given = verdict is RefundVerdict.DONE
        if state is RefundState.DONE and row["route"] == Route.TRANSFER and is_given:
            await self._contradiction(
                tx, row, "it was transferred, and then the provider gave it back too"
            )
        elif state is RefundState.DONE and verdict is RefundVerdict.REFUSED:
            if row["route"] == Route.PROVIDER:
                why = "the provider gave it back, and then it came back"
                await self._contradiction(tx, row, why)
        elif state is RefundState.FAILED and is_given:
            why = "it was given up or failed, and then the provider gave it back"
            await self._contradiction(tx, row, why)

    async def _contradiction(self, tx: Tx, row: Row, why: str) -> None:
        await tx.open_break(
            row["agency_id"],
            Break(
                "status_conflict", f"refund:{row['id']}", row["amount"], why, row["payment_id"],
                row["capture_id"], proposal="ask the provider",
            ),
        )  # fmt: skip

    async def prove(self, agency_id: str, refund_id: str, document: str, actor: str) -> None:
        """Say which document proves that a transfer, or the treasury, gave it back."""
        async with self.store.begin() as tx:
            await self.rows.hold_today(tx, agency_id)
            row = await self.rows.refund(tx, agency_id, refund_id)
            refund = refund_of(row)
            if refund.route is Route.PROVIDER:
                raise Refusal("refund-not-open", "The provider gives this one back by itself.")
            if actor == refund.decided_by:
                raise Refusal("same-person", "Somebody else must prove what you approved.")
            payment = await self.rows.payment(tx, refund, lock=True)
            step = rules.done(refund, payment, "")
            named = "; ".join(filter(None, (row["document"], document)))  # Why, then what.
            await self.rows.keep(tx, step, row, ended_at=self.store.clock.now(), document=named)
            await tx.note(agency_id, actor, "refund.prove", refund_id)

    async def give_up(self, agency_id: str, refund_id: str, actor: str) -> None:
        """Say that a transfer, or the treasury, will not give it back: the approval is undone."""
        async with self.store.begin() as tx:
            await self.rows.hold_today(tx, agency_id)
            row = await self.rows.refund(tx, agency_id, refund_id)
            refund = refund_of(row)
            if refund.route is Route.PROVIDER:
                raise Refusal("refund-not-open", "Only the provider can say that it failed.")
            if actor == refund.decided_by:
                raise Refusal("same-person", "Somebody else must prove what you approved.")
            await self.rows.fail(tx, row, await self.rows.payment(tx, refund, lock=True))
            await tx.note(agency_id, actor, "refund.give_up", refund_id)

    async def _order(self, row: Row) -> tuple[Provider | None, RefundOrder | None]:
        """Say what the provider that took the money is asked to give back."""
        refund = refund_of(row)
        async with self.store.begin() as tx:
            capture = await self.rows.capture(tx, refund)
            provider = self.providers.get((capture["provider"], capture["account"]))
            attempt = await tx.row(
                select(t.attempt).where(
                    t.attempt.c.agency_id == refund.agency_id,
                    t.attempt.c.id == capture["attempt_id"],
                )
            )
            payment = await self.attempts.captures.payment_of(tx, attempt) if attempt else None
        if provider is None or attempt is None or payment is None:
            return provider, None
        original = await self.attempts.order(attempt, payment, provider)
        return provider, RefundOrder(
            reference=refund.id.removeprefix("ref_"), serial=row["serial"],
            original=original, txn_id=capture["txn_id"],
            captured=capture["amount"], amount=refund.amount,
            text=f"Hoan tra TP{payment.reference}", asked_by="thuphi",
            asked_at=row["decided_at"],
        )  # fmt: skip
