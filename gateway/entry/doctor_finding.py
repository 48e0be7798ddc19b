"""What the doctor says of one thing, and how it asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from gateway.entry.bootstrap import Parts
from gateway.services.invariant_rules import RULES
from gateway.services.invariants import grace


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is right, and what was seen or what to do."""

    name: str
    is_right: bool
    said: str


Look = Callable[[Parts], Awaitable[Finding]]


async def row_of(parts: Parts, query: str, **values: object) -> dict[str, Any]:
    """Ask for one row."""
    async with parts.store.begin() as tx:
        return dict(await tx.row(text(query), values) or {})


async def broken(parts: Parts, rule: str) -> int:
    """Count what breaks a rule."""
    row = await row_of(
        parts, f"SELECT count(*) AS n FROM ({RULES[rule]}) x", before=parts.clock.now() - grace
    )
    return int(row["n"])
