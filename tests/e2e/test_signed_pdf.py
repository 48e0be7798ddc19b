"""PDFs that an agency wants signed: by pyHanko's own judgement and by pdfsig's."""

import asyncio
import subprocess
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from asn1crypto import x509
from front_door import AGENCY, Site
from proving import Proving
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    async_validate_pdf_signature,
    async_validate_pdf_timestamp,
)
from receipt_days import LE_PHI, pay
from sqlalchemy import text

from gateway.services.agencies import SIGNS_PDF, Agencies


async def signed(site: Site) -> None:
    """Let the agency want its PDFs signed."""
    await Agencies(site.parts.store).change(AGENCY, {}, {SIGNS_PDF: True}, "test")


async def pdf_of(site: Site) -> bytes:
    """Give the PDF as the link gives it."""
    async with site.parts.store.begin() as tx:
        row = await tx.row(text("SELECT token FROM receipt ORDER BY number DESC LIMIT 1"))
    assert row
    return (await site.http.get(f"/receipts/{row['token']}.pdf")).content


def pdfsig(folder: Path, pdf: bytes) -> str:
    (folder / "r.pdf").write_bytes(pdf)
    done = subprocess.run(["pdfsig", folder / "r.pdf"], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout


def opened(pdf: bytes, root: bytes, at: datetime, mode: str = "require") -> tuple[Any, Any]:
    """Open a PDF with nothing but its own evidence and one root, at a moment."""
    reader = PdfFileReader(BytesIO(pdf))
    trust = {
        "trust_roots": [x509.Certificate.load(root)], "moment": at, "allow_fetching": False,
        "revocation_mode": mode,
    }  # fmt: skip
    return reader, DocumentSecurityStore.read_dss(reader).as_validation_context(trust)


async def test_a_signed_pdf_is_valid_for_pdfsig(proving: Proving, tmp_path: Path) -> None:
    await proving.sealed()
    assert "does not contain any signatures" in pdfsig(tmp_path, await pdf_of(proving.site))
    await signed(proving.site)
    await proving.sealed()

    said = pdfsig(tmp_path, await pdf_of(proving.site))

    assert "Signature is Valid." in said
    assert "Signature Type: ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    spoilt = bytearray(await pdf_of(proving.site))
    spoilt[5_000] ^= 1
    assert "Signature is Valid." not in pdfsig(tmp_path, bytes(spoilt))


async def test_its_evidence_is_appended_and_pyhanko_believes_it(
    proving: Proving, tmp_path: Path
) -> None:
    await signed(proving.site)
    await proving.sealed()
    plain, at, root = await pdf_of(proving.site), proving.now, proving.authority.root.der
    await proving.prove()

    pdf = await pdf_of(proving.site)

    assert pdf.startswith(plain)
    assert "Signature is Valid." in pdfsig(tmp_path, pdf)
    reader, trust = opened(pdf, root, at)
    found = await async_validate_pdf_signature(reader.embedded_regular_signatures[0], trust)
    assert found.bottom_line, found.summary()
    assert found.signer_reported_dt == at
    reader, trust = opened(pdf, root, at, "soft-fail")
    (stamp,) = reader.embedded_timestamp_signatures
    said = await async_validate_pdf_timestamp(stamp, trust)
    assert (said.valid, said.intact, said.trusted, said.timestamp) == (True, True, True, at)


async def test_the_time_stamps_of_a_pdf_are_renewed_as_well(proving: Proving) -> None:
    proving.authority.stamper = proving.authority.new_stamper(730)
    await signed(proving.site)
    await proving.sealed()
    await proving.prove()
    first = await pdf_of(proving.site)
    proving.site.clock.move(timedelta(days=640))
    proving.authority.stamper = proving.authority.new_stamper(730)

    assert await proving.prove() == 1

    pdf, root = await pdf_of(proving.site), proving.authority.root.der
    assert pdf.startswith(first)
    reader, trust = opened(pdf, root, proving.now)
    former, _ = reader.embedded_timestamp_signatures
    said = await async_validate_pdf_timestamp(former, trust)
    assert (said.valid, said.trusted) == (True, True), "its revocation was asked after too"


async def test_two_workers_append_to_each_pdf_once(proving: Proving, tmp_path: Path) -> None:
    """What is appended fits only the bytes before it, so twice would be broken."""
    await signed(proving.site)
    for _ in range(3):
        await pay(proving.site, "online", (LE_PHI,))
    await proving.site.parts.receipts.issue()

    await asyncio.gather(*(proving.prove() for _ in range(2)))

    async with proving.site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT pdf FROM receipt_proof WHERE pdf IS NOT NULL"))
    assert len(rows) == 3
    assert "Signature is Valid." in pdfsig(tmp_path, await pdf_of(proving.site))


async def test_without_an_authority_it_is_signed_all_the_same(site: Site, tmp_path: Path) -> None:
    await signed(site)
    await pay(site, "online", (LE_PHI,))
    await site.parts.receipts.issue()

    said = pdfsig(tmp_path, await pdf_of(site))

    assert "Signature is Valid." in said
