"""How a receipt is signed: RSA, or ECDSA on P-256; each signature has one form that we read.

ECDSA has twins, for (r, n - s) is as good as (r, s). Only the lower s is written and read, so that
nobody can make a second file out of one that is valid.
"""

from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

key_bits: Final = 2_048
key_bits_max: Final = 6_144  # Its signature has 1,024 characters, which is what we read.
RSA: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
P256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
part_bytes: Final = 32  # Of r and of s, which XML-DSig writes one after the other.
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class UnfitKeyError(Exception):
    """Receipts are not signed with such a key; the sentence says why."""


class CannotSignError(Exception):
    """An agency can sign nothing at present; the sentence says why, and what to do."""


class SigningKey(Protocol):
    """A private key, here or on a token."""

    def sign(self, data: bytes) -> bytes:
        """Sign, in the form that XML-DSig writes. Raises CannotSignError."""
        ...


@dataclass(frozen=True, slots=True)
class SoftKey:
    """A key in memory; the same data gives the same signature."""

    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign with PKCS #1 v1.5, or with RFC 6979's k, so that nothing is left to chance."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        return low(*decode_dss_signature(self.key.sign(data, how)))

    @property
    def der(self) -> bytes:
        """Give what the vault keeps."""
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(
            serialization.Encoding.DER, form, serialization.NoEncryption()
        )


def soft_key(der: bytes) -> SoftKey:
    """Load a key from what the vault kept."""
    # The vault has proved that these are the bytes it was given; testing the primes again
    # would take forty milliseconds at every batch.
    key = serialization.load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise TypeError("A receipt is signed with RSA or on P-256.")
    return SoftKey(key)


def low(r: int, s: int) -> bytes:
    """Write an ECDSA signature in its one form."""
    return b"".join(x.to_bytes(part_bytes, "big") for x in (r, min(s, _ORDER - s)))


def algorithm_of(key: object) -> str:
    """Name how a key of this kind signs, in XML-DSig's words. Raises UnfitKeyError."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return P256
    if not isinstance(key, rsa.RSAPublicKey):
        raise UnfitKeyError(
            "Receipts are signed with RSA or on P-256; this key is of another kind."
        )
    if not key_bits <= key.key_size <= key_bits_max:
        raise UnfitKeyError(
            f"The key has {key.key_size} bits; receipts take {key_bits} to {key_bits_max}."
        )
    return RSA


def check(key: object, signature: bytes, data: bytes) -> None:
    """Check a signature. Raises InvalidSignature, also for the twin of one that is valid."""
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        return
    if not isinstance(key, ec.EllipticCurvePublicKey) or len(signature) != 2 * part_bytes:
        raise InvalidSignature
    r, s = (int.from_bytes(x, "big") for x in (signature[:part_bytes], signature[part_bytes:]))
    if low(r, s) != signature:
        raise InvalidSignature
    key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
