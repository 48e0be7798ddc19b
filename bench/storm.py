"""Notices at 300 a second for a minute, and for another while another provider hangs.

Open loop: each notice has its moment whether or not the one before it was answered, and its time is
counted from that moment, so nothing hides behind a slow answer. Meanwhile citizens go on choosing
the provider that hangs: it takes their calls and answers none of them.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import asyncpg

from bench.load import fire, paced
from bench.result import Result, at_most, machine
from bench.site import Site, Web, database

rate: Final = 300  # A second.
lasts_s: Final = 60
turns: Final = 4
connections: Final = 64
p99_ms_max: Final = 200.0
hang_ratio_max: Final = 1.2
checkouts_a_second: Final = 2  # At the provider that hangs.
warm_up: Final = 600
_COPIES: Final = {
    "payment": "'id', 'pay_storm' || nth, 'reference', 'S' || nth, 'token', 'storm' || nth,"
    " 'dossier_id', 'storm-' || nth",
    "fee_line": "'payment_id', 'pay_storm' || nth",
    "entry": "'id', nextval('entry_id_seq'), 'payment_id', 'pay_storm' || nth",
    "event": "'id', 'evt_storm' || nth, 'payment_id', 'pay_storm' || nth",
    "attempt": "'id', 'att_storm' || nth, 'serial', 1000000000 + nth,"
    " 'provider_reference', 'STORM' || nth",
    "attempt_share": "'attempt_id', 'att_storm' || nth, 'payment_id', 'pay_storm' || nth",
}


async def measure(at: Site) -> list[Result]:
    """Measure both minutes, on payments of their own."""
    async with hanging() as silent, at.web(_momo(silent.url)) as web:
        await fire(web.port, [web.create(1)], 1, b"201", [b'"open"'])
        url = await _copy(at, web, warm_up + 2 * rate * lasts_s)
        told = [
            web.notice(url, 20_000_000 + n, f"STORM{n}")
            for n in range(1, 1 + warm_up + 2 * rate * lasts_s)
        ]
        await fire(web.port, told[:warm_up], connections, b"200", [b'"00"'])
        fresh = await _fresh(at, web, lasts_s * checkouts_a_second)
        alone, beside = await _turns(web, told[warm_up:], fresh)
    assert silent.calls, "nobody called the provider that hangs"
    await _prove(at, len(told))
    ran_on = machine(
        f"{rate} notices a second for {lasts_s} s, one web process;"
        f" {silent.calls} calls were hanging meanwhile"
    )
    return [
        at_most("notice, 99 of 100 within", ran_on, p99(alone), p99_ms_max, "ms", 1.0),
        at_most("the same beside a hang", ran_on, p99(beside), p99(alone), "ms", hang_ratio_max),
    ]


async def _turns(
    web: Web, told: Sequence[bytes], fresh: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Take turns, alone and beside the hang, so that a growing database is unfair to neither."""
    alone: list[float] = []
    beside: list[float] = []
    waiting, opening = iter(told), iter(fresh)
    each = rate * lasts_s // turns
    for _ in range(turns):
        first, second = list(islice(waiting, each)), list(islice(waiting, each))
        alone += await paced(web.port, first, rate, connections, b"200", [b'"00"'])
        some = list(islice(opening, len(fresh) // turns))
        choosing = asyncio.create_task(_choose(web, some))
        beside += await paced(web.port, second, rate, connections, b"200", [b'"00"'])
        await choosing  # All calls have ended before the next turn alone.
    return alone, beside


def p99(took_ms: list[float]) -> float:
    """Give the time within which 99 of 100 were answered."""
    return sorted(took_ms)[int(len(took_ms) * 0.99)]


@dataclass
class Silent:
    """A provider that takes calls and answers none."""

    url: str = ""
    calls: int = 0


@asynccontextmanager
async def hanging() -> AsyncIterator[Silent]:
    """Run one on loopback until the block ends."""
    silent, open_ones = Silent(), set[asyncio.StreamWriter]()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        if await reader.read(65_536):
            silent.calls += 1
            await reader.read()  # Until the other side gives up.
        writer.close()
        open_ones.discard(writer)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    silent.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield silent
    finally:
        server.close()
        for writer in open_ones:
            writer.close()


def _momo(url: str) -> dict[str, str]:
    return {
        "THUPHI_MOMO_PARTNER_CODE": "BENCH", "THUPHI_MOMO_ACCESS_KEY": secrets.token_hex(8),
        "THUPHI_MOMO_SECRET_KEY": secrets.token_hex(16), "THUPHI_MOMO_BASE_URL": url,
    }  # fmt: skip


async def _fresh(at: Site, web: Web, many: int) -> list[str]:
    """Ask for payments of those who choose the provider that hangs."""
    await fire(web.port, [web.create(n) for n in range(2, 2 + many)], 1, b"201", [b'"open"'])
    admin = await asyncpg.connect(at.server.url(database))
    rows = await admin.fetch(
        "SELECT id FROM payment WHERE state = 'open' ORDER BY id DESC LIMIT $1", many
    )
    await admin.close()
    return [row["id"] for row in rows]


async def _copy(at: Site, web: Web, many: int) -> str:
    """Make many payments with an attempt each out of one of each: it is the notices we measure.

    Gives the address at VNPAY that all of them were made from.
    """
    admin = await asyncpg.connect(at.server.url(database))
    payment = await admin.fetchval("SELECT id FROM payment")
    request = web.post(f"/v1/payments/{payment}/attempts", {"provider": "vnpay"}, "storm")
    await fire(web.port, [request], 1, b"201", [b"redirect_url"])
    for table, changes in _COPIES.items():
        await admin.execute(
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
            f" SELECT (jsonb_populate_record(r, jsonb_build_object({changes}))).*"
            f" FROM {table} r, generate_series(1, $1::int) nth",
            many,
        )
    await admin.execute("ANALYZE")
    url: str = await admin.fetchval("SELECT redirect_url FROM attempt LIMIT 1")
    await admin.close()
    return url


async def _choose(web: Web, payments: list[str]) -> None:
    """Choose the provider that hangs, again and again, for payments of their own."""
    waiting = set()
    for n, payment in enumerate(payments):
        request = web.post(f"/v1/payments/{payment}/attempts", {"provider": "momo"}, f"hang-{n}")
        waiting.add(asyncio.create_task(_wait_for_any_answer(web.port, request)))
        await asyncio.sleep(1 / checkouts_a_second)
    await asyncio.gather(*waiting)


async def _wait_for_any_answer(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.readline()
    writer.close()


async def _prove(at: Site, told: int) -> None:
    """Look at the books: every notice paid its payment, and nothing else did."""
    admin = await asyncpg.connect(at.server.url(database))
    paid = await admin.fetchval("SELECT count(*) FROM payment WHERE state = 'paid'")
    captures = await admin.fetchval("SELECT count(*) FROM capture WHERE result = 'paid'")
    await admin.close()
    assert (paid, captures) == (told, told)
