"""Check a receipt's file offline: that it is whole, a receipt, and signed by someone trusted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from gateway.domain.calendar import hanoi_day
from receipts.receipt import Receipt
from receipts.rules import rules_on
from receipts.seal import BrokenSealError, der_of, fingerprint, open_seal
from receipts.xml import HEAD, NotAReceiptError, document_bytes_max, read

certificates_max: Final = 1_000


class Verdict(StrEnum):
    """What a checker is told."""

    VALID = "valid"
    NOT_VALID = "not_valid"
    UNREADABLE = "unreadable"
    NOT_TRUSTED = "not_trusted"


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict, why, and the receipt where there is one to speak of."""

    verdict: Verdict
    why: str
    receipt: Receipt | None = None
    signer_sha256: str = ""
    log: str = ""
    leaf: int | None = None  # In the log, when that was asked and found.
    size: int | None = None

    def facts(self) -> dict[str, Any]:
        """Say which receipt it is; nothing of the payer."""
        r = self.receipt
        if r is None:
            return {}
        return {
            "title": r.title, "form": r.form, "series": r.series, "number": r.number,
            "issued_on": r.issued_on.isoformat(), "agency": r.agency_name,
            "tax_code": r.agency_tax_code, "amount": r.amount, "in_words": r.amount_in_words,
            "verify_code": r.verify_code, "is_sandbox": r.is_sandbox,
            "signer_sha256": self.signer_sha256,
            **({"log": self.log, "leaf": self.leaf, "size": self.size} if self.log else {}),
        }  # fmt: skip


def verify(data: bytes, trusted: Collection[str]) -> Finding:
    """Check a sealed receipt against the fingerprints of the certificates one trusts."""
    if len(data) > document_bytes_max or not data.startswith(HEAD):
        return Finding(Verdict.UNREADABLE, "It is not a receipt: too large, or another beginning.")
    try:
        receipt, signer = _whole(data)
    except (BrokenSealError, NotAReceiptError) as error:
        return Finding(Verdict.NOT_VALID, str(error))
    if signer not in trusted:
        why = "It is whole, but its signer is not among the certificates you trust."
        return Finding(Verdict.NOT_TRUSTED, why, receipt, signer)
    return Finding(Verdict.VALID, "It is whole and signed by someone you trust.", receipt, signer)


def _whole(data: bytes) -> tuple[Receipt, str]:
    document, certificate = open_seal(data)
    receipt = read(document)
    if not _in_force(certificate, receipt.issued_on):
        raise BrokenSealError("Its certificate was not in force on its day.")
    if not _is_possible(receipt):
        raise NotAReceiptError("The rules of its day give no such form, series and number.")
    return receipt, receipt.certificate_sha256


def _is_possible(receipt: Receipt) -> bool:
    """Tell whether the rules of its day give such a number, in such a series of that year."""
    try:
        rules = rules_on(receipt.issued_on)
    except LookupError:
        return False
    return (
        (receipt.rules, receipt.form) == (rules.name, rules.form)
        and rules.is_of(receipt.series, receipt.issued_on.year)
        and 1 <= receipt.number <= rules.number_max
    )


def _in_force(certificate: bytes, on: date) -> bool:
    loaded = x509.load_der_x509_certificate(certificate)
    first, last = loaded.not_valid_before_utc, loaded.not_valid_after_utc
    return hanoi_day(first) <= on <= hanoi_day(last)


def trusted_of(paths: Iterable[Path]) -> frozenset[str]:
    """Read certificates one trusts: files, or folders of them. Raises ValueError, OSError."""
    found: set[str] = set()
    for path in paths:
        found |= trusted_in(path) if path.is_dir() else {_of_file(path)}
    return frozenset(found)


def trusted_in(folder: Path) -> frozenset[str]:
    """Read the certificates of a folder; a folder that is not there holds none."""
    paths = sorted(folder.glob("*.pem"))[:certificates_max] if folder.is_dir() else []
    return frozenset(map(_of_file, paths))


def _of_file(path: Path) -> str:
    try:
        return fingerprint(der_of(path.read_bytes()))
    except ValueError:
        raise ValueError(f"{path.name} is not a certificate in PEM.") from None
