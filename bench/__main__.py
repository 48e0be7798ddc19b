"""``make bench``: ours over HTTP against pgbench doing the same statements, on this machine, now.

Rounds of ours and of the baseline take turns, so that a busy machine is unfair to neither, and the
median of each counts. Targets are ratios; the absolute rates are printed beside them.
"""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import asyncpg

from bench import day, log, parsing, proving, reading, receipts, storm
from bench.load import fire
from bench.result import Result, at_least, at_most, machine
from bench.site import Site, Web, agency, baseline_database, database, pgbench, site
from bench.statements import Seen, Witness, changing, expressions, script, set_loud, texts_of

clients: Final = 32
rounds: Final = 3
creates: Final = 10_000  # What the memory is measured after.
warm_up: Final = 400
notices: Final = 2_400
baseline_each: Final = 75  # Transactions of each of the 32 clients in a round.
ratio_target: Final = 0.15
resident_mb_max: Final = 200.0
RESULTS: Final = Path(__file__).parent / "results.json"


async def baseline(at: Site, text: str, first: int) -> float:
    """Run one round of pgbench; give transactions a second."""
    path = at.folder / "script.sql"
    path.write_text(text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        str(pgbench()), "-n", "-M", "prepared", "-c", str(clients), "-j", "2",
        "-t", str(baseline_each), "-D", f"i={first}", "-f", str(path),
        at.server.url(baseline_database),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    rate = re.search(rb"tps = ([\d.]+)", out)
    failed = re.search(rb"failed transactions: (\d+)", out)
    assert process.returncode == 0, err[-2000:]
    assert rate
    assert not failed or failed[1] == b"0", err[-2000:]
    return float(rate[1])


async def copy_database(at: Site) -> asyncpg.Connection:
    """Give the baseline a database that looks just like ours."""
    admin = await asyncpg.connect(at.server.url())
    await admin.execute(f"CREATE DATABASE {baseline_database} TEMPLATE {database}")
    await admin.close()
    return await asyncpg.connect(at.server.url(baseline_database))


async def seen_by(by: Witness, web: Web, request: bytes, status: bytes, mark: bytes) -> Seen:
    """Send one request and ask the server what it made of it."""
    begin = await by.begin()
    await fire(web.port, [request], 1, status, [mark])
    return await by.seen_since(begin)


async def attempts(web: Web, payments: Sequence[str], numbered: int) -> list[str]:
    """Begin an attempt for each payment, untimed; give the addresses at VNPAY."""
    for n, payment in enumerate(payments):
        request = web.post(
            f"/v1/payments/{payment}/attempts", {"provider": "vnpay"}, f"try-{numbered}-{n}"
        )
        await fire(web.port, [request], 1, b"201", [b"redirect_url"])
    admin = await asyncpg.connect(web.site.server.url(database))
    rows = await admin.fetch(
        "SELECT a.redirect_url FROM attempt a JOIN attempt_share s USING (agency_id)"
        " WHERE s.attempt_id = a.id AND s.payment_id = ANY($1)",
        payments,
    )
    await admin.close()
    return [row["redirect_url"] for row in rows]


async def open_payments(at: Site, limit: int) -> list[str]:
    """List payments that nobody has begun to pay."""
    admin = await asyncpg.connect(at.server.url(database))
    rows = await admin.fetch(
        "SELECT id FROM payment p WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM"
        " attempt_share s WHERE s.agency_id = p.agency_id AND s.payment_id = p.id)"
        " ORDER BY id LIMIT $1",
        limit,
    )
    await admin.close()
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Captured:
    """What one create and one notice send, and pgbench scripts that do the same."""

    counted_by: str
    create: Seen
    notice: Seen
    create_script: str
    notice_script: str
    unique: dict[str, str]
    payment_id: str
    attempt_id: str


async def captured(at: Site) -> Captured:
    """Send two of each, warm, and compare: what differs is what must be unique."""
    by = await Witness.of(at.server.url(), at.server.url(database), database)
    await set_loud(at.server.url(), loud=True)
    async with at.web() as web:
        # Warm: the first requests of a connection prepare their statements.
        await fire(web.port, [web.create(n) for n in range(60)], 1, b"201", [b'"open"'])
        created = alike(
            [await seen_by(by, web, web.create(100 + n), b"201", b'"open"') for n in range(4)]
        )
        tries = await attempts(web, await open_payments(at, 30), 0)
        told = alike(
            [
                await seen_by(by, web, web.notice(url, n), b"200", b'"00"')
                for n, url in enumerate(tries)
            ][-4:]
        )
    await set_loud(at.server.url(), loud=False)
    await by.close()
    create_unique = expressions(changing(*(seen.sent for seen in created)), "c")
    notice_unique = expressions(changing(*(seen.sent for seen in told)), "n")
    ids = {v for one in told[0].sent for value in one.values for v in texts_of(value)}
    return Captured(
        by.said, created[0], told[0], script(created[0].sent, create_unique, clients),
        script(told[0].sent, notice_unique, clients), notice_unique,
        next(v for v in ids if v.startswith("pay_")), next(v for v in ids if v.startswith("att_")),
    )  # fmt: skip


def alike(seen: Sequence[Seen]) -> tuple[Seen, Seen]:
    """Give the last two that sent the same; the look at the accounts may fall between others."""
    texts = [tuple(one.sql for one in request.sent) for request in seen]
    ((usual, _),) = Counter(texts).most_common(1)
    *_, first, second = [s for s, said in zip(seen, texts, strict=True) if said == usual]
    return first, second


async def clone_attempts(to: asyncpg.Connection, found: Captured, many: int) -> None:
    """Give the baseline's notices payments and attempts of their own, one for each n."""
    pairs = [
        ("payment", "id", found.payment_id), ("fee_line", "payment_id", found.payment_id),
        ("entry", "payment_id", found.payment_id), ("event", "payment_id", found.payment_id),
        ("attempt", "id", found.attempt_id), ("attempt_share", "attempt_id", found.attempt_id),
    ]  # fmt: skip
    at_n = dict(
        zip(found.unique, expressions(found.unique, "n", "n").values(), strict=True)
    )  # The same expressions, with n as a column.
    for table, key, value in pairs:
        rows = await to.fetch(f"SELECT * FROM {table} WHERE {key} = $1 ORDER BY 1, 2", value)
        if table in ("entry", "event"):  # What the notice itself added comes again.
            rows = rows[:1] if table == "event" else [r for r in rows if r["debit"] == "M1"]
        for row in rows:
            names, cells = [], []
            for name, cell in row.items():
                if name == "serial" or (table == "entry" and name == "id"):
                    continue
                names.append(name)
                if cell in at_n:
                    cells.append(at_n[cell])
                elif (table, name) in _ALSO_UNIQUE:
                    cells.append(f"('{name}-' || n)")
                else:
                    cells.append(f"(r).{name}")
            await to.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(cells)}"
                f" FROM (SELECT r FROM {table} r WHERE ctid = (SELECT ctid FROM {table}"
                f" WHERE {key} = $1 {_again(table)} LIMIT 1)) x, generate_series(1, $2) n",
                value, many,
            )  # fmt: skip
    await to.execute("UPDATE payment SET state = 'open', amount_received = 0, paid_at = NULL")
    await to.execute("ANALYZE")


