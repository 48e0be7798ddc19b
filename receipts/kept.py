"""Sealed receipts as they are kept, and what became of each since."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import select

from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts.log.journal import RewrittenLogError, proofs
from receipts.log.note import Proof
from receipts.proof import is_signed_pdf
from receipts.proving import grown
from receipts.xml import read_sealed

log: Final = logging.getLogger("thuphi.receipts")


@dataclass(frozen=True, slots=True)
class Kept:
    """A sealed receipt as it is kept."""

    agency_id: str
    id: str
    token: str = field(repr=False)
    xml: bytes = field(repr=False)
    pdf: bytes | None = field(repr=False)
    leaf_index: int | None = None
    proof: Proof | None = None  # None while it is no leaf yet, or when its log is not whole.


@dataclass(frozen=True, slots=True)
class Since:
    """What became of a receipt: which one replaces it, and of which words an error was told."""

    successor: Row | None
    notices: Sequence[tuple[date, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where sealed receipts are found."""

    store: Store

    async def by_token(self, token: str) -> Kept | None:
        """Find the receipt that a link opens."""
        return await self._kept(t.receipt.c.token == token)

    async def by_code(self, code: str) -> Kept | None:
        """Find the receipt that a lookup code names."""
        return await self._kept(t.receipt.c.verify_code == code)

    async def of_agency(self, agency_id: str, receipt_id: str) -> Kept | None:
        """Find a receipt of one agency by its id."""
        c = t.receipt.c
        return await self._kept((c.agency_id == agency_id) & (c.id == receipt_id))

    async def since(self, kept: Kept) -> Since:
        """Say what became of a receipt since it was signed."""
        c, n = t.receipt.c, t.correction.c
        async with self.store.begin() as tx:
            successor = await tx.row(
                select(c.form, c.series, c.number, c.issued_on, c.verify_code, c.token).where(
                    c.agency_id == kept.agency_id, c.replaces_id == kept.id, c.xml.is_not(None)
                )
            )
            notices = await tx.rows(
                select(n.noticed_on, n.said).where(
                    n.agency_id == kept.agency_id, n.receipt_id == kept.id, n.cause == "text",
                    n.state == "agreed",
                ).order_by(n.decided_at)
            )  # fmt: skip
        return Since(successor, [(x["noticed_on"], tuple(x["said"]["texts"])) for x in notices])

    async def naming(self, agency_id: str, payment_id: str) -> list[Row]:
        """List the signed receipts of a payment that show its payer's name, and keep it."""
        c = t.receipt.c
        async with self.store.begin() as tx:
            rows = await tx.rows(
                select(c.id, c.series, c.number, c.xml)
                .where(c.agency_id == agency_id, c.payment_id == payment_id, c.xml.is_not(None))
                .order_by(c.numbered_at, c.id)
            )
        return [row for row in rows if read_sealed(bytes(row["xml"])).payer_name]

    async def _kept(self, which: Any) -> Kept | None:  # noqa: ANN401 - a clause.
        c = t.receipt.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(c.agency_id, c.id, c.token, c.xml, c.pdf, c.leaf_index).where(
                    which, c.xml.is_not(None)
                )
            )
            if row is None:
                return None
            pdf = bytes(row["pdf"]) if row["pdf"] is not None else None
            if pdf is not None and is_signed_pdf(pdf):
                pdf = await grown(tx, row["agency_id"], row["id"], pdf)
            proof = await _proof(tx, row["agency_id"], row["leaf_index"])
        return Kept(
            row["agency_id"], row["id"], row["token"], bytes(row["xml"]), pdf, row["leaf_index"],
            proof,
        )  # fmt: skip


async def _proof(tx: Tx, agency_id: str, leaf: int | None) -> Proof | None:
    if leaf is None:
        return None
    try:
        return (await proofs(tx, agency_id, [leaf])).get(leaf)
    except RewrittenLogError:
        log.exception("a receipt is not proved")
        return None
