"""Opening + new - matched = closing, per source, kept with each run."""

from datetime import timedelta

from books import NEXT, night, paid_by_vnpay, reconcile, take
from front_door import Site
from sqlalchemy import text

from reconciliation.open_items import holds
from reconciliation.report import Report


async def test_each_run_says_what_was_open_what_came_and_what_stays_open(site: Site) -> None:
    """And what stays open opens the next."""
    payment = await paid_by_vnpay(site)
    await night(site)
    await take(site, "provider", {"merchant_reference": payment["attempt"]},
               {"provider_txn_id": "X7", "kind": "refund", "gross": -10_000, "fee": 0,
                "net": -10_000})  # fmt: skip

    first = await reconcile(site)
    site.clock.move(timedelta(days=1))
    await take(
        site, "statement",
        {"booked_on": "2026-11-19", "amount": -5_000, "memo": "PHI"},
    )  # fmt: skip
    second = await reconcile(site, NEXT)

    def counts(report: Report, source: str) -> list[tuple[int, int]]:
        return [(p["count"], p["sum"]) for p in report.proof[source].values()]

    assert all(holds(report.proof) for report in (first, second))
    assert counts(first, "provider") == [(0, 0), (2, -1_080), (1, 8_920), (1, -10_000)]
    assert counts(second, "provider") == [(1, -10_000), (0, 0), (0, 0), (1, -10_000)]
    assert counts(first, "gateway")[2] == (1, 10_000)
    assert counts(second, "statement") == [(0, 0), (1, -5_000), (0, 0), (1, -5_000)]
    async with site.parts.store.begin() as tx:
        kept = await tx.rows(text("SELECT summary -> 'proof' AS proof FROM recon_run ORDER BY id"))
    assert [row["proof"] for row in kept] == [first.proof, second.proof]
