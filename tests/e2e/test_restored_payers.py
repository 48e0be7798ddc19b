"""Payers' data after a restore: what was kept is read again, and what was erased is not."""

import json
import os
from datetime import timedelta

from commands import Terminal
from front_door import AGENCY, Site
from office import Office, copied, drop, rows
from receipt_days import LE_PHI, PAYER, pay, pay_many
from sqlalchemy import select

from gateway.domain.payment import FeeLine
from gateway.services.erasure import Erasure
from gateway.services.payer_keys import PayerKeys
from gateway.store import tables as t
from receipts.corrections import Corrections, Wanted
from receipts.draft import secrets_of
from receipts.outside import Outside

TWO = (LE_PHI, FeeLine("1.004222", "le_phi", "Lệ phí cấp bản sao", 8_000, "2771"))
KEYS = "SELECT id, key_sealed, erased_at FROM payment ORDER BY id"


async def replace_amount(
    site: Site, corrections: Corrections, receipt_id: str, *amounts: int
) -> None:
    """Have a receipt replaced by two people, and its replacement sealed."""
    asked = await corrections.ask(
        AGENCY, receipt_id, Wanted("amount", "ghi nhầm", {}, amounts), "an"
    )
    await corrections.decide(AGENCY, asked, "binh", agree=True)
    assert await site.parts.replacing.run() == 1
    await site.parts.receipts.issue()


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
        cut_off = folder / ".filling.1"
        cut_off.write_bytes(b"half")
        os.utime(cut_off, (0, 0))
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


async def test_a_restore_that_was_cut_off_goes_on_where_it_stopped(
    office: Office, terminal: Terminal
) -> None:
    """What was erased and logged long before the newest receipt is not passed over then.

    Of the payers two are erased before their receipts are replaced, and one is known again since.
    """
    yesterday = f"{office.name}_y"
    async with office.open() as site:
        kept, gone, again = [(await pay(site, "online", TWO, PAYER)).id for _ in range(3)]
        await site.parts.receipts.issue()
        corrections = Corrections(site.parts.store, site.parts.vault)
        replaced = {r["payment_id"]: r["id"] for r in await rows(site)}
    await copied(office, yesterday)
    async with office.open() as site:
        site.clock.move(timedelta(days=3))
        await replace_amount(site, corrections, replaced[again], 9_000, 9_000)
        erasure = Erasure(site.parts.store, site.parts.vault)
        for asked in await erasure.ask(AGENCY, [gone, again], "asked for it", "an"):
            await erasure.decide(AGENCY, asked, "binh", agree=True)
        site.clock.move(timedelta(minutes=1))
        newest = {r["payment_id"]: r["id"] for r in await rows(site)}
        noticed = Wanted("text", "ghi nhầm", {"payer": "Nguyễn Thị Hoa"}, ())
        await corrections.ask(AGENCY, newest[again], noticed, "an")
        for payment in (gone, again):
            await replace_amount(site, corrections, newest[payment], 8_000, 10_000)
        site.clock.move(timedelta(days=3))
        await pay(site, "online", (LE_PHI,), PAYER)
        await site.parts.receipts.issue()
        before = await rows(site)
        keys = await rows(site, KEYS)
        checkpoint = await site.parts.receipts.journal.checkpoint(AGENCY)
    first, office.name = office.name, yesterday
    whole = {file: file.read_bytes() for file in (office.folder / AGENCY).iterdir()}
    for file, lines in whole.items():
        late = (b"logged\t", b"erased\t")
        file.write_bytes(
            b"".join(x for x in lines.splitlines(keepends=True) if not x.startswith(late))
        )
    assert (await office.restore(terminal)).code == 0
    for file, lines in whole.items():
        file.write_bytes(lines)

    end = await office.restore(terminal)

    assert end.code == 0, end.said
    assert json.loads(end.out)["restored"][AGENCY]["leaves"] == len(before) - len(replaced)
    async with office.open() as site:
        assert await rows(site) == before
        assert await rows(site, KEYS) == keys
        assert await site.parts.receipts.journal.checkpoint(AGENCY) == checkpoint
        known = await names_known(site)
        assert (known[kept], known[gone], known[again]) == (PAYER["name"], None, None)
        assert len(await rows(site, "SELECT 1 FROM erasure WHERE state = 'agreed'")) == 2
    await drop(office, yesterday)
    office.name = first
