"""From a sealed receipt to its PDF; only the worker draws, so what is heavy is loaded here."""

from collections.abc import Mapping
from datetime import datetime

from receipts.brand import Brand
from receipts.log.note import Proof
from receipts.paper import Converted, Shape
from receipts.seal import Signer
from receipts.xml import read_sealed


def drawn(
    xml: bytes, proof: Proof | None, at: datetime, signers: Mapping[str, Signer], brand: Brand
) -> bytes:
    """Draw a PDF, and sign it where there are signers. Raises CannotSignError."""
    from receipts.pdf import draw

    receipt = read_sealed(xml)
    pdf = draw(receipt, xml, proof, brand)
    if not signers:
        return pdf
    from receipts.pades import sign

    return sign(pdf, signers[receipt.certificate_sha256], at)


def drawn_on(
    shape: Shape, xml: bytes, proof: Proof | None, brand: Brand, converted: Converted | None
) -> bytes:
    """Draw another shape: paper to be, so it is not signed again; its XML is."""
    from receipts.pdf import draw

    return draw(read_sealed(xml), xml, proof, brand, shape, converted)
