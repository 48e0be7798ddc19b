"""Payments expire one by one: none waits for those that cannot be decided now."""

import asyncio
from datetime import timedelta

import pytest
from front_door import AGENCY, Site
from sqlalchemy import text

from gateway.services import expiry
from gateway.services.sweeps import SweepError

SOON = "2026-11-18T02:00:00Z"
LATER = "2026-11-18T02:30:00Z"


async def expire(site: Site) -> int:
    async with asyncio.timeout(20):
        return await site.parts.payments.expire(site.parts.can_ask)


async def states(site: Site) -> dict[str, int]:
    async with site.parts.store.begin() as tx:
        rows = await tx.rows(text("SELECT state, count(*) AS n FROM payment GROUP BY 1"))
    return {r["state"]: r["n"] for r in rows}


def again(table: str, **changes: str) -> str:
    """Write a statement that copies a table's only row as often as a batch is long."""
    new = "".join(f" || jsonb_build_object('{k}', {v})" for k, v in changes.items())
    return (
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT made.* FROM {table} one,"
        f" generate_series(1, {expiry.expiry_batch}) n,"
        f" jsonb_populate_record(one, to_jsonb(one){new}) made"
    )


async def test_a_provider_that_does_not_answer_keeps_only_its_own_payments_open(
    site: Site,
) -> None:
    """More of them wait than a batch holds; they must not be all that is ever looked at."""
    await site.attempt(await site.payment(expires_at=SOON))
    name = "'x' || lpad(n::text, 8, '0')"
    await site.as_owner(
        again("payment", id=name, reference=name, token=name, dossier_id=name),
        again("attempt", id=name, provider_reference=name, serial="1000000 + n"),
        again("attempt_share", attempt_id=name, payment_id=name),
    )
    other = await site.payment(2, expires_at=LATER)
    site.clock.move(timedelta(hours=5))
    await site.parts.attempts.ask()  # Nobody is there.

    assert await expire(site) == 1

    assert (await site.get(f"/payments/{other['id']}"))["state"] == "expired"
    assert await states(site) == {"open": expiry.expiry_batch + 1, "expired": 1}


async def test_a_payment_that_cannot_be_expired_stops_no_other(site: Site) -> None:
    broken, sound = [await site.payment(n, expires_at=SOON) for n in (1, 2)]
    await site.as_owner(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'broken'; END $$",
        "CREATE TRIGGER broken BEFORE UPDATE ON payment FOR EACH ROW"
        f" WHEN (old.id = '{broken['id']}') EXECUTE FUNCTION broken()",
    )
    site.clock.move(timedelta(hours=5))

    with pytest.raises(SweepError, match=f"failed: {broken['id']}$"):
        await expire(site)

    assert (await site.get(f"/payments/{sound['id']}"))["state"] == "expired"


@pytest.mark.parametrize("held", ["payment", "attempt"])
async def test_a_payment_that_somebody_holds_is_left_to_the_next_tick(
    site: Site, held: str
) -> None:
    """Its money may come at this moment; nobody else's expiry waits for that."""
    payment, _ = [await site.payment(n, expires_at=SOON) for n in (1, 2)]
    attempt = await site.attempt(payment, "vietqr")
    row = {"payment": payment, "attempt": attempt}[held]
    site.clock.move(timedelta(hours=5))

    async with site.parts.store.begin() as tx:
        await tx.rows(
            text(f"SELECT 1 FROM {held} WHERE agency_id = :a AND id = :id FOR NO KEY UPDATE"),
            {"a": AGENCY, "id": row["id"]},
        )
        assert await expire(site) == 1

    assert await expire(site) == 1
    assert await states(site) == {"expired": 2}
