"""Partitions by month on a real PostgreSQL: made ahead, moved into, and made once."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.infra.clock import TestClock
from gateway.store.partitions import keep_partitions
from gateway.store.tables import PARTITIONED
from gateway.store.tx import Store

_PARTITIONS = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = CAST(:parent AS regclass) ORDER BY 1"
)


def store_of(engine: AsyncEngine, year: int, month: int, day: int = 18) -> Store:
    at = datetime(year, month, day, 1, 0, tzinfo=UTC)
    return Store(engine, TestClock(at), "http://127.0.0.1")


async def partitions(store: Store, parent: str) -> list[str]:
    async with store.begin() as tx:
        return [r["relname"] for r in await tx.rows(_PARTITIONS, {"parent": parent})]


async def where_is(store: Store, actor: str) -> list[str]:
    async with store.begin() as tx:
        found = await tx.rows(
            text("SELECT CAST(tableoid::regclass AS text) AS place FROM audit WHERE actor = :a"),
            {"a": actor},
        )
    return [r["place"] for r in found]


async def forget(store: Store, place: str) -> None:
    async with store.begin() as tx:
        await tx.run(text(f"DELETE FROM {place}"))


async def test_this_month_and_three_more_are_ready_across_the_new_year(
    engine: AsyncEngine,
) -> None:
    store = store_of(engine, 2030, 11)

    assert await keep_partitions(store) == 4 * len(PARTITIONED)

    for table in PARTITIONED:
        found = await partitions(store, table)
        wanted = [f"{table}_{m}" for m in ("2030_11", "2030_12", "2031_01", "2031_02")]
        assert set(wanted) < set(found)
        assert f"{table}_default" in found


async def test_asking_again_makes_nothing(engine: AsyncEngine) -> None:
    store = store_of(engine, 2030, 11)

    await keep_partitions(store)

    assert await keep_partitions(store) == 0
    assert await keep_partitions(store_of(engine, 2030, 12)) == len(PARTITIONED)


async def test_two_workers_at_once_make_each_partition_once(engine: AsyncEngine) -> None:
    store = store_of(engine, 2031, 5)

    made = await asyncio.gather(*(keep_partitions(store) for _ in range(4)))

    assert sum(made) == 4 * len(PARTITIONED)


async def test_rows_that_came_before_their_partition_are_moved_into_it(
    engine: AsyncEngine,
) -> None:
    """Nothing is lost, nothing is there twice, and the guard holds in the new place too."""
    store = store_of(engine, 2031, 12, 31)
    async with store.begin() as tx:
        await tx.note("hn-tthcc-test", "job:before", "moved", "x")
    assert isinstance(store.clock, TestClock)
    store.clock.move(timedelta(days=1))
    async with store.begin() as tx:
        await tx.note("hn-tthcc-test", "job:january", "moved", "x")
    assert await where_is(store, "job:before") == ["audit_default"]

    await keep_partitions(store_of(engine, 2031, 12))

    assert await where_is(store, "job:before") == ["audit_2031_12"]
    assert await where_is(store, "job:january") == ["audit_2032_01"]
    async with store.begin() as tx:
        await tx.run(text("INSERT INTO audit_default VALUES ('a','1999-01-01','','','','','{}')"))
    for place in ("audit", "audit_2031_12", "audit_default"):
        with pytest.raises(DBAPIError, match="append-only"):
            await forget(store, place)


async def test_a_table_in_use_is_skipped_and_done_the_next_time(
    engine: AsyncEngine, database_url: str
) -> None:
    """Whoever holds the table is not thrown out; the rows stay in the default partition."""
    store = store_of(engine, 2033, 3)
    other = await asyncpg.connect(database_url)
    busy = other.transaction()
    await busy.start()
    await other.execute("LOCK TABLE audit_default IN ACCESS SHARE MODE; SELECT 1 FROM audit")

    made = await keep_partitions(store)

    assert made == 4 * (len(PARTITIONED) - 1)
    await busy.rollback()
    await other.close()
    assert await keep_partitions(store) == 4
