"""An officer asks, another agrees, and the page always says what is to be done next."""

import pytest_asyncio
from east_bank import DUE, EastBank, holds, paid, rows, told, with_east_bank
from front_door import AGENCY, Site
from officers import csrf, send, signed_in

from gateway.ports.provider import RefundRule


@pytest_asyncio.fixture(autouse=True)
async def bank(site: Site) -> EastBank:
    made = EastBank()
    with_east_bank(site.parts, AGENCY, made)
    return made


async def test_one_asks_another_approves_and_the_bank_gives_it_back(
    site: Site, bank: EastBank
) -> None:
    payment = await paid(site)
    here = f"/console/payments/{payment['id']}"
    async with signed_in(site, "accountant") as maker, signed_in(site, "approver") as checker:
        asked = await send(
            maker, here, f"{here}/refunds", amount="4.000", expected=str(DUE), reason="nộp nhầm"
        )
        assert "Một người khác phải duyệt" in asked.text
        page = asked.url.path
        own = await maker.post(
            f"{page}/decide", data={"csrf": csrf(asked.text), "decision": "approve"}
        )
        assert own.status_code == 400
        assert "1</strong> yêu cầu hoàn trả chờ duyệt" in (await checker.get("/console")).text
        agreed = await send(checker, page, f"{page}/decide", decision="approve")
        assert "yêu cầu được gửi ngay" in agreed.text
        await site.parts.sender.send()
        done = await checker.get(page)
        story = (await checker.get(here)).text

    assert "Đã hoàn trả" in done.text
    assert list(bank.given.values()) == [4_000]
    assert "nộp nhầm" in story
    assert "4.000 đ" in story
    await holds(site)


async def test_a_transfer_names_its_payee_and_is_proved_by_a_document(
    site: Site, bank: EastBank
) -> None:
    """Whom it goes to is sealed, shown to those who transfer it, and each look is written down."""
    bank.rule = RefundRule(partial=False)
    payment = await paid(site)
    here = f"/console/payments/{payment['id']}"
    async with signed_in(site, "accountant") as maker, signed_in(site, "approver") as checker:
        asked = await send(
            maker, here, f"{here}/refunds", amount="4000", expected=str(DUE), reason="thừa"
        )
        page = asked.url.path
        await send(checker, page, f"{page}/decide", decision="approve")
        half = await send(maker, page, f"{page}/payee", payee_bank="VCB")
        assert half.status_code == 400
        await send(
            maker, page, f"{page}/payee", payee_bank="VCB", payee_account="0011",
            payee_name="NGUYEN THI CANARY",
        )  # fmt: skip
        assert "CANARY" not in (await maker.get(page)).text
        seen = await send(maker, page, f"{page}/payee-seen")
        assert "NGUYEN THI CANARY" in seen.text
        done = await send(maker, page, f"{page}/prove", document="UNC 17", outcome="done")

    assert "UNC 17" in done.text
    (row,) = await rows(site, "SELECT state, payee_sealed FROM refund")
    assert row["state"] == "done"
    assert b"CANARY" not in row["payee_sealed"]
    assert len(await rows(site, "SELECT id FROM audit WHERE action = 'payee.read'")) == 1


async def test_a_case_is_given_back_from_its_own_page(site: Site) -> None:
    await paid(site)
    attempt = (await rows(site, "SELECT provider_reference FROM attempt"))[0]["provider_reference"]
    await told(site, f"{attempt}|E2|{DUE}")
    (case,) = await rows(site, "SELECT id FROM break WHERE state = 'open'")
    page = f"/console/breaks/{case['id']}"
    (payment,) = await rows(site, "SELECT reference FROM payment")
    async with signed_in(site, "accountant") as maker:
        assert payment["reference"] in (await maker.get(page)).text
        asked = await send(maker, page, f"{page}/refund", reason="nộp hai lần")
        assert "tiền đang treo" in asked.text
        auditor_sees = asked.url.path
    async with signed_in(site, "auditor") as auditor:
        shown = await auditor.get(auditor_sees)
        refused = await auditor.post(
            f"{auditor_sees}/decide", data={"csrf": csrf(shown.text), "decision": "approve"}
        )

    assert refused.status_code == 403
    await holds(site)
