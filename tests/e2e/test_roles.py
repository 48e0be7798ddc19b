"""What each database role may do, tried on a real PostgreSQL."""

import asyncpg
import pytest
from front_door import AGENCY, Site
from sqlalchemy import text

NOT_FOR_WEB = [
    "UPDATE entry SET amount = 1", "DELETE FROM entry", "TRUNCATE entry",
    "UPDATE evidence SET hash = ''", "DELETE FROM evidence",
    "UPDATE audit SET actor = ''", "DELETE FROM audit", "TRUNCATE audit",
    "SELECT key_sealed FROM signing_key", "UPDATE signing_key SET certificate = ''",
    "INSERT INTO series (agency_id) VALUES ('x')", "UPDATE receipt SET number = 1",
    "UPDATE client_key SET revoked_at = NULL", "UPDATE staff SET role = 'approver'",
    "UPDATE day SET state = 'reopened'", "DELETE FROM payment",
]  # fmt: skip
NOT_FOR_THE_WORKER = [
    "UPDATE entry SET amount = 1", "DELETE FROM audit", "TRUNCATE evidence",
    "UPDATE allocation SET amount = 1", "UPDATE delivery_log SET took_ms = 1",
    "UPDATE notice SET source = ''", "DELETE FROM payment",
]  # fmt: skip
NOT_FOR_AUDITORS = [
    "SELECT payer_sealed FROM payment", "SELECT token FROM payment", "SELECT * FROM notice",
    "SELECT sealed FROM notice", "SELECT key_sealed FROM signing_key",
    "SELECT key_hash FROM client_key", "SELECT password_hash FROM staff",
    "SELECT secret_sealed FROM endpoint", "UPDATE payment SET state = 'paid'",
    "INSERT INTO audit (id) VALUES ('x')",
]  # fmt: skip


async def test_the_web_role_can_take_a_payment_from_request_to_paid(
    site: Site, database_url: str
) -> None:
    admin = await asyncpg.connect(database_url)
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {name} SET role = thuphi_web")
    await site.parts.engine.dispose()
    async with site.parts.store.begin() as tx:
        (who,) = await tx.rows(text("SELECT current_user AS name"))
    assert who["name"] == "thuphi_web"

    attempt = await site.attempt(payment := await site.payment())

    assert await site.vnpay_says(attempt) == "00"
    assert (await site.get(f"/payments/{payment['id']}"))["state"] == "paid"
    await admin.close()


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
