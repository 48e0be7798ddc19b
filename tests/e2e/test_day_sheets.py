"""A day is seen on one page, row by row, and signed by two people; an agency may close by that."""

from datetime import timedelta

import pytest
from books import DAY, NEXT, night, paid_by_vnpay, reconcile, reconciliation, take
from front_door import AGENCY, Site
from officers import send, signed_in

from gateway.domain.errors import Refusal
from gateway.entry.reconciling import day_sheets_of
from gateway.entry.web.console_chart import chart, chart_height
from gateway.services.agencies import CLOSED_BY_TWO, Agencies
from gateway.services.invariants import violations
from reconciliation.checks import CHECKS, SIGNED
from reconciliation.day_sheets import DaySheets, Figures

ONE, OTHER, THIRD = "staff:mai", "staff:nam", "staff:an"
HERE = f"/console/days/{DAY}"


def of(site: Site) -> DaySheets:
    return day_sheets_of(site.parts)


async def taken(site: Site) -> dict[str, str]:
    """Let a day with one fee of 10,000 đồng end, with its provider's report."""
    payment = await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {"merchant_reference": payment["attempt"]})
    return payment


async def by_two(site: Site) -> None:
    await Agencies(site.parts.store).change(AGENCY, {}, {CLOSED_BY_TWO: True}, ONE)


async def sign(site: Site, *actors: str) -> None:
    for actor in actors:
        shown = (await of(site).sheet(AGENCY, DAY)).hash
        await of(site).sign(AGENCY, DAY, actor, shown)


async def test_two_people_sign_what_they_were_shown_and_each_once(site: Site) -> None:
    await taken(site)
    with pytest.raises(Refusal, match="must hold first: each capture was looked for"):
        await sign(site, ONE)
    await reconcile(site)
    sheet = await of(site).sheet(AGENCY, DAY)
    assert (sheet.state, sheet.signatures, sheet.is_by_two) == ("closed", [], False)
    assert [name for name, wrong in sheet.checks if not wrong] == list(CHECKS)

    with pytest.raises(Refusal, match="not what you were shown"):
        await of(site).sign(AGENCY, DAY, ONE, "0" * 64)
    with pytest.raises(Refusal, match="is not over in Hanoi"):
        await of(site).sign(AGENCY, NEXT, ONE, sheet.hash)
    await sign(site, ONE)
    with pytest.raises(Refusal, match="somebody else must sign"):
        await sign(site, ONE)
    await sign(site, OTHER)
    with pytest.raises(Refusal, match="Two people have signed it already"):
        await sign(site, THIRD)

    signed = (await of(site).sheet(AGENCY, DAY)).signatures
    assert [(s["signed_by"], s["hash"]) for s in signed] == [
        (ONE, sheet.hash), (OTHER, sheet.hash)]  # fmt: skip
    with pytest.raises(Exception, match="day_signature"):
        await site.as_owner("UPDATE day_signature SET signed_by = 'x'")


async def test_an_agency_may_have_its_days_locked_by_two_signatures_alone(site: Site) -> None:
    """Signatures are for the entries that they saw, and lapse when the day is opened again."""
    await taken(site)
    await by_two(site)
    report = await reconcile(site)
    assert report.closed is not None
    assert report.closed.open_checks == {SIGNED: [HERE]}
    casework = reconciliation(site).casework

    await sign(site, ONE)
    assert await casework.close_signed() == 0
    await sign(site, OTHER)
    assert await casework.close_signed() == 1
    assert await casework.close_signed() == 0

    assert (await of(site).sheet(AGENCY, DAY)).state == "closed"
    assert await violations(site.parts.store) == []
    site.clock.move(timedelta(minutes=1))
    await casework.reopen(AGENCY, DAY, ONE)
    assert (await of(site).sheet(AGENCY, DAY)).signatures == []
    assert await casework.close_signed() == 0, "they signed before it was opened again"
    again = await reconcile(site)
    assert again.closed is not None
    assert list(again.closed.open_checks) == [SIGNED]
    site.clock.move(timedelta(minutes=1))
    await sign(site, OTHER, ONE)
    assert await casework.close_signed() == 1


