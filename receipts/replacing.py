"""Replacements get their numbers here: of what two people agreed to, and of money given back.

One transaction numbers one replacement, under the lock of its series, as any receipt. What comes
out is sealed and drawn with all the others. The receipt that is replaced is never touched: it is
not in force any more because another one points back at it, and can be pointed at only once.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import TextClause, insert, select, text

from gateway.domain.calendar import hanoi_day
from gateway.domain.ids import letters
from gateway.domain.refund import share_out
from gateway.ports.vault import Vault
from gateway.services.agencies import REPLACED_FROM
from gateway.services.payer_keys import PayerKeys
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts import records
from receipts.corrections import part_of
from receipts.draft import require_writable, secrets_of, token_letters, verify_code_letters
from receipts.high_water import HighWater, year_keys
from receipts.keys import Keys
from receipts.log.journal import Journal
from receipts.numbering import ForgottenError, Numbering
from receipts.outside import Outside
from receipts.receipt import Line, Receipt, Replaced, total_in_words
from receipts.rules import rules_on
from receipts.seal import Signer
from receipts.signing import CannotSignError

page: Final = 25  # What waits is gone through whole, however much of it cannot be done.
SUPERSEDED: Final = "rule:superseded"  # Agreed to, but another replacement came first.
log: Final = logging.getLogger("thuphi.receipts")

# A refund that ended since its agency wants it seen on receipts, and that none tells of.
_REFUNDED: Final = text(
    "SELECT f.agency_id, f.id, f.payment_id FROM refund f JOIN agency a ON a.id = f.agency_id"
    " WHERE f.state = 'done' AND f.source = 'debt' AND a.settings ->> :setting IS NOT NULL"
    " AND (f.ended_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date >= (a.settings ->> :setting)::date"
    " AND EXISTS (SELECT 1 FROM receipt r WHERE r.agency_id = f.agency_id"
    " AND r.payment_id = f.payment_id) AND NOT EXISTS (SELECT 1 FROM receipt r WHERE"
    " r.agency_id = f.agency_id AND r.payment_id = f.payment_id AND r.xml IS NULL)"
    " AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.agency_id = f.agency_id"
    " AND c.refund_id = f.id) AND f.id > :after ORDER BY f.id LIMIT :page"
).bindparams(setting=REPLACED_FROM)
_REFUND: Final = text(
    "SELECT * FROM refund f WHERE agency_id = :agency AND id = :id AND NOT EXISTS (SELECT 1 FROM"
    " correction c WHERE c.agency_id = f.agency_id AND c.refund_id = f.id)"
    " FOR NO KEY UPDATE SKIP LOCKED"
)
_HEADS: Final = text(
    "SELECT id, kind FROM receipt r WHERE agency_id = :agency AND payment_id = :payment"
    " AND NOT EXISTS (SELECT 1 FROM receipt s WHERE s.agency_id = r.agency_id"
    " AND s.replaces_id = r.id)"
)
_AGREED: Final = text(
    "SELECT agency_id, id FROM correction WHERE state = 'agreed' AND cause <> 'text'"
    " AND successor_id IS NULL AND id > :after ORDER BY id LIMIT :page"
)
_CLAIM: Final = text(
    "SELECT * FROM correction WHERE agency_id = :agency AND id = :id AND state = 'agreed'"
    " AND successor_id IS NULL FOR UPDATE SKIP LOCKED"
)
# The end of the chain that a receipt is part of.
_HEAD: Final = text(
    "WITH RECURSIVE forth AS (SELECT id, 0 AS n FROM receipt WHERE agency_id = :agency AND id = :id"
    " UNION ALL SELECT r.id, f.n + 1 FROM receipt r JOIN forth f ON r.agency_id = :agency"
    " AND r.replaces_id = f.id) SELECT r.* FROM receipt r JOIN forth f ON r.id = f.id"
    " WHERE r.agency_id = :agency ORDER BY f.n DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class Replacing:
    """Makes replacements."""

    store: Store
    vault: Vault
    keys: Keys
    outside: Outside

    async def run(self) -> int:
        """Ask for what refunds bring, then number what is agreed; count the replacements."""
        await self._each(_REFUNDED, self._follow)
        return await self._each(_AGREED, self._replace)

    async def _each(self, waiting: TextClause, do: Callable[[Row], Awaitable[int]]) -> int:
        """Do what waits, each by itself: one that cannot be done stops no other."""
        done, after = 0, ""
        away: set[str] = set()  # Agencies of which none can be done now.
        while True:
            async with self.store.begin() as tx:
                rows = await tx.rows(waiting, {"after": after, "page": page})
            if not rows:
                return done
            after = rows[-1]["id"]
            for row in [r for r in rows if r["agency_id"] not in away]:
                try:
                    done += await do(row)
                except (CannotSignError, ForgottenError) as error:
                    away.add(row["agency_id"])
                    log.error("receipts: %s replaces none: %s", row["agency_id"], error)  # noqa: TRY400 - its sentence says all.
                except Exception:
                    log.exception("receipts: %s failed for %s", do.__name__, row["id"])

    async def _follow(self, found: Row) -> int:
        """Ask to replace each receipt that a refund touches.

        The two people of the refund are those of the replacement; where a limit of the agency
        spared the second, one is waited for.
        """
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            asked = {"agency": found["agency_id"], "id": found["id"]}
            refund = await tx.row(_REFUND, asked)
            payment = await tx.payment(found["agency_id"], found["payment_id"])
            if refund is None or payment is None:
                return 0
            by = refund["decided_by"]
            is_agreed = bool(by) and not by.startswith("rule:") and by != refund["requested_by"]
            heads = await tx.rows(_HEADS, {"agency": found["agency_id"], "payment": payment.id})
            for head in heads:
                if not part_of(refund["parts"], payment.lines, head["kind"]):
                    continue
                await tx.run(insert(t.correction), {
                    "agency_id": found["agency_id"], "id": self.store.clock.new_id("cor"),
                    "receipt_id": head["id"], "cause": "refund", "refund_id": refund["id"],
                    "state": "agreed" if is_agreed else "asked", "reason": refund["reason"],
                    "said": {}, "asked_by": refund["requested_by"], "asked_at": now,
                    "decided_by": by if is_agreed else None,
                    "decided_at": now if is_agreed else None,
                })  # fmt: skip
        return 1

    async def _replace(self, row: Row) -> int:
        signer = await self.keys.current(row["agency_id"])
        log_name = await Journal(self.store, self.vault, self.outside).open(row["agency_id"])
        async with self.store.begin() as tx:
            correction = await tx.row(_CLAIM, {"agency": row["agency_id"], "id": row["id"]})
            if correction is None:
                return 0
            agency_id, c = correction["agency_id"], t.correction.c
            here = (c.agency_id == agency_id) & (c.id == correction["id"])
            head = await tx.row(_HEAD, {"agency": agency_id, "id": correction["receipt_id"]})
            if head is None or head["xml"] is None:
                return 0  # The one before it is not sealed yet; the next run comes.
            if correction["cause"] != "refund" and head["id"] != correction["receipt_id"]:
                gone = {"state": "refused", "decided_by": SUPERSEDED}
                await tx.run(t.correction.update().where(here).values(gone))
                await tx.note(agency_id, SUPERSEDED, "correction.refuse", head["id"])
                return 0
            lines = await _lines(tx, correction, head)
            made = await self._number(tx, head, lines, correction["cause"], (signer, log_name))
            await tx.run(t.receipt.insert(), made)
            await tx.run(t.correction.update().where(here).values(successor_id=made["id"]))
            await tx.note(agency_id, "worker", "receipt.replace", head["id"])
            await self._keep(tx, made, {**correction, "successor_id": made["id"]})
        return 1

    async def _keep(self, tx: Tx, made: Row, correction: Row) -> None:
        payment = await tx.payment(made["agency_id"], made["payment_id"])
        if payment is None:
            raise LookupError(made["id"])
        kept = await year_keys(tx, payment.agency_id, [payment.id])
        kept.append(records.numbered(made, payment, correction))
        await HighWater(self.store, self.outside).keep(payment.agency_id, kept)

    async def _number(
        self,
        tx: Tx,
        head: Row,
        lines: tuple[Line, ...],
        cause: str,
        seal: tuple[Signer, str],
    ) -> dict[str, Any]:
        """Build the replacement's row; ``seal`` is who signs, and the log that it is a leaf of."""
        signer, log_name = seal
        clock, agency_id = self.store.clock, head["agency_id"]
        now = clock.now()
        rules = rules_on(hanoi_day(now))
        keys = await PayerKeys(self.vault).of(tx, agency_id, [head["payment_id"]])
        cells = keys[head["payment_id"]]
        known = secrets_of(head, cells)  # The payer stays who they were, unless they were erased.
        former = Receipt.of(head["content"], known.payer_name)
        payment = await tx.payment(agency_id, head["payment_id"])
        agency = await tx.row(select(t.agency).where(t.agency.c.id == agency_id))
        if payment is None or agency is None:
            raise LookupError(head["id"])
        place = (payment.branch_id, head["kind"])
        numbering = Numbering(tx, agency_id, rules, now, self.outside.marks(agency_id))
        book = (await numbering.open(frozenset({place})))[place]
        signer.require_in_force(book.at)
        amount, words = total_in_words(lines)
        code = letters(clock.chance(verify_code_letters))
        receipt = replace(
            former, rules=rules.name, title=rules.title(head["kind"]), form=rules.form,
            series=book.series, number=book.take(), issued_on=hanoi_day(book.at),
            agency_name=agency["name"], agency_tax_code=agency["tax_code"],
            agency_address=agency["address"], lines=lines, amount=amount, amount_in_words=words,
            verify_code=code, verify_url=f"{tx.public_url}/verify/{code}",
            certificate_sha256=signer.fingerprint, log=log_name,
            replaces=Replaced(
                head["form"], head["series"], head["number"], head["issued_on"],
                former.agency_tax_code, cause,
            ),
        )  # fmt: skip
        require_writable(receipt)
        await numbering.close([book])
        receipt_id = clock.new_id("rcp")
        return {
            "agency_id": agency_id, "id": receipt_id, "payment_id": head["payment_id"],
            "kind": receipt.kind, "form": receipt.form, "series": receipt.series,
            "number": receipt.number, "amount": amount, "issued_on": receipt.issued_on,
            "numbered_at": book.at, "verify_code": code, "replaces_id": head["id"],
            "token": letters(clock.chance(token_letters)),
            "salts_sealed": known.sealed(receipt_id, cells),
            "content": receipt.content(),
        }  # fmt: skip


