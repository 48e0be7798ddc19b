"""Four days that give every page something to show: two in order, one with breaks, and today.

The browser tests look at these pages, and docs/screenshots.py takes its pictures of them.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from books import reconcile, reconciliation, take, written
from front_door import AGENCY, Site, vnpay_query
from sqlalchemy import text

from gateway.entry.reconciling import (
    collecting_of,
    day_sheets_of,
    remittances_of,
    sources_of,
)
from gateway.services.agencies import Agencies
from gateway.services.erasure import Erasure
from gateway.store import tables as t
from receipts.authority import Authority
from receipts.corrections import Corrections, Wanted
from reconciliation.sources import Wanted as Source

FIRST, SECOND, THIRD = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)
TODAY = date(2026, 11, 23)  # The Monday after.
RECORD, PASSPORT, LICENCE, COPIES = "3.000333", "1.001456", "3.000346", "CT-BANSAO"
STATES = ("open", "partly", "held", "doubt", "paid", "surplus", "expired", "cancelled", "waived")


async def in_state(site: Site, state: str, n: int = 1, **changes: Any) -> dict[str, Any]:
    """Bring a payment of 10,000 đồng into a state; give it as it was asked for."""
    if state == "waived":
        changes["procedure"] = "1.001193"
    if state == "expired":
        ends = site.clock.now() + timedelta(minutes=15)
        changes["expires_at"] = ends.isoformat().replace("+00:00", "Z")
    payment = await site.payment(n, **changes)
    if state in ("partly", "surplus"):
        amount = {"partly": 4_000, "surplus": 12_000}[state]
        await site.sepay_says(f"TP{payment['reference']}", amount, 7_000 + n)
    elif state == "held":
        await vnpay(site, payment, 8_000 + n, vnp_Amount="900000")
    elif state == "paid":
        await vnpay(site, payment, 8_000 + n)
    elif state == "doubt":
        attempt = await site.attempt(payment)
        await site.http.get(f"{payment['links']['pay']}?{vnpay_query(attempt)}")
    elif state == "cancelled":
        await site.ask(f"/payments/{payment['id']}/cancel", {})
    elif state == "expired":
        site.clock.move(timedelta(minutes=20))
        await site.parts.payments.expire(site.parts.can_ask)
    return payment


async def vnpay(site: Site, payment: Mapping[str, Any], txn: int, **changes: str) -> str:
    """Pay at VNPAY at this moment; give the attempt's reference there."""
    attempt = await site.attempt(payment)
    at = site.clock.now() + timedelta(hours=7)
    changes |= {"vnp_TransactionNo": str(txn), "vnp_PayDate": at.strftime("%Y%m%d%H%M%S")}
    await site.vnpay_says(attempt, **changes)
    reference: str = attempt["provider_reference"]
    return reference


def asked(on: date, procedure: str, branch: str = "hoan-kiem", **facts: Any) -> dict[str, Any]:
    """Say what a procedure system asks for on a day."""
    return {
        "procedure": procedure, "branch": branch, "facts": {"channel": "online", **facts},
        "price_on": on.isoformat(), "return_url": "https://dvc.example.vn/xong",
    }  # fmt: skip


