"""What a run carries forward: opening + new - matched = closing, per source, in number and money.

An item is a line of a file or a capture of ours that no earlier run had matched. It is new when it
came after the run before this one looked; what stays open opens the next run.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text

from gateway.store.tx import Tx

if TYPE_CHECKING:  # Whoever checks an audit pack adds up too, and runs no rule.
    from reconciliation.engine import Result
    from reconciliation.inputs import Inputs

GATEWAY: Final = "gateway"  # Our own captures, beside the sources of files.
SOURCES: Final = ("provider", "statement", "treasury", GATEWAY)
OPENING, NEW, MATCHED, CLOSING = "opening", "new", "matched", "closing"
PARTS: Final = (OPENING, NEW, MATCHED, CLOSING)
Proof = dict[str, dict[str, dict[str, int]]]
_BEFORE: Final = text(
    "SELECT max(as_of) AS as_of FROM recon_run WHERE agency_id = :agency AND as_of < :as_of"
)
# What people matched is in no run's own result.
_BY_HAND: Final = text(
    "SELECT line_id, capture_id FROM recon_match WHERE agency_id = :agency"
    " AND (line_id = ANY(:lines) OR capture_id = ANY(:captures))"
)
_NEW: Final = text(
    "SELECT l.id FROM statement_line l JOIN statement_file f ON f.agency_id = l.agency_id"
    " AND f.id = l.file_id WHERE l.agency_id = :agency AND l.id = ANY(:lines)"
    " AND f.taken_at > :since UNION ALL SELECT id FROM capture WHERE agency_id = :agency"
    " AND id = ANY(:captures) AND taken_at > :since"
)


async def proof_of(
    tx: Tx, agency_id: str, given: "Inputs", result: "Result",
    known: Iterable[tuple[Any, Any, Any]], as_of: datetime,
) -> Proof:  # fmt: skip
    """Add it up. ``known`` are the matches of earlier runs: pass, line and capture."""
    earlier = {x for _, line, capture in known for x in (line, capture)}
    matched = {x for m in result.matches for x in (m.line_id, m.capture_id)}
    items = [(x["source"], x["id"], x["net"]) for x in given.lines if x["id"] not in earlier]
    items += [(GATEWAY, x["id"], x["amount"]) for x in given.captures if x["id"] not in earlier]
    still = [i for _, i, _ in items if i not in matched]
    asked = {"agency": agency_id, "lines": still, "captures": still}
    hands = {x for row in await tx.rows(_BY_HAND, asked) for x in row.values()}
    items = [item for item in items if item[1] in matched or item[1] not in hands]
    before = await tx.row(_BEFORE, {"agency": agency_id, "as_of": as_of})
    names = [i for _, i, _ in items]
    fresh: set[str] | None = None
    if before and before["as_of"]:
        asked = {"agency": agency_id, "lines": names, "captures": names}
        rows = await tx.rows(_NEW, asked | {"since": before["as_of"]})
        fresh = {row["id"] for row in rows}
    return added_up(
        (source, NEW if fresh is None or item in fresh else OPENING, amount, item in matched)
        for source, item, amount in items
    )


def added_up(items: Iterable[tuple[str, str, int, bool]]) -> Proof:
    """Add up items: each with its source, opening or new, its amount, and whether it matched."""
    proof: Proof = {s: {p: {"count": 0, "sum": 0} for p in PARTS} for s in SOURCES}
    for source, came, amount, is_matched in items:
        for part in (came, MATCHED if is_matched else CLOSING):
            proof[source][part]["count"] += 1
            proof[source][part]["sum"] += amount
    return proof


def holds(proof: Mapping[str, Mapping[str, Mapping[str, int]]]) -> bool:
    """Tell whether it adds up."""
    return all(
        parts["opening"][k] + parts["new"][k] - parts["matched"][k] == parts["closing"][k]
        for parts in proof.values()
        for k in ("count", "sum")
    )
