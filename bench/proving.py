"""A month proved: ``thuphi prove`` over a million payments, beside a bare sum over the ledger.

The month is written straight into the tables: fees by VNPAY, transfers that SePay tells of, money
paid twice, each day's report, statement and treasury's list as sealed files, each night's run and
close, and the entries that follow. Every notice is sealed as at the door.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any, Final

import asyncpg

from bench.result import Result, at_most, machine
from bench.site import Site, agency, database, site
from gateway.domain.ids import make_reference
from gateway.entry.bootstrap import build, engine_of
from gateway.entry.cli_prove import proving_of
from gateway.entry.plugins import adapters, setting_names
from gateway.entry.settings import read_settings
from gateway.infra.clock import SystemClock
from gateway.infra.vault import MasterVault
from gateway.store.roles import WORKER

payments: Final = int(os.environ.get("BENCH_PROVING_PAYMENTS", "1000000"))
seconds_max: Final = 60.0
first: Final = date(2026, 10, 1)
days: Final = 30
_seal_batch: Final = 20_000
_ACCOUNT: Final = "0123456789"
_BY_TRANSFER: Final = (0, 1, 2)  # A payment whose number ends so is paid by transfer.
_CSV: Final = {
    "canonical-provider": "provider,provider_txn_id,merchant_reference,kind,gross,fee,net,currency,"
    "txn_at,settled_on,batch_id",
    "canonical-statement": "account,line_id,booked_on,value_on,amount,currency,counterparty,"
    "reference,memo,balance",
    "canonical-treasury": "document_ref,obligation_id,booked_on,agency_code,chapter,tieu_muc,"
    "amount,currency,content",
}
# A payment in three is a transfer; of the others one in 35 is paid twice. Ten tariffs.
_MONTH: Final = f"""
CREATE TABLE month AS SELECT n, DATE '{first}' + n % {days} AS on_day,
  (ARRAY[5, 10, 15, 20, 30, 50, 75, 100, 200, 500])[n % 10 + 1] * 1000 AS amount,
  '27' || n % 10 + 10 AS budget_line, n % 10 = ANY(ARRAY{list(_BY_TRANSFER)}) AS is_transfer,
  n % 50 = 7 AS is_double,
  'pay_' || lpad(n::text, 26, '0') AS pay, 'att_' || lpad(n::text, 26, '0') AS att,
  coalesce(r.reference, lpad(n::text, 12, '0')) AS reference,
  (DATE '{first}' + n % {days})::timestamptz + interval '1 hour' + n * interval '10 ms' AS paid_at
FROM generate_series(1, $1::int) n LEFT JOIN named r USING (n)"""
_CAPTURES: Final = """
CREATE TABLE taken AS SELECT 'cap_' || lpad(n::text, 26, '0') AS cap,
  'ntc_' || lpad(n::text, 26, '0') AS ntc, CASE WHEN is_transfer THEN 'vietqr' ELSE 'vnpay' END
  AS provider, CASE WHEN is_transfer THEN 'sepay-' || n ELSE (10000000 + n)::text END AS txn,
  false AS again, * FROM month
