"""The console in a real browser: every page, both widths, by keyboard, without a script."""

import pytest
from front_door import Site
from looking import height, opened, readable, signed_in
from playwright.async_api import Browser
from story import accounts, told


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_page_is_readable_by_everybody(
    site: Site, browser: Browser, width: int
) -> None:
    pages = await told(site)
    base = site.parts.settings.public_url
    page = await signed_in(site, browser, width)
    state = await page.context.storage_state()
    seeing = await browser.new_context(
        viewport={"width": width, "height": height}, storage_state=state
    )
    look = await seeing.new_page()
    for name, path in pages.items():
        if name.startswith("console-"):
            for lang in ("vi", "en"):
                await look.goto(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
                await readable(look, width)


@pytest.mark.parametrize("width", [360, 1280])
async def test_operators_open_and_rotate_an_account_by_keyboard(
    site: Site, browser: Browser, width: int
) -> None:
    """Without a script; and everybody can read the forms."""
    await accounts(site)
    page = await signed_in(site, browser, width, "operator")
    seeing = await opened(browser, f"{site.parts.settings.public_url}/console", width, scripts=True)
    await seeing.context.add_cookies(await page.context.cookies())
    for path in ("/providers/new?provider=vnpay", "/providers/vnpay/tay-ho"):
        for lang in ("vi", "en"):
            sign = "&" if "?" in path else "?"
            await seeing.goto(f"{site.parts.settings.public_url}/console{path}{sign}lang={lang}")
            await readable(seeing, width)

    await page.goto(f"{site.parts.settings.public_url}/console/providers/vnpay/tay-ho?lang=vi")
    await page.focus("#f2")
    await page.keyboard.type("a-new-secret")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**told=rotated")

    assert "Thông báo ký bằng khoá cũ còn được tin đến" in await page.inner_text("main")
    assert "a-new-secret" not in await page.content()


async def test_the_vietnamese_console_says_no_sentence_in_english(
    site: Site, browser: Browser
) -> None:
    """Reasons and refusals stand in the books in English, and nobody at a counter must read it."""
    pages = await told(site)
    page = await signed_in(site, browser, 1280)
    for name, path in pages.items():
        if name.startswith("console-") and name != "console-login":
            await page.goto(f"{site.parts.settings.public_url}{path}")
            said = (await page.inner_text("main")).lower()
            for word in (" the ", " is ", " of ", " not ", "payment.", "line:", "staff:"):
                assert word not in said, f"«{word}» on {name}"


async def test_a_search_leads_to_the_payment_without_a_script(site: Site, browser: Browser) -> None:
    payment = await site.payment(9)
    page = await signed_in(site, browser, 360)

    await page.fill("#q", payment["reference"])
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/payments/{payment['id']}")

    await page.click("text=Xem thông tin người nộp")
    assert "Nguyễn Thị Hoà" in await page.inner_text("main")
    await page.click("text=Đăng xuất")
    await page.wait_for_url("**/console/login")


async def test_an_address_that_is_not_there_leads_back_into_the_console(
    site: Site, browser: Browser
) -> None:
    page = await opened(browser, f"{site.parts.settings.public_url}/console/nothing")

    await page.click("text=Về trang đầu")

    await page.wait_for_url("**/console/login")
