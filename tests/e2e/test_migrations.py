"""A database of an earlier version, with rows in it, becomes the same as a new one."""

from pathlib import Path
from secrets import token_hex

import asyncpg
from conftest import engine_url
from databases import in_database
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.store.migrate import migrate

OLD = Path(__file__).parent.parent / "data" / "shape-0003.sql"
_COLUMNS = text(
    "SELECT table_name, column_name, data_type, is_nullable, is_identity"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
)
_CONSTRAINTS = text(
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
)
_INDEXES = text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")
_TRIGGERS = text(
    "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
)
# What our roles may do; a table or a column whose migration forgot them is another than a new one.
_GRANTS = text(
    "SELECT grantee, table_name, '' AS column_name, privilege_type FROM"
    " information_schema.role_table_grants WHERE grantee LIKE 'thuphi_%' UNION SELECT grantee,"
    " table_name, column_name, privilege_type FROM information_schema.role_column_grants"
    " WHERE grantee LIKE 'thuphi_%' ORDER BY 1, 2, 3, 4"
)
_FUNCTIONS = text(
    "SELECT proname, prosrc, prosecdef, proacl::text, proconfig FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
)

# A part that came for a payment which was withdrawn: a case since 0012.
_A_PART = """
INSERT INTO branch VALUES ('a', 'b', 'B');
INSERT INTO client VALUES ('a', 'c', 'C', false, '{}', now());
INSERT INTO payment (agency_id, id, reference, branch_id, client_id, dossier_id, procedure,
  instalment, price_on, state, amount, amount_received, amount_on_account, amount_suspended,
  amount_refunded, amount_settled, in_doubt, late, metadata, token, sequence, created_at,
  expires_at)
VALUES ('a', 'pay_1', 'R', 'b', 'c', 'D', 'P', 1, now(), 'cancelled', 10000, 0, 4000, 0, 0, 0,
  false, false, '{}', 'T', 1, now(), now());
INSERT INTO capture (agency_id, id, provider, account, txn_id, amount, result, booked_on, value_on,
  paid_at, taken_at) VALUES ('a', 'cap_1', 'vietqr', 'default', 'X', 4000, 'on_account', now(),
  now(), now(), now());
INSERT INTO allocation VALUES ('a', 'cap_1', 'pay_1', 'on_account', 4000);
"""
# What a bank wrote, open in the line until 0013.
_A_NAME = """
INSERT INTO statement_file (agency_id, id, profile, name, sha256, content_sealed, state,
  uploaded_by, uploaded_at) VALUES ('a', 'fil_1', 'p', 'n', 's', '', 'taken', 'u', now());
INSERT INTO statement_line (agency_id, id, file_id, line_no, source, account, line_key, booked_on,
  value_on, kind, gross, fee, net, memo_folded, candidates) VALUES ('a', 'lin_1', 'fil_1', 2,
  'statement', '0123', 'k', now(), now(), 'debit', -1, 0, -1,
  'NGUYEN THI HOA NOP NSNN 19/11', '{}');
"""
# Bags as they were typed until 0015; the last has the number of the first.
_BAGS = """
INSERT INTO staff VALUES ('a', 's', 's', '', 'clerk', now()), ('a', 'o', 'o', '', 'clerk', now());
INSERT INTO shift (agency_id, id, branch_id, drawer, staff_id, state, float_amount, booked_on,
  counted_amount, bag, signed_by, opened_at) SELECT 'a', n, 'b', n, 's', 'closed', 0, now(), 0, bag,
  'o', now() FROM (VALUES ('1', 'Túi-07/hk'), ('2', 'TUI8'), ('3', 'TÚI 9'), ('4', 'tui 07HK'),
  ('5', 'TUI-07-HK')) AS typed (n, bag);
"""
# Until 0017 only the notice said whose it is; one month of notices is gone.
_NOTICES = """
INSERT INTO notice (id, received_at, agency_id, provider, account, source, sealed, hash)
  VALUES ('ntc_1', '2026-11-18', 'a', 'vnpay', 'default', '127.0.0.1', '', 'h');
INSERT INTO notice_work (notice_id, received_at, state, tries, due_at) VALUES
  ('ntc_1', '2026-11-18', 'stored', 0, now()), ('ntc_0', '2025-11-18', 'done', 1, now());
"""
# A dispute that the agency lost and bore; nothing on the payment said so until 0016.
_BORNE = """
INSERT INTO payment SELECT (p).* FROM (SELECT json_populate_record(p, '{"id": "pay_2",
  "token": "T2", "reference": "R2", "state": "paid", "amount_received": 10000,
  "amount_on_account": 0}') AS p FROM payment p) x;
INSERT INTO capture SELECT (c).* FROM (SELECT json_populate_record(c, '{"id": "cap_2",
  "txn_id": "X2", "amount": 10000}') AS c FROM capture c) x;
INSERT INTO allocation VALUES ('a', 'cap_2', 'pay_2', 'debt', 10000);
INSERT INTO dispute (agency_id, id, provider, account, provider_dispute_id, capture_id, payment_id,
  state, amount, fee, is_borne, opened_at) VALUES ('a', 'dis_1', 'vietqr', 'default', 'D', 'cap_2',
  'pay_2', 'lost', 4000, 0, true, now());
INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind, voucher_id,
  rule, storno, created_at) SELECT 'a', now(), now(), debit, credit, 4000, 'dispute', 'dis_1',
  'dispute_lost', false, now() FROM (VALUES ('6430', '1381'), ('1383', '4900')) x (debit, credit);
"""


