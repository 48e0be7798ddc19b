"""A new master key: everything is sealed anew, and a kill in the middle costs nothing."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import engine_url
from east_bank import EastBank, ask, paid, with_east_bank
from front_door import AGENCY, Site
from reseal_until_killed import NEW, OLD
from sqlalchemy import text

from gateway.infra.vault import MasterVault
from gateway.services.payer_cells import COLUMNS, held
from gateway.services.payer_keys import PayerKeys
from gateway.services.reseal import CELLS, Reseal
from gateway.store.tables import metadata
from gateway.store.tx import Store

PROGRAM = Path(__file__).parent.parent / "reseal_until_killed.py"
FIELDS = {
    "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret-one",
    "VNPAY_BASE_URL": "http://127.0.0.1:9/pay", "VNPAY_API_URL": "http://127.0.0.1:9/api",
}  # fmt: skip


def test_every_sealed_column_is_in_the_list() -> None:
    """A column that is forgotten here could never be read again once the old key is gone."""
    sealed = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if "sealed" in column.name
    }

    moved = {(c.table, c.column) for c in (*CELLS, *COLUMNS)}
    assert moved | {("payment", "key_sealed")} == sealed, "a payment's key is sealed by its year's"


async def test_killed_anywhere_it_goes_on_and_everything_still_opens(
    site: Site, database_url: str
) -> None:
    with_east_bank(site.parts, AGENCY, EastBank())
    payments = [await paid(site, n, f"E{n}") for n in range(1, 4)]
    asked = await ask(site, payments[0], 1_000, 10_000)
    await site.parts.refunds.name_payee(
        AGENCY, asked.json()["id"], {"bank": "VCB", "account": "1", "name": "A"}, "staff:a"
    )
    client = payments[0]["id"]
    await site.parts.receipts.issue()
    await as_before_there_were_keys(site, client)
    accounts = site.parts.registry.accounts
    await accounts.add(AGENCY, "vnpay", "tay-ho", FIELDS, "test")
    await accounts.rotate("vnpay", "tay-ho", {"VNPAY_SECRET": "x" * 9}, timedelta(hours=1), "test")
    fresh = MasterVault.of(NEW, OLD)
    # The command works as the owner: no process that serves may change a notice.
    store = Store(site.owner, site.clock, site.parts.settings.public_url)
    work = Reseal(store, fresh)
    before, before_it = await work.left(), await opened(site, fresh, client)
    assert before > len(payments) * 2

    killed = 0
    for at in range(1, 60):
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), engine_url(database_url), str(at)
        )
        if await process.wait() == 0:
            break
        assert process.returncode == -signal.SIGKILL
        killed += 1
    else:
        pytest.fail("it never came to its end")

    assert killed >= len(CELLS)
    assert await work.left() == 0
    assert await Reseal(store, fresh).run() == {}  # Nothing is left to do.
    alone = MasterVault.of(NEW)  # Without the old key, everything opens.
    after = await opened(site, alone, client)
    assert after == before_it
    assert len(after) == 3, "the payer, the salts, the payee"
    assert "Hoà" in after[f"payment|{client}|payer"]
    async with site.parts.store.begin() as tx:
        cells = await held(tx, AGENCY, [p["id"] for p in payments])
    assert {c.sealed[:1] for c in cells if c.sealed} == {b"\x02"}, "none by a master key itself"
    with pytest.raises(ValueError, match="another key"):
        await opened(site, MasterVault.of(OLD), client)


async def as_before_there_were_keys(site: Site, payment_id: str) -> None:
    """Seal what is kept of a payer by the master key itself, as the version before did."""
    plain = await opened(site, MasterVault.of(OLD), payment_id)
    async with site.parts.store.begin() as tx:
        cells = await held(tx, AGENCY, [payment_id])
        for cell in cells:
            if cell.place in plain:
                sealed = site.parts.vault.seal(cell.place, plain[cell.place].encode())
                await tx.run(
                    text(f"UPDATE {cell.of.table} SET {cell.of.column} = :new WHERE id = :id"),
                    {"new": sealed, "id": cell.id},
                )
        await tx.run(text("UPDATE payment SET key_sealed = NULL WHERE id = :id"),
                     {"id": payment_id})  # fmt: skip


async def opened(site: Site, vault: MasterVault, payment_id: str) -> dict[str, str]:
    """Open all that is kept of a payer, by its place."""
    async with site.parts.store.begin() as tx:
        own = (await PayerKeys(vault).of(tx, AGENCY, [payment_id]))[payment_id]
        cells = await held(tx, AGENCY, [payment_id])
    found = {c.place: own.open(c.place, c.sealed) for c in cells if c.sealed}
    return {place: plain.decode() for place, plain in found.items() if plain is not None}
