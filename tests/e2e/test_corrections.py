"""What is wrong on a receipt is put right by two people, and never by touching what was signed."""

import asyncio
from typing import Any

import pytest
from east_bank import EastBank, ask, holds, rows, told, with_east_bank
from east_bank import paid as paid_at_east
from front_door import AGENCY, Site, payment_body
from officers import send, signed_in
from receipt_days import LE_PHI, PHI, pay
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.domain.payment import FeeLine
from gateway.services.agencies import REPLACED_FROM, Agencies
from receipts.corrections import Corrections, Wanted
from receipts.replacing import SUPERSEDED
from receipts.verify import Verdict, verify
from receipts.xml import read_sealed
from reconciliation.checks import CHECKS

SECOND = FeeLine("1.004222", "le_phi", "Lệ phí cấp bản sao", 8_000, "2771")
ONE, OTHER = "staff:mai", "staff:nam"


def of(site: Site) -> Corrections:
    return Corrections(site.parts.store, site.parts.vault)


def wanted(cause: str, **more: Any) -> Wanted:
    given: dict[str, Any] = {"reason": "ghi nhầm", "texts": {}, "amounts": (), **more}
    return Wanted(cause=cause, **given)


async def finish(site: Site) -> None:
    """Let the worker number, seal and draw what waits."""
    while await site.parts.replacing.run() + await site.parts.receipts.issue():
        pass
    await site.parts.outbox.sequence()


async def two_lines(site: Site) -> dict[str, Any]:
    """Pay two lines of one kind; give their one receipt as its row."""
    await pay(site, "online", (LE_PHI, SECOND))
    await finish(site)
    (receipt,) = await rows(site, "SELECT * FROM receipt")
    return receipt


async def agreed(site: Site, receipt_id: str, what: Wanted) -> None:
    asked = await of(site).ask(AGENCY, receipt_id, what, ONE)
    await of(site).decide(AGENCY, asked, OTHER, agree=True)


async def sealed(site: Site) -> list[dict[str, Any]]:
    return await rows(site, "SELECT * FROM receipt WHERE xml IS NOT NULL ORDER BY numbered_at, id")


async def test_a_wrong_amount_makes_a_replacement_that_points_back(site: Site) -> None:
    """Both ways are seen: from the old one to the new, and back; the old file is not touched."""
    old = await two_lines(site)

    await agreed(site, old["id"], wanted("amount", amounts=(12_000, 6_000)))
    await finish(site)

    before, after = await sealed(site)
    assert before == old | {"pdf": before["pdf"]}, "nothing of it changed"
    assert (after["number"], after["series"]) == (old["number"] + 1, old["series"])
    new = read_sealed(bytes(after["xml"]))
    assert [x.amount for x in new.lines] == [12_000, 6_000]
    assert new.replaces is not None
    assert (new.replaces.series, new.replaces.number, new.replaces.cause) == (
        old["series"], old["number"], "amount",
    )  # fmt: skip
    found = verify(bytes(after["xml"]), await site.parts.receipts.trusted(AGENCY))
    assert found.verdict is Verdict.VALID
    shown = (await site.get(f"/payments/{old['payment_id']}"))["receipts"]
    assert [(x["status"], x["replaces"], x["replaced_by"]) for x in shown] == [
        ("replaced", None, after["id"]), ("valid", old["id"], None),
    ]  # fmt: skip
    assert (await site.get(f"/receipts/{old['id']}"))["status"] == "replaced"
    events = [
        (e["type"], e["data"]["id"])
        for e in (await site.get("/events?after=0"))["data"]
        if e["type"].startswith("receipt.")
    ]
    assert events == [
        ("receipt.issued", old["id"]), ("receipt.issued", after["id"]),
        ("receipt.replaced", old["id"]),
    ]  # fmt: skip
    looked_up = await site.http.get(f"/verify/{old['verify_code']}")
    assert "Biên lai đã được thay thế" in looked_up.text
    assert f"/verify/{after['verify_code']}" in looked_up.text
    assert "Thay thế biên lai" in (await site.http.get(f"/verify/{after['verify_code']}")).text
    page = await site.http.get(f"/receipts/{old['token']}.html")
    assert f"số {after['number']}" in page.text
    await holds(site)
    assert await off(site) == []


async def off(site: Site) -> list[str]:
    """Ask the check at close that compares receipts with what was collected."""
    query = CHECKS["receipts equal what was collected, fee by fee"]
    async with site.parts.store.begin() as tx:
        found = await tx.rows(text(query), {"agency": AGENCY, "upto": site.clock.now().date()})
    return [str(r["what"]) for r in found]


async def test_what_a_receipt_says_was_collected_stays(site: Site) -> None:
    """Another total would be another sum than the books hold: that is a refund, or a new fee."""
    old = await two_lines(site)
    for amounts in ((1, 2), (18_000,), (18_001, -1), (10_000, 8_000)):
        with pytest.raises(Refusal):
            await of(site).ask(AGENCY, old["id"], wanted("amount", amounts=amounts), ONE)
    assert await rows(site, "SELECT id FROM correction") == []