async def told(site: Site) -> dict[str, str]:
    """Live through the days; give the address of each page by the name of its picture."""
    paid = await days_in_order(site)
    await day_with_breaks(site)
    pages = await today(site)
    async with site.parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT (SELECT id FROM break WHERE why LIKE '%did not ask') AS found,"
                 " (SELECT max(id) FROM recon_run) AS run, (SELECT min(id) FROM break"
                 " WHERE kind = 'surplus') AS surplus, (SELECT min(id) FROM break"
                 " WHERE kind = 'unknown_money') AS unknown")
        )  # fmt: skip
    assert row is not None
    asked_back = await site.parts.refunds.ask_for_case(
        AGENCY, row["surplus"], "Người nộp đề nghị hoàn số nộp thừa", "staff:quay"
    )
    await accounts(site)
    old, new = await put_right(site, paid["id"])
    pages |= {"verify-replaced": f"/verify/{old['verify_code']}",
              "receipt-replaced": f"/receipts/{old['token']}.html"}  # fmt: skip
    await told_to_nobody(site)
    await late_treasury(site)
    erased = await to_be_erased(site)
    (slip,) = await remittances_of(site.parts).listed(AGENCY)
    console = {
        "login": "/login", "today": "", "payments": "/payments",
        "payment": f"/payments/{paid['id']}", "breaks": f"/breaks?at={row['unknown']}",
        "break": f"/breaks/{row['found']}", "surplus": f"/breaks/{row['surplus']}",
        "shifts": "/shifts", "refunds": "/refunds", "refund": f"/refunds/{asked_back}",
        "receipts": "/receipts", "receipt": f"/receipts/{new['id']}", "authority": "/authority",
        "usage": "/usage", "days": "/days", "day": f"/days/{FIRST}",
        "statements": f"/statements?since={FIRST}&upto={TODAY}",
        "providers": "/providers", "erasures": "/erasures",
        "remittances": "/remittances", "remittance": f"/remittances/{slip['id']}",
        "privacy": f"/payments/{erased}/privacy",
        "run": f"/runs/{row['run']}", "balance": f"/trial-balance?since={FIRST}&date={TODAY}",
        "nothing-found": "/payments?q=nothing-like-it", "lost": "/payments/nobody",
    }  # fmt: skip
    operator = {"account": "/vnpay/tay-ho", "account-new": "/new?provider=vnpay"}
    pages |= {name: f"/console/providers{path}" for name, path in operator.items()}
    return pages | {f"console-{name}": f"/console{path}" for name, path in console.items()}


