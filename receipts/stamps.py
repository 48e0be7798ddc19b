"""Time-stamps (RFC 3161): what is asked of an authority, and whether its answer holds.

Whom to trust is asked elsewhere (``chains.py``); here a token is opened and must be whole.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from asn1crypto import cms, tsp

token_bytes_max: Final = 65_536  # With its certificates a token has some six kilobytes.
MEDIA: Final = "application/timestamp-query"
_HASHES: Final = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class BrokenStampError(Exception):
    """A time-stamp is none, is not over what it should be, or its signature does not hold."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says: when, over what, by whom, and the certificates that it brings."""

    at: datetime
    imprint: bytes
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]


def question(imprint: bytes, nonce: int) -> bytes:
    """Write a request for a time-stamp over a SHA-256 hash."""
    from asn1crypto import tsp

    asked = {
        "version": "v1", "nonce": nonce, "cert_req": True,
        "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": imprint},
    }  # fmt: skip
    return bytes(tsp.TimeStampReq(asked).dump())


def token_of(answer: bytes, imprint: bytes, nonce: int) -> bytes:
    """Take the token out of an authority's answer, and check that it answers our question.

    Raises BrokenStampError.
    """
    from asn1crypto import cms, core, tsp

    class Answer(core.Sequence):  # type: ignore[misc] # the library is untyped.
        """The library's own has no room for a refusal, which brings no token."""

        _fields = [  # noqa: RUF012 - the library asks for a list.
            ("status", tsp.PKIStatusInfo),
            ("time_stamp_token", cms.ContentInfo, {"optional": True}),
        ]

    try:
        said = Answer.load(answer, strict=True)
        status = said["status"]["status"].native
        if status not in ("granted", "granted_with_mods"):
            raise BrokenStampError(f"The time-stamp authority says {status}.")
        token = bytes(said["time_stamp_token"].dump())
        info = _info(_signed(token))
        is_ours = info["nonce"].native == nonce
    except (ValueError, TypeError, KeyError):
        raise BrokenStampError("The time-stamp authority's answer cannot be read.") from None
    if not is_ours or read_stamp(token).imprint != imprint:
        raise BrokenStampError("The time-stamp authority answered another question.")
    return token


def read_stamp(token: bytes) -> Stamp:
    """Open a token and check its signature. Raises BrokenStampError."""
    if len(token) > token_bytes_max:
        raise BrokenStampError("The time-stamp is larger than any should be.")
    try:
        signed = _signed(token)
        info = _info(signed)
        imprint = info["message_imprint"]
        if imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise BrokenStampError("The time-stamp is not over a SHA-256 hash.")
        held = [x509.load_der_x509_certificate(c.chosen.dump()) for c in signed["certificates"]]
        (by,) = signed["signer_infos"]
        signer = _signer(by, held)
        _check(by, signed["encap_content_info"]["content"].contents, signer)
        at: datetime = info["gen_time"].native
        return Stamp(at, imprint["hashed_message"].native, signer, tuple(held))
    except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
        raise BrokenStampError("The time-stamp cannot be read.") from None
    except InvalidSignature:
        raise BrokenStampError("The time-stamp's signature does not hold.") from None


def _signed(token: bytes) -> "cms.SignedData":
    from asn1crypto import cms, tsp

    del tsp  # Imported for what it adds to the other's tables: time-stamps.
    return cms.ContentInfo.load(token, strict=True)["content"]


def _info(signed: "cms.SignedData") -> "tsp.TSTInfo":
    inner = signed["encap_content_info"]
    if inner["content_type"].native != "tst_info":
        raise BrokenStampError("It is no time-stamp.")
    return inner["content"].parsed


def _signer(by: "cms.SignerInfo", held: list[x509.Certificate]) -> x509.Certificate:
    """Find the certificate that the token itself names by its hash (RFC 5816, RFC 2634)."""
    attributes = _attributes(by)
    if "signing_certificate_v2" in attributes:
        named = attributes["signing_certificate_v2"]["certs"][0]
        how = named["hash_algorithm"]["algorithm"].native
    else:
        named, how = attributes["signing_certificate"]["certs"][0], "sha1"
    wanted = named["cert_hash"].native
    for certificate in held:
        der = certificate.public_bytes(Encoding.DER)
        if hashlib.new(how, der, usedforsecurity=how != "sha1").digest() == wanted:
            _require_for_stamps(certificate)
            return certificate
    raise BrokenStampError("The time-stamp does not bring its certificate.")


def _require_for_stamps(certificate: x509.Certificate) -> None:
    try:
        use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        raise BrokenStampError("The stamp's certificate is not for time-stamps.") from None
    if not use.critical or list(use.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise BrokenStampError("The stamp's certificate is not for time-stamps alone.")


def _check(by: "cms.SignerInfo", content: bytes, signer: x509.Certificate) -> None:
    """Check the signature over the attributes, and the attributes against the content."""
    attributes = _attributes(by)
    how = by["digest_algorithm"]["algorithm"].native
    if how not in _HASHES or attributes["content_type"].native != "tst_info":
        raise InvalidSignature
    if hashlib.new(how, content).digest() != attributes["message_digest"].native:
        raise InvalidSignature
    signed = by["signed_attrs"].untag().dump(force=True)
    key, signature = signer.public_key(), by["signature"].native
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), _HASHES[how])
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(_HASHES[how]))
    else:
        raise InvalidSignature


def _attributes(by: "cms.SignerInfo") -> dict[str, Any]:
    return {a["type"].native: a["values"][0] for a in by["signed_attrs"]}
