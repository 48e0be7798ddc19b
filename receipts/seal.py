"""The seal: an enveloped XML-DSig (RSA or P-256, SHA-256, exclusive C14N) around canonical bytes.

The document is already its own canonical form and the signature has one shape, so signing is two
hashes and one signature, and checking is putting the file together again from its parts and
comparing every byte. ``xmlsec1`` and ``signxml`` read it as any other XML signature.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from gateway.domain.calendar import rfc3339
from receipts.signing import (
    CannotSignError,
    SigningKey,
    UnfitKeyError,
    algorithm_of,
    check,
    key_bits,
    soft_key,
)
from receipts.xml import TAIL

test_certificate_days: Final = 3_653  # As long as receipts are kept.
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INFO: Final = (
    f'<CanonicalizationMethod Algorithm="{_EXCLUSIVE}"></CanonicalizationMethod>'
    '<SignatureMethod Algorithm="%s">'
    '</SignatureMethod><Reference URI=""><Transforms>'
    f'<Transform Algorithm="{_DSIG}enveloped-signature"></Transform>'
    f'<Transform Algorithm="{_EXCLUSIVE}"></Transform></Transforms>'
    '<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>'
    "<DigestValue>%s</DigestValue></Reference>"
)
_OPEN: Final = b"<DSCKS>"
_VALUES: Final = re.compile(
    rb"<SignatureValue>([A-Za-z0-9+/=]{1,1024})</SignatureValue>.*"
    rb"<X509Certificate>([A-Za-z0-9+/=]{1,16384})</X509Certificate>"
)


class BrokenSealError(Exception):
    """The seal does not hold: the bytes are not the ones that were signed."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate and its key."""

    id: str
    certificate: bytes  # DER
    algorithm: str
    key: SigningKey = field(repr=False)
    has_issuer: bool = False  # Who issued it is known, so it can be proved for ten years.

    @classmethod
    def of(cls, key_id: str, certificate_pem: str, key_der: bytes) -> Self:
        """Load from what is stored."""
        return cls.by(key_id, certificate_pem, soft_key(key_der))

    @classmethod
    def by(
        cls, key_id: str, certificate_pem: str, key: SigningKey, *, has_issuer: bool = False
    ) -> Self:
        """Sign with this key, wherever it is. Raises UnfitKeyError."""
        loaded = x509.load_pem_x509_certificate(certificate_pem.encode())
        algorithm = algorithm_of(loaded.public_key())
        der = loaded.public_bytes(serialization.Encoding.DER)
        return cls(key_id, der, algorithm, key, has_issuer)

    @property
    def fingerprint(self) -> str:
        """Name the certificate inside what it signs, so that it cannot be exchanged."""
        return fingerprint(self.certificate)

    def require_in_force(self, at: datetime) -> None:
        """Refuse to sign outside the certificate's time. Raises CannotSignError."""
        loaded = x509.load_der_x509_certificate(self.certificate)
        first, last = loaded.not_valid_before_utc, loaded.not_valid_after_utc
        if not first <= at < last:
            raise CannotSignError(
                f"Its certificate is in force from {rfc3339(first)} to {rfc3339(last)}, and the"
                f" next receipt would be of {rfc3339(at)}: run thuphi agency certificate."
            )

    def seal(self, document: bytes, tail: bytes = TAIL) -> bytes:
        """Sign a canonical document; a key in memory gives the same bytes, always.

        ``tail`` is how it ends, with the empty place for the signature.
        """
        signature = self.key.sign(_signed_info(document, self.algorithm))
        return _assemble(document, tail, signature, self.certificate, self.algorithm)


def fingerprint(certificate: bytes) -> str:
    """Give the SHA-256 of a certificate's DER."""
    return hashlib.sha256(certificate).hexdigest()


def der_of(pem: bytes) -> bytes:
    """Read a certificate file. Raises ValueError when it is none."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def ends_at(pem: bytes) -> datetime:
    """Say when a certificate's time is over."""
    return x509.load_pem_x509_certificate(pem).not_valid_after_utc


def pem_of(certificate: bytes) -> str:
    """Write a certificate as a file."""
    loaded = x509.load_der_x509_certificate(certificate)
    return loaded.public_bytes(serialization.Encoding.PEM).decode()


def open_seal(data: bytes, tail: bytes = TAIL) -> tuple[bytes, bytes]:
    """Check a sealed file; give the document that was signed and the signer's certificate.

    This says that the file is whole, not that its signer may be trusted. Raises BrokenSealError.
    """
    document, sign, rest = data.partition(_OPEN)
    found = _VALUES.search(rest)
    if not sign or found is None:
        raise BrokenSealError("It carries no signature.")
    document += tail
    try:
        signature, certificate = (base64.b64decode(x, validate=True) for x in found.groups())
        # Before it is parsed: a certificate that the signed text does not name is not looked at.
        if f"<VTCTSo>{fingerprint(certificate)}</VTCTSo>".encode() not in document:
            raise BrokenSealError("Another certificate signed it than the one it names.")
        key = x509.load_der_x509_certificate(certificate).public_key()
        algorithm = algorithm_of(key)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise BrokenSealError("Its signature or certificate cannot be read.") from None
    except UnfitKeyError as error:
        raise BrokenSealError(str(error)) from None
    try:
        check(key, signature, _signed_info(document, algorithm))
    except InvalidSignature:
        raise BrokenSealError("It was changed after it was signed.") from None
    if _assemble(document, tail, signature, certificate, algorithm) != data:
        raise BrokenSealError("It was changed around its signature.")
    return document, certificate


def prove(signer: Signer) -> None:
    """Seal something and open it again, before receipts depend on it. Raises BrokenSealError."""
    named = f"<BLai><VTCTSo>{signer.fingerprint}</VTCTSo>".encode()
    open_seal(signer.seal(named + TAIL))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _info(document: bytes, algorithm: str) -> str:
    return _INFO % (algorithm, _b64(hashlib.sha256(document).digest()))


def _signed_info(document: bytes, algorithm: str) -> bytes:
    """Give the canonical SignedInfo, as it is hashed."""
    info = _info(document, algorithm)
    return f'<SignedInfo xmlns="{_DSIG}">{info}</SignedInfo>'.encode()


def _assemble(
    document: bytes, tail: bytes, signature: bytes, certificate: bytes, algorithm: str
) -> bytes:
    made = (
        f'<Signature xmlns="{_DSIG}"><SignedInfo>{_info(document, algorithm)}</SignedInfo>'
        f"<SignatureValue>{_b64(signature)}</SignatureValue><KeyInfo><X509Data>"
        f"<X509Certificate>{_b64(certificate)}</X509Certificate></X509Data></KeyInfo></Signature>"
    )
    return document.removesuffix(tail) + _OPEN + made.encode() + tail.removeprefix(_OPEN)


def make_test_certificate(name: str, tax_code: str, now: datetime) -> tuple[str, bytes]:
    """Make a self-signed certificate and its key (PEM, DER) for a sandbox agency."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=key_bits)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, "THỬ NGHIỆM – không có giá trị"),
            x509.NameAttribute(NameOID.USER_ID, f"MST:{tax_code}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=test_certificate_days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), der
