"""Closed days against their seals: an entry that was changed, added or taken away since is found.

Triggers keep everybody from a closed day but the tables' owner; the seal tells when the owner was
there. The minute's check looks at one day, each in its turn; doctor and the trial balance at all.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from gateway.services.invariants import Violation
from gateway.store.tx import Row, Store, Tx

RULE: Final = "each closed day is as it was sealed"
_minute_s: Final = 60  # The check's interval: each minute has its day.
_EVERY_DAY: Final = (
    "SELECT agency_id, booked_on, closed_at, seal FROM day WHERE state = 'closed'{0}"
    " ORDER BY booked_on, agency_id"
)
_CLOSED: Final = text(_EVERY_DAY.format(""))
_OF_AGENCY: Final = text(
    _EVERY_DAY.format(" AND agency_id = :agency AND booked_on BETWEEN :since AND :upto")
)
_ONE: Final = text(
    _EVERY_DAY.format("") + " LIMIT 1 OFFSET :turn %"
    " greatest((SELECT count(*) FROM day WHERE state = 'closed'), 1)"
)
# A quiet day may be closed after the days that follow it; they build on what was closed by then.
# One that was reopened and closed again, while a later day stayed, is what that day built on.
_BUILDS_ON: Final = text(
    "SELECT (SELECT d.seal FROM day d WHERE d.agency_id = :agency AND d.booked_on < :on"
    " AND d.closed_at <= :closed_at ORDER BY d.booked_on DESC LIMIT 1) AS then,"
    " (SELECT d.seal FROM day d WHERE d.agency_id = :agency AND d.booked_on < :on"
    " ORDER BY d.booked_on DESC LIMIT 1) AS now"
)
# Somebody may reopen the day while it is read.
_STILL: Final = text(
    "SELECT 1 AS yes FROM day WHERE agency_id = :agency AND booked_on = :on AND state = 'closed'"
    " AND closed_at = :closed_at"
)
# By name and in this order: a column that a later version adds must not change an old day's seal.
_SEALED: Final = text(
    "SELECT agency_id, id, booked_on, value_on, debit, credit, amount, voucher_kind, voucher_id,"
    " payment_id, branch_id, provider_account, batch_id, budget_line, evidence_hash, rule, storno,"
    " created_at FROM entry WHERE agency_id = :agency AND booked_on = :on ORDER BY id"
)


async def broken(store: Store) -> list[Violation]:
    """Look at every closed day of every agency."""
    async with store.begin() as tx:
        return await _broken(tx, await tx.rows(_CLOSED))


async def broken_of(store: Store, agency_id: str, since: date, upto: date) -> list[Violation]:
    """Look at an agency's closed days of a period."""
    async with store.begin() as tx:
        asked = {"agency": agency_id, "since": since, "upto": upto}
        return await _broken(tx, await tx.rows(_OF_AGENCY, asked))


async def broken_in_turn(store: Store) -> list[Violation]:
    """Look at the one closed day whose turn it is: history is long, and a minute is short."""
    async with store.begin() as tx:
        turn = int(store.clock.now().timestamp()) // _minute_s
        return await _broken(tx, await tx.rows(_ONE, {"turn": turn}))


async def _broken(tx: Tx, days: Sequence[Row]) -> list[Violation]:
    what = [f"{d['booked_on']} of {d['agency_id']}" for d in days if not await _is_whole(tx, d)]
    return [Violation(RULE, tuple(what))] if what else []


async def _is_whole(tx: Tx, day: Row) -> bool:
    if await built_on(tx, day) is not None:
        return True
    return await tx.row(_STILL, _asked(day)) is None


async def built_on(tx: Tx, day: Row) -> str | None:
    """Give the seal of the day before on which a day is as it was sealed; None where on none."""
    seals = await tx.row(_BUILDS_ON, _asked(day)) or {}
    for before in dict.fromkeys(seal or "" for seal in seals.values()):
        if await seal_of(tx, day["agency_id"], day["booked_on"], before) == day["seal"]:
            return before
    return None


def _asked(day: Row) -> dict[str, Any]:
    return {"agency": day["agency_id"], "on": day["booked_on"], "closed_at": day["closed_at"]}


async def seal_now(tx: Tx, agency_id: str, on: date) -> str:
    """SHA-256 over the day's entries and the day before's seal, so that days form a chain."""
    before = await tx.row(
        text(
            "SELECT seal FROM day WHERE agency_id = :agency AND booked_on < :on"
            " ORDER BY booked_on DESC LIMIT 1"
        ),
        {"agency": agency_id, "on": on},
    )
    return await seal_of(tx, agency_id, on, before["seal"] if before else "")


async def seal_of(tx: Tx, agency_id: str, on: date, before: str) -> str:
    """Seal a day's entries as they are now, on the seal of a day before."""
    entries = await tx.rows(
        _SEALED,
        {"agency": agency_id, "on": on},
    )
    said = [before, [[str(v) for v in e.values()] for e in entries]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
