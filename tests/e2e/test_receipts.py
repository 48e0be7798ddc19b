"""Paid, numbered, sealed, shown: receipts through the front door, and what is not on them."""

from typing import Any

from front_door import Site

from gateway.services.invariants import violations


async def paid(site: Site, n: int = 1, **changes: Any) -> dict[str, Any]:
    """Pay one payment by VNPAY; give it as it stands before its receipts."""
    payment = await site.payment(n, **changes)
    await site.vnpay_says(await site.attempt(payment), vnp_TransactionNo=str(1_000 + n))
    after: dict[str, Any] = await site.get(f"/payments/{payment['id']}")
    return after


async def test_a_paid_fee_has_a_receipt_that_everybody_can_check(site: Site) -> None:
    payment = await paid(site)
    assert payment["receipts"] == []

    assert await site.parts.receipts.issue() == 1
    assert await site.parts.receipts.issue() == 0

    (shown,) = (await site.get(f"/payments/{payment['id']}"))["receipts"]
    assert (shown["kind"], shown["form"], shown["series"]) == ("le_phi", "EBL01", "26TAA")
    assert (shown["number"], shown["amount"]) == (1, 10_000)
    assert await violations(site.parts.store) == []


async def test_every_door_opens(site: Site) -> None:
    await paid(site)
    await site.parts.receipts.issue()
    (shown,) = (await site.get("/payments?limit=1"))["data"][0]["receipts"]
    for kind in ("xml", "pdf", "html"):
        answer = await site.http.get(shown["links"][kind])
        assert answer.status_code == 200, answer.text
    assert (await site.http.get(f"/verify/{shown['verify_code']}")).status_code == 200
