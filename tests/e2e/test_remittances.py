"""What is due to the budget goes on a slip that two people make, and the treasury ends it."""

from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from books import NEXT, night, paid_by_vnpay, reconcile, take
from front_door import AGENCY, Site
from officers import send, signed_in
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry.reconciling import remittances_of
from gateway.services.agencies import Agencies
from reconciliation.readers.xlsx import sheet_rows
from reconciliation.remittances import Remittances

ONE, OTHER = "staff:mai", "staff:nam"
HERE = "/console/remittances"


def of(site: Site) -> Remittances:
    return remittances_of(site.parts)


async def day_closed(site: Site, n: int = 1) -> dict[str, str]:
    """Let a day with one paid fee of 10,000 đồng end and be closed."""
    payment = await paid_by_vnpay(site, n)
    await night(site)
    await take(site, "provider", {"merchant_reference": payment["attempt"]})
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks
    return payment


async def prepared(site: Site) -> dict[str, Any]:
    upto = await of(site).last_closed(AGENCY)
    assert upto is not None
    made = await of(site).prepare(AGENCY, upto, ONE)
    return dict(await of(site).one(AGENCY, made))


async def next_day(site: Site, payment: dict[str, str], *, left: bool = True) -> None:
    """Let the bank move the slip's money, and the treasury confirm it."""
    site.clock.move(timedelta(days=1))
    moved = [
        {"booked_on": "2026-11-19", "amount": 8_920, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": 1_080, "reference": "BP",
         "memo": "BU PHI THANH TOAN VNPAY-20261118"},
    ]  # fmt: skip
    if left:
        moved.append({"booked_on": "2026-11-19", "amount": -10_000, "reference": "NS20261119",
                      "memo": "NOP NSNN NS20261119"})  # fmt: skip
    await take(site, "statement", *moved)
    await take(site, "treasury", {"obligation_id": payment["id"]})
    await reconcile(site, NEXT)


async def test_a_slip_is_prepared_signed_moved_and_confirmed(site: Site) -> None:
    payment = await day_closed(site)
    await Agencies(site.parts.store).change(
        AGENCY, {"treasury_code": "1057757", "treasury_name": "KBNN Hoàn Kiếm", "area_code": "01"},
        {}, ONE,
    )  # fmt: skip
    slip = await prepared(site)
    assert (slip["number"], slip["state"], slip["amount"]) == ("NS20261119", "prepared", 10_000)
    (line,) = slip["slip"]["lines"]
    assert (line["budget_line"], line["amount"], line["area"]) == ("2767", 10_000, "01")
    assert slip["slip"]["content"] == "NOP NSNN NS20261119"
    assert slip["slip"]["debit_account"] == "0123456789"

    await of(site).decide(AGENCY, slip["id"], OTHER, slip["hash"], sign=True)
    assert await of(site).due(AGENCY, slip["upto"]) == [], "it is on its way"
    assert await of(site).confirm() == 0
    await next_day(site, payment)

    assert await of(site).confirm() == 1
    assert await of(site).confirm() == 0
    after = await of(site).one(AGENCY, slip["id"])
    assert (after["state"], after["hash"]) == ("confirmed", slip["hash"])
    assert await of(site).due(AGENCY, NEXT) == []
    with pytest.raises(Refusal, match="Nothing is due"):
        await of(site).prepare(AGENCY, slip["upto"], ONE)


async def test_the_second_person_signs_what_was_shown_and_no_other(site: Site) -> None:
    await day_closed(site)
    slip = await prepared(site)

    for actor, shown, said in (
        (ONE, slip["hash"], "Somebody else"),
        (OTHER, "0" * 64, "not what you were shown"),
    ):
        with pytest.raises(Refusal, match=said):
            await of(site).decide(AGENCY, slip["id"], actor, shown, sign=True)
    with pytest.raises(Refusal, match="waits for its second person"):
        await prepared(site)
    with pytest.raises(Refusal, match="no such slip"):
        await of(site).decide("hn-tthcc", slip["id"], OTHER, slip["hash"], sign=True)
    await of(site).decide(AGENCY, slip["id"], ONE, "", sign=False)
    again = await prepared(site)
    assert (again["number"], again["amount"]) == ("NS20261119B", 10_000), "a number is used once"
    with pytest.raises(Exception, match="maker_is_not_checker"):
        await site.as_owner(
            "UPDATE remittance SET state = 'signed', decided_by = prepared_by, decided_at = now()"
            f" WHERE id = '{again['id']}'"
        )