async def put_right(site: Site, payment_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Replace a receipt that has a wrong tax code, and ask for a notice; give the old and new."""
    agencies, books = Agencies(site.parts.store), Corrections(site.parts.store, site.parts.vault)
    receipts = text("SELECT * FROM receipt WHERE payment_id = :payment ORDER BY numbered_at, id")
    async with site.parts.store.begin() as tx:
        (old,) = await tx.rows(receipts, {"payment": payment_id})
    right = old["content"]["agency_tax_code"]
    await agencies.change(AGENCY, {"tax_code": "0109998887"}, {}, "staff:vanhanh")
    wrong = Wanted("tax_code", "Cơ quan đổi mã số thuế", {}, ())
    asked_for = await books.ask(AGENCY, old["id"], wrong, "staff:quay")
    await books.decide(AGENCY, asked_for, "staff:duyet", agree=True)
    await site.parts.replacing.run()
    await site.parts.receipts.issue()
    await agencies.change(AGENCY, {"tax_code": right}, {}, "staff:vanhanh")
    async with site.parts.store.begin() as tx:
        _, new = await tx.rows(receipts, {"payment": payment_id})
    name = Wanted("text", "Ghi nhầm tên người nộp", {"payer": "Nguyễn Thị Hoa"}, ())
    await books.ask(AGENCY, new["id"], name, "staff:quay")
    return old, new


async def told_to_nobody(site: Site) -> None:
    """Choose a line to the tax authority at whose end nobody is, and try it."""
    values = {"url": "http://127.0.0.1:9/messages", "secret": "story"}
    authority = Authority(site.parts.store, site.parts.vault)
    await authority.connect(AGENCY, "https", values, "staff:vanhanh")
    await site.parts.transmission.run()


async def late_treasury(site: Site) -> None:
    """Expect the treasury's file by an hour that has passed, and look."""
    source = Source("kho-bac", "upload", "canonical-treasury", {}, "working_day", "08:30")
    await sources_of(site.parts).add(AGENCY, source, "staff:vanhanh")
    site.clock.move(timedelta(minutes=30))
    await collecting_of(site.parts).run()


async def to_be_erased(site: Site) -> str:
    """Look at a payer, and ask to erase them; give their payment."""
    async with site.parts.store.begin() as tx:
        row = await tx.row(
            text("SELECT max(id) AS id FROM payment WHERE state = 'paid' AND payer_sealed IS NOT"
                 " NULL AND EXISTS (SELECT 1 FROM receipt r WHERE r.payment_id = payment.id)"
                 " AND NOT EXISTS (SELECT 1 FROM refund f WHERE f.payment_id = payment.id)")
        )  # fmt: skip
        assert row is not None
        await tx.note(AGENCY, "staff:quay", "payer.read", row["id"])
    erasure = Erasure(site.parts.store, site.parts.vault)
    await erasure.ask(AGENCY, [row["id"]], "Người nộp đề nghị xoá dữ liệu", "staff:quay")
    return str(row["id"])


async def accounts(site: Site) -> None:
    """Open an account of the agency's own, close an older one, and call providers a few times."""
    registry = site.parts.registry
    fields = {
        "VNPAY_TMN_CODE": "TAYHO001", "VNPAY_SECRET": "tay-ho-secret",
        "VNPAY_BASE_URL": "https://pay.example.vn/", "VNPAY_API_URL": "https://pay.example.vn/api",
    }  # fmt: skip
    for name in ("nam-2025", "tay-ho"):
        await registry.accounts.add(AGENCY, "vnpay", name, fields, "staff:vanhanh")
    await registry.accounts.close("vnpay", "nam-2025", "staff:vanhanh")
    await registry.refresh()

    called = {
        "agency_id": AGENCY, "provider": "vnpay", "account": "tay-ho", "what": "ask",
        "at": site.clock.now(), "took_ms": 240,
    }  # fmt: skip
    async with site.parts.store.begin() as tx:
        await tx.run(t.provider_call.insert(), [called | {"is_ok": n > 0} for n in range(12)])


async def days_in_order(site: Site) -> dict[str, Any]:
    """Live a day and its next, on which everything agrees; give a payment that is settled."""
    residence = await site.payment(1, **asked(FIRST, "1.004222"))
    site.clock.move(timedelta(minutes=4))
    one = await vnpay(site, residence, 14_831_393)
    record = await site.payment(2, **asked(FIRST, RECORD, "tay-ho"))
    site.clock.move(timedelta(minutes=11))
    two = await vnpay(site, record, 14_831_394)
    await site.parts.receipts.issue()
    await site.parts.outbox.sequence()
    await until_night(site)
    await take(
        site, "provider", {"merchant_reference": one, "provider_txn_id": "14831393"},
        {"merchant_reference": two, "provider_txn_id": "14831394", "gross": 200_000, "fee": 3_300,
         "net": 196_700},
    )  # fmt: skip
    await closed(site, FIRST)
    slips = remittances_of(site.parts)
    slip = await slips.one(AGENCY, await slips.prepare(AGENCY, FIRST, "staff:quay"))
    await slips.decide(AGENCY, slip["id"], "staff:duyet", slip["hash"], sign=True)
    sheets = day_sheets_of(site.parts)
    await sheets.sign(AGENCY, FIRST, "staff:duyet", (await sheets.sheet(AGENCY, FIRST)).hash)
    await until_night(site)
    # What the banks bring a day later: a payout, its charges made good, and the treasury's word.
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": 205_620, "reference": "VNPAY-20261118",
         "memo": "VNPAY THANH TOAN TESTTMN1 VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": 4_380, "reference": "BP",
         "memo": "BU PHI THANH TOAN VNPAY-20261118"},
        {"booked_on": "2026-11-19", "amount": -210_000, "reference": "NS20261119",
         "memo": "NOP NSNN 19/11/2026 NS20261119"},
    )  # fmt: skip
    await take(
        site, "treasury", {"obligation_id": residence["id"]},
        {"obligation_id": record["id"], "document_ref": "NS20261119-00002", "amount": 200_000,
         "tieu_muc": "2721"},
    )  # fmt: skip
    await closed(site, SECOND)
    await slips.confirm()
    return residence


async def closed(site: Site, on: date) -> None:
    """Reconcile a day on which nothing is wrong."""
    report = await reconcile(site, on)
    assert report.closed is not None
    assert report.closed.is_closed, report.closed.open_checks


