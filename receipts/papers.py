"""Receipts on other paper: drawn by the worker when somebody asks, once, and then kept.

Most receipts are never printed, so drawing every shape of each would cost what nobody wants; the
web process, which asks, has no typst. What an officer converts is a row of its own: who and when.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.errors import Refusal
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts.brand import Brand, brand_of
from receipts.drawing import drawn_on
from receipts.kept import Kept
from receipts.log.journal import proofs
from receipts.paper import CITIZEN, Converted, Shape

batch: Final = 25  # Of 7 ms each: locks are held for less than a second.
copies_max: Final = 50  # Of one receipt, by officers; a reader never needs as many.
log: Final = logging.getLogger("thuphi.receipts")

# A receipt is drawn with its proof, so it waits until it is a leaf, which takes a second.
_WANTED: Final = text(
    "SELECT p.agency_id, p.id, p.shape, p.asked_at, p.asked_by, r.xml, r.leaf_index"
    " FROM receipt_paper p JOIN receipt r ON r.agency_id = p.agency_id AND r.id = p.receipt_id"
    " WHERE p.pdf IS NULL AND NOT p.is_failed AND r.leaf_index IS NOT NULL"
    " ORDER BY p.asked_at LIMIT :batch FOR UPDATE OF p SKIP LOCKED"
)


@dataclass(frozen=True, slots=True)
class Papers:
    """The shapes that were asked for."""

    store: Store

    async def ask(self, kept: Kept, shape: Shape) -> bytes | None:
        """Give a shape to whoever has the link; None: it is being drawn."""
        c = t.receipt_paper.c
        wanted = select(c.pdf, c.is_failed).where(
            c.agency_id == kept.agency_id, c.receipt_id == kept.id, c.shape == shape,
            c.asked_by == CITIZEN,
        )  # fmt: skip
        async with self.store.begin() as tx:
            row = await tx.row(wanted)
            if row is None:
                made = insert(t.receipt_paper).on_conflict_do_nothing()
                await tx.run(made, self._row(kept.agency_id, kept.id, shape, CITIZEN))
        return _drawn(row) if row else None

    async def convert(self, agency_id: str, receipt_id: str, name: str, actor: str) -> str:
        """Let an officer make a paper copy, which says who made it; give its id."""
        c = t.receipt_paper.c
        async with self.store.begin() as tx:
            there = await tx.rows(
                select(c.id).where(
                    c.agency_id == agency_id, c.receipt_id == receipt_id, c.asked_by != CITIZEN
                )
            )
            if len(there) >= copies_max:
                raise Refusal("invalid-request", f"A receipt has at most {copies_max} copies.")
            row = self._row(agency_id, receipt_id, Shape.COPY, name)
            await tx.run(t.receipt_paper.insert(), row)
            await tx.note(agency_id, actor, "receipt.convert", receipt_id)
        return str(row["id"])

    async def copy(self, agency_id: str, paper_id: str) -> tuple[str, bytes | None]:
        """Give the receipt of one agency's paper copy, and the copy once it is drawn."""
        c = t.receipt_paper.c
        wanted = select(c.receipt_id, c.pdf, c.is_failed)
        async with self.store.begin() as tx:
            row = await tx.row(wanted.where(c.agency_id == agency_id, c.id == paper_id))
        if row is None:
            raise Refusal("not-found", "There is no such paper copy in this agency.")
        return row["receipt_id"], _drawn(row)

    async def has(self, kept: Kept, pdf: bytes) -> bool:
        """Tell whether a PDF is, byte for byte, one that was drawn of a receipt on other paper."""
        c = t.receipt_paper.c
        which = (c.agency_id == kept.agency_id, c.receipt_id == kept.id, c.pdf == pdf)
        async with self.store.begin() as tx:
            return await tx.row(select(c.id).where(*which).limit(1)) is not None

    async def look(self, agency_id: str) -> Brand:
        """Give how an agency's receipts look."""
        async with self.store.begin() as tx:
            return await brand_of(tx, agency_id)

    async def draw(self) -> int:
        """Draw what was asked for; give how many."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_WANTED, {"batch": batch})
            for row in rows:
                await self._draw(tx, row)
        return len(rows)

    async def _draw(self, tx: Tx, row: Row) -> None:
        proven = await proofs(tx, row["agency_id"], [row["leaf_index"]])
        brand = await brand_of(tx, row["agency_id"])
        shape = Shape(row["shape"])
        converted = None
        if shape is Shape.COPY:
            converted = Converted(row["asked_at"], row["asked_by"], brand.paper_words)
        values: Mapping[str, Any]
        try:
            pdf = await asyncio.to_thread(
                drawn_on, shape, bytes(row["xml"]), proven[row["leaf_index"]], brand, converted
            )
            values = {"pdf": pdf}
        except Exception:
            # It holds up no other; who asked sees that it is not there, and the log why.
            log.exception("a receipt cannot be drawn as %s", shape)
            values = {"is_failed": True}
        c = t.receipt_paper.c
        which = (c.agency_id == row["agency_id"], c.id == row["id"])
        await tx.run(t.receipt_paper.update().where(*which).values(values))

    def _row(self, agency_id: str, receipt_id: str, shape: Shape, by: str) -> dict[str, Any]:
        clock = self.store.clock
        return {
            "agency_id": agency_id, "id": clock.new_id("ppr"), "receipt_id": receipt_id,
            "shape": shape, "asked_at": clock.now(), "asked_by": by, "is_failed": False,
        }  # fmt: skip


def _drawn(row: Row) -> bytes | None:
    if row["is_failed"]:
        raise Refusal("unavailable", "This shape cannot be drawn; the worker's log says why.")
    return bytes(row["pdf"]) if row["pdf"] is not None else None
