"""Receipts for paid payments: numbered, then sealed, then logged, and drawn at the end.

``payment.paid`` is claimed from the outbox. A crash between two steps leaves rows that the next
run finds, and what was frozen with the number makes every later step give the same bytes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import TextClause, select, text

from gateway.domain.calendar import hanoi_day
from gateway.ports.vault import Vault
from gateway.services.agencies import MAILS, SIGNS_PDF
from gateway.services.payer_keys import PayerCells, PayerKeys
from gateway.store import tables as t
from gateway.store.events import Told, emit_each
from gateway.store.statements import REPLACED_BY
from gateway.store.tx import Row, Store, Tx
from gateway.store.views import receipt_view
from receipts import records
from receipts.brand import brand_of
from receipts.draft import issuer_of, numbered, secrets_of
from receipts.drawing import drawn
from receipts.high_water import HighWater, year_keys
from receipts.kept import Shelf
from receipts.keys import Keys
from receipts.log.journal import Journal, proofs
from receipts.mailing import AGENCY, mail_row
from receipts.numbering import ForgottenError, Numbering
from receipts.outside import Outside
from receipts.owed import owed
from receipts.receipt import Receipt
from receipts.rules import rules_on
from receipts.seal import Signer, pem_of
from receipts.signing import CannotSignError
from receipts.token import Token
from receipts.xml import write

# Locks are held for so many at a time, and so many are tried again one by one. A commit waits for
# the disk, so many are numbered and sealed in one; drawing is slow, so few are drawn in one.
batch: Final = 200
batch_drawn: Final = 25
pages_max: Final = 80  # 2,000 are drawn: a run ends well within its lease; the next one follows.
log: Final = logging.getLogger("thuphi.receipts")
Do = Callable[[str, list[Any]], Awaitable[int]]

_PAID: Final = text(
    "SELECT agency_id, serial AS key FROM event WHERE handled_at IS NULL"
    " AND type = 'payment.paid' AND serial > :after ORDER BY serial LIMIT :batch"
)
_UNSEALED: Final = text(
    "SELECT agency_id, id AS key FROM receipt WHERE xml IS NULL AND id > :after"
    " ORDER BY id LIMIT :batch"
)
_UNDRAWN: Final = text(
    "SELECT agency_id, id AS key FROM receipt WHERE xml IS NOT NULL AND pdf IS NULL"
    " AND leaf_index IS NOT NULL AND id > :after ORDER BY id LIMIT :batch"
)
_CLAIM_PAID: Final = text(
    "SELECT serial, payment_id FROM event WHERE handled_at IS NULL AND type = 'payment.paid'"
    " AND serial = ANY(:keys) ORDER BY serial FOR UPDATE SKIP LOCKED"
)
_HANDLED: Final = text("UPDATE event SET handled_at = :now WHERE serial = ANY(:keys)")
# By payment: two workers that each seal receipts of two payments lock those in the same order.
_CLAIM_UNSEALED: Final = text(
    "SELECT * FROM receipt WHERE agency_id = :agency AND id = ANY(:keys) AND xml IS NULL"
    " ORDER BY payment_id, number FOR UPDATE SKIP LOCKED"
)
_CLAIM_UNDRAWN: Final = text(
    "SELECT agency_id, id, xml, signed_at, leaf_index FROM receipt WHERE agency_id = :agency"
    " AND id = ANY(:keys) AND pdf IS NULL ORDER BY id FOR UPDATE SKIP LOCKED"
)


_KEPT: Final = text(
    "UPDATE receipt r SET xml = x.xml, signed_at = :now,"
    " proof_due_at = CASE WHEN x.is_proven THEN CAST(:now AS timestamptz) END"
    " FROM unnest(CAST(:ids AS text[]), CAST(:xmls AS bytea[]), CAST(:proven AS boolean[]))"
    " x(id, xml, is_proven) WHERE r.agency_id = :agency AND r.id = x.id"
)


@dataclass(frozen=True, slots=True)
class Receipts:
    """The citizen's proof."""

    store: Store
    vault: Vault
    outside: Outside
    token: Token | None = None

    @property
    def high_water(self) -> HighWater:
        """What is kept outside the database."""
        return HighWater(self.store, self.outside)

    @property
    def shelf(self) -> Shelf:
        """The sealed receipts, to be read."""
        return Shelf(self.store)

    @property
    def keys(self) -> Keys:
        """The agencies' signing keys."""
        return Keys(self.store, self.vault, self.token)

    @property
    def journal(self) -> Journal:
        """The agencies' transparency logs."""
        return Journal(self.store, self.vault, self.outside)

    async def issue(self) -> int:
        """Issue what is due: number the paid, seal, log and draw the numbered; count the sealed.

        Safe to call at any time by any number of workers: each row is done once.
        """
        sealed = await self.seal_all()
        await self._each(_UNDRAWN, "", self._draw, batch_drawn)
        return sealed

    async def seal_all(self) -> int:
        """Give each its number, its seal and its place in the log; count the sealed."""
        stopped = await self.high_water.look()
        await self.high_water.keep_erasures()
        await self._each(_PAID, 0, self._number, stopped=stopped)
        sealed = await self._each(_UNSEALED, "", self._seal, stopped=stopped)
        await self.journal.append(stopped)
        return sealed

    async def certificate(self, agency_id: str) -> str:
        """Give the certificate that an agency signs with, to hand to those who check."""
        return pem_of((await self.keys.current(agency_id)).certificate)

    async def trusted(self, agency_id: str) -> frozenset[str]:
        """Give the fingerprints of an agency's certificates."""
        return await self.keys.trusted(agency_id)

    async def _each(
        self, waiting: TextClause, after: object, do: Do, many: int = batch,
        stopped: Collection[str] = (),
    ) -> int:  # fmt: skip
        """Go through what waits, page by page, each row seen once in a run."""
        done = 0
        for _ in range(pages_max):
            async with self.store.begin() as tx:
                rows = await tx.rows(waiting, {"after": after, "batch": many})
            if not rows:
                break
            after = rows[-1]["key"]
            for agency_id in sorted({r["agency_id"] for r in rows}.difference(stopped)):
                keys = [r["key"] for r in rows if r["agency_id"] == agency_id]
                done += await self._try(do, agency_id, keys)
        return done

    async def _try(self, do: Do, agency_id: str, keys: list[Any]) -> int:
        """Do a batch; when one of it is poisoned, the others are done one by one without it."""
        try:
            return await do(agency_id, keys)
        except (CannotSignError, ForgottenError) as error:
            # None of them can be done, however they are divided; they wait.
            what = do.__name__.strip("_")
            log.error("receipts: %s cannot %s: %s", agency_id, what, error)  # noqa: TRY400 - its sentence says all.
            return 0
        except Exception:
            log.exception("receipts: %s failed for %d of them", do.__name__, len(keys))
        if len(keys) == 1:
            return 0
        return sum([await self._try(do, agency_id, [key]) for key in keys])

    async def _number(self, agency_id: str, keys: list[Any]) -> int:
        """Give numbers and freeze what they stand for, in one transaction with the series."""
        signer = await self.keys.current(agency_id)
        log_name = await self.journal.open(agency_id)
        async with self.store.begin() as tx:
            events = await tx.rows(_CLAIM_PAID, {"keys": keys})
            if not events:
                return 0
            drafts = await owed(tx, agency_id, [e["payment_id"] for e in events])
            now = self.store.clock.now()
            if drafts:
                rules = rules_on(hanoi_day(now))
                issuer = await issuer_of(tx, agency_id, rules, signer, log_name)
                marks = self.outside.marks(agency_id)
                numbering = Numbering(tx, agency_id, rules, now, marks)
                books = await numbering.open(frozenset(d.place for d in drafts))
                signer.require_in_force(max(book.at for book in books.values()))
                cells = await self._cells(tx, agency_id, [d.payment.id for d in drafts])
                rows = [
                    numbered(d, issuer, books[d.place], cells[d.payment.id], self.store.clock)
                    for d in drafts
                ]
                await tx.run(t.receipt.insert(), rows)
                await numbering.close(books.values())
                made = [
                    records.numbered(row, d.payment) for row, d in zip(rows, drafts, strict=True)
                ]
                keys_of = await year_keys(tx, agency_id, {d.payment.id for d in drafts})
                await self.high_water.keep(agency_id, [*keys_of, *made])
            await tx.run(_HANDLED, {"now": now, "keys": [e["serial"] for e in events]})
        return len(drafts)

    async def _cells(
        self, tx: Tx, agency_id: str, payment_ids: Sequence[str]
    ) -> dict[str, PayerCells]:
        return await PayerKeys(self.vault).of(tx, agency_id, payment_ids)

    async def _seal(self, agency_id: str, keys: list[Any]) -> int:
        """Sign, and say so in the transaction that keeps the signed bytes."""
        signers = await self.keys.all_of(agency_id)
        async with self.store.begin() as tx:
            rows = await tx.rows(_CLAIM_UNSEALED, {"agency": agency_id, "keys": keys})
            cells = await self._cells(tx, agency_id, [row["payment_id"] for row in rows])
            sealed = await asyncio.to_thread(_sealed, rows, cells, signers)
            now = self.store.clock.now()
            made = [records.sealed(r, xml, now, is_proved=s.has_issuer) for r, s, xml in sealed]
            await self.high_water.keep(agency_id, made)
            await tx.run(_KEPT, {
                "agency": agency_id, "now": now,
                "ids": [row["id"] for row, *_ in sealed], "xmls": [xml for *_, xml in sealed],
                "proven": [signer.has_issuer for _, signer, _ in sealed],
            })  # fmt: skip
            told: list[Told] = []
            for row, *_ in sealed:
                told.append(self._told("receipt.issued", row))
                if row["replaces_id"]:
                    told.append(self._told("receipt.replaced", await _former(tx, row)))
            await emit_each(tx, agency_id, told)
        return len(sealed)

    def _told(self, kind: str, row: Row) -> Told:
        """Tell of a receipt as ``GET`` shows it."""
        shown = receipt_view(row, self.store.public_url)
        return row["payment_id"], kind, shown | {"payment_id": row["payment_id"]}

    async def _draw(self, agency_id: str, keys: list[Any]) -> int:
        """Draw the PDF; typst works in a thread and lets the loop go on."""
        c = t.receipt.c
        wants = await self._settings(agency_id)
        signers = await self.keys.all_of(agency_id) if wants.get(SIGNS_PDF) else {}
        async with self.store.begin() as tx:
            rows = await tx.rows(_CLAIM_UNDRAWN, {"agency": agency_id, "keys": keys})
            proven = await proofs(tx, agency_id, [row["leaf_index"] for row in rows])
            brand = await brand_of(tx, agency_id)
            for row in rows:
                pdf = await asyncio.to_thread(
                    drawn, bytes(row["xml"]), proven[row["leaf_index"]], row["signed_at"], signers,
                    brand,
                )  # fmt: skip
                await tx.run(
                    t.receipt.update()
                    .where(c.agency_id == agency_id, c.id == row["id"])
                    .values(pdf=pdf)
                )
                if wants.get(MAILS):
                    mail = mail_row(self.store, agency_id, row["id"], AGENCY)
                    await tx.run(t.receipt_mail.insert(), mail)
        return len(rows)

    async def _settings(self, agency_id: str) -> dict[str, Any]:
        async with self.store.begin() as tx:
            row = await tx.row(select(t.agency.c.settings).where(t.agency.c.id == agency_id))
        return dict(row["settings"]) if row else {}


async def _former(tx: Tx, successor: Row) -> Row:
    """Find the receipt that one replaces, as it stands now that its successor is signed."""
    c = t.receipt.c
    former = await tx.row(
        select(t.receipt, REPLACED_BY).where(
            c.agency_id == successor["agency_id"], c.id == successor["replaces_id"]
        )
    )
    if former is None:
        raise LookupError(successor["replaces_id"])
    return former


def _sealed(
    rows: Iterable[Row], cells: Mapping[str, PayerCells], signers: dict[str, Signer]
) -> list[tuple[Row, Signer, bytes]]:
    """Seal what can be sealed; what a token that is away would sign waits for it."""
    made, away = [], set()
    for row in rows:
        known = secrets_of(row, cells[row["payment_id"]])
        receipt = Receipt.of(row["content"], known.payer_name)
        signer = signers[receipt.certificate_sha256]
        if signer.id in away:
            continue
        try:
            made.append((row, signer, signer.seal(write(receipt))))
        except CannotSignError as error:
            log.error("receipts: %s are not sealed: %s", signer.id, error)  # noqa: TRY400 - the same.
            away.add(signer.id)
    return made