UNION ALL SELECT 'cap_2' || lpad(n::text, 25, '0'), 'ntc_2' || lpad(n::text, 25, '0'), 'vnpay',
  (90000000 + n)::text, true, m.* FROM month m WHERE is_double"""
_ROWS: Final = (
    (
        "INSERT INTO payment (agency_id, id, reference, branch_id, client_id, dossier_id, procedure,"
        " instalment, price_on, state, amount, amount_received, amount_on_account, amount_suspended,"
        " amount_refunded, amount_refunding, amount_settled, in_doubt, late, metadata, token, sequence,"
        " created_at, expires_at, paid_at) SELECT $1, pay, reference, 'hoan-kiem', 'bench', pay,"
        " '1.004222', 1, on_day, 'paid', amount, amount, 0, CASE WHEN is_double THEN amount ELSE 0 END,"
        " 0, 0, 0, false, false, '{}', pay, 2, paid_at - interval '1 min', paid_at + interval '1 day',"
        " paid_at FROM month"
    ),
    (
        "INSERT INTO fee_line SELECT $1, pay, 1, '1.004222', 'le_phi', 'x', amount, budget_line"
        " FROM month"
    ),
    (
        "INSERT INTO attempt (agency_id, id, provider, account, provider_reference, state, amount,"
        " payer_address, locale, created_at, expires_at, asked) SELECT $1, att, 'vnpay', 'default',"
        " substr(att, 5), 'captured', amount, '127.0.0.1', 'vi', paid_at, paid_at, 0 FROM month"
        " WHERE NOT is_transfer"
    ),
    "INSERT INTO attempt_share SELECT $1, att, pay, amount FROM month WHERE NOT is_transfer",
    (
        "INSERT INTO capture (agency_id, id, provider, account, txn_id, attempt_id, amount, result,"
        " booked_on, value_on, paid_at, taken_at) SELECT $1, cap, provider, 'default', txn,"
        " CASE WHEN NOT is_transfer THEN att END, amount, CASE WHEN again THEN 'double' ELSE 'paid'"
        " END,"
        " on_day, on_day, paid_at, paid_at + CASE WHEN again THEN interval '5 min' ELSE '0' END"
        " FROM taken"
    ),
    (
        "INSERT INTO evidence SELECT $1, cap, 'notice', ntc, ntc,"
        " paid_at + CASE WHEN again THEN interval '5 min' ELSE '0' END FROM taken"
    ),
    (
        "INSERT INTO notice_work (agency_id, notice_id, received_at, state, outcome, tries, due_at)"
        " SELECT $1, ntc, paid_at, 'done', 'recorded', 0, paid_at FROM taken"
    ),
)
# Each day's lines: the report at once, the statement with yesterday's payout and remittance.
_NEXT: Final = f"on_day < DATE '{first}' + {days - 1}"
_LINES: Final = f"""
CREATE TABLE listed AS
SELECT on_day AS file_on, 'canonical-provider' AS profile, 'provider' AS source, on_day, cap AS
  name, 'payment' AS kind, amount::bigint AS gross, 100::bigint AS fee, concat_ws(',', 'vnpay', txn,
  substr(att, 5), 'payment', amount, 100, amount - 100, 'VND',
  to_char(paid_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), on_day + 1, 'VNPAY-' || on_day) AS cells,
  '' AS pay, '' AS budget_line
FROM taken WHERE provider = 'vnpay'
UNION ALL SELECT on_day, 'canonical-statement', 'statement', on_day, cap, 'credit', amount, 0,
  concat_ws(',', '{_ACCOUNT}', cap, on_day, '', amount, 'VND', '', 'FT' || n, 'TP' || reference,
  ''), '', '' FROM taken WHERE is_transfer
UNION ALL SELECT on_day + 1, 'canonical-statement', 'statement', on_day + 1, 'payout ' || on_day,
  'credit', sum(amount - 100), 0, concat_ws(',', '{_ACCOUNT}', 'p' || on_day, on_day + 1, '',
  sum(amount - 100), 'VND', '', 'VNPAY-' || on_day, 'VNPAY THANH TOAN', ''), '', ''
  FROM taken WHERE NOT is_transfer AND {_NEXT} GROUP BY on_day
UNION ALL SELECT on_day + 1, 'canonical-statement', 'statement', on_day + 1, 'sent ' || on_day,
  'debit', -sum(amount), 0, concat_ws(',', '{_ACCOUNT}', 's' || on_day, on_day + 1, '',
  -sum(amount), 'VND', '', 'NS' || to_char(on_day, 'YYYYMMDD'), 'NOP NSNN', ''), '', ''
  FROM month WHERE {_NEXT} GROUP BY on_day
UNION ALL SELECT on_day + 1, 'canonical-treasury', 'treasury', on_day + 1, 'due ' || pay,
  'revenue', amount, 0, concat_ws(',', 'NS' || to_char(on_day, 'YYYYMMDD') || '-' || n, pay,
  on_day + 1, '1057757', '412', budget_line, amount, 'VND', ''), pay, budget_line
  FROM month WHERE {_NEXT}"""
_NUMBERED: Final = """
CREATE TABLE numbered AS SELECT *, 'lin_' || md5(name || source) AS id,
  (1 + row_number() OVER (PARTITION BY file_on, profile ORDER BY name))::int AS line_no,
  'fil_' || file_on || profile AS file_id FROM listed"""
_KEPT: Final = (
    "INSERT INTO statement_line (agency_id, id, file_id, line_no, source, account, line_key,"
    " booked_on, value_on, kind, gross, fee, net, marks, candidates) SELECT $1, id, file_id,"
    " line_no, source, 'x', id, on_day, on_day, kind, gross, fee, gross - fee, '{}', '{}'"
    " FROM numbered"
)
_ENTRIES: Final = """
INSERT INTO entry (agency_id, booked_on, value_on, debit, credit, amount, voucher_kind, voucher_id,
  rule, storno, created_at)
