"""The counter in a real browser: the clerk's window, and the display that the payer looks at."""

import pytest
from front_door import Site
from looking import at_a_counter, readable, signed_in
from playwright.async_api import Browser


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_step_is_readable_by_everybody_and_the_display_follows(
    site: Site, browser: Browser, width: int
) -> None:
    """A shift from its opening to its signature."""
    payment = await site.payment()
    clerk, display = await at_a_counter(site, browser, width)
    for window in (clerk, display):
        await readable(window, width)

    await clerk.fill("#q", payment["reference"])
    await clerk.press("#q", "Enter")
    await clerk.wait_for_url(f"**/counter/{payment['id']}")
    await display.wait_for_selector("text=Mười nghìn đồng")
    for window in (clerk, display):
        await readable(window, width)

    await clerk.click("text=Đã nhận 10.000")
    await display.wait_for_selector("text=cảm ơn ông/bà")
    for window in (clerk, display):
        await readable(window, width)

    await clerk.click("text=Người tiếp theo")
    await display.wait_for_selector("text=Xin chào")
    await clerk.click("text=Kết ca")
    await clerk.fill("#counted", "9.000")
    await clerk.press("#counted", "Enter")
    await clerk.wait_for_url("**/console/shifts")
    await readable(clerk, width)

    signer = await signed_in(site, browser, width, scripts=True)
    await signer.goto(f"{site.parts.settings.public_url}/console/shifts")
    await readable(signer, width)
    await signer.fill("input[name=bag]", "TUI-1")
    await signer.press("input[name=bag]", "Enter")
    await signer.wait_for_selector("text=Thiếu quỹ 1.000")
    await readable(signer, width)


async def test_without_a_script_the_display_looks_again_by_itself(
    site: Site, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.parts.settings.public_url}/display")

    assert await page.locator("noscript meta[http-equiv=refresh]").count() == 1
    assert await page.is_visible("text=Mã nối màn hình")
