"""Notices at 300 a second for a minute, and again while another provider hangs.

Open loop: each notice has its moment whether or not the one before it was answered, and its time is
counted from that moment, so nothing hides behind a slow answer. Meanwhile citizens go on choosing
the provider that hangs: it takes their calls and answers none of them.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote_plus

import asyncpg

from bench.load import fire, paced
from bench.result import Result, at_most, machine
from bench.site import Site, Web, database

rate: Final = 300  # A second.
lasts_s: Final = 60
connections: Final = 64
p99_ms_max: Final = 200.0
hang_ratio_max: Final = 1.2
checkouts_a_second: Final = 2  # At the provider that hangs.
warm_up: Final = 600
_COPIES: Final = {
    "payment": "'id', 'pay_storm' || n, 'reference', 'S' || n, 'token', 'storm' || n,"
    " 'dossier_id', 'storm-' || n",
    "fee_line": "'payment_id', 'pay_storm' || n",
    "entry": "'id', nextval('entry_id_seq'), 'payment_id', 'pay_storm' || n",
    "event": "'id', 'evt_storm' || n, 'payment_id', 'pay_storm' || n",
    "attempt": "'id', 'att_storm' || n, 'serial', 1000000000 + n,"
    " 'provider_reference', 'STORM' || n",
    "attempt_share": "'attempt_id', 'att_storm' || n, 'payment_id', 'pay_storm' || n",
}


async def measure(at: Site) -> list[Result]:
    """Measure both minutes, on payments of their own."""
    async with hanging() as silent, at.web({"MOMO_BASE_URL": silent.url}) as web:
        await fire(web.port, [web.create(1)], 1, b"201", [b'"open"'])
        await _copy(at, web, warm_up + 2 * rate * lasts_s)
        told = [_notice(at, web, n) for n in range(1, 1 + warm_up + 2 * rate * lasts_s)]
        await fire(web.port, told[:warm_up], connections, b"200", [b'"00"'])
        quiet = told[warm_up : warm_up + rate * lasts_s]
        alone = await paced(web.port, quiet, rate, connections, b"200", [b'"00"'])
        await fire(web.port, [web.create(n) for n in range(2, 202)], 1, b"201", [b'"open"'])
        choosing = asyncio.create_task(_choose(at, web))
        beside = await paced(
            web.port, told[warm_up + rate * lasts_s :], rate, connections, b"200", [b'"00"']
        )
        choosing.cancel()
    assert silent.calls, "nobody called the provider that hangs"
    await _prove(at, len(told))
    ran_on = machine(
        f"{rate} notices a second for {lasts_s} s, one web process;"
        f" {silent.calls} calls were hanging meanwhile"
    )
    first, second = p99(alone), p99(beside)
    return [
        at_most("notice, 99 of 100 within", ran_on, first, p99_ms_max, "ms", 1.0),
        at_most("the same beside a hang", ran_on, second, first, "ms", hang_ratio_max),
    ]


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


async def _copy(at: Site, web: Web, many: int) -> None:
    """Make many payments with an attempt each out of one of each: it is the notices we measure."""
    admin = await asyncpg.connect(at.server.url(database))
    payment = await admin.fetchval("SELECT id FROM payment")
    request = web.post(f"/v1/payments/{payment}/attempts", {"provider": "vnpay"}, "storm")
    await fire(web.port, [request], 1, b"201", [b"redirect_url"])
    for table, changes in _COPIES.items():
        await admin.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(r, jsonb_build_object({changes}))).*"
            f" FROM (SELECT * FROM {table}) r, generate_series(1, $1::int) n",
            many,
        )
    await admin.execute("ANALYZE")
    await admin.close()


def _notice(at: Site, web: Web, n: int) -> bytes:
    return web.signed(
        {
            "vnp_Amount": "", "vnp_BankCode": "NCB", "vnp_OrderInfo": "storm",
            "vnp_PayDate": "", "vnp_ResponseCode": "00", "vnp_TmnCode": "BENCHTMN",
            "vnp_TransactionNo": f"{20_000_000 + n}", "vnp_TransactionStatus": "00",
            "vnp_TxnRef": f"STORM{n}",
        }
    )  # fmt: skip
