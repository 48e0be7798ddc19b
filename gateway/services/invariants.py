"""What must hold at every moment: one list, asked by the minute job, by ``day`` and by the tests.

Each rule is a query for what breaks it, so an empty answer is the proof. Rules about things that
take a moment (receipts, positions, deliveries) name the instant before which they must have
happened.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import text

from gateway.services.invariant_rules import RULES
from gateway.store.tx import Store

grace: Final = timedelta(minutes=5)  # How long a receipt or a stamp may take before it is a break.
shown_max: Final = 5


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that does not hold, and some of what breaks it (ids only)."""

    rule: str
    what: tuple[str, ...]


async def violations(store: Store) -> list[Violation]:
    """Ask every rule; an empty list is the proof."""
    before = store.clock.now() - grace
    found = []
    async with store.begin() as tx:
        for rule, query in RULES.items():
            values = {"before": before} if ":before" in query else {}
            rows = await tx.rows(text(f"{query} LIMIT {shown_max}"), values)
            if rows:
                found.append(Violation(rule, tuple(str(r["what"]) for r in rows)))
    return found


async def check(store: Store, also: Sequence[Violation] = ()) -> str:
    """Do what the minute job does: say what is broken, or fail loudly.

    ``also`` is what was found broken elsewhere.
    """
    found = [*also, *await violations(store)]
    if found:
        raise ValueError("; ".join(f"{v.rule}: {', '.join(v.what)}" for v in found))
    return f"{len(RULES)} rules hold"
