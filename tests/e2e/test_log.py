"""The transparency log through the front door: every receipt is a leaf, and proves it."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from front_door import AGENCY, Site
from receipt_days import paid, pay_many
from sqlalchemy import text

from gateway.services.invariants import violations
from receipts.log.check import require_included
from receipts.log.note import Link, LogKey, Proof, opened
from receipts.log.tree import is_consistent, root_of
from receipts.xml import read_sealed


async def rows(site: Site, query: str) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def issued(site: Site, count: int = 1) -> None:
    """Pay and issue, without a bank."""
    await pay_many(site, count, branch="online")
    assert await site.parts.receipts.issue() == count


async def test_a_receipt_is_a_leaf_and_every_face_of_it_gives_the_proof(
    site: Site, tmp_path: Path
) -> None:
    """XML names the log; page, check and PDF say leaf, size and root, and give the file."""
    payment = await paid(site)
    await site.parts.receipts.issue()
    (shown,) = (await site.get(f"/payments/{payment['id']}"))["receipts"]
    xml = (await site.http.get(shown["links"]["xml"])).content
    key = LogKey.of((await site.http.get(f"/log/{AGENCY}/key")).text)

    assert read_sealed(xml).log == key.name == f"{site.http.base_url.netloc.decode()}/log/{AGENCY}"
    given = await site.http.get(f"/log/{AGENCY}/proof?leaf=0")
    assert given.headers["content-type"] == "text/plain; charset=utf-8"
    assert "immutable" in given.headers["cache-control"]
    checkpoint = require_included(xml, Proof.of(given.text), key)
    root = given.text.split("\n\n")[1].split("\n")[2]
    for address in (shown["links"]["html"], f"/verify/{shown['verify_code']}"):
        page = (await site.http.get(address)).text
        assert root.replace("+", "&#43;") in page or root in page
        assert f"/log/{AGENCY}/proof?leaf=0&amp;size={checkpoint.size}" in page
        assert key.name in page
    file = tmp_path / "r.pdf"
    file.write_bytes((await site.http.get(shown["links"]["pdf"])).content)
    subprocess.run(["/usr/bin/pdfdetach", "-saveall", "-o", tmp_path, file], check=True)  # noqa: ASYNC221, S603 - our own words.
    assert (tmp_path / "bien-lai.tlog-proof").read_text("utf-8") == given.text
    said = subprocess.run(["/usr/bin/pdftotext", file, "-"], check=True, capture_output=True)  # noqa: ASYNC221, S603 - the same.
    assert key.name in said.stdout.decode()
    assert "lá số 0 trong 1 lá" in " ".join(said.stdout.decode().split())
    assert await violations(site.parts.store) == []


async def test_the_log_grows_in_order_and_each_batch_is_signed(site: Site) -> None:
    """What is signed is the tree over all receipts' hashes, computed here anew."""
    sizes = []
    for count in (1, 2, 5):
        await issued(site, count)
        note = (await site.http.get(f"/log/{AGENCY}/checkpoint")).text
        sizes.append(opened(note, await site.parts.receipts.journal.key(AGENCY)))

    kept = await rows(site, "SELECT sha256(xml) AS d, leaf_index FROM receipt ORDER BY leaf_index")
    assert [r["leaf_index"] for r in kept] == list(range(8))
    digests = [bytes(r["d"]) for r in kept]
    assert [c.size for c in sizes] == [1, 3, 8]
    assert [c.root for c in sizes] == [root_of(digests[: c.size]) for c in sizes]
    journal = site.parts.receipts.journal
    key = await journal.key(AGENCY)
    for old in sizes:
        for new in sizes:
            if old.size > new.size:
                continue
            asked = f"/log/{AGENCY}/consistency?from={old.size}&to={new.size}"
            link = Link.of((await site.http.get(asked)).text)
            assert is_consistent(old.size, old.root, new.size, new.root, link.path)
    later = Proof.of((await site.http.get(f"/log/{AGENCY}/proof?leaf=1&size=8")).text)
    xml = await rows(site, "SELECT xml FROM receipt WHERE leaf_index = 1")
    assert require_included(bytes(xml[0]["xml"]), later, key) == sizes[-1]
    assert await violations(site.parts.store) == []


async def test_the_last_checkpoint_of_each_hour_is_listed(site: Site) -> None:
    for minutes in (0, 20, 50, 70):
        site.clock.move(timedelta(minutes=minutes))
        await issued(site)

    listed = (await site.http.get(f"/log/{AGENCY}/checkpoints")).json()

    assert [(r["size"], r["signed_at"][11:16]) for r in listed["data"]] == [
        (4, "03:20"), (3, "02:10"), (2, "01:20"),
    ]  # fmt: skip
    assert listed["next_before"] is None
    older = (await site.http.get(f"/log/{AGENCY}/checkpoints?before=3")).json()["data"]
    assert [r["size"] for r in older] == [2]
    note = (await site.http.get(f"/log/{AGENCY}/checkpoints/2")).text
    assert note == (await site.parts.receipts.journal.checkpoint(AGENCY, 2))


async def test_each_agency_has_a_log_of_its_own(site: Site) -> None:
    await issued(site)
    await site.as_owner(
        "INSERT INTO agency SELECT 'hn-b-test', name, tax_code, address, budget_chapter, true,"
        " settings FROM agency WHERE id = 'hn-tthcc-test'"
    )
    journal = site.parts.receipts.journal

    assert await journal.open("hn-b-test") != await journal.open(AGENCY)
    assert (await journal.key("hn-b-test")).public != (await journal.key(AGENCY)).public
    assert (await site.http.get("/log/hn-b-test/checkpoint")).status_code == 404


NOT_THERE = ("/log/nobody/key", "/log/nobody/checkpoint", "/log/nobody/proof?leaf=0",
             "/log/nobody/consistency?from=1", "/log/nobody/checkpoints", "/log/%00/key",
             "/log/a b/key",
             "/proof?leaf=9", "/proof?leaf=9&size=1", "/proof?leaf=0&size=7", "/checkpoints/7",
             "/checkpoints/0", "/checkpoints?before=7", "/consistency?from=2",
             "/consistency?from=0&to=1", "/nothing")  # fmt: skip
NO_NUMBER = ("/proof", "/proof?leaf=x", "/proof?leaf=-1", "/proof?leaf=01", "/proof?leaf=²",
             "/checkpoints/x", "/consistency", f"/proof?leaf={'9' * 40}")  # fmt: skip


async def test_what_the_log_does_not_have_is_a_problem_and_no_error(site: Site) -> None:
    await issued(site)

    for path in (*NOT_THERE, *NO_NUMBER):
        whole = path if path.startswith("/log") else f"/log/{AGENCY}{path}"
        answer = await site.http.get(whole)
        assert answer.status_code == (422 if path in NO_NUMBER else 404), path
        assert answer.headers["content-type"] == "application/problem+json"
