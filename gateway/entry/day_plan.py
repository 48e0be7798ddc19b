"""What each citizen of a ``thuphi day`` does, drawn before it is done: the seed decides alone."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from gateway.entry.day_counter import CLERKS, METHODS
from gateway.services.seed import BRANCHES

# What a citizen asks for: procedure, facts. Both kinds of fee, and one counted by copies.
PROCEDURES: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("1.004222", {"channel": "online"}),
    ("3.000333", {"channel": "online"}),
    ("1.001193-LATE", {}),
)
PROVIDERS: Final = ("national", "vnpay", "vietqr", "momo", "zalopay", "payos", "stripe")
AT_CHECKOUT: Final = ("early", "reset", "maintenance")  # The answer to our own call goes wrong.
FAULTS: Final = (
    "duplicate", "burst", "late", "out_of_order", "silent", "forged", "wrong_amount",
    "wrong_merchant", "server_error", "slow", "twelve_hours", *AT_CHECKOUT,
)  # fmt: skip
# A citizen who is told one of these was not sent to a provider, and tries again later.
NOT_NOW: Final = ("payment-in-doubt", "provider-failed", "provider-unavailable")
PAID: Final = ("captured", "payment-not-open")  # Before the answer to our own call, or since then.
in_app_share: Final = 0.5  # Of those not sent on: they find the order in the app, and pay it.
named_share: Final = 0.8  # Of payments whose obligation the bank tells the treasury.


def drawn(chance: Random, n: int, faults: float) -> dict[str, Any]:
    """Draw what the n-th citizen does, and what goes wrong."""
    procedure, facts = chance.choice(PROCEDURES)
    return {
        "n": n, "procedure": procedure, "facts": facts,
        "branch": chance.choice(sorted(BRANCHES)),
        "provider": chance.choice((*PROVIDERS, *METHODS)),
        "counter": chance.choice(sorted(CLERKS)),
        "in_app": chance.random() < in_app_share,
        "fault": chance.choice(FAULTS) if chance.random() < faults else "none",
        "named": chance.random() < named_share,
        "changes_mind": chance.random() < faults / 2,
        "twice": chance.random() < faults / 4,
    }  # fmt: skip


def for_treasury(plan: Mapping[str, Any], payment: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a payment is for, as the treasury will list it: by its name, or in a lump."""
    lines = [{"tieu_muc": x["budget_line"], "amount": x["amount"]} for x in payment["lines"]]
    return {"lines": lines} | ({"obligation_id": payment["id"]} if plan["named"] else {})
