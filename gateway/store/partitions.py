"""Monthly partitions, made ahead of time; what already lies in the default one is moved along.

Months are those of UTC. A month is filled in one transaction, under a lock: a partition is made
apart, takes the month's rows out of the default one, and is attached. A month whose rows cannot be
moved in time is left as it is, with the reason in the log: rows are never lost and never in two
places, only slower to find.
"""

import logging
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store import locks
from gateway.store.tables import PARTITIONED
from gateway.store.tx import Store, Tx

months_ahead: Final = 3
# Moving takes the table alone; whoever sends notices must not wait longer than this for it.
_LIMITS: Final = text("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'")
_THERE: Final = text("SELECT to_regclass(:name) IS NOT NULL AS there")
log: Final = logging.getLogger("thuphi.store")


async def keep_partitions(store: Store) -> int:
    """Make the partitions of this month and the next three; give how many are new."""
    first = store.clock.now().astimezone(UTC).date().replace(day=1)
    made = 0
    for _ in range(months_ahead + 1):
        for table, column in PARTITIONED.items():
            made += await _keep(store, table, column, first)
        first = next_month(first)
    return made


def next_month(first: date) -> date:
    """Give the first day of the month after this one."""
    return (first + timedelta(days=31)).replace(day=1)


async def _keep(store: Store, table: str, column: str, first: date) -> bool:
    """Make one partition unless it is there; a month that cannot be moved now stays in default."""
    try:
        async with store.begin() as tx:
            await tx.run(locks.PARTITIONS)
            name = f"{table}_{first:%Y_%m}"
            found = await tx.row(_THERE, {"name": name})
            if found and found["there"]:
                return False
            await _make(tx, table, column, name, first)
            return True
    except DBAPIError as error:
        log.warning(
            "partition skipped",
            extra={"table": table, "month": f"{first:%Y-%m}", "why": type(error.orig).__name__},
        )
        return False


async def _make(tx: Tx, table: str, column: str, name: str, first: date) -> None:
    begin, end = (
        f"TIMESTAMPTZ '{datetime(day.year, day.month, 1, tzinfo=UTC).isoformat()}'"
        for day in (first, next_month(first))
    )
    month = f"{column} >= {begin} AND {column} < {end}"
    for statement in str(_LIMITS).split("; "):
        await tx.run(text(statement))
    await tx.run(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    await tx.run(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"))
    await tx.run(text(f"INSERT INTO {name} SELECT * FROM {table}_default WHERE {month}"))
    await _take_out(tx, table, month)
    await tx.run(
        text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({begin}) TO ({end})")
    )


async def _take_out(tx: Tx, table: str, month: str) -> None:
    """Remove what was copied; the append-only guard stands aside for this one move alone."""
    guard = f"{table}_append_only"
    guarded = await tx.row(
        text(
            "SELECT 1 AS one FROM pg_trigger"
            " WHERE tgname = :guard AND tgrelid = CAST(:kept AS regclass)"
        ),
        {"guard": guard, "kept": f"{table}_default"},
    )
    if guarded:
        await tx.run(text(f"ALTER TABLE {table}_default DISABLE TRIGGER {guard}"))
    await tx.run(text(f"DELETE FROM {table}_default WHERE {month}"))
    if guarded:
        await tx.run(text(f"ALTER TABLE {table}_default ENABLE TRIGGER {guard}"))
