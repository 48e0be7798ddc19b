"""What is put right about a receipt: one person asks, another decides, and nothing is ever edited.

A wrong text leaves the receipt standing and makes a notice of error (TT 91/2026/TT-BTC art. 20,
form 04/SS-CTDT). A wrong amount or tax code makes a replacement that points back. How a refund
shows on receipts was not found in any text, so it is a setting of the agency. Numbers are given by
the worker (``replacing``): whoever holds the web process signs no receipt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import FieldError, Refusal
from gateway.domain.money import figures
from gateway.domain.texts import is_strange, one_line, reason_of
from gateway.ports.vault import Vault
from gateway.services.payer_keys import PayerKeys
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx

reason_chars_max: Final = 300
text_chars_max: Final = 500  # As long as one text on a receipt can be.
shown_max: Final = 50  # Corrections that wait, on one page.
CAUSES: Final = ("text", "amount", "tax_code")  # What people ask for; a refund asks by itself.
# What may be wrong without another receipt: everything but amounts and the tax code.
TEXTS: Final = (
    "payer", "address", "dossier", "procedure", "line", "branch", "agency_name", "agency_address",
)  # fmt: skip

_ONE: Final = text(
    "SELECT r.*, (SELECT s.id FROM receipt s WHERE s.agency_id = r.agency_id"
    " AND s.replaces_id = r.id) AS successor_id FROM receipt r"
    " WHERE r.agency_id = :agency AND r.id = :id"
)
# Both ways along the chain: what it replaces, and what replaces it.
_CHAIN: Final = text(
    "WITH RECURSIVE back AS (SELECT id, replaces_id FROM receipt WHERE agency_id = :agency"
    " AND id = :id UNION ALL SELECT r.id, r.replaces_id FROM receipt r JOIN back b"
    " ON r.agency_id = :agency AND r.id = b.replaces_id), forth AS (SELECT id FROM receipt"
    " WHERE agency_id = :agency AND id = :id UNION ALL SELECT r.id FROM receipt r JOIN forth f"
    " ON r.agency_id = :agency AND r.replaces_id = f.id)"
    " SELECT id, form, series, number, kind, amount, issued_on, replaces_id, verify_code,"
    " xml IS NOT NULL AS is_sealed FROM receipt WHERE agency_id = :agency"
    " AND (id IN (SELECT id FROM back) OR id IN (SELECT id FROM forth)) ORDER BY numbered_at, id"
)
_OF_CHAIN: Final = text(
    "SELECT c.*, r.series, r.number FROM correction c JOIN receipt r ON r.agency_id = c.agency_id"
    " AND r.id = c.receipt_id WHERE c.agency_id = :agency AND c.receipt_id = ANY(:ids)"
    " ORDER BY c.asked_at, c.id"
)
_WAITING: Final = text(
    "SELECT c.id, c.receipt_id, c.cause, c.reason, c.asked_by, c.asked_at, r.series, r.number,"
    " r.kind, r.amount FROM correction c JOIN receipt r ON r.agency_id = c.agency_id"
    " AND r.id = c.receipt_id WHERE c.agency_id = :agency AND c.state = 'asked'"
    " ORDER BY c.id LIMIT :rows"
)
# Refunds that ended and that no receipt of the chain tells of.
_UNTOLD: Final = text(
    "SELECT f.id, f.amount, f.parts, f.reason, f.requested_by, f.ended_at FROM refund f"
    " WHERE f.agency_id = :agency AND f.payment_id = :payment AND f.state = 'done'"
    " AND f.source = 'debt' AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.agency_id ="
    " f.agency_id AND c.refund_id = f.id AND c.receipt_id = ANY(:ids) AND c.state <> 'refused')"
    " ORDER BY f.ended_at, f.id"
)
_LOCKED: Final = text("SELECT * FROM correction WHERE agency_id = :agency AND id = :id FOR UPDATE")


@dataclass(frozen=True, slots=True)
class Story:
    """One receipt, the chain that it is part of, and what was asked about it."""

    receipt: Row
    chain: Sequence[Row]
    corrections: Sequence[Row]
    untold: Sequence[Row]  # Refunds that no receipt tells of yet, and that touch this one.
    tax_code: str  # The agency's, as it stands now.

    @property
    def is_in_force(self) -> bool:
        """Tell whether it is signed and nothing replaces it, nor is about to."""
        about_to = any(
            c["receipt_id"] == self.receipt["id"] and c["state"] == "agreed"
            and c["cause"] != "text" and c["successor_id"] is None
            for c in self.corrections
        )  # fmt: skip
        return self.receipt["xml"] is not None and not self.receipt["successor_id"] and not about_to


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody says is wrong, and how it should be."""

    cause: str
    reason: str
    texts: Mapping[str, str]  # The right words, by which of them is wrong.
    amounts: Sequence[int]  # Of each line, in its order.
    refund_id: str | None = None


