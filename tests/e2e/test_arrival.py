"""Who sent it, how much of it, and how long it may take: settled before any door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import httpx
import pytest
from front_door import Site, free_port
from sqlalchemy import text

from gateway.entry.web.app import build_app
from gateway.entry.web.arrival import Limits, source_of
from gateway.entry.web.serving import serving

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("client", "said", "source"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.1.2.3", ["10.0.0.7"], "10.0.0.7"),
        ("10.1.2.3", ["198.51.100.1, rubbish"], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
        ("::ffff:10.1.2.3", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_source_is_the_last_hop_that_is_no_proxy_of_ours(
    client: str, said: list[str], source: str
) -> None:
    headers = [(b"x-forwarded-for", x.encode()) for x in said]

    found = source_of({"client": (client, 1) if client else None, "headers": headers}, PROXIES)

    assert found == source


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection that hangs up even when a test fails: the server waits for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def let_in(site: Site, limits: Limits, proxies: str = "127.0.0.0/8") -> AsyncIterator[int]:
    """Open the same gateway a second time, behind a proxy and with smaller limits."""
    settings = replace(site.parts.settings, trusted_proxies=(ip_network(proxies),))
    port = free_port()
    async with serving(build_app(replace(site.parts, settings=settings), limits), port):
        yield port


async def test_one_sources_quota_is_not_anothers(site: Site) -> None:
    """Behind one proxy everybody came from one address; a flood from one would shut all out."""
    limits = Limits(quota_notices_max=2)
    sources = ("198.51.100.1", "198.51.100.1", "198.51.100.1", "198.51.100.2")
    async with let_in(site, limits) as port, httpx.AsyncClient() as http:
        address = f"http://127.0.0.1:{port}/notices/vnpay/default"
        answers = [
            await http.get(address, headers={"x-forwarded-for": f"1.1.1.1, {source}"})
            for source in sources
        ]

    assert [a.status_code for a in answers] == [200, 200, 429, 200]
    assert answers[2].json()["type"] == "/problems/too-many-requests"
    async with site.parts.store.begin() as tx:
        kept = await tx.rows(text("SELECT source FROM notice ORDER BY id"))
    assert [row["source"] for row in kept] == ["198.51.100.1", "198.51.100.1", "198.51.100.2"]


async def test_a_quota_is_refilled_by_time_and_forged_hops_do_not_help(site: Site) -> None:
    limits = Limits(quota_notices_max=1)
    async with let_in(site, limits, "192.0.2.0/24") as port, httpx.AsyncClient() as http:
        address = f"http://127.0.0.1:{port}/notices/vnpay/default"
        first = await http.get(address, headers={"x-forwarded-for": "198.51.100.1"})
        forged = await http.get(address, headers={"x-forwarded-for": "198.51.100.2"})
        site.clock.move(timedelta(seconds=61))
        later = await http.get(address)

    assert [a.status_code for a in (first, forged, later)] == [200, 429, 200]


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/v1/payments", "application/json"), ("/notices/sepay/default", "application/json"),
     ("/console/login", "application/x-www-form-urlencoded"),
     ("/console/login", "multipart/form-data; boundary=x")],
)  # fmt: skip
async def test_a_body_that_does_not_come_is_not_waited_for(
    site: Site, path: str, media_type: str
) -> None:
    limits = Limits(body_wait_s=0.3)
    async with let_in(site, limits) as port, line_to(port) as (reader, writer):
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {site.key}\r\n"
            f"idempotency-key: k\r\ncontent-type: {media_type}\r\ncontent-length: 100\r\n\r\n--x"
        )
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)

    assert answer.startswith(b"HTTP/1.1 408 "), answer


async def test_a_body_that_keeps_coming_is_waited_for(site: Site) -> None:
    """A big file over a poor line is no attack: what comes buys time."""
    limits = Limits(body_wait_s=0.3)
    async with let_in(site, limits) as port, line_to(port) as (reader, writer):
        head = b"POST /notices/sepay/default HTTP/1.1\r\nhost: x\r\ncontent-length: 32769\r\n\r\n"
        writer.write(head + b"x" * 32_768)  # It buys four seconds.
        with pytest.raises(TimeoutError):  # Longer than 0.3 s, and nobody has given up.
            await asyncio.wait_for(reader.read(1), 0.6)
        writer.write(b"x")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)

    assert b" 408 " not in answer


@pytest.mark.parametrize("size", [20, 200_000])
async def test_an_answer_that_is_clear_before_the_body_is_read_still_arrives(
    site: Site, size: int
) -> None:
    """Whoever sends a file after his session ended is to see the form, and no broken line."""
    for _ in range(40):
        answer = await site.http.post("/console/files", files={"file": ("x", b"y" * size)})

        assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
