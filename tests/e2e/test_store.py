"""The database itself keeps the rules: append-only books, closed days, one open payment."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.migrate import migrate

_AGENCY = (
    "INSERT INTO agency (id, name, tax_code, address, budget_chapter, is_sandbox, settings)"
    " VALUES ('a', 'A', '0100000000', 'Hà Nội', '412', true, '{}')"
)
_ENTRY = (
    "INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind,"
    " voucher_id, rule, storno, created_at)"
    " VALUES ('a', '2026-11-18', '2026-11-18', '1380', '3310', :amount, 'capture', 'c', 'r',"
    " false, '2026-11-18T00:00:00Z')"
)


async def test_an_entry_is_never_edited_or_deleted(engine: AsyncEngine) -> None:
    """A ledger whose past can change proves nothing."""
    async with engine.begin() as connection:
        await connection.execute(text(_AGENCY))
        await connection.execute(text(_ENTRY), {"amount": 5})

    for change in ("UPDATE entry SET amount = 6", "DELETE FROM entry"):
        with pytest.raises(IntegrityError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(change))


async def test_a_closed_day_takes_no_entry(engine: AsyncEngine) -> None:
    """What comes later is booked on the next open day (LEDGER, close of day, 12)."""
    async with engine.begin() as connection:
        await connection.execute(text(_AGENCY))
        await connection.execute(
            text(
                "INSERT INTO day (agency_id, booked_on, state, closed_by, closed_at, seal)"
                " VALUES ('a', '2026-11-18', 'closed', 'x', '2026-11-19T00:00:00Z', '')"
            )
        )

    with pytest.raises(IntegrityError, match="is closed"):
        async with engine.begin() as connection:
            await connection.execute(text(_ENTRY), {"amount": 5})


async def test_an_entry_without_a_positive_amount_is_refused(engine: AsyncEngine) -> None:
    """The database repeats the rule that the domain already keeps."""
    async with engine.begin() as connection:
        await connection.execute(text(_AGENCY))

    with pytest.raises(IntegrityError, match="ck_entry_amount"):
        async with engine.begin() as connection:
            await connection.execute(text(_ENTRY), {"amount": 0})


async def test_an_older_database_learns_the_time_of_a_line(engine: AsyncEngine) -> None:
    """And its auditors may read it, as they may every column that hides nothing."""
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE statement_line DROP COLUMN txn_at"))
        await connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))

    await migrate(engine)

    async with engine.begin() as connection:
        may = "has_column_privilege('thuphi_auditor', 'statement_line', 'txn_at', 'SELECT')"
        found = await connection.execute(text(f"SELECT {may}"))
    assert found.scalar_one() is True
