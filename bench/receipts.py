"""Receipts: the seal against openssl's bare signatures, checking, drawing, and the issue path.

``openssl speed`` runs before and after ours, on as many cores, and the better of the two counts
for openssl. The seal and the check are one thread's; the issue path is as many workers as there are
cores, on one database: numbered, signed, made leaves of the log, and stored; drawing is apart.
"""

import asyncio
import os
import re
import sys
from dataclasses import replace
from datetime import date, timedelta
from time import perf_counter, process_time
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from bench.result import Result, at_least, at_most, machine
from bench.site import Site, agency, database
from gateway.domain.calendar import hanoi_day
from gateway.domain.payment import Capture, FeeLine, Payment, Standing, open_payment, take
from gateway.infra.clock import SystemClock
from gateway.store import tables as t
from gateway.store.tx import Store
from receipts.receipt import Line, Receipt, total_in_words
from receipts.seal import Signer, make_test_certificate
from receipts.verify import Verdict, verify
from receipts.xml import write

cores: Final = os.cpu_count() or 1
sealed_each: Final = 1_500
drawn_each: Final = 60
issued: Final = 4_000
opened_at_once: Final = 100
seal_target: Final = 0.8
issue_target: Final = 0.5
verify_target: Final = 2_000.0
draw_ms_max: Final = 7.0
pdf_kb_max: Final = 60.0
_LINE: Final = FeeLine("1.004222", "le_phi", "Lệ phí đăng ký cư trú", 10_000, "2767")


async def openssl(processes: int) -> float:
    """Give how many RSA-2048 signatures openssl makes a second, on so many cores."""
    multi = ["-multi", str(processes)] if processes > 1 else []
    process = await asyncio.create_subprocess_exec(
        "openssl", "speed", "-seconds", "3", *multi, "rsa2048",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    found = re.search(rb"rsa\s+2048 bits\s+\S+\s+\S+\s+([\d.]+)", out)
    assert found, "openssl says nothing of RSA"
    return float(found[1])


def sample() -> tuple[Signer, Receipt]:
    """Make a receipt as most are: one line, no payer."""
    now = SystemClock().now()
    signer = Signer.of("key_1", *make_test_certificate("Cơ quan thu", "0100000000", now))
    lines = (Line("1.004222", _LINE.name, _LINE.amount, "2767"),)
    amount, words = total_in_words(lines)
    return signer, Receipt(
        rules="vn-2026", kind="le_phi", title="Biên lai thu lệ phí", form="EBL01", series="26TAA",
        number=1, issued_on=max(hanoi_day(now), date(2026, 7, 1)), is_sandbox=True,
        agency_name="Trung tâm Phục vụ hành chính công Hà Nội", agency_tax_code="0100000000",
        agency_address="Hà Nội", branch_name="Chi nhánh Hoàn Kiếm",
        dossier_id="H26.14-261118-0001", procedure="1.004222",
        procedure_name="Đăng ký thường trú", reference="ABCDEFGHJKMN", lines=lines, amount=amount,
        amount_in_words=words, verify_code="0123456789ABCDEF",
        verify_url="http://127.0.0.1:8080/verify/0123456789ABCDEF",
        certificate_sha256=signer.fingerprint,
    )  # fmt: skip


async def alone() -> list[Result]:
    """Measure what needs no database."""
    from receipts.pdf import draw

    signer, receipt = sample()
    before = await openssl(1)
    documents = [write(replace(receipt, number=n)) for n in range(1, sealed_each + 1)]
    began = process_time()
    sealed = [signer.seal(document) for document in documents]
    seals = sealed_each / (process_time() - began)
    began = process_time()
    found = [verify(xml, {signer.fingerprint}) for xml in sealed]
    checks = sealed_each / (process_time() - began)
    assert all(x.verdict is Verdict.VALID for x in found)
    bare = max(before, await openssl(1))
    draw(receipt, sealed[0])  # Warm: fonts are read once.
    began = process_time()
    pdfs = [draw(replace(receipt, number=n), sealed[n]) for n in range(1, drawn_each + 1)]
    drawing = (process_time() - began) / drawn_each * 1_000
    size = max(map(len, pdfs)) / 1_024
    one = machine("one thread; openssl speed rsa2048 before and after")
    return [
        at_least("XML signature alone", one, seals, bare, "/s", seal_target),
        at_least("receipts verified", machine("one thread"), checks, verify_target, "/s", 1.0),
        at_most("PDF drawn", machine("CPU, warm, one line"), drawing, draw_ms_max, "ms", 1.0),
        at_most("PDF size", machine("one line"), size, pdf_kb_max, "KB", 1.0),
    ]


async def prepare(at: Site) -> None:
    """Write payments as paid, which wait for their receipts."""
    engine = create_async_engine(
        at.server.url(database).replace("postgresql://", "postgresql+asyncpg://", 1)
    )
    store = Store(engine, SystemClock(), "http://127.0.0.1")
    async with store.begin() as tx:
        client = await tx.row(select(t.client.c.id))
    assert client is not None
    for _ in range(issued // opened_at_once):
        async with store.begin() as tx:
            fresh = [_payment(store, client["id"], n) for n in range(opened_at_once)]
            opened = await tx.record([open_payment(payment) for payment in fresh])
            await tx.record(
                [take(p, _capture(store, p), agency, Standing(), ()) for p in opened if p]
            )
    await engine.dispose()


def _payment(store: Store, client_id: str, n: int) -> Payment:
    now, payment_id = store.clock.now(), store.clock.new_id("pay")
    return Payment(
        id=payment_id, agency_id=agency, branch_id=("online", "hoan-kiem", "tay-ho")[n % 3],
        client_id=client_id, reference=payment_id[-12:], dossier_id=f"H-{payment_id[-12:]}",
        procedure="1.004222", price_on=hanoi_day(now), lines=(_LINE,), created_at=now,
        expires_at=now + timedelta(days=7), token=payment_id * 2,
    )  # fmt: skip


def _capture(store: Store, payment: Payment) -> Capture:
    now, capture_id = store.clock.now(), store.clock.new_id("cap")
    on = hanoi_day(now)
    return Capture(
        id=capture_id, provider="vnpay", account="default", txn_id=capture_id,
        amount=payment.amount, fixed=True, expected=payment.amount, attempt_id=None, booked_on=on,
        value_on=on, paid_at=now, taken_at=now, evidence_source="notice", evidence_id=capture_id,
        evidence_hash="0" * 64,
    )  # fmt: skip


async def issue(at: Site) -> list[Result]:
    """Let one worker a core issue what waits; drawing is left out, as it is not asked here."""
    await prepare(at)
    before = await openssl(cores)
    values = {
        "THUPHI_DATABASE_URL": at.server.url(database), "THUPHI_MASTER_KEY": at.master,
        "PATH": os.environ["PATH"], "THUPHI_HIGH_WATER_DIR": f"{at.folder / 'high-water'}",
    }  # fmt: skip
    began = perf_counter()
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.issuing", env=values, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(cores)
    ]
    said = [(await worker.communicate())[0] for worker in workers]
    assert all(worker.returncode == 0 for worker in workers)
    took = max(float(x.split()[1]) for x in said) - min(float(x.split()[0]) for x in said)
    done = sum(int(x.split()[2]) for x in said)
    assert done == issued, f"{done} of {issued} in {perf_counter() - began:.1f} s"
    bare = max(before, await openssl(cores))
    ran_on = machine(
        f"{cores} workers, {issued} receipts, no drawing; openssl speed -multi {cores}"
    )
    return [
        at_least("numbered, signed, logged, stored", ran_on, done / took, bare, "/s", issue_target)
    ]
