"""What was acknowledged is durable: kill -9 of the web process, and of the database, under load."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
from front_door import AGENCY, VNPAY_SECRET, free_port, payment_body, vnpay_query

from gateway.entry.bootstrap import build, engine_of
from gateway.entry.plugins import adapters
from gateway.entry.settings import Settings, read_settings
from gateway.infra.clock import SystemClock
from gateway.infra.embedded import Embedded
from gateway.services.invariants import violations
from gateway.services.seed import seed
from gateway.store.migrate import migrate


def environment(url: str, port: int) -> dict[str, str]:
    return {
        "THUPHI_DATABASE_URL": url, "THUPHI_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "THUPHI_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "THUPHI_VNPAY_TMN_CODE": "TESTTMN1", "THUPHI_VNPAY_SECRET": VNPAY_SECRET,
        "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9/pay",
        "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9/api",
        "THUPHI_HIGH_WATER_DIR": f"{Path(parse_qs(urlsplit(url).query)['host'][0]) / 'outside'}",
    }  # fmt: skip


async def start_web(url: str, port: int) -> asyncio.subprocess.Process:
    """Start a web process of its own and wait until it answers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.entry.cli", "serve", "--port", str(port),
        env={**os.environ, **environment(url, port)},
        stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with httpx.AsyncClient() as http:
        while True:
            assert process.returncode is None, "the web process ended by itself"
            try:
                if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return process
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def pay_one(http: httpx.AsyncClient, key: str, n: int, told: dict[int, str]) -> None:
    """Ask, begin, and tell; note the last thing that was acknowledged."""
    headers = {"authorization": f"Bearer {key}", "idempotency-key": f"k{n}"}
    body = payment_body(n)
    made = await http.post("/v1/payments", json=body, headers=headers)
    if made.status_code != 201:
        return
    payment: dict[str, Any] = made.json()
    begun = await http.post(
        f"/v1/payments/{payment['id']}/attempts", json={"provider": "vnpay"}, headers=headers
    )
    if begun.status_code == 409:
        # Booked by a process that died before it could thank the bank: there is nothing to try.
        seen = await http.get(f"/v1/payments/{payment['id']}", headers=headers)
        if seen.status_code == 200 and seen.json()["state"] == "paid":
            told[n] = payment["id"]
    if begun.status_code != 201:
        return
    query = vnpay_query(begun.json(), vnp_TransactionNo=str(10_000 + n))
    answer = await http.get(f"/notices/vnpay/default?{query}")
    if answer.status_code == 200 and answer.json()["RspCode"] in ("00", "02"):
        told[n] = payment["id"]


async def load(port: int, key: str, numbers: range, told: dict[int, str]) -> None:
    """Pay many at once; whatever breaks underneath is tried again by the next round."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as http:

        async def one(n: int) -> None:
            try:
                await pay_one(http, key, n, told)
            except httpx.TransportError:
                return  # Nobody was thanked, so nothing is promised.

        await asyncio.gather(*(one(n) for n in numbers))


async def until_all(port: int, key: str, numbers: range, told: dict[int, str]) -> None:
    """Let every citizen try again, as they do, until each got through (thirty times at most)."""
    for _ in range(30):
        await load(port, key, numbers, told)
        if len(told) >= len(numbers):
            return
        await asyncio.sleep(0.2)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Embedded, str]]:
    """Give a server of our own, which may be killed."""
    with tempfile.TemporaryDirectory(prefix="tp") as folder:
        embedded = Embedded(Path(folder))
        yield embedded, embedded.url()
        embedded.stop()


async def ready(url: str, port: int) -> tuple[Settings, str]:
    settings = read_settings(
        environment(url, port), [f for spec in adapters() for f in spec.known_fields]
    )
    engine = engine_of(url)
    await migrate(engine)
    parts = build(settings, engine, SystemClock())
    await seed(parts.store, live=False)
    _, key = await parts.access.add_client("dvc", AGENCY, may_price=False, return_origins=[])
    await engine.dispose()
    return settings, key


async def check(settings: Settings, url: str, told: dict[int, str]) -> None:
    """Look at the books: what was thanked is there, and every rule holds."""
    engine = engine_of(url)
    parts = build(settings, engine, SystemClock())
    await parts.notices.replay()
    while await parts.receipts.issue():
        pass
    await parts.outbox.sequence()
    for payment_id in told.values():
        assert (await parts.payments.get(AGENCY, payment_id))["state"] == "paid"
    assert await violations(parts.store) == []
    await engine.dispose()


@pytest.mark.timeout(180)
async def test_what_a_killed_web_process_acknowledged_is_there(
    server: tuple[Embedded, str],
) -> None:
    """Killed at five moments in the middle of thirty payments, restarted, told again."""
    _, url = server
    port = free_port()
    settings, key = await ready(url, port)
    told: dict[int, str] = {}

    for round_, delay in enumerate((0.1, 0.2, 0.35, 0.5, 0.8)):
        web = await start_web(url, port)
        numbers = range(round_ * 30 + 1, round_ * 30 + 31)
        work = asyncio.create_task(load(port, key, numbers, told))
        await asyncio.sleep(delay)
        web.send_signal(signal.SIGKILL)
        await web.wait()
        await work
    web = await start_web(url, port)
    await until_all(port, key, range(1, 151), told)
    web.terminate()
    assert await web.wait() == 0

    assert len(told) == 150, "after the restart every citizen got through"
    await check(settings, url, told)


@pytest.mark.timeout(180)
async def test_what_was_acknowledged_survives_a_killed_database(
    server: tuple[Embedded, str],
) -> None:
    """A backend is killed in the middle: PostgreSQL drops all sessions and replays its log."""
    _, url = server
    port = free_port()
    settings, key = await ready(url, port)
    told: dict[int, str] = {}
    web = await start_web(url, port)

    work = asyncio.create_task(load(port, key, range(1, 61), told))
    await asyncio.sleep(0.6)
    admin = await asyncpg.connect(url)
    victim = await admin.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() LIMIT 1"
    )
    # A killed backend makes the server throw everybody out and recover from its log.
    os.kill(victim, signal.SIGKILL)
    await work
    admin.terminate()
    await until_all(port, key, range(1, 61), told)
    web.terminate()
    assert await web.wait() == 0

    assert len(told) == 60
    await check(settings, url, told)
