"""What a provider says becomes money in the books, exactly once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from sqlalchemy import bindparam, select, text

from gateway.domain import ledger
from gateway.domain import payment as rules
from gateway.domain.calendar import BusinessDays, Calendar, hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.ids import find_references
from gateway.domain.payment import Capture, Payment, Standing
from gateway.domain.states import LIVE, AttemptState, State
from gateway.ports.provider import Notice, Outcome, Taker, Verdict
from gateway.services import movements
from gateway.services.attempt_rows import let_look, live_attempts, set_attempt
from gateway.services.part_payments import parts_of
from gateway.services.payments import Payments
from gateway.store import tables as t
from gateway.store.told import Found, find_told
from gateway.store.tx import Row, Store, Tx

_S = t.attempt_share.c
_SHARE: Final = select(_S.payment_id).where(
    _S.agency_id == bindparam("agency"), _S.attempt_id == bindparam("attempt")
)
_STANDING: Final = text(
    "SELECT EXISTS (SELECT 1 FROM payment p WHERE p.agency_id = :agency AND p.id <> :id"
    " AND p.dossier_id = :dossier AND p.procedure = :procedure AND p.instalment = :instalment"
    " AND p.state IN ('open','paid','settled')) AS replaced,"
    " EXISTS (SELECT 1 FROM entry e WHERE e.agency_id = :agency AND e.payment_id = :id"
    " AND e.debit = 'M4') AS written_off"
)
_ENDINGS: Final = {
    Verdict.DECLINED: AttemptState.DECLINED,
    Verdict.CANCELLED: AttemptState.CANCELLED,
    Verdict.EXPIRED: AttemptState.EXPIRED,
}
_MAYBE: Final = frozenset({Verdict.CAPTURED, Verdict.PENDING, Verdict.REVIEW})
# How a capture that did not pay is answered, each time it is told again.
_ANSWERS: Final = {"amount": Outcome.WRONG_AMOUNT, "unknown_money": Outcome.UNKNOWN_ORDER}


@dataclass(frozen=True, slots=True)
class Captures:
    """Applies a provider's word, whether it came as a notice, an inquiry or a statement."""

    store: Store
    payments: Payments
    agencies: Mapping[tuple[str, str], str]  # (provider, account) -> agency
    days: Mapping[tuple[str, str], BusinessDays]  # Of the accounts that do not book by Hanoi's day.
    calendar: Calendar

    def agency_of(self, provider: Taker) -> str:
        """Give the agency whose account this is."""
        return self.agencies[provider.name, provider.account]

    def business_day(self, provider: str, account: str, at: datetime) -> date:
        """Give the day on which an account books an instant: by its cut-off and its calendar.

        Raises Refusal where the account rests on days off and no calendar covers the year.
        """
        return self.days.get((provider, account), BusinessDays()).of(at, self.calendar)

    async def apply(
        self, tx: Tx, provider: Taker, said: Notice, source: str, source_id: str, raw: str,
        *, agency_id: str | None = None,
    ) -> Outcome:  # fmt: skip
        """Do what a verified word means. The same word any number of times does it once.

        A word from an agency's own file is about that agency, and never about another.
        Takes its locks in the order of locks.py: day, money, attempt, payment.
        """
        agency = agency_id or self.agency_of(provider)
        if said.verdict is not Verdict.CAPTURED:
            return await self._ended(tx, await self.find(tx, provider, said, agency), said)
        credit = movements.told(agency, provider, said, source)
        await self.lock_money(tx, provider, said.txn_id, agency, credit)
        found = await self.find(tx, provider, said, agency)
        agency = agency_id or (found.attempt["agency_id"] if found.attempt else agency)
        if found.attempt and found.attempt["agency_id"] != agency:
            found = Found(known=found.known)
        known = (await credit.known(tx) if credit else None) or found.known
        payment_id = None if known else await self._named(tx, said, agency, found)
        if credit and not known:
            credit = replace(credit, agency_id=agency, payment_id=payment_id)
            known, owed = await credit.home(tx)
            if not known and owed != payment_id:  # It makes the capture of another's word.
                found, payment_id = Found(), owed
        evidence = (source, source_id, raw)
        capture = await self._capture(tx, provider, said, agency, found.attempt, evidence)
        if known is None:
            return await self._book(tx, provider, payment_id, agency, found, capture, credit)
        await tx.add_evidence(known["agency_id"], known["id"], capture)
        if credit:
            await credit.note(tx, known["id"], capture.taken_at)
        await self._told_again(tx, found)
        return _ANSWERS.get(known["result"], Outcome.REPEATED)

    async def lock_money(
        self, tx: Tx, provider: Taker, txn_id: str, agency_id: str,
        credit: movements.Told | None = None,
    ) -> None:  # fmt: skip
        """Keep the agency's days open; let nobody else tell of this money until the end."""
        holder = credit.movement.account if credit else provider.account
        key = f"{provider.name}|{holder}|{txn_id}"
        await tx.hold(agency_id, key, credit.key if credit else None)

    async def find(self, tx: Tx, provider: Taker, said: Notice, agency_id: str) -> Found:
        """Find what a word is about, and lock it: attempt, then payment."""
        order = (said.order_reference, said.order_serial)
        return await find_told(tx, agency_id, (provider.name, provider.account), said.txn_id, order)

    async def payment_of(self, tx: Tx, attempt: Row, *, lock: bool = False) -> Payment | None:
        """Load the payment that an attempt is for."""
        share = await tx.row(_SHARE, {"agency": attempt["agency_id"], "attempt": attempt["id"]})
        return (
            await tx.payment(attempt["agency_id"], share["payment_id"], lock=lock)
            if share
            else None
        )

    async def hinted(self, tx: Tx, provider: Taker, said: Notice) -> tuple[Outcome, Row | None]:
        """Take a word that proves nothing as a reason to ask; give the attempt to ask about."""
        found = await self.find(tx, provider, said, self.agency_of(provider))
        attempt, payment = found.attempt, found.payment
        if attempt is None:
            return Outcome.UNKNOWN_ORDER, None
        if AttemptState(attempt["state"]) is AttemptState.CAPTURED:
            if said.verdict is Verdict.CAPTURED and said.txn_id and not found.known:
                # Asking tells of the first number again; only a person can look for two.
                why = f"told of again, with a number that is not in the books ({said.txn_id})"
                await let_look(tx, attempt, payment, why, said.amount)
            return Outcome.REPEATED, None
        now = self.store.clock.now()
        if said.amount and said.amount != attempt["amount"]:
            await set_attempt(tx, attempt, ask_at=now)
            return Outcome.WRONG_AMOUNT, attempt
        if AttemptState(attempt["state"]) in LIVE and said.verdict in _MAYBE:
            await set_attempt(tx, attempt, state="in_doubt", ask_at=now)
        else:
            await set_attempt(tx, attempt, ask_at=now)
        if payment:
            await self.payments.settle_doubt(tx, payment)
        return Outcome.RECORDED, attempt

    async def _ended(self, tx: Tx, found: Found, said: Notice) -> Outcome:
        """Take note of a word that brings no money."""
        attempt, payment = found.attempt, found.payment
        if said.order_reference is None and said.order_serial is None:
            return Outcome.RECORDED  # A movement that is no credit: nothing to do.
        if attempt is None:
            return Outcome.UNKNOWN_ORDER
        live = AttemptState(attempt["state"]) in LIVE
        fits = not said.amount or said.amount == attempt["amount"]
        if said.verdict is Verdict.REVIEW and attempt["state"] != AttemptState.CAPTURED:
            why = f"the provider wants a person to look (its code {said.code})"
            await let_look(tx, attempt, payment, why, said.amount)
            if live:
                await set_attempt(tx, attempt, state="in_doubt")
        elif fits and live and said.verdict in _ENDINGS:
            await set_attempt(tx, attempt, state=str(_ENDINGS[said.verdict]), ask_at=None)
        elif fits and not live:
            return Outcome.REPEATED
        if payment:
            await self.payments.settle_doubt(tx, payment)
        return Outcome.RECORDED if fits else Outcome.WRONG_AMOUNT

    async def _capture(
        self, tx: Tx, provider: Taker, said: Notice, agency: str, attempt: Row | None,
        evidence: tuple[str, str, str],
    ) -> Capture:  # fmt: skip
        now, paid_at = self.store.clock.now(), self._paid_at(said)
        source, source_id, raw = evidence
        return Capture(
            id=self.store.clock.new_id("cap"), provider=provider.name, account=provider.account,
            txn_id=said.txn_id, amount=said.amount, fixed=provider.can.fixed_amount,
            expected=attempt["amount"] if attempt else None,
            attempt_id=attempt["id"] if attempt else None,
            booked_on=await tx.open_day(agency, self._booked_on(provider, paid_at)),
            value_on=hanoi_day(paid_at), paid_at=paid_at, taken_at=now,
            evidence_source=source, evidence_id=source_id,
            evidence_hash=raw or hashlib.sha256(f"{source}|{source_id}".encode()).hexdigest(),
            bank_reference=said.movement.bank_reference if said.movement else None,
            into=ledger.CASH if said.is_cash else ledger.CLEARING,
            receipt_elsewhere=provider.can.issues_receipt,
        )  # fmt: skip

    def _paid_at(self, said: Notice) -> datetime:
        """Say when it was paid; nobody has paid tomorrow, whatever a provider's clock says."""
        now = self.store.clock.now()
        paid_at = said.paid_at or now
        return now if hanoi_day(paid_at) > hanoi_day(now) else paid_at

    def _booked_on(self, provider: Taker, paid_at: datetime) -> date:
        """Give the business day, or Hanoi's where no calendar says it."""
        return self._moved(provider, paid_at) or hanoi_day(paid_at)

    def _moved(self, provider: Taker, paid_at: datetime) -> date | None:
        """Give the business day; None where no calendar says it, for money is never refused."""
        try:
            return self.business_day(provider.name, provider.account, paid_at)
        except Refusal:
            return None

    async def _book(
        self, tx: Tx, provider: Taker, payment_id: str | None, agency: str, found: Found,
        capture: Capture, credit: movements.Told | None,
    ) -> Outcome:  # fmt: skip
        attempt, payment = found.attempt, found.payment
        if payment is None and payment_id:
            payment = await tx.payment(agency, payment_id, lock=True)
        standing = await self._standing(tx, payment) if payment else Standing()
        held = await parts_of(tx, payment) if payment else ()
        step = rules.take(payment, capture, agency, standing, held)
        if step.payment:
            step = replace(step, payment=replace(step.payment, in_doubt=False))
        if self._moved(provider, capture.paid_at) is None:
            step = replace(step, breaks=(*step.breaks, rules.unmoved(capture, payment)))
        (after,) = await tx.record([step])
        if credit:
            await credit.note(tx, capture.id, capture.taken_at)
        if attempt and (capture.fixed or after is None or after.state is not State.OPEN):
            await set_attempt(tx, attempt, state="captured", ask_at=None)
        if after and not capture.fixed:
            await self._transfer_came(tx, after)
        if after:
            await self.payments.settle_doubt(tx, after)
        return _ANSWERS.get(step.result, Outcome.RECORDED)

    async def _told_again(self, tx: Tx, found: Found) -> None:
        """End an attempt whose money somebody else told of first."""
        attempt, payment = found.attempt, found.payment
        if attempt is None or AttemptState(attempt["state"]) not in LIVE:
            return
        if payment and payment.state is not State.OPEN:
            await set_attempt(tx, attempt, state="captured", ask_at=None)
            await self.payments.settle_doubt(tx, payment)

    async def _transfer_came(self, tx: Tx, payment: Payment) -> None:
        """Mark the attempts of a payment that a transfer has covered, where we drew the QR.

        It carries our text alone, so whoever tells of the credit tells of them.
        """
        if payment.amount_received < payment.amount:
            return
        free = await live_attempts(tx, payment.agency_id, payment.id, if_free=True)
        for attempt in free:
            if attempt["qr_text"] and not attempt["redirect_url"]:
                await set_attempt(tx, attempt, state="captured", ask_at=None)

    async def _named(self, tx: Tx, said: Notice, agency: str, found: Found) -> str | None:
        """Find the payment that a word names: by its attempt, its account, or its text.

        A text that names two different payments is nobody's. None is locked yet: a reference
        never changes hands.
        """
        if found.payment:
            return found.payment.id
        named = [said.payment_reference] if said.payment_reference else []
        ids: set[str] = set()
        for reference in named or [r.reference for r in find_references(said.memo or "")]:
            payment = await tx.payment_by_reference(reference)
            if payment and payment.agency_id == agency:
                ids.add(payment.id)
        return ids.pop() if len(ids) == 1 else None

    async def _standing(self, tx: Tx, payment: Payment) -> Standing:
        if payment.state is not State.EXPIRED:
            return Standing()  # It says something about expired ones alone.
        row = await tx.row(
            _STANDING,
            {"agency": payment.agency_id, "id": payment.id, "dossier": payment.dossier_id,
             "procedure": payment.procedure, "instalment": payment.instalment},
        )  # fmt: skip
        return Standing(**row) if row else Standing()
