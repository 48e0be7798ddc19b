"""The proven file: a sealed receipt with what proves it for ten years, in the words of XAdES.

The evidence stands in an ``Object`` after ``KeyInfo``, inside the signature and so outside what
it signs. Cutting it out gives the sealed bytes back, whose hash never changes. It is read as
strictly as a receipt: put together again from its parts, it must be the same, byte for byte.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
XADES_141: Final = "http://uri.etsi.org/01903/v1.4.1#"
proven_bytes_max: Final = 2_097_152  # A receipt, and forty renewals of fifty kilobytes each.
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_OPEN: Final = (
    f'<Object><QualifyingProperties xmlns="{XADES}" Target=""><UnsignedProperties>'
    "<UnsignedSignatureProperties>"
).encode()
_CLOSE: Final = (
    b"</UnsignedSignatureProperties></UnsignedProperties></QualifyingProperties></Object>"
)
_AFTER: Final = b"</Signature></DSCKS></BLai>"
_METHOD: Final = (
    f'<CanonicalizationMethod xmlns="{_DSIG}"'
    ' Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></CanonicalizationMethod>'
)
_PDF_SIGNATURE: Final = b"/ETSI.CAdES.detached"
_PART: Final = re.compile(
    rb"<SignatureTimeStamp>.*?</SignatureTimeStamp>"
    rb"|<CertificateValues>.*?</RevocationValues>"
    rb"|<TimeStampValidationData .*?</ArchiveTimeStamp>"
)


class BrokenProofError(Exception):
    """The evidence is not written as we write it, or does not belong to the receipt."""


@dataclass(frozen=True, slots=True)
class Values:
    """What shows that certificates were good: those who issued them, CRLs and OCSP answers."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()

    def write(self, namespace: str = "") -> str:
        """Write both elements, canonical as far as they stand under their own namespace."""
        crls = _list("CRLValues", "EncapsulatedCRLValue", self.crls)
        ocsps = _list("OCSPValues", "EncapsulatedOCSPValue", self.ocsps)
        held = "".join(_one("EncapsulatedX509Certificate", x) for x in self.certificates)
        return (
            f"<CertificateValues{namespace}>{held}</CertificateValues>"
            f"<RevocationValues{namespace}>{crls}{ocsps}</RevocationValues>"
        )

    @classmethod
    def read(cls, part: bytes) -> Self:
        """Find the values; what else is there is found by writing it again."""
        return cls(
            _all(part, "EncapsulatedX509Certificate"), _all(part, "EncapsulatedCRLValue"),
            _all(part, "EncapsulatedOCSPValue"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Renewal:
    """An archive time-stamp over all before it, and what showed the former stamp to be good."""

    values: Values
    token: bytes

    def write(self) -> str:
        """Write both properties; they name their namespaces, and so are canonical."""
        return validation_data(self.values) + (
            f'<ArchiveTimeStamp xmlns="{XADES_141}">{_METHOD}'
            f'<EncapsulatedTimeStamp xmlns="{XADES}">{_b64(self.token)}</EncapsulatedTimeStamp>'
            "</ArchiveTimeStamp>"
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """The evidence in the order in which it came: a time-stamp, its values, then renewals."""

    token: bytes
    values: Values | None = None
    renewals: tuple[Renewal, ...] = ()

    def parts(self) -> list[str]:
        """Write each step; a step is never changed by a later one."""
        first = f"<SignatureTimeStamp>{_METHOD}{_one('EncapsulatedTimeStamp', self.token)}"
        made = [f"{first}</SignatureTimeStamp>"]
        if self.values is not None:
            made.append(self.values.write())
        return made + [r.write() for r in self.renewals]

    @classmethod
    def read(cls, written: bytes) -> Self:
        """Read the steps. Raises BrokenProofError unless they are written as we write them."""
        found = _PART.findall(written)
        try:
            first, *later = found
            (token,) = _all(first, "EncapsulatedTimeStamp")
            values = Values.read(later[0]) if later else None
            renewals = [
                Renewal(Values.read(x), *_all(x, "EncapsulatedTimeStamp")) for x in later[1:]
            ]
            made = cls(token, values, tuple(renewals))
        except (ValueError, TypeError, binascii.Error):
            raise BrokenProofError("Its evidence cannot be read.") from None
        if "".join(made.parts()).encode() != written:
            raise BrokenProofError("Its evidence is not written the way we write it.")
        return made


def validation_data(values: Values) -> str:
    """Write what showed a time-stamp to be good; the next one is made over it too."""
    inner = values.write(f' xmlns="{XADES}"')
    return f'<TimeStampValidationData xmlns="{XADES_141}">{inner}</TimeStampValidationData>'


def is_signed_pdf(pdf: bytes) -> bool:
    """Tell whether a PDF that we drew is signed as well."""
    return _PDF_SIGNATURE in pdf


def join(sealed: bytes, steps: Iterable[bytes]) -> bytes:
    """Put evidence into a sealed file."""
    inner = b"".join(steps)
    if not inner:
        return sealed
    return sealed.removesuffix(_AFTER) + _OPEN + inner + _CLOSE + _AFTER


def cut(data: bytes) -> tuple[bytes, Proof | None]:
    """Take a file apart: the sealed bytes, and the evidence if there is any.

    Raises BrokenProofError.
    """
    head, sign, rest = data.partition(_OPEN)
    if not sign:
        return data, None
    if not rest.endswith(_CLOSE + _AFTER):
        raise BrokenProofError("Its evidence does not end where it should.")
    return head + _AFTER, Proof.read(rest.removesuffix(_CLOSE + _AFTER))


def signature_imprint(sealed: bytes) -> bytes:
    """Hash what the first time-stamp is made over: the canonical SignatureValue."""
    return hashlib.sha256(_signature_part(sealed, b"SignatureValue")).digest()


def archive_imprint(document: bytes, sealed: bytes, proof: Proof, values: Values) -> bytes:
    """Hash what the next archive time-stamp is made over: the document, its signature, and all
    evidence so far with the values that belong to the new stamp.
    """  # noqa: D205 - one sentence.
    hashed = hashlib.sha256(document)
    for name in (b"SignedInfo", b"SignatureValue", b"KeyInfo"):
        hashed.update(_signature_part(sealed, name))
    for part in (*proof.parts(), validation_data(values)):
        hashed.update(_in_namespace(part).encode())
    return hashed.digest()


def _signature_part(sealed: bytes, name: bytes) -> bytes:
    begin, end = b"<" + name + b">", b"</" + name + b">"
    inner = sealed.rpartition(begin)[2].partition(end)[0]
    return b"<" + name + f' xmlns="{_DSIG}">'.encode() + inner + end


def _in_namespace(part: str) -> str:
    """Give a property's canonical form on its own: what it inherits is then said."""
    for name in ("SignatureTimeStamp", "CertificateValues", "RevocationValues"):
        if part.startswith((f"<{name}>", "<CertificateValues>")):
            part = part.replace(f"<{name}>", f'<{name} xmlns="{XADES}">')
    return part


def _list(name: str, inner: str, values: tuple[bytes, ...]) -> str:
    held = "".join(_one(inner, x) for x in values)
    return f"<{name}>{held}</{name}>" if held else ""


def _one(name: str, value: bytes) -> str:
    return f"<{name}>{_b64(value)}</{name}>"


def _all(part: bytes, name: str) -> tuple[bytes, ...]:
    said = re.findall(rf"<{name}(?: [^>]*)?>([^<]*)</{name}>".encode(), part)
    return tuple(base64.b64decode(x, validate=True) for x in said)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
