"""Breaks for people to resolve, and two people who do."""

from datetime import timedelta
from typing import Any

from books import reconcile, take
from east_bank import rows
from front_door import AGENCY, Site

from gateway.services.working_calendar import vietnam
from reconciliation.evidence import Side
from reconciliation.planning import LINK, Wanted
from reconciliation.resolving import Resolutions

ONE, OTHER = "staff:mai", "staff:nam"


def cases(site: Site) -> Resolutions:
    return Resolutions(site.parts.store, site.parts.vault, vietnam())


async def night(site: Site) -> None:
    """Let the day end: 01:30 on the next day in Hanoi."""
    site.clock.move(timedelta(hours=17, minutes=30))


async def broken(site: Site, kind: str) -> dict[str, Any]:
    """Give the one open break of a kind."""
    found = await rows(site, f"SELECT * FROM break WHERE kind = '{kind}' AND state = 'open'")
    (case,) = found
    return case


async def unknown_money(site: Site, amount: int = 10_000, **more: Any) -> dict[str, Any]:
    """Let a credit come that names nobody; give its break."""
    await take(site, "statement", {"amount": amount, "memo": "CHUYEN TIEN", **more})
    await reconcile(site)
    return await broken(site, "unknown_money")


def to_payment(case: dict[str, Any], *payments: tuple[str, int]) -> Wanted:
    """Say that a break's money is for these payments."""
    return Wanted(
        LINK, "", (Side("break", case["id"], case["amount"]),),
        tuple(Side("payment", name, amount) for name, amount in payments),
    )  # fmt: skip


async def agree(site: Site, break_id: str, by: str = OTHER) -> None:
    """Let a second person sign what is shown of a break's proposal."""
    shown = await cases(site).show(AGENCY, break_id)
    assert shown.waiting, "nothing waits"
    assert shown.hash, shown.refused
    site.clock.move(timedelta(minutes=1))
    await cases(site).decide(AGENCY, shown.waiting["id"], by, agree=True, shown=shown.hash)


async def resolve(site: Site, case: dict[str, Any], wanted: Wanted) -> None:
    """Let one person propose it and another agree."""
    await cases(site).propose(AGENCY, case["id"], wanted, ONE)
    await agree(site, case["id"])
