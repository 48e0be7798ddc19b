"""Guessing passwords is slow, however it is done, and shuts nobody else out."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest_asyncio
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import engine_of
from gateway.services.access import Access
from gateway.store.roles import WEB
from gateway.store.tx import Store

HERE, ELSEWHERE = "198.51.100.7", "203.0.113.9"


@dataclass
class Desk:
    """A site, and what its web process does with passwords."""

    site: Site
    access: Access


@pytest_asyncio.fixture
async def desk(site: Site, database_url: str) -> AsyncIterator[Desk]:
    """Sign in as the web process does, in its role."""
    engine = engine_of(database_url, WEB)
    yield Desk(site, Access(Store(engine, site.clock, "")))
    await engine.dispose()


async def tried(desk: Desk, name: str, password: str, source: str = HERE) -> str:
    """Try to sign in; give the refusal's code, or nothing."""
    try:
        await desk.access.sign_in(name, password, source)
    except Refusal as refusal:
        return refusal.code
    return ""


async def test_tries_at_the_same_moment_do_not_slip_past_the_count(desk: Desk) -> None:
    """Each would else look before any of the others is written down."""
    await desk.site.parts.access.add_staff("an", "clerk", AGENCY)

    said = Counter(await asyncio.gather(*(tried(desk, "an", f"guess-{n}") for n in range(40))))

    assert said == {"unauthenticated": 5, "too-many-requests": 35}


async def test_whoever_guesses_shuts_nobody_out_elsewhere(desk: Desk) -> None:
    """Five wrong tries on each name of an agency would else close it for a quarter of an hour."""
    password = await desk.site.parts.access.add_staff("an", "clerk", AGENCY)
    for n in range(8):
        await tried(desk, "an", f"guess-{n}")

    assert await tried(desk, "an", password) == "too-many-requests"
    assert await tried(desk, "an", password, ELSEWHERE) == ""


async def test_one_place_has_so_many_tries_for_all_names_together(desk: Desk) -> None:
    """One guess at each of a thousand names is guessing too; a whole /64 is one place."""
    password = await desk.site.parts.access.add_staff("an", "clerk", AGENCY)
    for place in ("2001:db8:1:2::", HERE):
        async with desk.site.parts.store.begin() as tx:
            await tx.run(
                text("INSERT INTO sign_in_try (username, source, at) SELECT 'name' || n, :place,"
                     " :now FROM generate_series(1, 49) n"),
                {"place": f"{place}/64" if ":" in place else place, "now": desk.site.clock.now()},
            )  # fmt: skip
    last = [await tried(desk, "x", "y", "2001:db8:1:2::1"), await tried(desk, "x", "y")]

    assert last == ["unauthenticated"] * 2
    assert await tried(desk, "an", password, "2001:db8:1:2:ffff::") == "too-many-requests"
    assert await tried(desk, "an", password) == "too-many-requests"
    assert await tried(desk, "an", password, "2001:db8:1:3::1") == ""


async def test_who_knows_the_password_begins_again(desk: Desk) -> None:
    password = await desk.site.parts.access.add_staff("an", "clerk", AGENCY)
    tries = ["a", "b", "c", "d", password] * 3

    said = [await tried(desk, "an", word) for word in tries]

    assert said == [*["unauthenticated"] * 4, ""] * 3


async def test_tries_are_kept_no_longer_than_they_count(desk: Desk) -> None:
    await tried(desk, "an", "x")
    desk.site.clock.move(timedelta(minutes=15))
    await tried(desk, "binh", "x", ELSEWHERE)

    async with desk.site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT username FROM sign_in_try"))
    assert [r["username"] for r in rows] == ["binh"]


async def test_a_name_that_no_database_can_keep_is_only_wrong(desk: Desk) -> None:
    answer = await desk.site.http.post(
        "/console/login", data={"username": "a\0b", "password": "\0"}
    )

    assert answer.status_code == 401