async def test_what_the_bank_moved_is_not_cancelled_and_what_no_slip_names_is_waited_for(
    site: Site,
) -> None:
    payment = await day_closed(site)
    slip = await prepared(site)
    await of(site).decide(AGENCY, slip["id"], OTHER, slip["hash"], sign=True)
    await next_day(site, payment)

    with pytest.raises(Refusal, match="moved its money already"):
        await of(site).decide(AGENCY, slip["id"], ONE, "", sign=False)

    await site.as_owner("DELETE FROM remittance")
    await site.as_owner("ALTER TABLE entry DISABLE TRIGGER USER")
    await site.as_owner("DELETE FROM entry WHERE debit = '3330'")
    with pytest.raises(Refusal, match="10000 đồng is on its way"):
        await prepared(site)


async def test_what_was_given_back_since_is_on_no_slip(site: Site) -> None:
    """The refund is of a later day than the slip; the budget gets what is left."""
    payment = await day_closed(site)
    slip = await prepared(site)
    asked = await site.parts.refunds.ask_for_officer(
        AGENCY, payment["id"], (4_000, "nộp thừa", 10_000), ONE
    )
    await site.parts.refunds.decide(AGENCY, asked, OTHER, agree=True)

    with pytest.raises(Refusal, match="has changed since this slip was prepared"):
        await of(site).decide(AGENCY, slip["id"], OTHER, slip["hash"], sign=True)

    await of(site).decide(AGENCY, slip["id"], ONE, "", sign=False)
    assert (await prepared(site))["amount"] == 6_000


async def test_an_open_day_is_on_no_slip(site: Site) -> None:
    await paid_by_vnpay(site)
    assert await of(site).last_closed(AGENCY) is None
    with pytest.raises(Refusal, match="2026-11-18 must be closed first"):
        await of(site).prepare(AGENCY, NEXT, ONE)


async def test_officers_prepare_sign_and_take_it_as_a_file(site: Site) -> None:
    await day_closed(site)
    async with (
        signed_in(site, "accountant") as accountant,
        signed_in(site, "approver") as approver,
        signed_in(site, "clerk") as clerk,
    ):
        assert (await clerk.get(HERE)).status_code == 403
        assert "Chưa có giấy nào" in (await accountant.get(HERE)).text
        made = await send(accountant, HERE, HERE)
        where = made.url.path
        assert "Một người khác phải ký" in made.text
        assert "Mười nghìn đồng" in made.text
        (slip,) = await of(site).listed(AGENCY)
        assert slip["hash"] in (await approver.get(where)).text
        changed = await send(approver, where, where, decision="sign", shown="x")
        assert changed.status_code == 400
        assert "hãy đọc lại" in changed.text
        signed = await send(approver, where, where, decision="sign", shown=slip["hash"])
        assert "đã ký" in signed.text
        xml = await approver.get(f"{where}?as=xml")
        csv = await approver.get(f"{where}?as=csv")
        xlsx = await approver.get(f"{where}?as=xlsx")
    root = fromstring(xml.content)  # noqa: S314 - our own.
    assert (root.get("form"), root.findtext("amount")) == ("C1-02/NS", "10000")
    assert sum(int(x.text or "") for x in root.findall("lines/line/amount")) == 10_000
    assert csv.content.decode("utf-8-sig").splitlines()[1].endswith("10000,Mười nghìn đồng")
    titles, cells = (dict(enumerate(row)) for _, row in sheet_rows(xlsx.content))
    shown = {titles[n]: cell for n, cell in cells.items()}
    assert (shown["Số giấy"], shown["Tiểu mục"], shown["Số tiền"]) == ("NS20261119", "2767", 10_000)
    assert shown["Các ngày đến"] == datetime(2026, 11, 18)  # noqa: DTZ001 - a sheet has no zone.
    assert "spreadsheetml" in xlsx.headers["content-type"]
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT action FROM audit WHERE action LIKE 'remittance%'"))
    assert sorted(r["action"] for r in rows) == ["remittance.prepare", "remittance.sign"]
