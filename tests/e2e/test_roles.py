"""What each database role may do, tried on a real PostgreSQL."""

from datetime import timedelta

import asyncpg
import pytest
from front_door import AGENCY, Site
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.entry.bootstrap import engine_of
from gateway.store.partitions import keep_partitions
from gateway.store.roles import RIGHTS, WEB, WORKER
from gateway.store.tables import PARTITIONED, metadata

NOT_FOR_WEB = [
    "UPDATE entry SET amount = 1", "DELETE FROM entry", "TRUNCATE entry",
    "UPDATE evidence SET hash = ''", "DELETE FROM evidence",
    "UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit",
    "SELECT key_sealed FROM signing_key", "UPDATE signing_key SET certificate = ''",
    "INSERT INTO series (agency_id) VALUES ('x')", "UPDATE receipt SET number = 1",
    "UPDATE client_key SET revoked_at = NULL", "UPDATE staff SET role = 'approver'",
    "UPDATE day SET state = 'reopened'", "DELETE FROM payment",
    "SELECT make_partition('audit', '2040-01-01')", "CREATE TABLE mine (a int)",
]  # fmt: skip
NOT_FOR_THE_WORKER = [
    "ALTER TABLE entry DISABLE TRIGGER entry_append_only", "DROP TABLE audit_default",
    "UPDATE entry SET amount = 1", "DELETE FROM audit", "TRUNCATE evidence",
    "UPDATE allocation SET amount = 1", "UPDATE delivery_log SET took_ms = 1",
    "UPDATE notice SET source = ''", "DELETE FROM payment",
]  # fmt: skip
NOT_FOR_AUDITORS = [
    "SELECT payer_sealed FROM payment", "SELECT token FROM payment", "SELECT * FROM notice",
    "SELECT sealed FROM notice", "SELECT key_sealed FROM signing_key",
    "SELECT key_hash FROM client_key", "SELECT password_hash FROM staff",
    "SELECT secret_sealed FROM endpoint", "UPDATE payment SET state = 'paid'",
    "INSERT INTO audit (id) VALUES ('x')", "SELECT make_partition('audit', '2040-01-01')",
]  # fmt: skip


async def test_a_payment_is_taken_by_a_web_process_without_power(
    site: Site, database_url: str
) -> None:
    """Each session of a process has its role from its first moment, and keeps it."""
    web = engine_of(database_url, WEB)
    for engine, role in ((web, WEB), (site.parts.engine, WORKER)):
        async with engine.connect() as connection:
            await connection.execute(text("RESET ROLE"))
            who = await connection.execute(text("SELECT current_user, session_user"))
            assert who.one()[0] == role
    await web.dispose()

    attempt = await site.attempt(payment := await site.payment())

    assert await site.vnpay_says(attempt) == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"


async def test_every_table_grants_just_what_is_written_down(database_url: str) -> None:
    """A table that a later migration makes has its line, and the line is what the database says."""
    assert set(RIGHTS) == {*metadata.tables, "alembic_version"}
    connection = await asyncpg.connect(database_url)
    powers = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

    for table, rights in RIGHTS.items():
        for role, wanted in zip((WEB, WORKER), rights, strict=True):
            has = [
                power
                for power in powers
                if await connection.fetchval(
                    "SELECT has_table_privilege($1, $2, $3)", role, f'"{table}"', power
                )
            ]
            plain_only = wanted == RIGHTS["signing_key"][0]
            assert has == ([] if plain_only else wanted.split(", ")), (table, role)
    await connection.close()


@pytest.mark.parametrize(
    ("role", "statement"),
    [("thuphi_web", s) for s in NOT_FOR_WEB]
    + [("thuphi_worker", s) for s in NOT_FOR_THE_WORKER]
    + [("thuphi_auditor", s) for s in NOT_FOR_AUDITORS],
)
async def test_a_role_may_not_go_beyond_its_work(
    database_url: str, role: str, statement: str
) -> None:
    connection = await asyncpg.connect(database_url, server_settings={"role": role})

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)

    await connection.close()


async def test_an_auditor_reads_the_books(site: Site, database_url: str) -> None:
    await site.payment()
    connection = await asyncpg.connect(database_url, server_settings={"role": "thuphi_auditor"})

    found = await connection.fetchrow("SELECT agency_id, debit, credit, amount FROM entry")

    assert found
    assert found["agency_id"] == AGENCY
    await connection.close()


async def test_the_worker_makes_partitions_of_three_tables_and_of_no_other(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not own them; a function lends it that power, for whole months alone."""
    site.clock.move(timedelta(days=400))

    assert await keep_partitions(site.parts.store) == 4 * len(PARTITIONED)

    assert "partition skipped" not in caplog.text
    for asked in ("'payment', '2040-01-01'", "'audit', '2040-01-02'", "NULL, '2040-01-01'"):
        with pytest.raises(DBAPIError, match="no partition of this table and month"):
            async with site.parts.store.begin() as tx:
                await tx.run(text(f"SELECT make_partition({asked})"))


async def test_nobody_puts_a_table_of_his_own_in_the_place_of_one(site: Site) -> None:
    """The lent power works on our tables, whatever the caller's temporary ones are called."""
    async with site.parts.store.begin() as tx:
        await tx.run(text("CREATE TEMPORARY TABLE audit_default (at timestamptz)"))
        await tx.run(text("INSERT INTO audit_default VALUES ('2040-01-18')"))
        await tx.run(text("SELECT make_partition('audit', '2040-01-01')"))
        kept = await tx.row(text("SELECT count(*) AS n FROM pg_temp.audit_default"))
    assert kept == {"n": 1}
