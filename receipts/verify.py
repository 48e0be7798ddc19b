"""Check a receipt's file offline: that it is whole, a receipt, and signed by someone trusted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from gateway.domain.calendar import hanoi_day, rfc3339
from receipts.chains import Certificates, ChainError
from receipts.judgement import Evidence, RevokedError, opened, proved_at
from receipts.proof import BrokenProofError, cut, proven_bytes_max
from receipts.receipt import Receipt
from receipts.rules import rules_on
from receipts.seal import BrokenSealError, der_of, fingerprint, open_seal
from receipts.stamps import BrokenStampError
from receipts.xml import HEAD, NotAReceiptError, document_bytes_max, read

certificates_max: Final = 1_000
_NO_RECEIPT: Final = "It is not a receipt: too large, or another beginning."
_WHOLE: Final = "It is whole, but its signer is not among the certificates you trust."


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
    proved_at: datetime | None = None  # When it was there, by a time-stamp that was judged.
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
            "proved_at": rfc3339(self.proved_at) if self.proved_at else None,
            **({"log": self.log, "leaf": self.leaf, "size": self.size} if self.log else {}),
        }  # fmt: skip


def verify(
    data: bytes,
    trusted: Collection[str],
    anchors: Certificates = (),
    now: datetime | None = None,
) -> Finding:
    """Check a receipt against the fingerprints of the certificates one trusts.

    With evidence in the file, and authorities to trust, it is judged by those: what ended or was
    taken back after the time-stamp changes nothing, what was taken back before is not valid.
    """
    if not data.startswith(HEAD) or len(data) > proven_bytes_max:
        return Finding(Verdict.UNREADABLE, _NO_RECEIPT)
    try:
        sealed, proof = cut(data)
        if len(sealed) > document_bytes_max:
            return Finding(Verdict.UNREADABLE, _NO_RECEIPT)
        document, certificate = open_seal(sealed)
        receipt = read(document)
        _require_in_force(certificate, receipt.issued_on)
        _require_possible(receipt)
        evidence = opened(document, sealed, certificate, proof) if proof else None
        found = Finding(Verdict.NOT_TRUSTED, _WHOLE, receipt, receipt.certificate_sha256)
        is_known = found.signer_sha256 in trusted
        return _judged(found, evidence, anchors, now, is_known=is_known)
    except (BrokenSealError, NotAReceiptError, BrokenProofError, BrokenStampError) as error:
        return Finding(Verdict.NOT_VALID, str(error))


def _judged(
    found: Finding, evidence: Evidence | None, anchors: Certificates, now: datetime | None,
    *, is_known: bool,
) -> Finding:  # fmt: skip
    """Ask the evidence first: it may say more, and also worse, than that a signer is known."""
    known = "It is whole and signed by someone you trust."
    if evidence is not None and anchors and now is not None:
        try:
            at = proved_at(evidence, anchors, now)
        except RevokedError as error:
            return replace(found, verdict=Verdict.NOT_VALID, why=str(error))
        except ChainError as error:
            known += f" Its evidence says nothing to you: {error}"
        else:
            why = f"It is whole, and proved to have been there at {rfc3339(at)}."
            return replace(found, verdict=Verdict.VALID, why=why, proved_at=at)
    return replace(found, verdict=Verdict.VALID, why=known) if is_known else found


def _require_possible(receipt: Receipt) -> None:
    """Refuse what the rules of its day could not have given."""
    if not _is_possible(receipt):
        raise NotAReceiptError("The rules of its day give no such form, series and number.")


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


def _require_in_force(certificate: bytes, on: date) -> None:
    loaded = x509.load_der_x509_certificate(certificate)
    first, last = loaded.not_valid_before_utc, loaded.not_valid_after_utc
    if not hanoi_day(first) <= on <= hanoi_day(last):
        raise BrokenSealError("Its certificate was not in force on its day.")


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


def anchors_of(paths: Iterable[Path]) -> list[x509.Certificate]:
    """Read the authorities among what one trusts: files, or folders of them.

    Raises ValueError, OSError.
    """
    found = []
    for path in paths:
        files = sorted(path.glob("*.pem"))[:certificates_max] if path.is_dir() else [path]
        for file in files:
            held = x509.load_pem_x509_certificates(file.read_bytes())
            found += [c for c in held if _is_authority(c)]
    return found


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _of_file(path: Path) -> str:
    try:
        return fingerprint(der_of(path.read_bytes()))
    except ValueError:
        raise ValueError(f"{path.name} is not a certificate in PEM.") from None