async def test_what_is_booked_after_the_first_signature_wants_new_ones(site: Site) -> None:
    await taken(site)
    await by_two(site)
    await reconcile(site)
    await sign(site, ONE)
    await site.as_owner(
        "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
        " voucher_id, rule, storno, created_at) SELECT agency_id, booked_on, value_on, 'M1', 'M9',"
        " 1, voucher_kind, 'late', rule, false, created_at FROM entry LIMIT 1"
    )

    await sign(site, OTHER)

    assert [s["signed_by"] for s in (await of(site).sheet(AGENCY, DAY)).signatures] == [OTHER]
    assert await reconciliation(site).casework.close_signed() == 0


async def test_each_figure_opens_its_rows(site: Site) -> None:
    payment = await taken(site)
    late = await paid_by_vnpay(site, 2, "14831399")
    await reconcile(site)
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 8_920, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
    )  # fmt: skip
    await reconcile(site, NEXT)

    days = await of(site).figures(AGENCY, DAY, NEXT)

    assert [(d.expected, d.received, d.treasury, d.difference) for d in days] == [
        (20_000, 10_000, 0, 10_000)]  # fmt: skip
    async with signed_in(site) as officer:
        home = (await officer.get("/console")).text
        assert f"/console/breaks?on={DAY}" in home
        of_day, of_none = [
            (await officer.get(f"/console/breaks?on={day}")).text for day in (DAY, NEXT)
        ]
        listed = ['<ul class="rows"' in text for text in (of_day, of_none)]
        assert (listed, "Chỉ từ ngày" in of_day) == ([True, False], True)
        file = (await officer.get(f"/console/breaks.csv?on={NEXT}")).text
        assert file.count("\n") == 1, "the titles alone"
        page = (await officer.get(f"{HERE}?show=received")).text
        assert payment["id"] in page
        assert late["id"] not in page
        missing = (await officer.get(f"{HERE}?show=missing")).text
        assert late["id"] in missing
        assert payment["id"] not in missing
        assert "/console/days/2026-11-18" in (await officer.get("/console")).text
        assert "<svg" in (await officer.get("/console/days")).text
        assert (await officer.get("/console/days/2026-13-40")).status_code == 404


async def test_officers_sign_on_the_page(site: Site) -> None:
    await taken(site)
    await reconcile(site)
    async with signed_in(site) as first, signed_in(site, "approver") as second:
        for officer in (first, second):
            sheet = await of(site).sheet(AGENCY, DAY)
            assert (await send(officer, HERE, HERE, shown=sheet.hash)).status_code == 200
        page = (await second.get(HERE)).text
    async with signed_in(site, "clerk") as clerk:
        assert (await clerk.get(HERE)).status_code == 403

    assert len((await of(site).sheet(AGENCY, DAY)).signatures) == 2
    assert "Ký ngày" not in page


def test_the_chart_gives_each_day_its_share_of_the_highest() -> None:
    later = NEXT + timedelta(days=1)
    days = [Figures(DAY, 2, 100, 60, 20, 0), Figures(later, 1, 50, 50, 50, 0)]

    first, empty, second = chart(days)

    assert (empty["on"], {p["height"] for p in empty["parts"].values()}) == (NEXT, {0.0})

    heights = {name: part["height"] for name, part in first["parts"].items()}
    assert heights == {"treasury": 28.0, "received": 56.0, "missing": 56.0}
    assert sum(heights.values()) == chart_height
    assert second["parts"]["treasury"] == {"y": 70.0, "height": 70.0}
    assert chart([]) == chart([Figures(DAY, 0, 0, 0, 0, 0)]) == []