async def _lines(tx: Tx, correction: Row, head: Row) -> tuple[Line, ...]:
    lines = tuple(Line(**x) for x in head["content"]["lines"])
    if correction["cause"] == "tax_code":
        return lines
    if correction["cause"] == "amount":
        return _with(lines, correction["said"]["amounts"])
    refund = await tx.row(
        select(t.refund.c.parts).where(
            t.refund.c.agency_id == head["agency_id"], t.refund.c.id == correction["refund_id"]
        )
    )
    payment = await tx.payment(head["agency_id"], head["payment_id"])
    if refund is None or payment is None:
        raise LookupError(correction["id"])
    mine = [
        part
        for part, line in zip(refund["parts"], payment.lines, strict=True)
        if line.kind == head["kind"] and line.amount
    ]
    left = [line.amount - part for line, part in zip(lines, mine, strict=True)]
    if min(left) < 0:  # Its lines were put right before: what went back is shared out anew.
        shares = share_out([line.amount for line in lines], sum(mine))
        left = [line.amount - part for line, part in zip(lines, shares, strict=True)]
    return _with(lines, left)


def _with(lines: Sequence[Line], amounts: Sequence[int]) -> tuple[Line, ...]:
    return tuple(replace(x, amount=a) for x, a in zip(lines, amounts, strict=True))
