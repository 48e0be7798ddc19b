"""Whether evidence proves a receipt: time-stamps first, then whom they and its signer come from.

A certificate that ended, or was taken back, after its receipt was time-stamped takes nothing from
it; one that was taken back before does. Each time-stamp holds until the next one is made over it,
and the last one as long as its own certificate.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from cryptography import x509

from gateway.domain.calendar import rfc3339
from receipts.chains import Certificates, ChainError, path, revoked_at, where
from receipts.proof import (
    BrokenProofError,
    Proof,
    Values,
    archive_imprint,
    signature_imprint,
)
from receipts.stamps import Stamp, read_stamp


class RevokedError(Exception):
    """The certificate was over, or taken back, before there was a time-stamp."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sealed receipt and what proves it, whole in itself, not yet judged."""

    signer: x509.Certificate
    issuers: tuple[x509.Certificate, ...]
    values: Values | None
    stamps: tuple[Stamp, ...]
    renewed_by: tuple[Values, ...]  # What showed each stamp but the last to be good.


def opened(document: bytes, sealed: bytes, certificate: bytes, proof: Proof) -> Evidence:
    """Open the time-stamps and hold them against what they are over.

    Raises BrokenProofError or BrokenStampError.
    """
    stamps = [read_stamp(proof.token)]
    wanted = [signature_imprint(sealed)]
    for n, renewal in enumerate(proof.renewals):
        before = replace(proof, renewals=proof.renewals[:n])
        stamps.append(read_stamp(renewal.token))
        wanted.append(archive_imprint(document, sealed, before, renewal.values))
    if [s.imprint for s in stamps] != wanted:
        raise BrokenProofError("Its time-stamp is over something else.")
    if any(later.at < former.at for former, later in pairwise(stamps)):
        raise BrokenProofError("Its time-stamps are not in order.")
    renewed = tuple(r.values for r in proof.renewals)
    held = proof.values.certificates if proof.values else ()
    try:
        signer, *known = (x509.load_der_x509_certificate(x) for x in (certificate, *held))
    except ValueError:
        raise BrokenProofError("A certificate in its evidence cannot be read.") from None
    return Evidence(signer, tuple(known), proof.values, tuple(stamps), renewed)


def proved_at(evidence: Evidence, anchors: Certificates, now: datetime) -> datetime:
    """Give the moment at which the receipt is proved to have been there, rightly signed.

    Raises RevokedError where the evidence is against it, ChainError where it is not enough.
    """
    for held in _stamps(evidence, now):
        held.require_trusted(anchors)
    at, signer = evidence.stamps[0].at, evidence.signer
    if not signer.not_valid_before_utc <= at < signer.not_valid_after_utc:
        raise RevokedError(f"It was time-stamped at {rfc3339(at)}, outside its certificate's time.")
    if evidence.values is None:
        raise ChainError("There is a time-stamp, and nothing yet about its certificate.")
    for certificate, issuer in pairwise(path(signer, evidence.issuers, anchors, at)):
        _require_not_revoked(certificate, issuer, evidence.values, at)
    return at


@dataclass(frozen=True, slots=True)
class _Held:
    """A time-stamp, until when it must hold, and what showed it then."""

    stamp: Stamp
    until: datetime
    values: Values | None

    def require_trusted(self, anchors: Certificates) -> None:
        stamp = self.stamp
        for at in (stamp.at, self.until):
            chain = path(stamp.signer, stamp.certificates, anchors, at)
        if self.values is None:
            return  # The last one: nobody has asked yet.
        for certificate, issuer in pairwise(chain):
            if where(certificate).any:
                _require_not_revoked(certificate, issuer, self.values, self.until)


def _stamps(evidence: Evidence, now: datetime) -> Iterator[_Held]:
    ends = [*(s.at for s in evidence.stamps[1:]), now]
    showed = [*evidence.renewed_by, None]
    for stamp, until, values in zip(evidence.stamps, ends, showed, strict=True):
        yield _Held(stamp, until, values)


def _require_not_revoked(
    certificate: x509.Certificate, issuer: x509.Certificate, values: Values, at: datetime
) -> None:
    revoked = revoked_at(certificate, issuer, values, at)
    if revoked is not None and revoked <= at:
        raise RevokedError(
            f"A certificate was taken back at {rfc3339(revoked)}, before the time-stamp of"
            f" {rfc3339(at)}."
        )
