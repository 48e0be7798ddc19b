"""The transparency log through the front door: every receipt is a leaf, and proves it."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from front_door import AGENCY, Site
from receipt_days import paid, pay_many
from sqlalchemy import text

from gateway.services.invariant_rules import LOGGED
from gateway.services.invariants import violations
from receipts.log.check import require_included
from receipts.log.note import Link, LogKey, Proof, opened
from receipts.log.tree import is_consistent, root_of
from receipts.xml import read_sealed, write


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


async def test_what_a_crash_left_unlogged_is_logged_and_drawn_as_it_would_have_been(
    site: Site,
) -> None:
    """Killed between seal and leaf: the next run adds the leaf, and the same bytes come out."""
    await issued(site, 3)
    before = await rows(site, "SELECT * FROM receipt ORDER BY id")
    notes = await rows(site, "SELECT note FROM log_checkpoint")
    await site.as_owner(
        *(f"ALTER TABLE {t} DISABLE TRIGGER USER" for t in ("log_leaf", "log_checkpoint")),
        "DELETE FROM log_checkpoint", "DELETE FROM log_leaf",
        "UPDATE receipt SET leaf_index = NULL, pdf = NULL",
    )  # fmt: skip

    assert await site.parts.receipts.issue() == 0, "nothing is left to seal"

    assert await rows(site, "SELECT * FROM receipt ORDER BY id") == before
    assert await rows(site, "SELECT note FROM log_checkpoint") == notes
    assert await violations(site.parts.store) == []


async def test_a_receipt_without_a_leaf_and_a_log_with_a_hole_break_a_rule(site: Site) -> None:
    await issued(site, 2)
    await site.parts.outbox.sequence()
    whole = "each log is dense, and its newest checkpoint is of all of it"

    await site.as_owner("ALTER TABLE log_leaf DISABLE TRIGGER USER",
                        "DELETE FROM log_leaf WHERE leaf_index = 0")  # fmt: skip
    assert [v.rule for v in await violations(site.parts.store)] == [whole]
    await site.as_owner("UPDATE receipt SET leaf_index = NULL WHERE leaf_index = 1")
    assert [v.rule for v in await violations(site.parts.store)] == [whole], "it has a moment"
    site.clock.move(timedelta(minutes=6))

    assert [v.rule for v in await violations(site.parts.store)] == [LOGGED, whole]


async def test_a_log_that_was_written_anew_grows_no_further_and_is_shown_to_nobody(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever changes a leaf must not get it signed with the next one."""
    await issued(site, 3)
    (shown,) = await rows(site, "SELECT verify_code FROM receipt WHERE leaf_index = 2")
    await site.as_owner("ALTER TABLE log_leaf DISABLE TRIGGER USER",
                        "UPDATE log_leaf SET subtrees = sha256(digest) || sha256(digest)"
                        " WHERE leaf_index = 1")  # fmt: skip

    await pay_many(site, 1, branch="online")
    await site.parts.receipts.issue()

    assert len(await rows(site, "SELECT 1 FROM log_checkpoint")) == 1
    assert "does not grow" in caplog.text
    page = await site.http.get(f"/verify/{shown['verify_code']}?lang=en")
    assert "The stored copy is damaged" in page.text
    assert "root" not in page.text
    (waiting,) = await rows(site, "SELECT xml, pdf FROM receipt WHERE leaf_index IS NULL")
    assert waiting["xml"] is not None
    assert waiting["pdf"] is None, "a PDF without its proof is none"


async def test_receipts_from_before_the_log_become_leaves_and_stay_valid(site: Site) -> None:
    """An upgrade changes no byte of what was issued, and leaves nothing out of the log."""
    await issued(site, 2)
    (old,) = await rows(site, "SELECT * FROM receipt WHERE leaf_index = 0")
    signers = await site.parts.receipts.keys.all_of(AGENCY)
    plain = replace(read_sealed(bytes(old["xml"])), log=None)
    sealed = signers[plain.certificate_sha256].seal(write(plain))
    async with site.owner.begin() as connection:
        for table in ("log_leaf", "log_checkpoint"):
            await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            await connection.execute(text(f"DELETE FROM {table}"))
        await connection.execute(text("UPDATE receipt SET leaf_index = NULL"))
        await connection.execute(
            text("UPDATE receipt SET xml = :xml WHERE id = :id"), {"xml": sealed, "id": old["id"]}
        )

    await site.parts.receipts.issue()

    page = await site.http.get(f"/verify/{old['verify_code']}?lang=en")
    assert "The test receipt is valid" in page.text
    assert f"/log/{AGENCY}/proof?leaf=0&amp;size=2" in page.text
    assert await violations(site.parts.store) == []
