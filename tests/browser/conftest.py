"""One real Chromium for a test, that calls nobody."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, async_playwright


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
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