SELECT $1, on_day, on_day, debit, credit, amount, kind, voucher, 'bench', false, now() FROM (
  SELECT on_day, 'M1' AS debit, 'M9' AS credit, amount, 'payment' AS kind, pay AS voucher FROM month
  UNION ALL SELECT on_day, '1380', CASE WHEN again THEN '3310' ELSE '3330' END, amount, 'capture',
    cap FROM taken
  UNION ALL SELECT on_day, 'M2', 'M1', amount, 'capture', cap FROM taken WHERE NOT again
  UNION ALL SELECT on_day, '1120', '1380', gross, 'statement_line', id FROM numbered
    WHERE kind = 'credit'
  UNION ALL SELECT n.on_day, x.debit, x.credit, t.fees, 'statement_line', n.id FROM numbered n
    JOIN (SELECT on_day, count(*) * 100 AS fees FROM taken WHERE NOT is_transfer GROUP BY 1) t
      ON n.name = 'payout ' || t.on_day
    CROSS JOIN (VALUES ('6420', '1380'), ('1383', '4900')) x (debit, credit)
  UNION ALL SELECT on_day, '1130', '1120', -gross, 'remittance', id FROM numbered
    WHERE kind = 'debit'
  UNION ALL SELECT on_day, '3330', '1130', gross, 'remittance', id FROM numbered
    WHERE kind = 'revenue') x"""
_RUNS: Final = (
    (
        "INSERT INTO recon_run SELECT $1, 'run_' || d, d::date, d + interval '18 hours 30 min', '', "
        f"'', '', '{{}}', d, d FROM generate_series(timestamptz '{first}', timestamptz"
        f" '{first + timedelta(days=days - 1)}', interval '1 day') d"
    ),
    (
        "INSERT INTO audit SELECT 'aud_' || business_on, as_of + interval '1 min', $1, 'bench',"
        " 'day.close', business_on::text, '{}' FROM recon_run"
    ),
)


async def live(at: Site, count: int, vault: MasterVault) -> None:
    """Write the month. Nothing checks what is written but the proof itself."""
    to = await asyncpg.connect(at.server.url(database), server_settings={"timezone": "UTC"})
    await to.execute("SET session_replication_role = replica")
    await to.execute("CREATE TABLE named (n int, reference text)")
    transfers = (n for n in range(1, count + 1) if n % 10 in _BY_TRANSFER)
    await to.copy_records_to_table(
        "named", records=[(n, make_reference(n.to_bytes(7, "big"))) for n in transfers]
    )
    await to.execute(_MONTH.replace("$1", str(count)))
    for statement in (_CAPTURES, _LINES, _NUMBERED):
        await to.execute(statement)
    for statement in (*_ROWS, _KEPT, _ENTRIES, *_RUNS):
        await to.execute(statement, agency)
    async with to.transaction():
        cursor = await to.cursor("SELECT * FROM taken ORDER BY n")
        while rows := await cursor.fetch(_seal_batch):
            await to.copy_records_to_table(
                "notice", records=list(_notices(rows, vault)),
                columns=["id", "received_at", "agency_id", "provider", "account", "source",
                         "sealed", "hash"],
            )  # fmt: skip
    files = await to.fetch(
        "SELECT file_id, profile, file_on, string_agg(cells, E'\\n' ORDER BY line_no) AS lines"
        " FROM numbered GROUP BY 1, 2, 3"
    )
    await to.copy_records_to_table(
        "statement_file", records=[_file(row, vault) for row in files],
        columns=["agency_id", "id", "profile", "name", "sha256", "content_sealed", "state",
                 "uploaded_by", "uploaded_at", "taken_at"],
    )  # fmt: skip
    await to.execute("ANALYZE")
    await to.close()


def _notices(rows: list[Any], vault: MasterVault) -> Iterator[tuple[Any, ...]]:
    """Seal what VNPAY and SePay send, with a sender's usual headers."""
    headers = {"host": "thuphi.example.vn", "accept": "*/*", "user-agent": "bank/1.0"}
    for r in rows:
        local = r["paid_at"] + timedelta(hours=7)
        query = body = ""
        if r["is_transfer"]:
            body = json.dumps(
                {"id": r["n"], "gateway": "Vietcombank", "transactionDate": f"{local:%F %T}",
                 "accountNumber": _ACCOUNT, "code": None, "content": f"TP{r['reference']}",
                 "transferType": "in", "transferAmount": r["amount"], "accumulated": 0,
                 "subAccount": None, "referenceCode": f"FT{r['n']}", "description": ""}
            )  # fmt: skip
        else:
            query = (
                f"vnp_Amount={r['amount']}00&vnp_BankCode=NCB&vnp_OrderInfo=TP{r['reference']}"
                f"&vnp_PayDate={local:%Y%m%d%H%M%S}&vnp_ResponseCode=00&vnp_TmnCode=BENCHTMN"
                f"&vnp_TransactionNo={r['txn']}&vnp_TransactionStatus=00"
                f"&vnp_TxnRef={r['att'][4:]}&vnp_SecureHash={'0' * 128}"
            )
        plain = json.dumps(
            {"method": "GET", "query": query, "headers": headers, "body": body,
             "received_at": r["paid_at"].isoformat()}
        ).encode()  # fmt: skip
        yield (
            r["ntc"], r["paid_at"], agency, r["provider"], "default", "127.0.0.1",
            vault.seal(f"notice|{r['ntc']}|raw", plain), r["ntc"],
        )  # fmt: skip