async def test_a_wrong_tax_code_is_replaced_by_the_agencys_own(site: Site) -> None:
    old = await two_lines(site)
    with pytest.raises(Refusal, match="tax code that the agency has now"):
        await of(site).ask(AGENCY, old["id"], wanted("tax_code"), ONE)
    await Agencies(site.parts.store).change(AGENCY, {"tax_code": "0109998887"}, {}, "test")

    await agreed(site, old["id"], wanted("tax_code"))
    await finish(site)

    _, after = await sealed(site)
    new = read_sealed(bytes(after["xml"]))
    assert new.agency_tax_code == "0109998887"
    assert new.replaces is not None
    assert new.replaces.tax_code == old["content"]["agency_tax_code"] != new.agency_tax_code


async def test_wrong_words_are_told_and_the_receipt_stands(site: Site) -> None:
    """The right words may name a person: sealed, shown to few, and each reading written down."""
    old = await two_lines(site)
    name = "Canary Trần Thị Bích"
    asked = await of(site).ask(
        AGENCY, old["id"], wanted("text", texts={"payer": name, "dossier": ""}), ONE
    )
    assert (await rows(site, "SELECT said FROM correction"))[0]["said"] == {"texts": ["payer"]}

    await of(site).decide(AGENCY, asked, OTHER, agree=True)
    await finish(site)

    assert await sealed(site) == [old]
    assert (await site.get(f"/receipts/{old['id']}"))["status"] == "valid"
    for page in (f"/verify/{old['verify_code']}", f"/receipts/{old['token']}.html"):
        said = (await site.http.get(page)).text
        assert "thông báo sai sót về: người nộp" in said
        assert name not in said
    assert await of(site).texts(AGENCY, asked, OTHER) == ({"payer": name}, old["id"])
    read = "SELECT actor, object_id FROM audit WHERE action = 'correction.read'"
    assert await rows(site, read) == [{"actor": OTHER, "object_id": old["id"]}]
    for wrong in ({}, {"payer": "x" * 501}, {"payer": "a\x00b"}, {"amount": "1"}):
        with pytest.raises(Refusal):
            await of(site).ask(AGENCY, old["id"], wanted("text", texts=wrong), ONE)


async def test_maker_is_not_checker_and_each_is_decided_once(site: Site) -> None:
    old = await two_lines(site)
    what = wanted("amount", amounts=(9_000, 9_000))
    asked = await of(site).ask(AGENCY, old["id"], what, ONE)
    with pytest.raises(Refusal, match="waits"):
        await of(site).ask(AGENCY, old["id"], what, OTHER)
    with pytest.raises(Refusal, match="Somebody else"):
        await of(site).decide(AGENCY, asked, ONE, agree=True)

    await asyncio.gather(
        *(of(site).decide(AGENCY, asked, f"staff:{n}", agree=True) for n in range(4)),
        return_exceptions=True,
    )
    await asyncio.gather(*(site.parts.replacing.run() for _ in range(4)))
    await finish(site)

    assert len(await sealed(site)) == 2
    with pytest.raises(Refusal, match="replaced"):
        await of(site).ask(AGENCY, old["id"], what, ONE)
    for elsewhere in ("hn-tthcc", "nowhere"):
        with pytest.raises(Refusal):
            await of(site).story(elsewhere, old["id"])


async def test_what_was_agreed_too_late_makes_no_second_replacement(site: Site) -> None:
    old = await two_lines(site)
    await Agencies(site.parts.store).change(AGENCY, {"tax_code": "0109998887"}, {}, "test")
    by_amount = await of(site).ask(AGENCY, old["id"], wanted("amount", amounts=(9_000, 9_000)), ONE)
    by_code = await of(site).ask(AGENCY, old["id"], wanted("tax_code"), ONE)
    await of(site).decide(AGENCY, by_amount, OTHER, agree=True)
    with pytest.raises(Refusal, match="about to be"):
        await of(site).decide(AGENCY, by_code, OTHER, agree=True)
    await site.as_owner("UPDATE correction SET state = 'agreed', decided_by = 'staff:nam',"
                        f" decided_at = asked_at WHERE id = '{by_code}'")  # fmt: skip

    await finish(site)

    assert len(await sealed(site)) == 2
    states = await rows(site, "SELECT state, decided_by FROM correction ORDER BY id")
    assert states == [
        {"state": "agreed", "decided_by": OTHER}, {"state": "refused", "decided_by": SUPERSEDED},
    ]  # fmt: skip


