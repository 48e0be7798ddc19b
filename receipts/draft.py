"""From a paid payment to the receipt that is numbered: what goes on it, and what does not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self

from sqlalchemy import select

from gateway.domain.calendar import hanoi_day
from gateway.domain.ids import letters
from gateway.domain.payment import Payment
from gateway.ports.clock import Clock
from gateway.services.catalogue import name_of
from gateway.services.payer_keys import PayerCells
from gateway.store import tables as t
from gateway.store.tx import Row, Tx
from receipts.numbering import Book, Place
from receipts.receipt import COMMITTED, Line, Receipt, commit, salt_bytes, total_in_words
from receipts.rules import KINDS, RuleSet
from receipts.seal import Signer
from receipts.xml import document_bytes_max, write

text_chars_max: Final = 1_000  # The API takes 300, and an amount in words needs less.
seal_bytes_max: Final = 32_768  # A signature, and a certificate of 16,384 characters.
token_letters: Final = 32  # 160 bits.
verify_code_letters: Final = 16  # 80 bits: nothing to guess, short enough to type.


@dataclass(frozen=True, slots=True)
class Draft:
    """The lines of one fee kind of a paid payment: they get one receipt together."""

    payment: Payment
    kind: str
    lines: tuple[Line, ...]

    @property
    def place(self) -> Place:
        """Say which series it is numbered in."""
        return self.payment.branch_id, self.kind


def drafts_of(payment: Payment) -> list[Draft]:
    """Give one draft for each kind that costs something; what is free takes no number."""
    drafts = []
    for kind in KINDS:
        lines = tuple(
            Line(x.code, x.name, x.amount, x.budget_line)
            for x in payment.lines
            if x.kind == kind and x.amount
        )
        if lines:
            drafts.append(Draft(payment, kind, lines))
    return drafts


def require_writable(receipt: Receipt) -> None:
    """Refuse what could not be sealed, or not be read again: it must not take a number.

    Raises ValueError, which names the part and quotes nothing.
    """
    said = {
        "the agency": receipt.agency_name, "its address": receipt.agency_address,
        "the branch": receipt.branch_name, "the dossier": receipt.dossier_id,
        "the procedure": receipt.procedure_name, "the payer": receipt.payer_name or "",
        **{f"line {n}": line.name for n, line in enumerate(receipt.lines, 1)},
    }  # fmt: skip
    for what, words in said.items():
        if len(words) > text_chars_max:
            raise ValueError(f"The text of {what} has more than {text_chars_max} characters.")
    if len(write(receipt)) > document_bytes_max - seal_bytes_max:
        raise ValueError("The receipt is larger than one that can be read.")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who issues, under which rules, with which certificate."""

    agency: Mapping[str, Any]
    branches: Mapping[str, str]
    rules: RuleSet
    fingerprint: str
    public_url: str
    log: str
    chance: Callable[[int], bytes] = field(repr=False)

    def freeze(
        self, draft: Draft, series: str, number: int, on: date, payer: Mapping[str, str]
    ) -> "Frozen":
        """Fix everything that will be signed."""
        code = letters(self.chance(verify_code_letters))
        amount, in_words = total_in_words(draft.lines)
        payment, agency = draft.payment, self.agency
        shown = agency["settings"].get("receipt_shows_payer_name", False)
        name = payer.get("name") if shown else None
        salts = {
            k: self.chance(salt_bytes)
            for k in COMMITTED
            if k in payer and not (k == "name" and name)
        }
        receipt = Receipt(
            rules=self.rules.name, kind=draft.kind, title=self.rules.title(draft.kind),
            form=self.rules.form, series=series, number=number, issued_on=on,
            is_sandbox=agency["is_sandbox"], agency_name=agency["name"],
            agency_tax_code=agency["tax_code"], agency_address=agency["address"],
            branch_name=self.branches[payment.branch_id], dossier_id=payment.dossier_id,
            procedure=payment.procedure,
            procedure_name=name_of(payment.agency_id, payment.procedure)[0],
            reference=payment.reference, lines=draft.lines, amount=amount,
            amount_in_words=in_words, verify_code=code,
            verify_url=f"{self.public_url}/verify/{code}", certificate_sha256=self.fingerprint,
            payer_name=name,
            commitments=tuple(commit(k, payer[k], salt) for k, salt in salts.items()),
            log=self.log,
        )  # fmt: skip
        return Frozen(receipt, Secrets(name, salts))


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the vault keeps: the payer's name, and the salts of the commitments."""

    payer_name: str | None = field(repr=False)
    salts: Mapping[str, bytes] = field(repr=False)

    def plain(self) -> bytes:
        """Write it for the vault."""
        salts = {k: v.hex() for k, v in self.salts.items()}
        return json.dumps({"payer_name": self.payer_name, "salts": salts}).encode()

    def sealed(self, receipt_id: str, cells: PayerCells) -> bytes | None:
        """Seal it by the payment's key; where nothing is known, nothing is kept."""
        if self.payer_name is None and not self.salts:
            return None
        return cells.seal(_place(receipt_id), self.plain())

    @classmethod
    def of(cls, plain: bytes) -> Self:
        """Read what the vault kept."""
        said = json.loads(plain)
        return cls(said["payer_name"], {k: bytes.fromhex(v) for k, v in said["salts"].items()})


