"""Whom a certificate comes from, and whether it was taken back: paths, OCSP answers and CRLs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp, verification
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID

from receipts.proof import Values

depth_max: Final = 5  # Authorities between a certificate and its root: one or two.
skew: Final = timedelta(minutes=5)  # Between an authority's clock and a time-stamp's.
Certificates = Sequence[x509.Certificate]
_UNREADABLE: Final = (
    ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound,
)  # fmt: skip
_ANY: Final = verification.Criticality.AGNOSTIC


class ChainError(Exception):
    """A certificate comes from nobody trusted, or nothing shows whether it was taken back."""


def path(leaf: x509.Certificate, others: Certificates, anchors: Certificates, at: datetime
) -> list[x509.Certificate]:  # fmt: skip
    """Give the way from a certificate to one that is trusted, at a moment. Raises ChainError."""
    if not anchors:
        raise ChainError("No authority is trusted.")
    any_leaf = verification.ExtensionPolicy.permit_all()
    authority = any_leaf.require_present(x509.BasicConstraints, _ANY, _is_authority)
    authority = authority.may_be_present(x509.KeyUsage, _ANY, _may_issue)
    builder = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(at)
    builder = builder.max_chain_depth(depth_max)
    builder = builder.extension_policies(ca_policy=authority, ee_policy=any_leaf)
    try:
        return builder.build_client_verifier().verify(leaf, list(others)).chain
    except verification.VerificationError:
        raise ChainError("It comes from no authority that is trusted.") from None


def _is_authority(_: object, __: x509.Certificate, said: x509.BasicConstraints) -> None:
    if not said.ca:
        raise ValueError("not an authority")


def _may_issue(_: object, __: x509.Certificate, said: x509.KeyUsage | None) -> None:
    if said is not None and not said.key_cert_sign:
        raise ValueError("an authority that may not issue")


@dataclass(frozen=True, slots=True)
class Where:
    """Where a certificate says that it can be asked about."""

    ocsp: tuple[str, ...]
    crl: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Tell whether there is anybody to ask."""
        return bool(self.ocsp or self.crl)


def where(certificate: x509.Certificate) -> Where:
    """Read the addresses of OCSP and of CRLs."""
    at = certificate.extensions
    try:
        access = at.get_extension_for_class(x509.AuthorityInformationAccess).value
        asked = [d.access_location for d in access if d.access_method == Access.OCSP]
    except x509.ExtensionNotFound:
        asked = []
    try:
        points = at.get_extension_for_class(x509.CRLDistributionPoints).value
        lists = [name for point in points for name in point.full_name or ()]
    except x509.ExtensionNotFound:
        lists = []
    return Where(_urls(asked), _urls(lists))


def _urls(names: Sequence[x509.GeneralName]) -> tuple[str, ...]:
    found = (n.value for n in names if isinstance(n, x509.UniformResourceIdentifier))
    return tuple(url for url in found if url.startswith(("http://", "https://")))


def ocsp_question(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """Ask after a certificate; SHA-1 only names it, and is what every responder knows."""
    builder = ocsp.OCSPRequestBuilder()
    asked = builder.add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303 - a name.
    return asked.build().public_bytes(Encoding.DER)


def revoked_at(certificate: x509.Certificate, issuer: x509.Certificate, values: Values, at: datetime
) -> datetime | None:  # fmt: skip
    """Say when a certificate was taken back, if it was; by evidence that speaks of that moment.

    Raises ChainError where there is none.
    """
    found = [_by_ocsp(certificate, issuer, x, at) for x in values.ocsps]
    found += [_by_crl(certificate, issuer, x, at) for x in values.crls]
    said = [x for x in found if x is not None]
    if not said:
        raise ChainError("Nothing shows whether a certificate was taken back.")
    return min((x.revoked_at for x in said if x.revoked_at is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Said:
    revoked_at: datetime | None


def _speaks_of(at: datetime, since: datetime, until: datetime | None) -> bool:
    """Tell whether evidence counts for a moment: it is newer, or was still the newest then."""
    return since >= at - skew or (until is not None and since <= at <= until)


def _by_ocsp(certificate: x509.Certificate, issuer: x509.Certificate, data: bytes, at: datetime
) -> _Said | None:  # fmt: skip
    try:
        said = ocsp.load_der_ocsp_response(data)
        if said.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        asked = ocsp.load_der_ocsp_request(ocsp_question(certificate, issuer))
        about = (said.serial_number, said.issuer_key_hash, said.issuer_name_hash)
        if about != (asked.serial_number, asked.issuer_key_hash, asked.issuer_name_hash):
            return None
        _require_signed(said, issuer, at)
        if said.certificate_status is ocsp.OCSPCertStatus.REVOKED:
            return _Said(said.revocation_time_utc)  # What was taken back stays so.
        is_good = said.certificate_status is ocsp.OCSPCertStatus.GOOD
        if is_good and _speaks_of(at, said.this_update_utc, said.next_update_utc):
            return _Said(None)
    except _UNREADABLE:
        pass  # It shows nothing, whatever it is; somebody else's answer may.
    return None


def _require_signed(said: ocsp.OCSPResponse, issuer: x509.Certificate, at: datetime) -> None:
    """Check that the issuer answered, or somebody whom it lets answer. Raises InvalidSignature."""
    signer = issuer
    for held in said.certificates:
        if held == issuer:
            continue
        held.verify_directly_issued_by(issuer)
        use = held.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_in_time = held.not_valid_before_utc - skew <= at < held.not_valid_after_utc
        if ExtendedKeyUsageOID.OCSP_SIGNING in use and is_in_time:
            signer = held
    key, how = signer.public_key(), said.signature_hash_algorithm
    if how is None:
        raise InvalidSignature
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(said.signature, said.tbs_response_bytes, padding.PKCS1v15(), how)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(said.signature, said.tbs_response_bytes, ec.ECDSA(how))
    else:
        raise InvalidSignature


def _by_crl(certificate: x509.Certificate, issuer: x509.Certificate, data: bytes, at: datetime
) -> _Said | None:  # fmt: skip
    try:
        said = x509.load_der_x509_crl(data)
        if said.issuer != issuer.subject or not said.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type] # any key that can issue.
            return None
        entry = said.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None:
            return _Said(entry.revocation_date_utc)
        if _speaks_of(at, said.last_update_utc, said.next_update_utc):
            return _Said(None)
    except _UNREADABLE:
        pass  # The same.
    return None