async def shape(engine: AsyncEngine) -> dict[str, list[tuple[object, ...]]]:
    asked = {"columns": _COLUMNS, "constraints": _CONSTRAINTS, "indexes": _INDEXES,
             "triggers": _TRIGGERS, "grants": _GRANTS, "functions": _FUNCTIONS}  # fmt: skip
    async with engine.connect() as connection:
        return {
            name: [tuple(row) for row in await connection.execute(query)]
            for name, query in asked.items()
        }


async def test_an_earlier_database_becomes_like_a_new_one_and_keeps_its_rows(
    server_url: str, engine: AsyncEngine
) -> None:
    """Agencies upgrade with years of payments inside; what was written must still be read."""
    admin = await asyncpg.connect(server_url)
    name = f"old_{token_hex(6)}"
    await admin.execute(f"CREATE DATABASE {name}")
    url = in_database(server_url, name)
    old = await asyncpg.connect(url)
    await old.execute(OLD.read_text("utf-8"))
    await old.execute("SET search_path = public")
    await old.execute("INSERT INTO alembic_version VALUES ('0003')")
    await old.execute(
        "INSERT INTO agency VALUES ('a', 'A', '0100000000', 'Hà Nội', '412', true, '{}')"
    )
    await old.execute(
        "INSERT INTO attempt (agency_id, id, provider, account, provider_reference, state, amount,"
        " payer_address, locale, created_at, expires_at, asked) VALUES ('a', 'att_1', 'vnpay',"
        " 'default', 'R1', 'captured', 10000, '127.0.0.1', 'vi', now(), now(), 0)"
    )
    await old.execute(_A_PART)
    await old.execute(_A_NAME)
    await old.execute(_NOTICES)
    await old.close()
    upgraded = create_async_engine(engine_url(url))

    await migrate(upgraded)

    new = await shape(engine)
    assert all(new.values())
    assert await shape(upgraded) == new
    async with upgraded.connect() as connection:
        (row,) = (await connection.execute(text("SELECT * FROM attempt"))).mappings()
        line = (await connection.execute(text("SELECT marks, l::text FROM statement_line l"))).one()
        (case,) = (await connection.execute(text("SELECT * FROM break"))).mappings()
    assert (row["id"], row["amount"], row["method"]) == ("att_1", 10_000, None)
    assert (case["kind"], case["amount"], case["id"]) == ("partial", 4_000, "brk_1")
    assert (line[0], "NGUYEN" in line[1]) == (["NOP NSNN"], False)
    again = await asyncpg.connect(url)
    await again.execute(_BAGS)
    await again.execute(_BORNE)
    works = await again.fetch("SELECT agency_id, notice_id FROM notice_work")
    assert {tuple(work) for work in works} == {(None, "ntc_0"), ("a", "ntc_1")}, "none is lost"
    await again.execute("UPDATE alembic_version SET version_num = '0014'")
    await migrate(upgraded)
    lost = await again.fetchval("SELECT amount_charged_back FROM payment WHERE id = 'pay_2'")
    assert lost == 4_000
    bags = [r["bag"] for r in await again.fetch("SELECT bag FROM shift ORDER BY id")]
    assert bags == ["TUI07HK", "TUI8", "9", "07HK", "TUI-07-HK"]
    await again.close()
    await upgraded.dispose()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
