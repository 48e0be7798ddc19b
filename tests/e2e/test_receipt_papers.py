"""Receipts on other paper: asked of the web process, drawn by the worker, once."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from front_door import AGENCY, Site
from officers import csrf, signed_in
from receipt_days import paid
from sqlalchemy import text

from gateway.domain.errors import Refusal
from receipts.brand import change_brand
from receipts.papers import Papers

WORTH = "không có giá trị để giao dịch, thanh toán"


async def issued(site: Site) -> tuple[dict[str, Any], str]:
    """Pay and issue; give the receipt, and its link without an ending."""
    payment = await paid(site)
    await site.parts.receipts.issue()
    (receipt,) = (await site.get(f"/payments/{payment['id']}"))["receipts"]
    return receipt, receipt["links"]["html"].removesuffix(".html")


def text_of(pdf: bytes, folder: Path) -> str:
    file = folder / "paper.pdf"
    file.write_bytes(pdf)
    done = subprocess.run(  # noqa: S603 - our own words.
        ["/usr/bin/pdftotext", "-layout", str(file), "-"], capture_output=True, check=True
    )
    return " ".join(done.stdout.decode().split())


async def papers(site: Site) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return list(await tx.rows(text("SELECT * FROM receipt_paper ORDER BY asked_at, id")))


async def test_a_strip_is_drawn_when_it_is_asked_for_and_then_kept(
    site: Site, tmp_path: Path
) -> None:
    """Most receipts are never printed: what nobody asks for costs nothing."""
    worker = Papers(site.parts.store)
    _, here = await issued(site)
    assert await worker.draw() == 0

    waits = [await site.http.get(f"{here}.strip.pdf") for _ in range(2)]
    drawn = [await worker.draw(), await worker.draw()]
    got = [(await site.http.get(f"{here}.strip.pdf")) for _ in range(2)]

    assert [(x.status_code, x.headers["retry-after"]) for x in waits] == [(503, "2")] * 2
    assert drawn == [1, 0]
    assert got[0].content == got[1].content
    assert got[0].headers["content-disposition"].endswith('26TAA-1.strip.pdf"')
    assert "Tổng cộng (Total)" in text_of(got[0].content, tmp_path)
    assert len(await papers(site)) == 1


async def test_a_copy_of_whoever_has_the_link_names_nobody(site: Site, tmp_path: Path) -> None:
    _, here = await issued(site)
    await site.http.get(f"{here}.copy.pdf")
    await Papers(site.parts.store).draw()

    said = text_of((await site.http.get(f"{here}.copy.pdf")).content, tmp_path)
    plain = text_of((await site.http.get(f"{here}.pdf")).content, tmp_path)
    page = (await site.http.get(f"{here}.html?print")).text

    assert WORTH in said
    assert "converted by" not in said
    assert WORTH not in plain
    assert WORTH in page
    assert "on-print" not in page


async def test_an_officers_copy_says_who_and_when_and_is_written_down(
    site: Site, tmp_path: Path
) -> None:
    receipt, _ = await issued(site)
    page = f"/console/receipts/{receipt['id']}"

    async with signed_in(site) as desk:
        token = csrf((await desk.get(page)).text)
        asked = [await desk.post(f"{page}/papers", data={"csrf": token}) for _ in range(2)]
        early = await desk.get(asked[0].headers["location"])
        await Papers(site.parts.store).draw()
        copy = await desk.get(asked[0].headers["location"])
    async with signed_in(site, "auditor") as desk:
        refused = await desk.get(asked[0].headers["location"])

    async with site.parts.store.begin() as tx:
        notes = await tx.rows(
            text("SELECT actor FROM audit WHERE action = 'receipt.convert' AND object_id = :id"),
            {"id": receipt["id"]},
        )
    assert early.status_code == 503
    said = text_of(copy.content, tmp_path)
    assert WORTH in said
    assert f"(converted by): accountant-{AGENCY}" in said
    assert refused.status_code == 403
    assert [n["actor"] for n in notes] == [f"staff:accountant-{AGENCY}"] * 2
    assert len(await papers(site)) == 2, "each act of converting is one of its own"


async def test_one_that_cannot_be_drawn_holds_up_no_other(site: Site) -> None:
    _, here = await issued(site)
    await site.http.get(f"{here}.copy.pdf")
    await site.as_owner(
        f"INSERT INTO brand VALUES ('{AGENCY}', '', '', '')",
        "UPDATE brand SET logo = 'no picture'",
    )
    worker = Papers(site.parts.store)
    await worker.draw()
    await site.as_owner("UPDATE brand SET logo = ''")
    await site.http.get(f"{here}.strip.pdf")
    await worker.draw()

    assert (await site.http.get(f"{here}.copy.pdf")).status_code == 503
    assert (await site.http.get(f"{here}.strip.pdf")).status_code == 200


async def test_a_brand_is_on_pages_and_pdfs_from_then_on(site: Site, tmp_path: Path) -> None:
    logo = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'
    nothing = await site.http.get(f"/receipts/logo/{AGENCY}.svg")
    await change_brand(site.parts.store, AGENCY, {"logo": logo, "footer": "Hỏi:  1900"}, "x")
    await change_brand(site.parts.store, AGENCY, {"paper_words": "Bản sao."}, "x")
    with pytest.raises(Refusal, match="300"):
        await change_brand(site.parts.store, AGENCY, {"footer": "x" * 301}, "x")
    _, here = await issued(site)
    page = (await site.http.get(f"{here}.html")).text
    shown = await site.http.get(f"/receipts/logo/{AGENCY}.svg")

    assert nothing.status_code == 404
    assert shown.text == logo
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")
    assert f'src="/receipts/logo/{AGENCY}.svg"' in page
    assert "Hỏi: 1900" in page
    assert "Bản sao." in page
    assert "Hỏi: 1900" in text_of((await site.http.get(f"{here}.pdf")).content, tmp_path)
