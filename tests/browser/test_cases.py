"""Breaks in a real browser: by keys, without a script, on a phone; a second person agrees."""

import pytest
from books import reconcile, take
from cases import night, unknown_money
from east_bank import rows
from front_door import AGENCY, Site
from looking import height, readable, signed_in
from playwright.async_api import Browser, Page


async def colleague(site: Site, browser: Browser, *, scripts: bool) -> Page:
    """Sign the approver in, in a window of their own."""
    password = await site.parts.access.add_staff("duyet", "approver", AGENCY)
    context = await browser.new_context(
        viewport={"width": 1280, "height": height}, java_script_enabled=scripts
    )
    page = await context.new_page()
    await page.goto(f"{site.parts.settings.public_url}/console/login")
    await page.fill("#username", "duyet")
    await page.fill("#password", password)
    await page.press("#password", "Enter")
    await page.wait_for_url("**/console")
    return page


async def test_a_break_is_resolved_by_keys_alone_and_nothing_written_is_lost(
    site: Site, browser: Browser
) -> None:
    """j, Enter, m, Enter; then the second person; and axe sees every step, in both languages."""
    payment = await site.payment()
    await night(site)
    first = await unknown_money(site, 7_000, line_id="1")
    await take(site, "statement", {"line_id": "2", "memo": "CT"})
    await reconcile(site)
    base = site.parts.settings.public_url
    page = await signed_in(site, browser, 1280, scripts=True)
    await page.goto(f"{base}/console/breaks?at={first['id']}")

    await page.keyboard.press("?")
    assert await page.is_visible("text=xuống, lên trong danh sách")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**at=brk_*")
    await page.wait_for_selector("text=chỉ khoản này đúng số tiền")
    await page.fill("#say", "đang gọi ngân hàng")
    await page.reload()
    assert await page.input_value("#say") == "đang gọi ngân hàng"
    assert await page.input_value("#for") == "", "each field keeps its own"
    await page.locator("#say").blur()
    await page.keyboard.press("s")
    assert await page.evaluate("document.activeElement.id") == "to_0"
    await page.locator("#to_0").blur()
    await seen(page, 1280)
    await page.keyboard.press("m")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Một người khác phải đồng ý")

    other = await colleague(site, browser, scripts=True)
    await other.goto(page.url)
    await other.wait_for_selector("text=Đồng ý đúng như trên")
    await seen(other, 1280)
    await other.set_viewport_size({"width": 360, "height": height})
    await seen(other, 360)
    await other.keyboard.press("m")
    await other.keyboard.press("Enter")
    await other.wait_for_selector("text=Hai người đã cho khoản tiền này nơi nhận")
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def seen(page: Page, width: int) -> None:
    """See that everybody can read a page, in both languages; go back to the first."""
    here = page.url.partition("#")[0]
    for lang in ("en", "vi"):
        await page.goto(f"{here}&lang={lang}")
        await readable(page, width)
    await page.goto(here)


@pytest.mark.parametrize("width", [360, 1280])
async def test_all_of_it_works_without_a_script(site: Site, browser: Browser, width: int) -> None:
    payment = await site.payment()
    await night(site)
    await unknown_money(site)
    base = site.parts.settings.public_url
    page = await signed_in(site, browser, width)
    await page.goto(f"{base}/console/breaks")

    await page.click("a[data-row]")
    await page.click("summary:text('Chia hoặc gộp')")
    await page.fill("#to_0", f"tp {payment['reference'].lower()}")
    await page.fill("#amount_0", "10.000")
    await page.click("#split button")
    await page.wait_for_selector("text=Một người khác phải đồng ý")
    other = await colleague(site, browser, scripts=False)
    await other.goto(page.url)
    await other.click("text=Đồng ý đúng như trên")
    await other.wait_for_selector("text=Hai người đã cho khoản tiền này nơi nhận")

    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    assert await rows(site, "SELECT id FROM break WHERE state = 'open'") == []
