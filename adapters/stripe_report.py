"""Which movements each automatic payout of Stripe is made of: its payout reconciliation.

A payout lists its movements once ``reconciliation_status`` is completed [D]; one that was made by
hand lists none, and is for a person. Categories: Stripe's ``reporting_category``.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from adapters import stripe_words as words
from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.provider import ReportLine

if TYPE_CHECKING:
    from adapters.stripe_client import Api

page_rows: Final = 50  # With the charge of each row, some 250 KB.
pages_max: Final = 2_000  # A hundred thousand movements in one payout: nobody here has them.
PAID: Final = frozenset({"paid", "in_transit"})
PAYOUT: Final = "payout"  # The payout's own row, which takes out what the others brought.
# What a movement is to us. One that is not here is for a person, so the report is not read.
KINDS: Final = MappingProxyType(
    {
        "charge": "payment",
        "refund": "refund",
        "dispute": "reversal",
        "dispute_reversal": "reversal",  # The agency won: what was held comes back.
        "refund_failure": "reversal",  # A refund came back, for the payer's card could not take it.
        "fee": "charge",
        "network_cost": "charge",
    }
)
Asking = Callable[..., Awaitable[Any]]


async def fetch(api: "Api", on: date) -> list[ReportLine]:
    """List what was paid out on a day, movement by movement."""
    begins = int(datetime.combine(on, time(0), UTC).timestamp())
    ends = begins + int(timedelta(days=1).total_seconds())
    asked = {"arrival_date": {"gte": begins, "lt": ends}}
    payouts = [payout async for payout in _rows(api, api.payouts.list_async, asked)]
    return [line for payout in payouts for line in await _payout(api, payout, on)]


async def _payout(api: "Api", payout: Mapping[str, Any], on: date) -> list[ReportLine]:
    if payout.get("status") not in PAID:
        return []
    if payout.get("currency") != words.CURRENCY:
        raise DeclinedError("Stripe pays out in another currency, which is never booked as đồng.")
    if payout.get("automatic") is not True:
        raise DeclinedError("A payout was made by hand: Stripe does not say what it is made of.")
    if payout.get("reconciliation_status") != "completed":
        raise InDoubtError("Stripe does not know yet what a payout is made of.")
    name = words.word(payout.get("id"))
    asked = {"payout": name, "expand": ["data.source"]}
    rows = [row async for row in _rows(api, api.movements.list_async, asked)]
    return [_line(row, name, on) for row in rows if row.get("reporting_category") != PAYOUT]


async def _rows(
    api: "Api", asking: Asking, asked: Mapping[str, Any]
) -> AsyncIterator[Mapping[str, Any]]:
    """Read a list page by page."""
    after: dict[str, str] = {}
    for _ in range(pages_max):
        try:
            page = await api.said(asking(params={**asked, "limit": page_rows, **after}))
        except (DeclinedError, words.RefusalError):
            raise InDoubtError("Stripe would not give its report now.") from None
        listed = page.get("data")
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise InDoubtError("Stripe's answer is no list.")
        for row in listed:
            yield row
        if page.get("has_more") is not True:
            return
        after = {"starting_after": words.word(listed[-1].get("id")) if listed else ""}
        if not after["starting_after"]:
            raise InDoubtError("Stripe's list goes on and does not say where.")
    raise InDoubtError("Stripe's list is longer than any should be.")


def _line(row: Mapping[str, Any], payout: str, on: date) -> ReportLine:
    category, source = words.word(row.get("reporting_category")), words.inner(row, "source")
    kind, at = KINDS.get(category), words.instant(row.get("created"))
    sums = [row.get(name) for name in ("amount", "fee", "net")]
    whole = [x for x in sums if type(x) is int]
    if kind is None or row.get("currency") != words.CURRENCY:
        raise DeclinedError(f"A person must look at a payout with a movement «{category}».")
    if len(whole) != len(sums) or whole[0] - whole[1] != whole[2] or at is None:
        raise InDoubtError("Stripe's report does not add up.")
    txn_id, reference = _named(kind, category, row, source)
    gross, fee, net = whole
    return ReportLine(txn_id, reference, kind, gross, fee, net, at, on, payout)


def _named(
    kind: str, category: str, row: Mapping[str, Any], source: Mapping[str, Any]
) -> tuple[str, str]:
    """Name a movement as its notice did, and as we call it."""
    movement, ours = words.word(row.get("id")), words.inner(source, "metadata")
    if kind == "payment":
        intent = words.name_of(source.get("payment_intent"))
        return intent or movement, words.word(ours.get(words.ATTEMPT))
    if kind == "refund":
        return words.word(source.get("id")), words.word(ours.get(words.REFUND))
    if category in ("dispute", "dispute_reversal"):
        return movement, words.word(source.get("id"))
    return movement, ""
