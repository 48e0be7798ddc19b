"""The console in a real browser: every page, both widths, by keyboard, without a script."""

from datetime import timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from books import reconcile, take
from front_door import AGENCY, Site
from playwright.async_api import Browser, Page
from sqlalchemy import text


async def lived(site: Site) -> list[str]:
    """Live a little: paid, in doubt, wrong amount, a file, a run; give every page's address."""
    attempt = await site.attempt(await site.payment(1))
    await site.vnpay_says(attempt)
    other = await site.attempt(await site.payment(2))
    await site.vnpay_says(other, vnp_Amount="900000", vnp_TransactionNo="14831394")
    await site.payment(3)
    await site.parts.receipts.issue()
    site.clock.move(timedelta(hours=18))
    await take(site, "provider", {"merchant_reference": attempt["provider_reference"]})
    await reconcile(site)
    async with site.parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT (SELECT min(id) FROM payment) AS payment, (SELECT min(id) FROM break)"
                 " AS found, (SELECT min(id) FROM recon_run) AS run")
        )  # fmt: skip
    assert row is not None
    return [
        "", "/payments", f"/payments/{row['payment']}", "/breaks", f"/breaks/{row['found']}",
        "/receipts", "/trial-balance?date=2026-11-18", "/days", f"/runs/{row['run']}",
        "/payments?q=nothing-like-it",
    ]  # fmt: skip


async def signed_in(site: Site, browser: Browser, width: int) -> Page:
    """Sign in by keyboard alone, in a browser that runs no script."""
    password = await site.parts.access.add_staff("ketoan", "accountant", AGENCY)
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=False
    )
    page = await context.new_page()
    await page.goto(f"{site.parts.settings.public_url}/console")
    assert page.url.endswith("/console/login")
    await page.focus("#username")
    await page.keyboard.type("ketoan")
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console")
    return page


@pytest.mark.parametrize("width", [360, 1280])
async def test_every_page_is_readable_by_everybody(
    site: Site, browser: Browser, width: int
) -> None:
    pages = await lived(site)
    page = await signed_in(site, browser, width)
    state = await page.context.storage_state()
    seeing = await browser.new_context(
        viewport={"width": width, "height": 800}, storage_state=state
    )
    look = await seeing.new_page()
    for path in ["/login", *pages]:
        for lang in ("vi", "en"):
            joint = "&" if "?" in path else "?"
            await look.goto(f"{site.parts.settings.public_url}/console{path}{joint}lang={lang}")
            found = await Axe().run(look)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
            wide = await look.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is cut off at {width}"


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
