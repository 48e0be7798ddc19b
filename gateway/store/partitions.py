"""Monthly partitions, made ahead of time; what already lies in the default one is moved along.

Months are those of UTC. A month is filled in one transaction, under a lock: a partition is made
apart, takes the month's rows out of the default one, and is attached. A month whose rows cannot be
moved in time is left as it is, with the reason in the log: rows are never lost and never in two
places, only slower to find.
"""

import logging
from datetime import UTC, date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store import locks
from gateway.store.tables import PARTITIONED
from gateway.store.tx import Store

months_ahead: Final = 3
# Moving takes the table alone; whoever sends notices must not wait longer than this for it.
_LIMITS: Final = text("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'")
_THERE: Final = text("SELECT to_regclass(:name) IS NOT NULL AS there")
# Of migration 0010: it makes the partition as the tables' owner, who we are not.
_MAKE: Final = text("SELECT make_partition(:parent, :first)")
log: Final = logging.getLogger("thuphi.store")


async def keep_partitions(store: Store) -> int:
    """Make the partitions of this month and the next three; give how many are new."""
    first = store.clock.now().astimezone(UTC).date().replace(day=1)
    made = 0
    for _ in range(months_ahead + 1):
        for table in PARTITIONED:
            made += await _keep(store, table, first)
        first = next_month(first)
    return made


def next_month(first: date) -> date:
    """Give the first day of the month after this one."""
    return (first + timedelta(days=31)).replace(day=1)


async def _keep(store: Store, table: str, first: date) -> bool:
    """Make one partition unless it is there; a month that cannot be moved now stays in default."""
    try:
        async with store.begin() as tx:
            await tx.run(locks.PARTITIONS)
            name = f"{table}_{first:%Y_%m}"
            found = await tx.row(_THERE, {"name": name})
            if found and found["there"]:
                return False
            for statement in str(_LIMITS).split("; "):
                await tx.run(text(statement))
            await tx.run(_MAKE, {"parent": table, "first": first})
            return True
    except DBAPIError as error:
        log.warning(
            "partition skipped",
            extra={"table": table, "month": f"{first:%Y-%m}", "why": type(error.orig).__name__},
        )
        return False
