"""What must hold at every moment: one list, asked by the minute job, by ``day`` and by the tests.

Each rule is a query for what breaks it, and whose that is, so an empty answer is the proof. Rules
about things that take a moment (receipts, positions, deliveries) name the instant before which they
must have happened.
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


async def violations(store: Store, agency_id: str | None = None) -> list[Violation]:
    """Ask every rule; an empty list is the proof.

    With an agency: only about what is its own, or nobody's yet. Others' books are not its matter.
    """
    before = store.clock.now() - grace
    found = []
    async with store.begin() as tx:
        for rule, query in RULES.items():
            values: dict[str, object] = {"before": before} if ":before" in query else {}
            wanted = f"SELECT what FROM ({query}) x"
            if agency_id:
                wanted += " WHERE agency_id = :agency OR agency_id IS NULL"
                values["agency"] = agency_id
            rows = await tx.rows(text(f"{wanted} LIMIT {shown_max}"), values)
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
