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
from pathlib import Path
from time import perf_counter, process_time
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
_MONTH: Final = Path(__file__).with_name("month.sql")


async def live(at: Site, count: int, vault: MasterVault) -> None:
    """Write the month. Nothing checks what is written but the proof itself."""
    to = await asyncpg.connect(at.server.url(database), server_settings={"timezone": "UTC"})
    await to.execute("SET session_replication_role = replica")
    await to.execute("CREATE TABLE named (n int, reference text)")
    transfers = (n for n in range(1, count + 1) if n % 10 in _BY_TRANSFER)
    await to.copy_records_to_table(
        "named", records=[(n, make_reference(n.to_bytes(7, "big"))) for n in transfers]
    )
    text = _MONTH.read_text("utf-8")
    last = first + timedelta(days=days - 1)
    for name, value in (("count", count), ("agency", agency), ("first", first), ("last", last)):
        text = text.replace(f":{name}", str(value))
    await to.execute(text)
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
    """Prove the month, and sum the ledger beside it."""
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
    began, worked = perf_counter(), process_time()
    proof = await proving_of(parts).prove(agency, first, first + timedelta(days=days))
    took, worked = perf_counter() - began, process_time() - worked
    assert proof.holds, (proof.differences[:3], proof.findings[:3])
    assert proof.counts["notices"] > count
    began = perf_counter()
    await admin.fetch("SELECT debit, credit, sum(amount) FROM entry GROUP BY 1, 2")
    summed = perf_counter() - began
    await admin.close()
    await engine.dispose()
    said = machine(
        f"{count:,} payments, {proof.counts['notices']:,} notices opened, {worked:.0f} s of the"
        f" processor beside the server's; a bare sum over the ledger takes {summed:.2f} s"
    )
    return [at_most(f"a month of {count:,} payments proved", said, took, seconds_max, "s", 1.0)]


async def main() -> None:
    """Run this part alone."""
    async with site() as at:
        for r in await measure(at):
            print(f"{r.name}: {r.ours} {r.unit}, at most {r.baseline}; {r.machine}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
