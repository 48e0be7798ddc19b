"""One real Chromium for a test, that calls nobody."""

from collections.abc import AsyncIterator

import pytest_asyncio
from looking import chromium
from playwright.async_api import Browser


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium without anything that calls home."""
    async with chromium() as made:
        yield made
