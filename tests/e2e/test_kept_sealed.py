"""What is kept sealed opens in its own place alone, and what was refused is forgotten in time."""

from datetime import timedelta
from typing import Any

import pytest
from front_door import AGENCY, Site, vnpay_query
from officers import csrf, signed_in
from sqlalchemy import text

from gateway.ports.vault import Vault
from gateway.services.payer_cells import held
from gateway.services.payer_keys import PayerCells, PayerKeys
from gateway.services.reseal import CELLS

NAMES = ("Nguyễn Thị Hoà", "Trần Văn Bình")


async def two_payments(site: Site) -> list[dict[str, Any]]:
    """Ask for a payment of each of two people."""
    return [await site.payment(n, payer={"name": name}) for n, name in enumerate(NAMES, 1)]


async def cells(site: Site) -> dict[str, tuple[bytes, Vault | PayerCells]]:
    """Give every sealed cell of the database, by its place, and what opens it."""
    found: dict[str, tuple[bytes, Vault | PayerCells]] = {}
    vault = site.parts.vault
    async with site.parts.store.begin() as tx:
        for cell in CELLS:
            rows = await tx.rows(
                text(f"SELECT {', '.join({*cell.key, cell.column})} FROM {cell.table}"
                     f" WHERE {cell.column} IS NOT NULL AND {cell.only}")
            )  # fmt: skip
            found |= {cell.place(row): (bytes(row[cell.column]), vault) for row in rows}
        ids = [row["id"] for row in await tx.rows(text("SELECT id FROM payment"))]
        keys = await PayerKeys(vault).of(tx, AGENCY, ids)
        found |= {
            cell.place: (cell.sealed, keys[cell.payment_id])
            for cell in await held(tx, AGENCY, ids)
            if cell.sealed is not None
        }
    return found


async def test_no_sealed_cell_opens_in_the_place_of_another(site: Site) -> None:
    """README, «try to cheat it»: another row, another column of the row, another table."""
    for payment in await two_payments(site):
        await site.vnpay_says(await site.attempt(payment), vnp_TransactionNo=payment["reference"])
    await site.parts.receipts.issue()
    await site.parts.webhooks.add(AGENCY, await client(site), "http://127.0.0.1:9/hook")
    found = await cells(site)

    assert {place.split("|")[0] for place in found} >= {
        "payment", "notice", "receipt", "signing_key", "endpoint", "year_key",
    }  # fmt: skip
    for place, (sealed, own) in found.items():
        assert own.open(place, sealed)
        for other in found.keys() - {place}:
            with pytest.raises(ValueError, match="changed or moved"):
                own.open(other, sealed)
            with pytest.raises(ValueError, match=r"moved|another key"):
                found[other][1].open(other, sealed)


async def client(site: Site) -> str:
    async with site.parts.store.begin() as tx:
        (row,) = await tx.rows(text("SELECT id FROM client"))
    return str(row["id"])


async def test_two_peoples_cells_that_were_swapped_show_neither_of_them(site: Site) -> None:
    """Whoever can write to the database cannot have one person's name shown as another's."""
    one, two = await two_payments(site)
    await site.as_owner(
        "UPDATE payment p SET payer_sealed = o.payer_sealed FROM payment o WHERE o.id <> p.id"
    )

    async with signed_in(site) as desk:
        for payment in (one, two):
            path = f"/console/payments/{payment['id']}"
            said = await desk.post(
                f"{path}/payer", data={"csrf": csrf((await desk.get(path)).text)}
            )

            assert said.status_code == 503
            assert not [name for name in NAMES if name in said.text]


async def test_a_refused_notice_is_kept_for_thirty_days_and_a_believed_one_for_good(
    site: Site,
) -> None:
    """A forgery is evidence, and its bytes may be about somebody: so long and no longer."""
    attempt = await site.attempt(await site.payment())
    genuine = vnpay_query(attempt)
    for query in (genuine, genuine.replace("vnp_Amount=1", "vnp_Amount=2")):
        await site.http.get(f"/notices/vnpay/default?{query}")
    assert await kept(site) == ["done", "refused"]

    site.clock.move(timedelta(days=30))
    assert await site.parts.notices.purge() == 0
    site.clock.move(timedelta(seconds=1))
    assert await site.parts.notices.purge() == 1

    assert await kept(site) == ["done"]
    assert await site.parts.notices.purge() == 0


async def kept(site: Site) -> list[str]:
    """Give the state of each notice whose bytes are there."""
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(
            text("SELECT coalesce(w.state, 'nothing') AS state FROM notice n FULL JOIN notice_work"
                 " w ON w.notice_id = n.id ORDER BY 1")
        )  # fmt: skip
    return [row["state"] for row in rows]