_ALSO_UNIQUE: Final = {
    ("payment", "reference"), ("payment", "token"), ("payment", "dossier_id"), ("event", "id"),
    ("attempt", "provider_reference"),
}  # fmt: skip


def _again(table: str) -> str:
    return {"entry": "AND debit = 'M1'", "event": "AND sequence = 1"}.get(table, "")


async def measure(at: Site) -> list[Result]:
    """Measure everything, and print what was sent."""
    found = await captured(at)
    for name, seen in (("create payment", found.create), ("notice to paid", found.notice)):
        print(f"\n{name}: {len(seen.sent)} statements, counted by {found.counted_by}")
        for n, words in seen.counts:
            print(f"  {n} × {words[:150]}")
    base = await copy_database(at)
    await clone_attempts(base, found, (rounds + 1) * clients * baseline_each + clients)
    async with at.web() as web:
        made = await rounds_of_creates(at, web, found)
        resident = web.resident_mb()
        paid = await rounds_of_notices(at, web, found)
    await base.close()
    await prove(at)
    ran_on = machine(f"one web process; statements counted by {found.counted_by}")
    return [
        at_least("create payment", ran_on, *made, "a second", ratio_target),
        at_least("notice to paid", ran_on, *paid, "a second", ratio_target),
        at_most(
            "web process after 10,000 payments", ran_on, resident, resident_mb_max, "MB resident",
            1.0,
        ),
    ]  # fmt: skip


async def rounds_of_creates(at: Site, web: Web, found: Captured) -> tuple[float, float]:
    """Take turns at creating payments."""
    numbers = iter(range(1_000, 1_000_000))
    ours, theirs = [], []

    async def some(many: int) -> float:
        wanted = [web.create(next(numbers)) for _ in range(many)]
        return await fire(web.port, wanted, clients, b"201", [b'"open"'])

    await some(warm_up)
    for turn in range(rounds):
        ours.append(await some((creates - warm_up) // rounds))
        theirs.append(await baseline(at, found.create_script, turn * baseline_each))
    return median(ours), median(theirs)


async def rounds_of_notices(at: Site, web: Web, found: Captured) -> tuple[float, float]:
    """Take turns at being told that payments were paid."""
    addresses = await attempts(web, await open_payments(at, notices), 1)
    each = len(addresses) // rounds
    ours, theirs = [], []
    for turn in range(rounds):
        told = [
            web.notice(url, 1_000 + turn * each + n)
            for n, url in enumerate(addresses[turn * each : (turn + 1) * each])
        ]
        ours.append(await fire(web.port, told, clients, b"200", [b'"00"']))
        theirs.append(await baseline(at, found.notice_script, turn * baseline_each))
    return median(ours), median(theirs)


async def prove(at: Site) -> None:
    """Look at both books: what was measured is what happened."""
    for name, least in ((database, notices), (baseline_database, rounds * clients * baseline_each)):
        connection = await asyncpg.connect(at.server.url(name))
        paid: int = await connection.fetchval(
            "SELECT count(*) FROM payment WHERE state = 'paid' AND agency_id = $1", agency
        )
        entries: Any = await connection.fetchval("SELECT count(*) FROM entry")
        assert paid >= least, (name, paid)
        assert entries >= paid, (name, paid, entries)
        await connection.close()


async def main() -> int:
    """Measure, print, write."""
    results = (
        parsing.measure()
        + log.measure()
        + reading.measure()
        + await receipts.alone()
        + await day.measure()
    )
    async with site() as at:
        results += await measure(at)
    async with site() as at:
        results += await storm.measure(at)
    async with site() as at:
        results += await receipts.issue(at)
    async with site() as at:
        results += await proving.measure(at)
    for said in dict.fromkeys(r.machine for r in results):
        print(f"\n{said}", end="")
    print(f"\n{'':36}{'ours':>10}{'baseline':>10}{'ratio':>8}{'target':>8}")
    for r in results:
        word = "ok" if r.ok else "MISSED"
        print(f"{r.name:36}{r.ours:10}{r.baseline:10}{r.ratio:8}{r.target:8}  {r.unit}  {word}")
    RESULTS.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", "utf-8")
    return 0 if all(r.ok for r in results) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
