"""Disputes: a payer takes money back through the provider; each step is a posting and a case."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain import dispute as rules
from gateway.domain.calendar import hanoi_day
from gateway.domain.dispute import DisputeStep, Quarrel
from gateway.domain.payment import Break, Payment
from gateway.domain.states import RefundState
from gateway.ports.provider import Dispute, DisputeState, Notice, Outcome, Provider
from gateway.services.held_money import held_of, lessen_case
from gateway.services.refund_money import charged_back_of
from gateway.services.refund_rows import RefundRows
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import refund_of

# What a lost dispute means for the fee: an agency may set «borne» in ``dispute_lost``.
OWED_AGAIN: Final = "owed_again"
_CAPTURE: Final = text(
    "SELECT c.*, (SELECT min(a.payment_id) FROM allocation a WHERE a.agency_id = c.agency_id"
    " AND a.capture_id = c.id) AS payment_id, EXISTS (SELECT 1 FROM allocation a"
    " WHERE a.agency_id = c.agency_id AND a.capture_id = c.id AND a.use = 'debt') AS pays,"
    " EXISTS (SELECT 1 FROM recon_match"
    " m WHERE m.agency_id = c.agency_id AND m.capture_id = c.id"
    " AND m.rule IN ('08-obligation','08-parts',"
    "'08-reference','09-lump')) AS at_treasury FROM capture c"
    " WHERE c.provider = :provider AND c.account = :account AND c.txn_id = :txn"
)
_REPLACED: Final = text(
    "SELECT EXISTS (SELECT 1 FROM payment p WHERE p.agency_id = :agency AND p.id <> :id"
    " AND p.dossier_id = :dossier AND p.procedure = :procedure AND p.instalment = :instalment"
    " AND p.state IN ('open','paid','settled')) AS yes"
)
# Refunds of a capture, held so that none is sent while a dispute of it is opened or ended.
_REFUNDS: Final = text(
    "SELECT * FROM refund WHERE agency_id = :agency AND capture_id = :capture"
    " AND state IN ('approved','sent','in_doubt') ORDER BY id FOR UPDATE"
)
_CLOSE_CASE: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND subject = :subject AND state = 'open'"
)


@dataclass(frozen=True, slots=True)
class Disputes:
    """Applies a provider's word about a dispute. The same word again changes nothing."""

    store: Store
    rows: RefundRows

    async def told(
        self, tx: Tx, provider: Provider, said: Notice, about: Dispute, agency_id: str
    ) -> Outcome:
        """Open it, or end it; a word that comes before the opening opens it first.

        A charge that we do not know is a case for the agency whose account this is.
        """
        named = {"provider": provider.name, "account": provider.account}
        await tx.run(
            locks.DISPUTE, {"key": f"{provider.name}|{provider.account}|{about.id}"}
        )  # fmt: skip
        capture = await tx.row(_CAPTURE, named | {"txn": said.txn_id})
        if capture is None:
            await tx.open_break(agency_id, _unknown(about))
            return Outcome.UNKNOWN_ORDER
        await tx.open_day(capture["agency_id"], hanoi_day(self.store.clock.now()))
        going = await tx.rows(
            _REFUNDS, {"agency": capture["agency_id"], "capture": capture["id"]}
        )  # fmt: skip
        payment = await self._payment(tx, capture)
        c = t.dispute.c
        known = await tx.row(
            select(t.dispute).where(
                c.provider == provider.name, c.account == provider.account,
                c.provider_dispute_id == about.id,
            )
        )  # fmt: skip
        if about.state is DisputeState.ASKED:
            if known is None:
                await self._asked(tx, capture, about)
            return Outcome.RECORDED
        if known is None:
            known = await self._open(tx, provider, capture, about)
        elif known["state"] == str(about.state):
            return Outcome.REPEATED
        if about.state is not DisputeState.OPENED and known["state"] == "opened":
            if await self._unsend(tx, going, about.state):
                payment = await self._payment(tx, capture)
            await self._end(tx, known, capture, payment, about.state)
        return Outcome.RECORDED

    async def _unsend(self, tx: Tx, going: Sequence[Row], state: DisputeState) -> bool:
        """End what refunds waited for; tells whether one came to nothing, as the payer has it."""
        is_undone = False
        for row in going:
            how = f"the dispute was {state}"
            await self._close(tx, row["agency_id"], f"unsent:{row['id']}", how)
            if state is DisputeState.LOST and row["state"] == RefundState.APPROVED:
                of = await self.rows.payment(tx, refund_of(row), lock=True)
                await self.rows.fail(tx, row, of, code="disputed")
                is_undone = True
        return is_undone

    async def _asked(self, tx: Tx, capture: Row, about: Dispute) -> None:
        """Open a case, and book nothing: the payer's bank asks, and holds nothing back yet."""
        await tx.open_break(
            capture["agency_id"],
            Break(
                "status_conflict", f"inquiry:{about.id}", about.amount,
                "the payer's bank asks the provider about this payment", capture["payment_id"],
                capture["id"], proposal="answer the dispute",
            ),
        )  # fmt: skip

    async def _open(self, tx: Tx, provider: Provider, capture: Row, about: Dispute) -> Row:
        clock = self.store.clock
        for subject, how in (
            (f"inquiry:{about.id}", "the inquiry became a dispute"),
            (f"dispute:{about.id}", "its charge is known now"),
        ):
            await self._close(tx, capture["agency_id"], subject, how)
        row = await tx.row(
            t.dispute.insert().returning(t.dispute),
            {"agency_id": capture["agency_id"], "id": clock.new_id("dis"),
             "provider": provider.name, "account": provider.account,
             "provider_dispute_id": about.id, "capture_id": capture["id"],
             "payment_id": capture["payment_id"], "state": "opened", "amount": about.amount,
             "fee": about.fee, "opened_at": clock.now()},
        )  # fmt: skip
        if row is None:
            raise LookupError(about.id)
        step = rules.dispute_opened(_quarrel(row))
        await tx.post(row["agency_id"], step.entries)
        await tx.open_break(
            row["agency_id"],
            Break(
                "status_conflict", f"dispute:{row['id']}", about.amount,
                "the payer disputes this payment with the provider", row["payment_id"],
                row["capture_id"], proposal="answer the dispute",
            ),
        )  # fmt: skip
        return row

    async def _end(
        self, tx: Tx, row: Row, capture: Row, payment: Payment | None, state: DisputeState
    ) -> None:
        quarrel, now = _quarrel(row), self.store.clock.now()
        if state is DisputeState.WON:
            step = rules.dispute_won(quarrel)
        else:
            step = await self._lost(tx, quarrel, capture, payment)
        await tx.run(
            t.dispute.update()
            .where(t.dispute.c.agency_id == row["agency_id"], t.dispute.c.id == row["id"])
            .values(state=str(state), is_borne=step.is_borne, ended_at=now)
        )
        await tx.post(row["agency_id"], step.entries)
        if step.payment:
            told = replace(step.payment, sequence=step.payment.sequence + len(step.events))
            await tx.save(told)
            await tx.emit(told, step.events)
        await self._close(tx, row["agency_id"], f"dispute:{row['id']}", f"the dispute was {state}")

    async def _close(self, tx: Tx, agency_id: str, subject: str, how: str) -> None:
        now = self.store.clock.now()
        values = {"agency": agency_id, "subject": subject, "now": now, "how": how}
        await tx.run(_CLOSE_CASE, values)

    async def _lost(
        self, tx: Tx, quarrel: Quarrel, capture: Row, payment: Payment | None
    ) -> DisputeStep:
        """Take what is owed to the payer anyhow first; only the rest concerns a debt."""
        held = await held_of(tx, capture, payment)
        first, taken = rules.dispute_lost_held(quarrel, payment, held)
        if held and taken:
            ended = (self.store.clock.now(), f"the dispute was {DisputeState.LOST}")
            await lessen_case(tx, capture["agency_id"], held, taken, ended)
        rest = replace(quarrel, amount=quarrel.amount - taken)
        if not rest.amount:
            return first
        debt = await self._debt_lost(tx, rest, capture, first.payment)
        return replace(
            debt, payment=debt.payment or first.payment, entries=first.entries + debt.entries,
            events=first.events + debt.events,
        )  # fmt: skip

    async def _debt_lost(
        self, tx: Tx, quarrel: Quarrel, capture: Row, payment: Payment | None
    ) -> DisputeStep:
        settings = await tx.row(
            select(t.agency.c.settings).where(t.agency.c.id == capture["agency_id"])
        )
        wanted = (settings["settings"] if settings else {}).get("dispute_lost", OWED_AGAIN)
        may = capture["pays"] and wanted == OWED_AGAIN and not await self._replaced(tx, payment)
        of_debt = await charged_back_of(tx, payment, quarrel) if payment else 0
        return rules.dispute_lost(
            quarrel, payment, of_debt, may_owe_again=may, at_treasury=capture["at_treasury"]
        )

    async def _replaced(self, tx: Tx, payment: Payment | None) -> bool:
        if payment is None:
            return False
        values: dict[str, Any] = {
            "agency": payment.agency_id, "id": payment.id, "dossier": payment.dossier_id,
            "procedure": payment.procedure, "instalment": payment.instalment,
        }  # fmt: skip
        row = await tx.row(_REPLACED, values)
        return bool(row and row["yes"])

    async def _payment(self, tx: Tx, capture: Row) -> Payment | None:
        if capture["payment_id"] is None:
            return None
        return await tx.payment(capture["agency_id"], capture["payment_id"], lock=True)


def _unknown(about: Dispute) -> Break:
    return Break(
        "status_conflict", f"dispute:{about.id}", about.amount,
        "the payer disputes a charge that the books do not know", proposal="answer the dispute",
    )  # fmt: skip


def _quarrel(row: Row) -> Quarrel:
    account = f"{row['provider']}/{row['account']}"
    return Quarrel(row["id"], row["capture_id"], account, row["amount"], row["fee"])