@dataclass(frozen=True, slots=True)
class Corrections:
    """Asks, decides and shows."""

    store: Store
    vault: Vault

    async def story(self, agency_id: str, receipt_id: str) -> Story:
        """Give a receipt with everything that was put right about it."""
        async with self.store.begin() as tx:
            return await _story(tx, agency_id, receipt_id)

    async def waiting(self, agency_id: str) -> Sequence[Row]:
        """List what waits for a second person."""
        async with self.store.begin() as tx:
            return await tx.rows(_WAITING, {"agency": agency_id, "rows": shown_max})

    async def ask(self, agency_id: str, receipt_id: str, wanted: Wanted, actor: str) -> str:
        """Ask to put a receipt right; give the correction's id. Raises Refusal."""
        now, correction_id = self.store.clock.now(), self.store.clock.new_id("cor")
        async with self.store.begin() as tx:
            story = await _story(tx, agency_id, receipt_id)
            row: dict[str, Any] = {
                "agency_id": agency_id, "id": correction_id, "receipt_id": receipt_id,
                "cause": wanted.cause, "state": "asked",
                "reason": reason_of(wanted.reason, reason_chars_max),
                "said": _said(story, wanted), "asked_by": actor, "asked_at": now,
                "refund_id": wanted.refund_id,
            }  # fmt: skip
            if wanted.cause == "text":
                plain = json.dumps(_texts(wanted), ensure_ascii=False, sort_keys=True).encode()
                payment_id = story.receipt["payment_id"]
                await tx.payment(agency_id, payment_id, lock=True)
                cells = await PayerKeys(self.vault).to_seal(tx, agency_id, payment_id)
                row["text_sealed"] = cells.seal(f"correction|{correction_id}|text", plain)
            if not await tx.run(insert(t.correction).on_conflict_do_nothing(), row):
                raise Refusal("invalid-request", "The same was asked already; it waits.")
            await tx.note(agency_id, actor, "correction.ask", receipt_id)
        return correction_id

    async def decide(self, agency_id: str, correction_id: str, actor: str, *, agree: bool) -> str:
        """Agree or refuse, as a second person; give the receipt's id. Raises Refusal."""
        now, c = self.store.clock.now(), t.correction.c
        async with self.store.begin() as tx:
            row = await tx.row(_LOCKED, {"agency": agency_id, "id": correction_id})
            if row is None:
                raise Refusal("not-found", "There is no such correction in this agency.")
            if row["asked_by"] == actor:
                raise Refusal("same-person", "Somebody else must decide what you asked for.")
            if row["state"] != "asked":
                raise Refusal("invalid-request", "It is decided already.")
            if agree and row["cause"] in ("amount", "tax_code"):
                story = await _story(tx, agency_id, row["receipt_id"])
                _in_force(story)
            values: dict[str, Any] = {
                "state": "agreed" if agree else "refused", "decided_by": actor, "decided_at": now,
            }  # fmt: skip
            if agree and row["cause"] == "text":
                values["noticed_on"] = hanoi_day(now)
            here = (c.agency_id == agency_id) & (c.id == correction_id)
            await tx.run(t.correction.update().where(here).values(values))
            what = "correction.agree" if agree else "correction.refuse"
            await tx.note(agency_id, actor, what, row["receipt_id"])
        return str(row["receipt_id"])

    async def texts(
        self, agency_id: str, correction_id: str, actor: str
    ) -> tuple[dict[str, str] | None, str]:
        """Give the right words of a notice of error (None once erased) and its receipt.

        The reading is noted.
        """
        c = t.correction.c
        async with self.store.begin() as tx:
            row = await tx.row(
                select(t.correction, t.receipt.c.payment_id)
                .join(t.receipt, (t.receipt.c.agency_id == c.agency_id)
                      & (t.receipt.c.id == c.receipt_id))
                .where(c.agency_id == agency_id, c.id == correction_id)
            )  # fmt: skip
            if row is None or row["text_sealed"] is None:
                raise Refusal("not-found", "There is no such notice of error in this agency.")
            await tx.note(agency_id, actor, "correction.read", row["receipt_id"])
            keys = await PayerKeys(self.vault).of(tx, agency_id, [row["payment_id"]])
        place = f"correction|{correction_id}|text"
        plain = keys[row["payment_id"]].open(place, bytes(row["text_sealed"]))
        said: dict[str, str] | None = json.loads(plain) if plain is not None else None
        return said, str(row["receipt_id"])


