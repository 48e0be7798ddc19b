"""Citizens' names in a bank's text: sealed in the line, and each reading is written down."""

from datetime import timedelta

from books import breaks, reconcile, take
from front_door import AGENCY, Site
from officers import csrf, send, signed_in
from sqlalchemy import text

NAME = "Trần Văn Đạt"


async def test_a_name_in_a_memo_is_stored_only_sealed_and_what_the_rules_need_stays(
    site: Site,
) -> None:
    payment = await site.payment()

    await take(
        site, "statement", {"line_id": "1", "memo": f"{NAME} nộp TP{payment['reference']}"},
        {"line_id": "2", "amount": -5_000, "reference": "NS1", "memo": f"NOP NSNN {NAME}"},
    )  # fmt: skip
    await take(site, "treasury", {"content": f"{NAME} nop phi"})

    async with site.parts.store.begin() as tx:
        lines = await tx.rows(
            text("SELECT l.*, l::text AS said FROM statement_line l ORDER BY source, line_no")
        )
    assert not any(word in x["said"].upper() for x in lines for word in ("TRẦN", "TRAN ", "DAT"))
    assert [(x["marks"], x["candidates"]) for x in lines] == [
        ([], [payment["reference"]]), (["NOP NSNN"], []), ([], []),
    ]  # fmt: skip
    opened = site.parts.vault.open(
        f"statement_line|{lines[1]['id']}|memo", bytes(lines[1]["memo_sealed"])
    )
    assert opened.decode() == f"NOP NSNN {NAME}"


async def test_whoever_looks_for_the_payer_reads_the_memo_and_the_reading_is_written_down(
    site: Site,
) -> None:
    """Often nothing else says whose unknown money it is."""
    site.clock.move(timedelta(hours=17, minutes=30))
    await take(site, "statement", {"line_id": "1", "memo": f"{NAME} chuyển tiền"})
    await reconcile(site)
    assert await breaks(site) == [("unknown_money", "capture")]
    async with site.parts.store.begin() as tx:
        case = await tx.row(text("SELECT b.id, l.id AS line FROM break b, statement_line l"))
    assert case is not None
    here = f"/console/breaks/{case['id']}"

    async with signed_in(site, "accountant") as desk, signed_in(site, "auditor") as auditor:
        seen = (await desk.get(here)).text + (await auditor.get(here)).text
        shown = await send(desk, here, f"{here}/memos")
        token = csrf((await auditor.get("/console")).text)
        refused = await auditor.post(f"{here}/memos", data={"csrf": token})
        forms = (await auditor.get(here)).text

    assert NAME not in seen
    assert f"{NAME} chuyển tiền" in shown.text
    assert (refused.status_code, NAME in refused.text) == (403, False)
    assert "/memos" not in forms
    async with site.parts.store.begin() as tx:
        notes = await tx.rows(text("SELECT actor, object_id FROM audit WHERE action = 'memo.read'"))
    assert [tuple(n.values()) for n in notes] == [(f"staff:accountant-{AGENCY}", case["line"])]
