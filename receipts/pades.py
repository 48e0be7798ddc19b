"""The PDF signed too (PAdES), for an agency that asks for it; its evidence is appended to it.

pyHanko writes and never asks anybody: the signature is made by the same key as the receipt's, and
time-stamps and revocation evidence come from what we collected. Each step only appends to the
file, so that a step is kept as the bytes that it adds. Only the worker loads this.
"""

from datetime import datetime
from io import BytesIO
from typing import Any, Final, Protocol

from asn1crypto import cms, crl, ocsp, x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore

from receipts.proof import Values
from receipts.seal import Signer
from receipts.signing import P256, key_bits_max, part_bytes

HASH: Final = "sha256"
FIELD: Final = "ChuKySo"
token_hex_digits: Final = 2 * 10_240  # A token with its certificates has some six kilobytes.


class Stamps(Protocol):
    """Whoever has a hash time-stamped."""

    async def stamp(self, imprint: bytes) -> bytes:
        """Give the token."""
        ...


def sign(pdf: bytes, signer: Signer, at: datetime) -> bytes:
    """Sign a PDF invisibly, with the key of its receipt. Raises CannotSignError."""
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD, md_algorithm=HASH, subfilter=SigSeedSubFilter.PADES
    )
    out = BytesIO()
    made = _PdfSigner(metadata, _Key(signer), at)
    made.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
    return out.getvalue()


async def prove(pdf: bytes, values: Values, stamps: Stamps) -> bytes:
    """Give what must be appended: the evidence (DSS), and a time-stamp over all of it."""
    out = BytesIO(pdf)
    DocumentSecurityStore.add_dss(
        out, None, force_write=True,
        certs=[x509.Certificate.load(c) for c in values.certificates],
        ocsps=[ocsp.OCSPResponse.load(x) for x in values.ocsps],
        crls=[crl.CertificateList.load(x) for x in values.crls],
    )  # fmt: skip
    made = await signers.PdfTimeStamper(_Stamper(stamps)).async_timestamp_pdf(
        IncrementalPdfFileWriter(out), HASH, bytes_reserved=token_hex_digits
    )
    return bytes(made.getvalue()).removeprefix(pdf)


class _PdfSigner(signers.PdfSigner):
    """Signs at the moment that it is told, by our clock."""

    def __init__(self, metadata: signers.PdfSignatureMetadata, key: "_Key", at: datetime) -> None:
        super().__init__(metadata, key)
        self._at = at

    def init_signing_session(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401 - as inherited.
        session = super().init_signing_session(*args, **more)
        session.system_time = self._at
        return session


class _Key(signers.Signer):
    """A receipt's key as pyHanko asks for it."""

    def __init__(self, signer: Signer) -> None:
        super().__init__(signing_cert=x509.Certificate.load(signer.certificate))
        self._signer = signer

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False  # noqa: FBT002 - as inherited.
    ) -> bytes:  # fmt: skip
        if digest_algorithm != HASH:
            raise ValueError(f"Receipts are signed over {HASH}.")
        if dry_run:
            return bytes(key_bits_max // 8)
        made = self._signer.key.sign(data)
        if self._signer.algorithm != P256:
            return made
        parts = made[:part_bytes], made[part_bytes:]
        return encode_dss_signature(*(int.from_bytes(x, "big") for x in parts))


class _Stamper(TimeStamper):
    """Our way to the time-stamp authority."""

    def __init__(self, stamps: Stamps) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # pyHanko leaves it so.
        self._stamps = stamps

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        if md_algorithm != HASH:
            raise ValueError(f"Time-stamps are asked for over {HASH}.")
        return cms.ContentInfo.load(await self._stamps.stamp(message_digest))
