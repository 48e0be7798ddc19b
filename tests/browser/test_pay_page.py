"""The payment page in a real browser: phone first, both languages, no script, no violation."""

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zxingcpp
from axe_playwright_python.async_playwright import Axe
from front_door import Site, vnpay_query
from PIL import Image
from playwright.async_api import Browser, Page


async def opened(browser: Browser, url: str, width: int) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=True
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def in_state(site: Site, state: str) -> str:
    """Bring a payment into a state; give its link."""
    payment = await site.payment(procedure="1.001193" if state == "waived" else "1.004222")
    if state == "partly":
        await site.sepay_says(f"TP{payment['reference']}", 4_000, 1)
    elif state == "surplus":
        await site.sepay_says(f"TP{payment['reference']}", 12_000, 1)
    elif state == "cancelled":
        await site.ask(f"/payments/{payment['id']}/cancel", {})
    elif state in ("paid", "doubt"):
        attempt = await site.attempt(payment)
        if state == "paid":
            await site.vnpay_says(attempt)
        else:
            await site.http.get(f"{payment['links']['pay']}?{vnpay_query(attempt)}")
    link: str = payment["links"]["pay"]
    return link


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    "state", ["open", "partly", "paid", "surplus", "doubt", "cancelled", "waived"]
)
async def test_every_state_is_readable_by_everybody(
    site: Site, browser: Browser, state: str, width: int
) -> None:
    page = await opened(browser, await in_state(site, state), width)

    found = await Axe().run(page)

    assert found.violations_count == 0, found.generate_report()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "nothing may be cut off on a phone"


async def test_what_the_page_says_is_what_is_true(site: Site, browser: Browser) -> None:
    link = await in_state(site, "doubt")
    page = await opened(browser, link, 360)

    assert "Xin đừng nộp lại" in await page.inner_text("main")
    assert "Mười nghìn đồng" in await page.inner_text("main")
    assert "vnp_" not in page.url, "the bank's words are cut from the address"
    await page.click("text=English")
    assert "do not pay again" in await page.inner_text("main")


async def test_the_qr_on_the_page_is_the_transfer_that_is_due(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    """Read from the screen, as a bank's app does."""
    payment = await site.payment()
    page = await opened(browser, payment["links"]["pay"], 1280)
    shot = tmp_path / "qr.png"
    await page.locator(".qr img").screenshot(path=shot)

    (code,) = zxingcpp.read_barcodes(Image.open(shot))

    assert f"TP{payment['reference']}" in code.text
    assert "540510000" in code.text


async def test_the_keyboard_reaches_the_bank(site: Site, browser: Browser) -> None:
    payment = await site.payment()
    page = await opened(browser, payment["links"]["pay"], 1280)
    reached = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.getAttribute('href') || ''"))

    assert any("/vnpay" in href for href in reached)


async def test_the_page_is_small_strict_and_leads_to_the_bank(site: Site) -> None:
    payment = await site.payment()
    link = payment["links"]["pay"]
    paths = (link, f"{link}/qr.svg", "/static/pay_now.css", "/static/pay_now.js")
    pieces = [await site.http.get(path) for path in paths]

    assert sum(len(gzip.compress(p.content)) for p in pieces) <= 20_480
    policy = pieces[0].headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?! src=)|style=|<style|onclick", pieces[0].text)
    away = await site.http.get(f"{link}/vnpay")
    assert (away.status_code, urlsplit(away.headers["location"]).path) == (303, "/pay")
    again = await site.http.get(f"{link}/vnpay")
    assert again.headers["location"] == away.headers["location"], "the live attempt is used again"


async def test_an_open_page_turns_by_itself_when_the_money_comes(
    site: Site, browser: Browser
) -> None:
    """The citizen scans with a phone and watches the desk's screen."""
    payment = await site.payment()
    page = await opened(browser, payment["links"]["pay"], 1280)

    await site.sepay_says(f"TP{payment['reference']}", 10_000, 1)

    await page.wait_for_selector("text=Đã nộp đủ", timeout=15_000)


async def test_without_javascript_the_same_is_one_click_away(site: Site, browser: Browser) -> None:
    payment = await site.payment()
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(payment["links"]["pay"])
    await site.sepay_says(f"TP{payment['reference']}", 10_000, 1)

    await page.click("text=Kiểm tra lại")

    assert "Đã nộp đủ" in await page.inner_text("main")


async def test_a_link_that_opens_nothing_says_so(site: Site) -> None:
    assert (await site.http.get("/pay/nothing")).status_code == 404
