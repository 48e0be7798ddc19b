"""An agency's own certificate and key, as an authority hands them out: read, and checked as a pair.

Whatever is wrong is one sentence, and no sentence quotes the key or its password.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from receipts.seal import BrokenSealError, Signer, key_bits, key_bits_max, prove

_PEM: Final = b"-----BEGIN "


class PasswordError(Exception):
    """The key is sealed with a password that was not given, or is another one."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A certificate (PEM) and its key (PKCS#8 DER), ready to be sealed by the vault."""

    certificate: str
    key: bytes = field(repr=False)


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
    if not isinstance(opened, rsa.RSAPrivateKey):
        raise _refused("Receipts are signed with RSA, and this key is of another kind.")
    if not key_bits <= opened.key_size <= key_bits_max:
        raise _refused(
            f"The key has {opened.key_size} bits; receipts take {key_bits} to {key_bits_max}."
        )
    ours = _spki(opened.public_key())
    own = next((c for c in given if _spki(c.public_key()) == ours), None)  # type: ignore[arg-type] # any key has one.
    if own is None:
        raise _refused("The key does not belong to the certificate.")
    _usable(own, now)
    pem = own.public_bytes(Encoding.PEM).decode()
    der = opened.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    try:
        prove(Signer.of("new", pem, der))
    except BrokenSealError as error:
        raise _refused(f"A receipt signed with it could not be verified: {error}") from None
    return Credentials(pem, der)


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


def _spki(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _usable(certificate: x509.Certificate, now: datetime) -> None:
    """Look at what the certificate says of itself."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        raise _refused(f"The certificate is valid only from {rfc3339(begins)}.")
    if now >= ends:
        raise _refused(f"The certificate's time was over at {rfc3339(ends)}.")
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
