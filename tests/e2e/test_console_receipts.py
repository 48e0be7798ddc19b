"""A receipt in the console names its payer: by role, noted, and never by the citizen's link."""

import re
from typing import Any

import httpx
import pytest
from books import written
from front_door import AGENCY, Site
from officers import csrf, signed_in
from receipt_days import paid
from sqlalchemy import text

from gateway.entry.reconciling import intake_of
from gateway.services.seed import seed

NAME = "Nguyễn Thị Hoà"


async def audit(site: Site, action: str) -> list[tuple[str, str]]:
    """Give who did it, and to what."""
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT actor, object_id FROM audit WHERE action = :action ORDER BY at, id"),
            {"action": action},
        )
    return [(r["actor"], r["object_id"]) for r in rows]


async def receipted(site: Site) -> dict[str, Any]:
    """Pay a payment whose receipt shows the payer's name; give the receipt."""
    await site.as_owner(
        "UPDATE agency SET settings = settings || '{\"receipt_shows_payer_name\": true}'"
    )
    payment = await paid(site)
    while await site.parts.receipts.issue():
        pass
    (receipt,) = (await site.get(f"/payments/{payment['id']}"))["receipts"]
    return {"payment": payment["id"], **receipt}


async def pages(browser: httpx.AsyncClient, payment: str) -> str:
    """Give the two pages that list receipts."""
    paths = (f"/console/payments/{payment}", "/console/receipts")
    return "".join([(await browser.get(path)).text for path in paths])


async def test_an_officer_reads_a_receipt_and_each_reading_is_written_down(site: Site) -> None:
    receipt = await receipted(site)
    here = f"/console/receipts/{receipt['id']}"
    token = receipt["links"]["html"].rsplit("/", 1)[1].partition(".")[0]

    async with signed_in(site, "accountant") as desk:
        shown = await pages(desk, receipt["payment"])
        page = await desk.get(f"{here}.html")
        picture = await desk.get(f"{here}.svg")
        copies = [await desk.get(f"{here}.{ending}") for ending in ("xml", "pdf")]
        story = (await desk.get(f"/console/payments/{receipt['payment']}")).text
        nothing = await desk.get(f"{here}.zip")

    assert set(re.findall(r'href="(/console/receipts/[^"]+)"', shown)) == {
        here,
        *(f"{here}.{ending}" for ending in ("html", "pdf", "xml")),
    }
    assert NAME in page.text
    assert f"{here}.svg" in page.text
    assert picture.headers["content-type"].startswith("image/svg")
    assert copies[0].content == (await site.http.get(receipt["links"]["xml"])).content
    assert copies[1].content.startswith(b"%PDF-")
    assert token not in shown + page.text
    assert await audit(site, "receipt.read") == [(f"staff:accountant-{AGENCY}", receipt["id"])] * 3
    assert "Xem biên lai" in story
    assert nothing.status_code == 404


@pytest.mark.parametrize("role", ["auditor", "operator"])
async def test_whoever_may_not_see_payers_reads_no_receipt_through_the_console(
    site: Site, role: str
) -> None:
    receipt = await receipted(site)

    async with signed_in(site, role) as officer:
        shown = await pages(officer, receipt["payment"])
        answers = [
            await officer.get(f"/console/receipts/{receipt['id']}.{ending}")
            for ending in ("html", "pdf", "xml")
        ]

    assert not re.findall(r'href="[^"]*\.(?:html|pdf|xml)"', shown)
    assert {a.status_code for a in answers} == {403}
    assert NAME not in shown + "".join(a.text for a in answers)
    assert await audit(site, "receipt.read") == []


async def test_another_agencys_receipt_is_as_one_that_does_not_exist(site: Site) -> None:
    receipt = await receipted(site)
    await seed(site.parts.store, live=True)

    async with signed_in(site, agency="hn-tthcc") as other:
        answer = await other.get(f"/console/receipts/{receipt['id']}.xml")

    assert answer.status_code == 404
    assert await audit(site, "receipt.read") == []


async def test_who_was_let_in_and_who_brought_a_file_is_written_down(site: Site) -> None:
    (client,) = await audit(site, "client.add")
    await site.parts.access.add_staff("lan", "clerk", AGENCY)
    content = written("statement", {"line_id": "1"})
    async with signed_in(site) as desk:
        token = csrf((await desk.get("/console/days")).text)
        for _ in range(2):  # The same bytes again are the same file.
            await desk.post(
                "/console/files", data={"csrf": token, "profile": "canonical-statement"},
                files={"file": ("a.csv", content)},
            )  # fmt: skip

    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT id FROM client UNION ALL SELECT id FROM staff ORDER BY 1")
        )
    files = await intake_of(site.parts).queued()
    made = [client[1], *(x for _, x in await audit(site, "staff.add"))]
    assert sorted(made) == [r["id"] for r in rows]
    assert client[0] == "command line"
    assert await audit(site, "file.add") == [(f"staff:accountant-{AGENCY}", files[0])]