@pytest.mark.parametrize("replaced", [True, False])
async def test_a_refund_is_seen_on_receipts_when_the_agency_says_so(
    site: Site, *, replaced: bool
) -> None:
    """A part, then the rest: the chain ends at nothing. By the setting, or not at all."""
    with_east_bank(site.parts, AGENCY, EastBank())
    await Agencies(site.parts.store).change(AGENCY, {}, {REPLACED_FROM: replaced}, "test")
    await site.as_owner("UPDATE agency SET settings = settings || '{\"refund_alone_max\": 0}'")
    payment = await paid_at_east(site)
    await finish(site)
    for amount, left in ((4_000, 10_000), (6_000, 6_000)):
        refund = (await ask(site, payment, amount, left)).json()["id"]
        await site.parts.refunds.decide(AGENCY, refund, OTHER, agree=True)
        await site.parts.sender.send()
        await finish(site)

    found = await sealed(site)
    assert [r["amount"] for r in found] == ([10_000, 6_000, 0] if replaced else [10_000])
    if replaced:
        last = read_sealed(bytes(found[-1]["xml"]))
        assert last.amount_in_words == "Không đồng"
        assert found[-1]["pdf"] is not None
    assert await off(site) == []
    await holds(site)


async def test_below_the_limit_of_one_person_a_replacement_waits_for_the_second(
    site: Site,
) -> None:
    with_east_bank(site.parts, AGENCY, EastBank())
    await Agencies(site.parts.store).change(AGENCY, {}, {REPLACED_FROM: True}, "test")
    await site.as_owner("UPDATE agency SET settings = settings || '{\"refund_alone_max\": 99999}'")
    payment = await paid_at_east(site)
    await finish(site)
    await ask(site, payment, 10_000, 10_000)
    await site.parts.sender.send()
    await finish(site)
    assert len(await sealed(site)) == 1
    assert await off(site) == []
    (waits,) = await of(site).waiting(AGENCY)

    await of(site).decide(AGENCY, waits["id"], OTHER, agree=True)
    await finish(site)

    assert [r["amount"] for r in await sealed(site)] == [10_000, 0]
    assert await off(site) == []


async def test_a_refund_of_two_kinds_replaces_both_receipts_and_a_person_may_ask_for_it(
    site: Site,
) -> None:
    """Where receipts stand by the setting, an accountant still can ask; the books agree before."""
    with_east_bank(site.parts, AGENCY, EastBank())
    lines = [
        {"code": x.code, "kind": x.kind, "name": x.name, "amount": a, "budget_line": x.budget_line}
        for x, a in ((PHI, 6_000), (LE_PHI, 4_000))
    ]
    await site.as_owner("UPDATE client SET may_price = true")
    body = payment_body(1) | {"lines": lines}
    del body["facts"]
    payment = (await site.ask("/payments", body)).json()
    attempt = await site.attempt(payment, "eastbank")
    await told(site, f"{attempt['provider_reference']}|E1|10000")
    await finish(site)
    refund = (await ask(site, payment, 5_000, 10_000)).json()["id"]
    await site.parts.refunds.decide(AGENCY, refund, OTHER, agree=True)
    await site.parts.sender.send()
    await finish(site)
    first = await sealed(site)
    assert len(first) == 2

    for receipt in first:
        await agreed(site, receipt["id"], wanted("refund", refund_id=refund))
        with pytest.raises(Refusal):
            await of(site).ask(AGENCY, receipt["id"], wanted("refund", refund_id=refund), ONE)
    await finish(site)

    left = {r["kind"]: r["amount"] for r in (await sealed(site))[2:]}
    assert left == {"phi": 3_000, "le_phi": 2_000}
    assert await off(site) == []


async def test_officers_put_a_receipt_right_on_its_page(site: Site) -> None:
    old = await two_lines(site)
    here = f"/console/receipts/{old['id']}"
    async with signed_in(site, "accountant") as maker, signed_in(site, "approver") as checker:
        asked = await send(
            maker, here, f"{here}/corrections", cause="amount", amount_1="12.000",
            amount_2="6.000", reason="tách nhầm",
        )  # fmt: skip
        assert "Một người khác phải quyết định" in asked.text
        assert "1</strong> sai sót biên lai chờ quyết định" in (await checker.get("/console")).text
        assert "Chờ người thứ hai quyết định" in (await checker.get("/console/receipts")).text
        (row,) = await rows(site, "SELECT id FROM correction")
        done = await send(checker, here, f"/console/corrections/{row['id']}", decision="agree")
        assert "Đang được thay thế" in done.text
        await finish(site)
        page = (await checker.get(here)).text
        refused = await send(
            maker, here, f"{here}/corrections", cause="amount", amount_1="1", amount_2="2",
            reason="x",
        )  # fmt: skip
    async with signed_in(site, "clerk") as clerk:
        forbidden = await send(clerk, here, f"{here}/corrections", cause="tax_code", reason="x")

    assert "Đã được thay thế, không còn hiệu lực" in page
    assert "Chuỗi thay thế" in page
    assert refused.status_code == 400
    assert "Hãy sửa biên lai đang có hiệu lực" in refused.text
    assert forbidden.status_code == 403
