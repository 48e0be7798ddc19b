"""What people do about breaks, one row each, never edited: every row is sealed onto the one before.

Whoever removes or changes a row breaks the chain, and the rules that must hold at every moment
(``services/invariant_rules.py``) recompute it from what the database holds.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert, text

from gateway.domain.errors import Refusal
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Tx

_LAST: Final = text(
    "SELECT number, seal FROM case_action WHERE agency_id = :agency ORDER BY number DESC LIMIT 1"
)
_COUNT: Final = text(
    "UPDATE break SET action_count = action_count + 1 WHERE agency_id = :agency AND id = :id"
)
_LOCKED: Final = text("SELECT * FROM break WHERE agency_id = :agency AND id = :id FOR UPDATE")
_OF_BREAK: Final = text(
    "SELECT c.*, f.id AS file_id, f.name AS file_name FROM case_action c LEFT JOIN case_file f"
    " ON f.agency_id = c.agency_id AND f.action_id = c.id"
    " WHERE c.agency_id = :agency AND c.break_id = :id ORDER BY c.number"
)


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that somebody did about a break; ``about`` is the proposal that they decided."""

    break_id: str
    kind: str
    actor: str
    said: Mapping[str, Any]
    about: tuple[str, str] | None = None  # Its id, and who made it.


def canonical(said: Any) -> str:  # noqa: ANN401 - whatever JSON holds.
    """Write a value in the one way that is hashed: sorted names, no spaces."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(said: Any) -> str:  # noqa: ANN401 - the same.
    """SHA-256 of a value's canonical letters."""
    return hashlib.sha256(canonical(said).encode()).hexdigest()


def read(said: str) -> dict[str, Any]:
    """Read what an act said."""
    found: dict[str, Any] = json.loads(said)
    return found


async def locked(tx: Tx, agency_id: str, break_id: str) -> Row:
    """Load one break, locked: whatever is done about it is done one after another."""
    row = await tx.row(_LOCKED, {"agency": agency_id, "id": break_id})
    if row is None:
        raise Refusal("not-found", "There is no such break in this agency.")
    return row


async def add(tx: Tx, agency_id: str, act: Act) -> str:
    """Put an act at the end of the agency's chain; give its id. The break is locked already."""
    await tx.run(locks.CASES, {"agency": agency_id})
    last = await tx.row(_LAST, {"agency": agency_id})
    number, before = (last["number"] + 1, last["seal"]) if last else (1, "")
    action_id, now, said = tx.clock.new_id("act"), tx.clock.now(), canonical(act.said)
    about_id, about_actor = act.about or (None, None)
    letters = [
        before, agency_id, str(number), action_id, act.break_id, act.kind, act.actor,
        about_id or "", about_actor or "", _instant(now), said,
    ]  # fmt: skip
    await tx.run(
        insert(t.case_action),
        {"agency_id": agency_id, "id": action_id, "number": number, "break_id": act.break_id,
         "kind": act.kind, "actor": act.actor, "about_id": about_id, "about_actor": about_actor,
         "said": said, "at": now, "seal_before": before,
         "seal": seal_of(letters)},
    )  # fmt: skip
    await tx.run(_COUNT, {"agency": agency_id, "id": act.break_id})
    await tx.note(agency_id, act.actor, f"case.{act.kind}", act.break_id)
    return action_id


def seal_of(letters: Sequence[str]) -> str:
    """Seal an act: the seal before, agency, number, id, break, kind, actor, about, at, said."""
    return hashlib.sha256("\n".join(letters).encode()).hexdigest()


async def of_break(tx: Tx, agency_id: str, break_id: str) -> Sequence[Row]:
    """List what was done about a break, oldest first."""
    rows = await tx.rows(_OF_BREAK, {"agency": agency_id, "id": break_id})
    return [dict(r) | {"said": read(r["said"])} for r in rows]


def _instant(at: datetime) -> str:
    """Write an instant as PostgreSQL's to_char does in the rule that recomputes the seal."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
