"""Members of staff with a browser each."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from east_bank import rows
from front_door import AGENCY, Site

from gateway.services.access import Officer


@asynccontextmanager
async def signed_in(
    site: Site, role: str = "accountant", agency: str = AGENCY
) -> AsyncIterator[httpx.AsyncClient]:
    """Sign a new member of staff in; give their browser."""
    name = f"{role}-{agency}"
    password = await site.parts.access.add_staff(name, role, agency)
    said = {"username": name, "password": password}
    async with httpx.AsyncClient(base_url=site.parts.settings.public_url) as browser:
        answer = await browser.post("/console/login", data=said)
        assert answer.status_code == 303, answer.text
        yield browser


def csrf(page: str) -> str:
    """Find the token that a page's forms carry."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found.group(1)


async def send(browser: httpx.AsyncClient, page: str, path: str, **fields: str) -> httpx.Response:
    """Send a form of a page."""
    token = csrf((await browser.get(page)).text)
    return await browser.post(path, data={"csrf": token, **fields}, follow_redirects=True)


async def officer(site: Site, name: str, role: str = "clerk") -> Officer:
    """Add a member of staff, who needs no browser."""
    await site.parts.access.add_staff(name, role, AGENCY)
    (row,) = await rows(site, f"SELECT id FROM staff WHERE username = '{name}'")
    return Officer(row["id"], AGENCY, name, role, "csrf")
