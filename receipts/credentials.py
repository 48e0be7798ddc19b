"""An agency's own certificate and key, as an authority hands them out: read, and checked as a pair.

Whatever is wrong is one sentence, and no sentence quotes the key or its password.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from receipts.seal import BrokenSealError, Signer, prove
from receipts.signing import CannotSignError, SigningKey, SoftKey, UnfitKeyError, algorithm_of
from receipts.token import Token, TokenKey

_EC = ec.EllipticCurvePrivateKey
_PEM: Final = b"-----BEGIN "
chain_max: Final = 8  # An agency, one or two authorities, a root.


class PasswordError(Exception):
    """The key is sealed with a password that was not given, or is another one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate (PEM), who issued it, and its key: PKCS#8 DER, or the label on the token."""

    certificate: str
    key: bytes | None = field(repr=False)
    pkcs11_key: str | None = None
    chain: str = ""  # PEM, from the issuer upwards; empty when none was given.


def read_credentials(
    certificate: bytes | None, key: bytes, password: str | None, now: datetime
) -> Credentials:
    """Read a certificate file and a key file, PEM or PKCS#12; the latter may hold both.

    Raises PasswordError, or Refusal when they cannot sign receipts from now on.
    """
    opened, inside = _key(key, password)
    given = _certificates(certificate) if certificate is not None else inside
    if not given:
        raise _refused("The key file holds no certificate: name one with --certificate.")
    public = opened.public_key() if isinstance(opened, rsa.RSAPrivateKey | _EC) else None
    _fit(public)
    own = next((c for c in given if c.public_key() == public), None)
    if own is None or not isinstance(opened, rsa.RSAPrivateKey | _EC):
        raise _refused("The key does not belong to the certificate.")
    soft = SoftKey(opened)
    _usable(own, soft, now)
    return Credentials(_pem(own), soft.der, chain=_chain(own, given))


def token_credentials(
    certificate: bytes, label: str, token: Token | None, now: datetime
) -> Credentials:
    """Take a certificate whose key is on the token. Raises Refusal."""
    given = _certificates(certificate)
    own = given[0]  # What a chain begins with, for the key cannot be asked whose it is.
    _fit(own.public_key())
    _usable(own, TokenKey(token, label), now)
    return Credentials(_pem(own), None, label, _chain(own, given))


def _fit(public: object) -> None:
    try:
        algorithm_of(public)
    except UnfitKeyError as error:
        raise _refused(str(error)) from None


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _chain(own: x509.Certificate, given: Sequence[x509.Certificate]) -> str:
    """Give who issued it, and who issued them, as far as the file says."""
    found: list[x509.Certificate] = []
    last = own
    while len(found) < chain_max:
        issuer = next((c for c in given if c not in (own, *found) and _issued(last, c)), None)
        if issuer is None:
            break
        found.append(issuer)
        last = issuer
    return "".join(map(_pem, found))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _key(data: bytes, password: str | None) -> tuple[object, Sequence[x509.Certificate]]:
    word = password.encode() if password is not None else None
    try:
        if _PEM in data:
            if b"ENCRYPTED" in data and word is None:
                raise PasswordError
            # A password that is not needed is not an error.
            return load_pem_private_key(data, word if b"ENCRYPTED" in data else None), ()
        found = pkcs12.load_pkcs12(data, word)
    except UnsupportedAlgorithm:
        raise _refused("The key file is encrypted in a way that is not supported.") from None
    except (ValueError, TypeError):
        # A wrong password and a broken file look alike, except for what is no such file at all.
        if not data.startswith(b"\x30") and _PEM not in data:
            raise _refused("The key file is neither PEM nor PKCS#12.") from None
        if _PEM in data and b"ENCRYPTED" not in data:
            raise _refused("The key file cannot be read: it is broken.") from None
        raise PasswordError from None
    if found.key is None:
        raise _refused("The key file holds no key.")
    held = [found.cert, *found.additional_certs]
    return found.key, [c.certificate for c in held if c is not None]


def _certificates(data: bytes) -> Sequence[x509.Certificate]:
    """Read a certificate, or a chain of them; the one that the key belongs to is taken."""
    try:
        if _PEM in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise _refused("The certificate file cannot be read: give a PEM file.") from None


def _usable(certificate: x509.Certificate, key: SigningKey, now: datetime) -> None:
    """Look at what the certificate says of itself, and whether the key signs for it."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        raise _refused(f"The certificate is valid only from {rfc3339(begins)}.")
    if now >= ends:
        raise _refused(f"The certificate's time was over at {rfc3339(ends)}.")
    _for_signing(certificate)
    try:
        prove(Signer.by("new", _pem(certificate), key))
    except CannotSignError as error:
        raise _refused(str(error)) from None
    except BrokenSealError:
        # A key in memory was compared before; of one on a token only its signature tells.
        raise _refused("The key does not belong to the certificate.") from None


def _for_signing(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError:
        raise _refused("The certificate's extensions cannot be read.") from None
    if not (usage.digital_signature or usage.content_commitment):
        raise _refused("The certificate is not for signing, by its own key usage.")


def _refused(sentence: str) -> Refusal:
    return Refusal("invalid-request", sentence)
