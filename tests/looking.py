"""A real Chromium that calls nobody, the way into the console with it, and what it looks for."""

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axe_playwright_python.async_playwright import Axe
from front_door import AGENCY, Site
from playwright.async_api import Browser, Page, async_playwright

height = 800  # A phone's screen and a laptop's, nearly; what is above the fold is what matters.


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start Chromium without anything that calls home."""
    async with async_playwright() as p:
        made = await p.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=[
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update",
                "--disable-sync",
            ],
        )  # fmt: skip
        yield made
        await made.close()


async def opened(browser: Browser, url: str, width: int = 360, *, scripts: bool = True) -> Page:
    """Open an address in a window of its own."""
    context = await browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=scripts
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def signed_in(
    site: Site, browser: Browser, width: int = 360, role: str = "accountant", *,
    scripts: bool = False,
) -> Page:  # fmt: skip
    """Sign somebody in by keyboard alone, in a browser that runs no script."""
    name = {"accountant": "ketoan", "clerk": "quay", "operator": "vanhanh"}[role]
    password = await site.parts.access.add_staff(name, role, AGENCY)
    page = await opened(
        browser, f"{site.parts.settings.public_url}/console", width, scripts=scripts
    )
    assert page.url.endswith("/console/login")
    await page.focus("#username")
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(password)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console")
    return page


async def at_a_counter(site: Site, browser: Browser, width: int = 360) -> tuple[Page, Page]:
    """Open a clerk's shift and pair a display; give the clerk's window and the payer's."""
    base = site.parts.settings.public_url
    clerk = await signed_in(site, browser, width, "clerk", scripts=True)
    display = await opened(browser, f"{base}/display", width)
    await clerk.goto(f"{base}/console/counter")
    await clerk.click("main button.action")
    await clerk.fill("#code", await display.inner_text(".code"))
    await clerk.press("#code", "Enter")
    await clerk.wait_for_url("**told=paired")
    await display.wait_for_selector("text=Xin chào")
    return clerk, display


async def readable(page: Page, width: int) -> None:
    """See that everybody can read a page: axe finds nothing, and nothing is cut off."""
    found = await Axe().run(page)
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"{page.url} is cut off at {width}"


async def weight(site: Site, address: str) -> int:
    """Give a page's bytes with all that it loads, as a browser gets them compressed."""
    page = await site.http.get(address, headers={"accept": "text/html"})
    parts = re.findall(r'(?:src|href)="(/static/[^"]+|/[^"]+\.(?:png|svg))"', page.text)
    loaded = [page, *[await site.http.get(part) for part in sorted(set(parts))]]
    assert all(piece.status_code == 200 for piece in loaded[1:]), parts
    return sum(len(gzip.compress(piece.content)) for piece in loaded)