def secrets_of(row: Row, cells: PayerCells) -> Secrets:
    """Open the secrets of a receipt's row; none where nothing was known, or it was erased."""
    sealed = row["salts_sealed"]
    plain = cells.open(_place(row["id"]), bytes(sealed)) if sealed is not None else None
    return Secrets.of(plain) if plain is not None else Secrets(None, {})


def _place(receipt_id: str) -> str:
    return f"receipt|{receipt_id}|salts"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A numbered receipt and its secrets."""

    receipt: Receipt
    secrets: Secrets


def numbered(
    draft: Draft, issuer: Issuer, book: Book, cells: PayerCells, clock: Clock
) -> dict[str, Any]:
    """Give a draft its number, and make the row that fixes all that will be signed."""
    payer = _payer(draft.payment, cells)
    frozen = issuer.freeze(draft, book.series, book.take(), hanoi_day(book.at), payer)
    receipt, receipt_id = frozen.receipt, clock.new_id("rcp")
    require_writable(receipt)
    return {
        "agency_id": draft.payment.agency_id, "id": receipt_id,
        "payment_id": draft.payment.id, "kind": receipt.kind, "form": receipt.form,
        "series": receipt.series, "number": receipt.number, "amount": receipt.amount,
        "issued_on": receipt.issued_on, "numbered_at": book.at,
        "verify_code": receipt.verify_code,
        "token": letters(clock.chance(token_letters)),
        "salts_sealed": frozen.secrets.sealed(receipt_id, cells),
        "content": receipt.content(),
    }  # fmt: skip


def _payer(payment: Payment, cells: PayerCells) -> dict[str, str]:
    if payment.payer_sealed is None:
        return {}
    plain = cells.open(f"payment|{payment.id}|payer", payment.payer_sealed)
    payer: dict[str, str] = json.loads(plain) if plain is not None else {}
    return payer


async def issuer_of(
    tx: Tx, agency_id: str, rules: RuleSet, signer: Signer, log_name: str
) -> Issuer:
    """Give what an agency's receipts of today have in common."""
    agency = await tx.row(select(t.agency).where(t.agency.c.id == agency_id))
    if agency is None:
        raise LookupError(agency_id)
    branches = await tx.rows(select(t.branch).where(t.branch.c.agency_id == agency_id))
    return Issuer(
        agency=agency, branches={b["id"]: b["name"] for b in branches}, rules=rules,
        fingerprint=signer.fingerprint, public_url=tx.public_url, log=log_name,
        chance=tx.clock.chance,
    )  # fmt: skip
