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

from gateway.infra.vault import MasterVault
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

    assert {(c.table, c.column) for c in CELLS} == sealed


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
    accounts = site.parts.registry.accounts
    await accounts.add(AGENCY, "vnpay", "tay-ho", FIELDS, "test")
    await accounts.rotate("vnpay", "tay-ho", {"VNPAY_SECRET": "x" * 9}, timedelta(hours=1), "test")
    fresh = MasterVault.of(NEW, OLD)
    # The command works as the owner: no process that serves may change a notice.
    store = Store(site.owner, site.clock, site.parts.settings.public_url)
    work = Reseal(store, fresh)
    before = await work.left()
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
    async with site.parts.store.begin() as tx:
        payment = await tx.payment(AGENCY, client)
    assert payment is not None
    assert payment.payer_sealed is not None
    assert "Hoà" in alone.open(f"payment|{client}|payer", payment.payer_sealed).decode()
    with pytest.raises(ValueError, match="another key"):
        MasterVault.of(OLD).open(f"payment|{client}|payer", payment.payer_sealed)
