"""The console's pages of breaks at the door: forms, roles, files, lists by key, exports."""

import csv
import io
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from books import NEXT, paid_by_vnpay, reconcile, take
from cases import ONE, broken, cases, night, to_payment, unknown_money
from east_bank import rows
from front_door import AGENCY, Site
from officers import officer, send, signed_in
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.domain.texts import cell_of
from gateway.services.break_list import Wish, query
from gateway.services.invariants import violations
from gateway.store import tables as t
from reconciliation.engine import rule_versions
from reconciliation.readers.xlsx import sheet_rows

PDF = b"%PDF-1.7\n1 0 obj\n"


async def form(desk: httpx.AsyncClient, page: str, path: str, **fields: Any) -> httpx.Response:
    """Send a form of a page, and stay where it leads."""
    return await send(desk, page, path, **fields)


def field(page: str, name: str) -> str:
    """Read a hidden field."""
    return page.partition(f'name="{name}" value="')[2].partition('"')[0]


async def test_one_proposes_at_the_desk_another_agrees_and_what_was_shown_is_signed(
    site: Site,
) -> None:
    """The web process does it in its own role; a form that was tampered with does nothing."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    here = f"/console/breaks/{case['id']}"
    typed = f"tp-{payment['reference'][:5]}.{payment['reference'][5:]}".lower()
    to = {"what": "link", "kind": "payment", "to_0": typed, "amount_0": "10.000"}
    async with signed_in(site) as maker, signed_in(site, "approver") as checker:
        async with signed_in(site, "auditor") as auditor:
            refused = await form(auditor, "/console", f"{here}/propose", **to)
            seen = await auditor.get(here)
        made = await form(maker, here, f"{here}/propose", **to)
        (act,) = await rows(site, "SELECT id FROM case_action")
        page = (await checker.get(here)).text
        signing = {"decision": "agree", "shown": field(page, "shown")}
        joined = await form(maker, here, f"{here}/propose", **to, also=f"{case['id']}\0")
        wrong = [
            await form(checker, here, f"/console/proposals/{act['id']}", decision="agree",
                       shown=signing["shown"][::-1]),
            await form(maker, here, f"/console/proposals/{act['id']}", **signing),
            await form(checker, here, "/console/proposals/act_nobody", **signing),
        ]  # fmt: skip
        before = await rows(site, "SELECT kind FROM case_action")
        done = await form(checker, here, f"/console/proposals/{act['id']}", **signing)
        again = await form(checker, here, f"/console/proposals/{act['id']}", **signing)

    assert (refused.status_code, "/propose" in seen.text) == (403, False)
    assert "Một người khác phải đồng ý" in made.text
    assert joined.status_code == 404, "no break has such a name"
    assert [a.status_code for a in wrong] == [400, 400, 404]
    assert "Nội dung đã thay đổi" in wrong[0].text
    assert before == [{"kind": "propose"}]
    assert "hai người đã cho khoản tiền này nơi nhận" in done.text
    assert again.status_code == 400
    with pytest.raises(Refusal, match="resolved already"):
        await cases(site).assign(AGENCY, case["id"], f"approver-{AGENCY}", 3, ONE)
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert await violations(site.parts.store) == []
    (noted,) = await rows(site, "SELECT said FROM case_action WHERE kind = 'agree'")
    assert signing["shown"] in noted["said"]


async def test_what_was_agreed_is_undone_by_the_web_process_and_nothing_else_is(site: Site) -> None:
    """It may take back a match that people made; the database refuses it every other."""
    await site.as_owner("""UPDATE agency SET settings = settings || '{"write_off_max": 20000}'""")
    await night(site)
    await take(site, "statement", {"amount": 50_000, "memo": "CT"},
               {"amount": -11_000, "memo": "THU PHI"})  # fmt: skip
    await reconcile(site)
    case = await broken(site, "reversed")
    here = f"/console/breaks/{case['id']}"
    async with signed_in(site) as maker, signed_in(site, "approver") as checker:
        for wanted in ({"what": "write_off"}, {"what": "undo"}):
            (agreed,) = await rows(site, "SELECT max(id) AS id FROM case_action")
            site.clock.move(timedelta(minutes=1))
            await form(maker, here, f"{here}/propose", **wanted, of=agreed["id"] or "",
                       reason="phí")  # fmt: skip
            (act,) = await rows(site, "SELECT max(id) AS id FROM case_action")
            page = (await checker.get(here)).text
            waits = (await checker.get("/console/breaks?state=waiting")).text
            assert f"at={case['id']}" in waits, "an undo waits too, and its break is resolved"
            await form(checker, here, f"/console/proposals/{act['id']}", decision="agree",
                       shown=field(page, "shown"))  # fmt: skip

    assert [r["rule"] for r in await rows(site, "SELECT rule FROM recon_match")] == ["02-advised"]
    assert (await broken(site, "reversed"))["id"] == case["id"]
    assert await violations(site.parts.store) == []
    with pytest.raises(Exception, match="a match that a run found is not taken back"):
        await site.as_owner("DELETE FROM recon_match")


async def test_people_comment_attach_assign_and_wait(site: Site) -> None:
    """A file is sealed, of a kind that runs nothing, and each reading is written down."""
    await night(site)
    case = await unknown_money(site)
    here = f"/console/breaks/{case['id']}"
    async with signed_in(site) as desk:
        token = field((await desk.get(here)).text, "csrf")

        async def attach(name: str, content: bytes) -> httpx.Response:
            return await desk.post(
                f"{here}/files", data={"csrf": token}, files={"file": (name, content)}
            )

        await form(desk, here, f"{here}/act", act="comment", text="  đang hỏi <b>ngân hàng</b> ")
        kept = await attach("../uỷ nhiệm chi.pdf", PDF)
        refused = [await attach("a.pdf", b"<html>"), await attach("b.pdf", PDF + bytes(5 << 20))]
        name = f"accountant-{AGENCY}"
        await form(desk, here, f"{here}/act", act="assign", owner=name, days="3")
        await officer(site, "lan")
        nobody = [
            await form(desk, here, f"{here}/act", act="assign", owner=owner, days="3")
            for owner in ("x", "lan")  # A clerk resolves no break.
        ]
        late = await form(desk, here, f"{here}/act", act="wait", until="2027-11-19", text="x")
        await form(desk, here, f"{here}/act", act="wait", until="2026-11-25", text="chờ sao kê")
        page = (await desk.get(here)).text
        (file,) = await rows(site, "SELECT * FROM case_file")
        opened = await desk.get(f"/console/case-files/{file['id']}")
        other = site.parts.vault.seal(f"case_file|{file['id']}|content", PDF + b"%")
        changed = []
        for sealed in (other, other[:-1]):  # Another file, and one that does not open at all.
            async with site.parts.store.begin() as tx:
                await tx.run(t.case_file.update().values(content_sealed=sealed))
            changed.append(await desk.get(f"/console/case-files/{file['id']}"))

    assert [(a.status_code, PDF in a.content) for a in changed] == [(400, False)] * 2
    assert kept.status_code == 303
    assert [a.status_code for a in refused] == [400, 400]
    assert [a.status_code for a in (*nobody, late)] == [400] * 3
    assert "đang hỏi &lt;b&gt;ngân hàng&lt;/b&gt;" in page
    assert "uỷ nhiệm chi.pdf" in page
    assert "25/11/2026" in page
    assert PDF not in bytes(file["content_sealed"])
    assert (opened.content, opened.headers["content-type"]) == (PDF, "application/pdf")
    assert opened.headers["content-disposition"].startswith("attachment")
    (k,) = await rows(site, "SELECT owner, due_on, waits_until, state FROM break")
    assert [str(v) for v in k.values()] == [name, "2026-11-25", "2026-11-25", "open"]
    notes = await rows(site, "SELECT action FROM audit WHERE action LIKE 'case.%' ORDER BY id")
    assert [n["action"] for n in notes] == [
        "case.comment", "case.attach", "case.assign", "case.wait", *["case.read"] * 3,
    ]  # fmt: skip
    assert await violations(site.parts.store) == []


async def test_only_what_is_surer_than_asked_is_proposed_for_a_page(site: Site) -> None:
    """Two equal payments are never chosen between; each proposal still waits for somebody."""
    one, other = await site.payment(1), await site.payment(2)
    await night(site)
    await take(site, "statement", {"line_id": "1", "memo": "CT"})
    await reconcile(site)
    async with signed_in(site) as desk:
        await form(desk, "/console/breaks", "/console/breaks/propose", sure="10")
        assert await rows(site, "SELECT id FROM case_action") == []
        await site.ask(f"/payments/{other['id']}/cancel", {})
        too_sure = await form(desk, "/console/breaks", "/console/breaks/propose", sure="99")
        made = await form(desk, "/console/breaks", "/console/breaks/propose", sure="60")
        waiting = await desk.get("/console/breaks?state=waiting")

    assert "Đã đề xuất 0 chênh lệch" in too_sure.text
    assert "Đã đề xuất 1 chênh lệch" in made.text
    assert "chờ người thứ hai" in waiting.text
    (act,) = await rows(site, "SELECT kind, said FROM case_action")
    assert (act["kind"], one["id"] in act["said"]) == ("propose", True)
    assert (await site.get(f"/payments/{one['id']}"))["state"] == "open"


async def two_pages(desk: httpx.AsyncClient, asked: str) -> tuple[int, int]:
    """Give the last break of the first page, and the first one of the next."""
    first = (await desk.get(f"/console/breaks{asked}")).text
    link = first.partition('class="action second" href="?')[2].partition('"')[0]
    second = (await desk.get(f"/console/breaks?{link.replace('&amp;', '&')}")).text
    last, then = (
        re.findall(r'data-row href="[^"]*at=brk_(\d+)"', page) for page in (first, second)
    )
    return int(last[-1]), int(then[0])


async def test_a_page_of_the_list_is_read_by_its_key_however_long_the_list_is(site: Site) -> None:
    """20,000 breaks of which half are open: no page reads more than its rows, first or last."""
    await site.as_owner(
        "INSERT INTO break (agency_id, id, kind, state, subject, amount, why, owner_role,"
        f" opened_at, since_on) SELECT '{AGENCY}', 'brk_' || lpad(n::text, 6, '0'),"
        " CASE n % 3 WHEN 0 THEN 'amount' ELSE 'late' END,"
        " CASE n % 2 WHEN 0 THEN 'open' ELSE 'resolved' END, 'capture:' || n, n, 'x', 'accountant',"
        " now(), DATE '2020-01-01' + n / 10 FROM generate_series(1, 20000) n",
        "ANALYZE break",
    )
    wishes = [
        Wish(state, kind, after)
        for state in ("open", "resolved", "") for kind in ("", "late")
        for after in ("", "2025-06-20.brk_019990")
        if kind == "" or state == "open"
    ]  # fmt: skip

    for wish in wishes:
        wanted, values = query(wish, rows=51)
        async with site.parts.store.begin() as tx:
            plan = await tx.rows(
                text(f"EXPLAIN (ANALYZE, FORMAT TEXT) {wanted}"), values | {"agency": AGENCY}
            )
        said = "\n".join(r["QUERY PLAN"] for r in plan)
        assert 'Seq Scan on "break"' not in said, said
        assert "Sort" not in said, said
        removed = [int(x.split(":")[1]) for x in said.splitlines() if "Rows Removed by Filter" in x]
        assert sum(removed) <= 200, said
    # Of open ones every second is listed, of all each: what was asked for goes on.
    async with signed_in(site) as desk:
        shown = [await two_pages(desk, asked) for asked in ("", "?state=")]
    assert shown == [(100, 102), (50, 51)]


async def test_lists_are_exported_and_no_cell_is_a_formula(site: Site) -> None:
    """All rows, more than a step of them, in UTF-8 that a spreadsheet reads."""
    payment = await site.payment()
    await night(site)
    assert await site.sepay_says(f"TP{payment['reference']}", 10_000, 77) == 200
    await take(site, "statement", {"line_id": "1", "amount": 5, "memo": "CT"},
               {"line_id": "2", "booked_on": "2026-11-19", "reference": "FT77"})  # fmt: skip
    site.clock.move(timedelta(days=1))
    await reconcile(site, NEXT)
    await site.as_owner(
        "INSERT INTO break (agency_id, id, kind, state, subject, amount, why, owner_role,"
        f" opened_at, since_on) SELECT '{AGENCY}', 'brk_' || n, 'late', 'open', 'capture:' || n,"
        " n, '=HYPERLINK(\"x\")', 'accountant', now(), DATE '2020-01-01' + n"
        " FROM generate_series(1, 1500) n",
    )
    async with signed_in(site) as desk:
        breaks = await desk.get("/console/breaks.csv?state=open")
        matches = await desk.get("/console/days/2026-11-19/matches.csv")
        nothing = [
            await desk.get(f"/console/{path}")
            for path in ("days/tomorrow/matches.csv", "breaks.xls", "days/2026-11-19/matches.pdf")
        ]
        sheet = await desk.get("/console/breaks.xlsx?state=open")
        told = await desk.get("/console/days/2026-11-19/matches.xlsx?lang=en")
        listed = (await desk.get("/console/breaks?state=open&kind=late")).text
        (run,) = await rows(
            site, "SELECT m.run_id FROM recon_match m JOIN statement_line l ON l.id = m.line_id"
            " WHERE l.booked_on = '2026-11-19'"
        )  # fmt: skip
        page = (await desk.get(f"/console/runs/{run['run_id']}")).text

    read = list(csv.DictReader(io.StringIO(breaks.text.removeprefix("\ufeff"))))
    assert len({r["id"] for r in read}) == len(read) >= 1_501
    assert {r["why"] for r in read if r["kind"] == "late"} == {'\'=HYPERLINK("x")'}
    (match,) = csv.DictReader(io.StringIO(matches.text.removeprefix("\ufeff")))
    assert (match["amount"], match["payment_id"]) == ("10000", payment["id"])
    version = rule_versions()[match["rule"]]
    assert (match["rule_version"], version in page) == (version, True)
    assert [answer.status_code for answer in nothing] == [404, 404, 404]
    titles, *cells = (row for _, row in sheet_rows(sheet.content))
    assert titles[:4] == ["Mã chênh lệch", "Loại", "Trạng thái", "Số tiền"]
    assert [row[0] for row in cells] == [r["id"] for r in read], "in the same order"
    late = next(row for row in cells if row[0] == "brk_7")
    assert late[1:6] == [
        "Nộp muộn", "Chờ nộp", 7, datetime(2020, 1, 8), '\'=HYPERLINK("x")',  # noqa: DTZ001 - a sheet has no zone.
    ]  # fmt: skip
    head, row = (row for _, row in sheet_rows(told.content))
    assert [head[0], head[7], row[0], row[7]] == [
        "Day", "Matched", datetime(2026, 11, 19), 10_000,  # noqa: DTZ001 - the same.
    ]  # fmt: skip
    assert '<a href="/console/breaks.xlsx?state=open&amp;kind=late">XLSX</a>' in listed
    assert '<a href="/console/days/2026-11-19/matches.xlsx">XLSX</a>' in page
    assert [cell_of(x) for x in ("=1", "+1", "-1", "@a", "\tx", "\rx", -5, None, "a=b")] == [
        "'=1", "'+1", "'-1", "'@a", "'\tx", "'\rx", "-5", "", "a=b",
    ]  # fmt: skip


async def test_a_break_names_what_comes_nearest_and_what_differs(site: Site) -> None:
    """One amount that is another, a capture that the report lacks, and one that no budget has."""
    await paid_by_vnpay(site, 1, "14831391")
    await paid_by_vnpay(site, 2, "14831392")
    site.clock.move(timedelta(hours=17, minutes=30) + timedelta(days=12))
    listed = {"fee": 0, "provider_txn_id": "14831391", "gross": 9_000, "net": 9_000}
    await take(site, "provider", listed, {"fee": 0, "provider_txn_id": "X7", "gross": 11_000,
               "net": 11_000, "merchant_reference": "ORDER7"})  # fmt: skip
    await take(site, "treasury", {"obligation_id": "pay_of_another", "amount": 9_990},
               {"document_ref": "NS-2", "booked_on": "2026-11-30", "amount": 5})  # fmt: skip
    await reconcile(site, NEXT + timedelta(days=11))
    found = await rows(site, "SELECT * FROM break ORDER BY kind, amount DESC, id")
    shown = [(k["kind"], (await cases(site).show(AGENCY, k["id"])).nearest) for k in found]
    async with signed_in(site) as desk:
        amount = next(k["id"] for k in found if k["kind"] == "amount" and k["amount"] == 9_000)
        page = (await desk.get(f"/console/breaks/{amount}?lang=en")).text

    told = [(kind, n.kind, n.name, n.amount_by, n.days, n.is_named) for kind, n in shown if n]
    assert told == [
        ("amount", "capture", "14831391", 1_000, 0, True),
        ("missing_at_provider", "capture", "X7", 1_000, 0, False),
        *[("missing_at_treasury", "line", "NS20261119-00001", -10, 1, False)] * 2,
    ]
    assert "more, the same day, the same number" in page


async def test_a_proposal_that_the_books_overtook_is_shown_as_such(site: Site) -> None:
    """The page of a break never fails for what somebody else did; nothing is left to sign."""
    payment = await site.payment()
    await night(site)
    case = await unknown_money(site)
    await cases(site).propose(AGENCY, case["id"], to_payment(case, (payment["id"], 10_000)), ONE)
    await site.ask(f"/payments/{payment['id']}/cancel", {})

    async with signed_in(site) as desk:
        page = (await desk.get(f"/console/breaks/{case['id']}")).text

    assert "Không còn phù hợp" in page
    assert "Đồng ý đúng như trên" not in page