def _file(row: Any, vault: MasterVault) -> tuple[Any, ...]:  # noqa: ANN401 - asyncpg ships no types.
    content = f"{_CSV[row['profile']]}\n{row['lines']}\n".encode()
    on = row["file_on"]
    at = datetime(on.year, on.month, on.day, 18, tzinfo=UTC)
    sealed = vault.seal(f"statement_file|{row['file_id']}|content", content)
    return (
        agency, row["file_id"], row["profile"], row["file_id"], row["file_id"], sealed, "taken",
        "bench", at, at,
    )  # fmt: skip


async def measure(at: Site, count: int = payments) -> list[Result]:
    """Prove the month twice, and take the better; sum the ledger in between."""
    values = {
        "THUPHI_MASTER_KEY": at.master, "THUPHI_DATABASE_URL": at.server.url(database),
        "THUPHI_PUBLIC_URL": "http://127.0.0.1:9", "THUPHI_VNPAY_TMN_CODE": "BENCHTMN",
        "THUPHI_VNPAY_SECRET": at.secret, "THUPHI_VNPAY_BASE_URL": "http://127.0.0.1:9",
        "THUPHI_VNPAY_API_URL": "http://127.0.0.1:9", "THUPHI_VIETQR_BANK_BIN": "970436",
        "THUPHI_VIETQR_ACCOUNT": _ACCOUNT, "THUPHI_VIETQR_ACCOUNT_NAME": "BENCH",
        "THUPHI_SEPAY_SECRET": at.secret,
    }  # fmt: skip
    await live(at, count, MasterVault.of_text(at.master))
    engine = engine_of(at.server.url(database), WORKER)
    parts = build(read_settings(values, setting_names(adapters())), engine, SystemClock())
    admin = await asyncpg.connect(at.server.url(database))
    took, summed = [], []
    for _ in range(2):
        began = perf_counter()
        proof = await proving_of(parts).prove(agency, first, first + timedelta(days=days))
        took.append(perf_counter() - began)
        assert proof.holds, (proof.differences[:3], proof.findings[:3])
        assert proof.counts["notices"] > count
        began = perf_counter()
        await admin.fetch("SELECT debit, credit, sum(amount) FROM entry GROUP BY 1, 2")
        summed.append(perf_counter() - began)
    await admin.close()
    await engine.dispose()
    said = machine(f"{count:,} payments of a month, {proof.counts['notices']:,} notices opened;"
                   f" a bare sum over the ledger takes {min(summed):.2f} s")  # fmt: skip
    limit = seconds_max * count / 1_000_000
    return [at_most(f"a month of {count:,} payments proved", said, min(took), limit, "s", 1.0)]


async def main() -> None:
    """Run this part alone."""
    async with site() as at:
        for r in await measure(at):
            print(f"{r.name}: {r.ours} {r.unit}, at most {r.baseline}; {r.machine}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
