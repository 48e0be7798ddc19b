"""Payments to issue receipts for: one by the front door, or many without a bank."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from front_door import AGENCY, Site
from sqlalchemy import select

from gateway.domain.calendar import hanoi_day
from gateway.domain.payment import Capture, FeeLine, Payment, Standing, open_payment, take
from gateway.services.payments import render
from gateway.store import tables as t

PHI = FeeLine("3.000333", "phi", "Phí cung cấp thông tin lý lịch tư pháp", 200_000, "2721")
LE_PHI = FeeLine("1.004222", "le_phi", "Lệ phí đăng ký cư trú", 10_000, "2767")
FREE = FeeLine("1.001193", "phi", "Phí không thu", 0, "2771")
PAYER = {
    "name": "Canary Nguyễn Thị Hoà", "phone": "0987654321", "email": "canary@example.vn",
    "citizen_id": "001190999999", "address": "99 phố Canary", "tax_code": "0109999999",
}  # fmt: skip


async def paid(site: Site, n: int = 1, **changes: Any) -> dict[str, Any]:
    """Pay one payment by VNPAY through the front door; give it as it then stands."""
    payment = await site.payment(n, **changes)
    await site.vnpay_says(await site.attempt(payment), vnp_TransactionNo=str(1_000 + n))
    after: dict[str, Any] = await site.get(f"/payments/{payment['id']}")
    return after


async def pay_many(
    site: Site, count: int, *, two_kinds: bool = False, branch: str | None = None, **more: Any
) -> list[str]:
    """Write payments as paid, in three branches; give their ids."""
    lines = (PHI, LE_PHI) if two_kinds else (LE_PHI,)
    branches = [branch] if branch else ["online", "hoan-kiem", "tay-ho"]
    made = [await pay(site, branches[n % len(branches)], lines, **more) for n in range(count)]
    return [payment.id for payment in made]


async def pay(
    site: Site, branch: str, lines: tuple[FeeLine, ...], payer: dict[str, str] | None = None
) -> Payment:
    """Open one payment and take its money, by the same decisions as any other."""
    payment = await new_payment(site, branch, lines)
    if payer:
        keys = site.parts.payments.keys
        year = await keys.of_year(site.parts.store, AGENCY, site.clock.now())
        own, key = keys.fresh(year, payment.id)
        sealed = own.seal(f"payment|{payment.id}|payer", render(payer))
        payment = replace(payment, payer_sealed=sealed, key_sealed=key)
    async with site.parts.store.begin() as tx:
        (opened,) = await tx.record([open_payment(payment)])
        assert opened is not None
        await tx.record([take(opened, capture_of(site, opened), AGENCY, Standing(), ())])
    return payment


async def new_payment(site: Site, branch: str, lines: tuple[FeeLine, ...]) -> Payment:
    """Make a payment of a dossier of its own."""
    now, payment_id = site.clock.now(), site.clock.new_id("pay")
    async with site.parts.store.begin() as tx:
        client = await tx.row(select(t.client.c.id))
    assert client is not None
    return Payment(
        id=payment_id, agency_id=AGENCY, branch_id=branch, client_id=client["id"],
        reference=payment_id[-12:], dossier_id=f"H26.14-261118-{payment_id[-12:]}",
        procedure="1.004222", price_on=hanoi_day(now), lines=lines, created_at=now,
        expires_at=now + timedelta(days=7), token=payment_id * 2,
    )  # fmt: skip


def capture_of(site: Site, payment: Payment) -> Capture:
    """Write a bank's word that the whole amount was taken."""
    now, capture_id = site.clock.now(), site.clock.new_id("cap")
    on = hanoi_day(now)
    return Capture(
        id=capture_id, provider="vnpay", account="default", txn_id=capture_id,
        amount=payment.amount, fixed=True, expected=payment.amount, attempt_id=None, booked_on=on,
        value_on=on, paid_at=now, taken_at=now, evidence_source="notice", evidence_id=capture_id,
        evidence_hash="0" * 64,
    )  # fmt: skip