async def _story(tx: Tx, agency_id: str, receipt_id: str) -> Story:
    asked = {"agency": agency_id, "id": receipt_id}
    receipt = await tx.row(_ONE, asked)
    if receipt is None:
        raise Refusal("not-found", "There is no such receipt in this agency.")
    chain = await tx.rows(_CHAIN, asked)
    ids = [r["id"] for r in chain]
    corrections = await tx.rows(_OF_CHAIN, {"agency": agency_id, "ids": ids})
    payment = await tx.payment(agency_id, receipt["payment_id"])
    agency = await tx.row(select(t.agency.c.tax_code).where(t.agency.c.id == agency_id))
    if payment is None or agency is None:
        raise LookupError(receipt_id)
    refunds = await tx.rows(
        _UNTOLD, {"agency": agency_id, "payment": receipt["payment_id"], "ids": ids}
    )
    untold = [f for f in refunds if part_of(f["parts"], payment.lines, receipt["kind"])]
    return Story(receipt, chain, corrections, untold, agency["tax_code"])


def part_of(parts: Sequence[int], lines: Sequence[Any], kind: str) -> int:
    """Say how much of a refund belongs to the lines of one kind, in đồng."""
    return sum(p for p, line in zip(parts, lines, strict=True) if line.kind == kind)


def _in_force(story: Story) -> None:
    if not story.is_in_force:
        raise Refusal(
            "receipt-replaced", "It is replaced, or about to be; correct the one in force."
        )


def _said(story: Story, wanted: Wanted) -> dict[str, Any]:
    """Check what is asked against the receipt; give what is kept in the open. Raises Refusal."""
    if wanted.cause == "text":
        return {"texts": sorted(_texts(wanted))}
    _in_force(story)
    content = story.receipt["content"]
    if wanted.cause == "tax_code":
        if story.tax_code == content["agency_tax_code"]:
            raise Refusal(
                "invalid-request",
                "The receipt has the tax code that the agency has now; change the agency's first.",
            )
        return {"tax_code": story.tax_code}
    if wanted.cause == "refund":
        if wanted.refund_id not in {f["id"] for f in story.untold}:
            raise Refusal("invalid-request", "No such refund is left that this receipt lacks.")
        return {}
    return {"amounts": list(_amounts(content, wanted.amounts))}


def _amounts(content: Mapping[str, Any], amounts: Sequence[int]) -> Sequence[int]:
    """Check new amounts of the lines: a receipt says what was collected, so their sum stays."""
    lines, whole = content["lines"], content["amount"]
    if len(amounts) != len(lines) or any(a < 0 for a in amounts):
        raise Refusal("invalid-request", f"Give an amount for each of the {len(lines)} lines.")
    if sum(amounts) != whole:
        raise Refusal(
            "invalid-request",
            f"Together they must stay {figures(whole)} đồng, which is what was collected and is in"
            " the books. Where too much was collected, ask for a refund; its replacement follows.",
        )
    if [x["amount"] for x in lines] == list(amounts):
        raise Refusal("invalid-request", "These are the amounts that it has.")
    return amounts


def _texts(wanted: Wanted) -> dict[str, str]:
    clean = {k: one_line(v) for k, v in wanted.texts.items()}
    kept = {k: v for k, v in clean.items() if v}
    if not kept:
        raise Refusal("invalid-request", "Write the right words for what is wrong.")
    wrong = [
        FieldError(f"/{k}", f"It takes 1 to {text_chars_max} printable characters.")
        for k, v in kept.items()
        if k not in TEXTS or len(v) > text_chars_max or is_strange(v)
    ]
    if wrong:
        raise Refusal("invalid-request", "Some of the words cannot be taken.", tuple(wrong))
    return kept