async def day_with_breaks(site: Site) -> None:
    """Live a day on which banks and books disagree; it stays open. Then two files come."""
    site.clock.move(timedelta(hours=6, minutes=30))
    passport = await site.payment(3, **asked(THIRD, PASSPORT))
    one = await vnpay(site, passport, 14_831_501)
    licence = await site.payment(4, **asked(THIRD, LICENCE, "tay-ho"))
    await vnpay(site, licence, 14_831_502)  # VNPAY's report will not list it.
    copies = await site.payment(5, **asked(THIRD, COPIES, "online", quantity=5, pages=3))
    came = copies["amount"] + 5_000
    await site.sepay_says(f"TP{copies['reference']} CHUYEN TIEN", came, 501)
    await in_state(site, "held", 6, **asked(THIRD, "1.004222", "tay-ho"))
    await site.parts.receipts.issue()
    await site.parts.outbox.sequence()
    await until_night(site)
    batch = {"batch_id": "VNPAY-20261120", "settled_on": "2026-11-23"}
    await take(
        site, "provider",
        {"merchant_reference": one, "provider_txn_id": "14831501", "gross": 200_000, "fee": 3_300,
         "net": 196_700, "txn_at": "2026-11-20T01:10:00Z", **batch},
        {"provider_txn_id": "14831393", "kind": "refund", "gross": -10_000, "fee": 0,
         "net": -10_000, "txn_at": "2026-11-20T02:00:00Z", **batch},
    )  # fmt: skip
    await take(
        site, "statement",
        {"booked_on": "2026-11-20", "amount": came, "reference": "FT501",
         "memo": f"TP{copies['reference']} CHUYEN TIEN"},
        {"booked_on": "2026-11-20", "amount": 10_000, "reference": "FT502",
         "memo": "NGUYEN VAN AN NOP TIEN"},
        {"booked_on": "2026-11-20", "amount": -11_000, "reference": "FT503",
         "memo": "THU PHI QUAN LY TAI KHOAN"},
    )  # fmt: skip
    report = await reconcile(site, THIRD)
    assert report.closed is not None
    assert not report.closed.is_closed
    site.clock.move(timedelta(days=2, hours=6, minutes=30))
    intake = reconciliation(site).intake
    statement = written("statement", {"booked_on": "2026-11-22", "line_id": "1"})
    bad = statement.replace(b"10000", b"10.000")
    await intake.take(
        await intake.store(AGENCY, "canonical-statement", "sao-ke-22-11.csv", bad, "staff:ketoan")
    )
    await intake.store(
        AGENCY, "canonical-statement", "sao-ke-22-11-sua.csv", statement, "staff:ketoan"
    )


async def today(site: Site) -> dict[str, str]:
    """Bring a payment into each state; give the citizen's pages."""
    made = {}
    for n, state in enumerate(STATES, 7):
        branch = ("hoan-kiem", "tay-ho", "online")[n % 3]
        made[state] = await in_state(site, state, n, **asked(TODAY, "1.004222", branch))
    await site.parts.receipts.issue()
    await site.parts.outbox.sequence()
    pages = {f"pay-{state}": payment["links"]["pay"] for state, payment in made.items()}
    due = f"/console/counter/{made['open']['id']}"
    shown = (await site.http.get(pages["pay-paid"])).text
    (receipt,) = re.findall(r'href="(/receipts/[^"]+\.html)"', shown)
    (check,) = re.findall(r'href="([^"]+/verify/[^"]+)"', (await site.http.get(receipt)).text)
    base = site.parts.settings.public_url
    return {"home": "/", "counter": "/console/counter", "counter-payment": due,
            "display": "/display", "receipt": receipt, "verify": check.removeprefix(base),
            "verify-unknown": "/verify/4T9K2M7Q0A1B3C5", "lost": "/pay/4T9K2M7Q0A1B3C5",
            **{name: link.removeprefix(base) for name, link in pages.items()}}  # fmt: skip


async def until_night(site: Site) -> None:
    """Let the day end: 01:30 on the next day in Hanoi."""
    now = site.clock.now() + timedelta(hours=7)
    night = now.replace(hour=1, minute=30, second=0) + timedelta(days=1)
    site.clock.move(night - now)
