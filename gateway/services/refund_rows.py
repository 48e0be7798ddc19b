"""The rows of refunds: how a decision about one is written, and what it is decided on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain import refund as rules
from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.domain.payment import Payment
from gateway.domain.refund import Refund, RefundStep, Source
from gateway.services.payer_keys import PayerKeys
from gateway.services.payments import render
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import refund_of, refund_row, refund_view

_CLOSE_CASE: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = :how"
    " WHERE agency_id = :agency AND subject = :subject AND kind = ANY(:kinds) AND state = 'open'"
)
_OPEN_CASE: Final = text(
    "UPDATE break SET state = 'open', resolved_at = NULL, resolution = NULL"
    " WHERE agency_id = :agency AND subject = :subject AND kind = ANY(:kinds)"
    " AND state = 'resolved' AND resolution = :how"
)
# What each kind of case gives back.
SOURCES: Final[Mapping[str, Source]] = {
    "surplus": Source.SURPLUS, "partial": Source.ON_ACCOUNT,
    **dict.fromkeys(("amount", "double", "late", "unknown_money"), Source.SUSPENDED),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RefundRows:
    """Reads and writes refunds inside a transaction that somebody else opened."""

    store: Store
    keys: PayerKeys

    async def hold_today(self, tx: Tx, agency_id: str) -> None:
        """Hold the day that a decision is booked on, before any row is locked (locks.py)."""
        await tx.open_day(agency_id, hanoi_day(self.store.clock.now()))

    async def refund(self, tx: Tx, agency_id: str, refund_id: str) -> Row:
        """Load one refund, locked; another agency's is as one that does not exist."""
        c = t.refund.c
        row = await tx.row(
            select(t.refund).where(c.agency_id == agency_id, c.id == refund_id).with_for_update()
        )
        if row is None:
            raise Refusal("not-found", "There is no such refund.")
        return row

    async def payment(self, tx: Tx, refund: Refund, *, lock: bool) -> Payment | None:
        """Load the payment of a refund; unknown money has none."""
        if refund.payment_id is None:
            return None
        return await tx.payment(refund.agency_id, refund.payment_id, lock=lock)

    async def capture(self, tx: Tx, refund: Refund) -> Row:
        """Load the capture that a refund gives back."""
        c = t.capture.c
        row = await tx.row(
            select(t.capture).where(c.agency_id == refund.agency_id, c.id == refund.capture_id)
        )
        if row is None:
            raise LookupError(refund.capture_id)
        return row

    async def keep(
        self, tx: Tx, step: RefundStep, row: Row | None = None, **more: object
    ) -> Row:  # fmt: skip
        """Write a step: the refund, the payment's sums, the entries, the events."""
        refund = step.refund
        values = refund_row(refund) | more
        if step.entries:
            await tx.open_day(refund.agency_id, hanoi_day(self.store.clock.now()))
        if row is None:
            kept = await tx.row(t.refund.insert().returning(t.refund), values | {"asked": 0})
        else:
            kept = await tx.row(
                t.refund.update()
                .where(t.refund.c.agency_id == refund.agency_id, t.refund.c.id == refund.id)
                .values(**values).returning(t.refund)
            )  # fmt: skip
        if kept is None:
            raise LookupError(refund.id)
        if step.payment:
            await self.tell(tx, kept, step.payment, step.events)
        await tx.post(refund.agency_id, step.entries)
        return kept

    async def fail(
        self, tx: Tx, row: Row, payment: Payment | None, **word: object
    ) -> None:  # fmt: skip
        """Write that a refund surely did not happen; its case is open again."""
        refund = refund_of(row)
        step, now = rules.failed(refund, payment), self.store.clock.now()
        await self.keep(tx, step, row, ended_at=now, ask_at=None, **word)
        if refund.source is not Source.DEBT:
            await self.case(tx, refund, is_open=True)

    async def tell(self, tx: Tx, row: Row, payment: Payment, events: Sequence[str]) -> None:
        """Write the payment's sums, and say what happened: refunds show the refund."""
        told = replace(payment, sequence=payment.sequence + len(events))
        await tx.save(told)
        for n, kind in enumerate(events):
            at = replace(told, sequence=payment.sequence + n + 1)
            data = refund_view(row) if kind.startswith("refund.") else None
            await tx.emit(at, (kind,), data)

    async def sealed(
        self, tx: Tx, refund_id: str, payment: tuple[str, str | None], payee: Mapping[str, str]
    ) -> bytes:
        """Seal whom a transfer goes to, by the key of its agency's payment, which is locked.

        Money that nobody knows has no payment, and so no key of its own.
        """
        agency_id, payment_id = payment
        place, plain = f"refund|{refund_id}|payee", render(payee)
        if payment_id is None:
            return self.keys.vault.seal(place, plain)
        return (await self.keys.to_seal(tx, agency_id, payment_id)).seal(place, plain)

    async def payee(self, tx: Tx, row: Row) -> dict[str, str] | None:
        """Open whom a transfer goes to; None once it was erased."""
        if row["payee_sealed"] is None:
            return {}
        place, sealed = f"refund|{row['id']}|payee", bytes(row["payee_sealed"])
        if row["payment_id"] is None:
            plain: bytes | None = self.keys.vault.open(place, sealed)
        else:
            cells = await self.keys.of(tx, row["agency_id"], [row["payment_id"]])
            plain = cells[row["payment_id"]].open(place, sealed)
        opened: dict[str, str] | None = json.loads(plain) if plain is not None else None
        return opened

    async def case(self, tx: Tx, refund: Refund, *, is_open: bool) -> None:
        """Close the case that a refund answers; open it again when the refund came to nothing."""
        values: dict[str, Any] = {
            "agency": refund.agency_id, "subject": f"capture:{refund.capture_id}",
            "kinds": [k for k, source in SOURCES.items() if source is refund.source],
            "how": f"refund {refund.id}",
        }  # fmt: skip
        if is_open:
            await tx.run(_OPEN_CASE, values)
        else:
            await tx.run(_CLOSE_CASE, values | {"now": self.store.clock.now()})
