"""The counter as a clerk and a payer see it: few actions, and a display that turns by itself."""

import re
from datetime import timedelta

import httpx
import pytest
from east_bank import holds, rows
from front_door import AGENCY, Site
from officers import csrf, signed_in
from sqlalchemy import text

from gateway.services.displays import code_lives


async def send(browser: httpx.AsyncClient, page: str, path: str, **fields: str) -> httpx.Response:
    token = csrf((await browser.get(page)).text)
    return await browser.post(path, data={"csrf": token, **fields}, follow_redirects=True)


async def open_shift(browser: httpx.AsyncClient) -> httpx.Response:
    here = "/console/counter"
    return await send(browser, here, f"{here}/shift", branch="hoan-kiem", drawer="Quầy 1")


async def test_cash_takes_a_scan_and_one_button(site: Site) -> None:
    """In at most three actions: find, take, next."""
    payment = await site.payment()
    async with signed_in(site, "clerk") as clerk:
        await open_shift(clerk)

        found = await clerk.get(
            "/console/counter", params={"q": payment["links"]["pay"]}, follow_redirects=True
        )
        done = await clerk.post(
            f"{found.url.path}/take", data={"csrf": csrf(found.text), "method": "cash"},
            follow_redirects=True,
        )  # fmt: skip

    assert "Đã nhận 10.000 đ" in found.text
    assert "Đã nộp đủ" in done.text
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    await holds(site)


async def test_the_display_is_paired_by_its_code_and_says_thank_you_by_itself(site: Site) -> None:
    payment = await site.payment()
    async with (
        signed_in(site, "clerk") as clerk,
        httpx.AsyncClient(base_url=site.parts.settings.public_url) as display,
    ):
        first = await display.get("/display")
        code = re.search(r'class="code">(\d{3}) (\d{3})<', first.text)
        assert code
        await open_shift(clerk)
        await send(
            clerk, "/console/counter", "/console/counter/display", code="".join(code.groups())
        )
        assert "Xin chào" in (await display.get("/display")).text
        before = (await display.get("/display/status")).json()

        page = f"/console/counter/{payment['id']}"
        await clerk.get(page)
        shown = await display.get("/display")
        assert "10.000 đ" in shown.text
        assert (await display.get("/display/qr.png")).headers["content-type"] == "image/png"
        assert (await display.get("/display/status")).json() != before
        await send(clerk, page, f"{page}/take", method="cash")
        assert "cảm ơn" in (await display.get("/display")).text
        assert (await display.get("/display/qr.png")).status_code == 404
        await send(clerk, page, "/console/counter/next")
        assert "Xin chào" in (await display.get("/display")).text


async def test_a_code_that_is_old_wrong_or_used_pairs_nothing(site: Site) -> None:
    async with (
        signed_in(site, "clerk") as clerk,
        httpx.AsyncClient(base_url=site.parts.settings.public_url) as display,
    ):
        await display.get("/display")
        (row,) = await rows(site, "SELECT code FROM display")
        await open_shift(clerk)
        here = "/console/counter"
        site.clock.move(code_lives + timedelta(seconds=1))
        for code in (row["code"], "", "abc", "000000000"):
            answer = await send(clerk, here, f"{here}/display", code=code)
            assert answer.status_code == 400, code
            assert "Không có màn hình nào" in answer.text
        assert row["code"] not in (await display.get("/display")).text.replace(" ", "")


async def test_a_shift_ends_with_a_blind_count_and_anothers_signature(site: Site) -> None:
    payment = await site.payment()
    async with signed_in(site, "clerk") as clerk, signed_in(site, "accountant") as other:
        await open_shift(clerk)
        page = f"/console/counter/{payment['id']}"
        await send(clerk, page, f"{page}/take", method="card", slip="000777")
        counter = (await clerk.get("/console/counter")).text
        shift = re.search(r"/console/shifts/(shf_\w+)/count", counter)
        assert shift
        assert "Phải có" not in counter  # Nobody shows what should be there before the count.
        path = f"/console/shifts/{shift.group(1)}"
        counted = await send(clerk, "/console/counter", f"{path}/count", counted="0")
        assert "Phải có" in counted.text
        own = await send(clerk, "/console/shifts", f"{path}/sign", bag="T1")
        assert own.status_code == 400
        closed = await send(other, "/console/shifts", f"{path}/sign", bag="T1")

    assert "Đã đóng" in closed.text
    await holds(site)


async def test_a_slips_number_that_comes_again_brings_the_form_back_with_another(
    site: Site,
) -> None:
    payments = [await site.payment(), await site.payment(2)]
    async with signed_in(site, "clerk") as clerk:
        await open_shift(clerk)
        first, second = (f"/console/counter/{p['id']}" for p in payments)
        await send(clerk, first, f"{first}/take", method="card", slip="000777")
        async with site.parts.store.begin() as tx:
            await tx.run(text("UPDATE capture SET taken_at = taken_at - interval '1 day'"))
        again = await send(clerk, second, f"{second}/take", method="card", slip="000777")
        done = await send(clerk, second, f"{second}/take", method="card", slip="000777-2")

    assert again.status_code == 400
    assert "Nếu đây là hoá đơn khác, hãy ghi 000777-2." in again.text
    assert 'value="000777-2"' in again.text
    assert "Đã nộp đủ" in done.text


@pytest.mark.parametrize("role", ["auditor", "operator", "approver"])
async def test_only_clerks_and_accountants_take_money(site: Site, role: str) -> None:
    async with signed_in(site, role, AGENCY) as browser:
        answer = await browser.get("/console/counter")

    assert answer.status_code == 403
