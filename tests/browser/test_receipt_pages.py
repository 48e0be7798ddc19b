"""Receipts in a real browser: from the payment page to the proof and its check, for everybody."""

import re
from pathlib import Path

import pytest
import zxingcpp
from front_door import Site
from looking import opened, readable, weight
from PIL import Image
from playwright.async_api import Browser
from receipt_days import LE_PHI, PAYER, PHI, paid, pay

CITIZEN = PAYER | {"name": "Nguyễn Thị Hoà"}
page_bytes_max = 20_480


async def link_of(site: Site, *, drawn: bool = True) -> str:
    """Pay phí and lệ phí at once; give the payment's link."""
    payment = await pay(site, "hoan-kiem", (PHI, LE_PHI), CITIZEN)
    if drawn:
        await site.parts.receipts.issue()
    return f"{site.parts.settings.public_url}/pay/{payment.token}"


async def address(site: Site, what: str) -> str:
    """Give the address of one page to look at."""
    link = await link_of(site)
    if what == "pay":
        return link
    body = (await site.http.get(link)).text
    (html, *_) = re.findall(r'href="(/receipts/[^"]+\.html)"', body)
    if what == "receipt":
        return f"{site.parts.settings.public_url}{html}"
    shown = (await site.http.get(html)).text
    (check,) = re.findall(r'href="([^"]+/verify/[^"]+)"', shown)
    return check if what == "valid" else f"{site.parts.settings.public_url}/verify/{'0' * 16}"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("what", ["pay", "receipt", "valid", "unknown"])
async def test_every_page_is_readable_by_everybody(
    site: Site, browser: Browser, what: str, width: int
) -> None:
    where = await address(site, what)
    await readable(await opened(browser, where, width), width)
    assert await weight(site, where) <= page_bytes_max


async def test_the_receipts_appear_on_the_open_payment_page_by_themselves(
    site: Site, browser: Browser
) -> None:
    """The citizen who has just paid waits here, and is told that it comes."""
    page = await opened(browser, await link_of(site, drawn=False))
    assert "Biên lai đang được lập" in await page.inner_text("main")

    await site.parts.receipts.issue()

    await page.wait_for_selector("text=Biên lai thu lệ phí", timeout=15_000)
    assert await page.locator("text=/Tải biên lai thu (lệ )?phí/").count() == 2


async def test_from_the_payment_page_to_the_check_by_clicking(site: Site, browser: Browser) -> None:
    page = await opened(browser, await link_of(site))

    await page.locator("text=Xem trên trang web").last.click()
    said = await page.inner_text("main")
    assert CITIZEN["name"] in said
    assert "nghìn đồng" in said
    await page.click("text=Tra cứu biên lai này")
    said = await page.inner_text("main")

    assert "Biên lai thử nghiệm hợp lệ" in said
    assert "N••• T••• H•••" in said
    assert CITIZEN["name"] not in said
    await page.click("text=English")
    assert "The test receipt is valid" in await page.inner_text("main")


async def test_the_qr_on_the_page_leads_to_the_check(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    page = await opened(browser, await address(site, "receipt"), 1280)
    shot = tmp_path / "qr.png"
    await page.locator("img").screenshot(path=shot)

    (code,) = zxingcpp.read_barcodes(Image.open(shot))

    assert (await site.http.get(code.text)).status_code == 200


async def test_nothing_on_a_page_is_blocked_by_its_own_policy(site: Site, browser: Browser) -> None:
    """A refused style or image would show nowhere but in the console."""
    page = await browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for what in ("receipt", "valid"):
        await page.goto(await address(site, what))
    payment = await paid(site)
    await page.goto(payment["links"]["pay"])

    assert said == []
