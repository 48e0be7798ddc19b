"""The first page, what is shown where nothing is, and the check of a receipt, in a real browser."""

import pytest
from front_door import Site
from looking import opened, readable, weight
from playwright.async_api import Browser
from receipt_days import paid

page_bytes_max = 20_480
PAGES = (
    "/", "/pay/nothing", "/receipts/nothing.html", "/nothing", "/verify/1234",
    f"/verify/{'0' * 16}",
)  # fmt: skip


async def code_of(site: Site) -> str:
    """Pay and issue; give the receipt's lookup code."""
    payment = await paid(site)
    await site.parts.receipts.issue()
    code: str = (await site.get(f"/payments/{payment['id']}"))["receipts"][0]["verify_code"]
    return code


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_page_is_readable_by_everybody_and_small(
    site: Site, browser: Browser, width: int
) -> None:
    page = await opened(browser, site.parts.settings.public_url, width)
    for path in PAGES:
        for lang in ("vi", "en"):
            await page.goto(f"{site.parts.settings.public_url}{path}?lang={lang}")
            await readable(page, width)
            assert await page.locator("main .action:not(.second)").count() == 1, (
                f"one clear action on {path}"
            )
        assert await weight(site, path) <= page_bytes_max


async def test_a_receipt_is_checked_by_keyboard_alone_and_without_a_script(
    site: Site, browser: Browser
) -> None:
    """Typed as people type, in small letters and groups; a slip is put right in the same field."""
    code = (await code_of(site)).lower()
    page = await opened(browser, site.parts.settings.public_url, scripts=False)

    reached = ""
    for _ in range(10):
        await page.keyboard.press("Tab")
        reached = await page.evaluate("document.activeElement.id")
        if reached == "code":
            break
    assert reached == "code", "the form is reached by Tab"
    await page.keyboard.type(f"{code[:8]} {code[8:-1]}")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/verify/**")
    assert "mã vừa nhập có 15" in await page.inner_text("main")

    await page.focus("#code")
    await page.keyboard.press("End")
    await page.keyboard.type(code[-1])
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")  # The button this time.
    await page.wait_for_url(f"**/verify/{code.upper()}**")
    assert "Biên lai thử nghiệm hợp lệ" in await page.inner_text("main")


async def test_the_language_stays_from_page_to_page(site: Site, browser: Browser) -> None:
    page = await opened(browser, f"{site.parts.settings.public_url}/pay/nothing")
    assert "Không tìm thấy khoản thanh toán này" in await page.inner_text("main")

    await page.click("text=English")
    assert "There is no such payment link" in await page.inner_text("main")
    await page.click("text=To the first page")
    assert "Pay with the link that you were sent" in await page.inner_text("main")
    await page.fill("#code", "0" * 16)
    await page.click("text=Look it up")

    assert "There is no receipt with this code" in await page.inner_text("main")


async def test_who_has_not_typed_a_code_is_asked_for_one(site: Site, browser: Browser) -> None:
    page = await opened(browser, site.parts.settings.public_url, scripts=False)

    await page.click("text=Tra cứu >> nth=-1")

    assert await page.evaluate("document.querySelector('#code:invalid') !== null")
    assert page.url.endswith("/"), "nothing was sent"
