"""What a resolution is about, as it stands now: breaks, their money, and where it is to go.

Two people sign what they see, so everything here is both shown and hashed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.errors import Refusal
from gateway.services.capture_facts import IS_CASH, WRITTEN_OFF
from gateway.store.tx import Row, Tx

parts_max: Final = 20  # Sides of one resolution; whoever has more resolves them in turns.

_BREAKS: Final = text(
    "SELECT k.id, k.kind, k.state, k.subject, k.amount, k.why, k.capture_id, k.line_id,"
    " k.payment_id FROM break k WHERE k.agency_id = :agency AND k.id = ANY(:ids)"
    " ORDER BY k.id FOR UPDATE"
)
_CAPTURES: Final = text(
    "SELECT c.id, c.provider, c.account, c.txn_id, c.bank_reference, c.amount, c.booked_on,"
    " c.value_on, c.paid_at, c.receipt_elsewhere, c.result,"
    " (SELECT min(m.line_id) FROM recon_match m JOIN statement_line l"
    " ON l.agency_id = m.agency_id AND l.id = m.line_id"
    " AND l.source = 'statement' WHERE m.agency_id = c.agency_id AND m.capture_id = c.id) AS line,"
    " (SELECT k.id FROM break k WHERE k.agency_id = c.agency_id AND k.capture_id = c.id"
    " AND k.kind = 'missing_at_provider' AND k.state = 'open') AS missing_break,"
    " EXISTS (SELECT 1 FROM refund r WHERE r.agency_id = c.agency_id AND r.capture_id = c.id"
    " AND r.state NOT IN ('rejected','failed')) AS is_refunded,"
    " EXISTS (SELECT 1 FROM dispute d WHERE d.agency_id = c.agency_id AND d.capture_id = c.id)"
    f" AS is_disputed, {IS_CASH} AS is_cash, {WRITTEN_OFF} AS written_off"
    " FROM capture c WHERE c.agency_id = :agency AND c.id = ANY(:ids) ORDER BY c.id"
)
_LINES: Final = text(
    "SELECT l.id, l.source, l.account, l.booked_on, l.net, l.reference, EXISTS (SELECT 1"
    " FROM recon_match m WHERE m.agency_id = l.agency_id AND m.line_id = l.id) AS is_matched"
    " FROM statement_line l WHERE l.agency_id = :agency AND l.id = ANY(:ids) ORDER BY l.id"
)
_MISSING: Final = text(
    "SELECT id FROM break WHERE agency_id = :agency AND capture_id = ANY(:ids)"
    " AND kind = 'missing_at_provider' AND state = 'open'"
)
_PAYMENTS: Final = text(
    "SELECT id FROM payment WHERE agency_id = :agency AND (id = ANY(:names)"
    " OR reference = ANY(:names)) ORDER BY id"
)
_LIMIT: Final = text("SELECT settings ->> 'write_off_max' AS said FROM agency WHERE id = :agency")


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a link: a break's money, or what it is for."""

    kind: str  # break | payment | capture
    id: str
    amount: int


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a resolution touches, locked and as it stands."""

    breaks: Mapping[str, Row]
    captures: Mapping[str, Row]
    lines: Mapping[str, Row]

    def money_of(self, break_id: str) -> Row:
        """Give the capture or line that a break is about."""
        case = self.breaks[break_id]
        if case["capture_id"] in self.captures and not case["line_id"]:
            return self.captures[case["capture_id"]]
        if case["line_id"] in self.lines:
            return self.lines[case["line_id"]]
        raise Refusal("case-not-fit", "This break has no money that could be linked.")


async def load(
    tx: Tx, agency_id: str, break_ids: Sequence[str], capture_ids: Sequence[str] = ()
) -> Scene:
    """Lock the breaks, and read what they are about; whoever locks payments did so before."""
    missing = await tx.rows(_MISSING, {"agency": agency_id, "ids": list(capture_ids)})
    wanted = sorted({*break_ids, *(r["id"] for r in missing)})
    cases = {r["id"]: r for r in await tx.rows(_BREAKS, {"agency": agency_id, "ids": wanted})}
    if not cases.keys() >= set(break_ids):
        raise Refusal("not-found", "There is no such break in this agency.")
    captures = sorted({*capture_ids, *(c["capture_id"] for c in cases.values() if c["capture_id"])})
    found = await tx.rows(_CAPTURES, {"agency": agency_id, "ids": captures})
    if not {r["id"] for r in found} >= set(capture_ids):
        raise Refusal("not-found", "There is no such capture in this agency.")
    lines = [c["line_id"] for c in cases.values() if c["line_id"]]
    read = await tx.rows(_LINES, {"agency": agency_id, "ids": lines})
    return Scene(cases, {r["id"]: r for r in found}, {r["id"]: r for r in read})


async def payment_ids(tx: Tx, agency_id: str, names: Sequence[str]) -> list[str]:
    """Find payments by their ids or references."""
    rows = await tx.rows(_PAYMENTS, {"agency": agency_id, "names": list(names)})
    return [r["id"] for r in rows]


async def write_off_max(tx: Tx, agency_id: str) -> int:
    """Give the most that an agency lets two people write off; 0, nothing, where it says none."""
    row = await tx.row(_LIMIT, {"agency": agency_id})
    return int(row["said"]) if row and row["said"] else 0


def filled(sources: Sequence[Side], targets: Sequence[Side]) -> list[tuple[Side, Side, int]]:
    """Pour each source into the targets, in order; both must be the same to the đồng."""
    if not sources or not targets or len(sources) + len(targets) > parts_max:
        raise Refusal("case-not-fit", f"Name what belongs together: 2 to {parts_max} parts.")
    if min(s.amount for s in (*sources, *targets)) <= 0:
        raise Refusal("case-not-fit", "Each part has an amount above 0.")
    given, wanted = sum(s.amount for s in sources), sum(t.amount for t in targets)
    if given != wanted:
        raise Refusal(
            "case-not-fit", f"The parts must be equal: {given} đồng here, {wanted} there."
        )
    pairs: list[tuple[Side, Side, int]] = []
    left = [t.amount for t in targets]
    n = 0
    for source in sources:
        rest = source.amount
        while rest:
            part = min(rest, left[n])
            if part:
                pairs.append((source, targets[n], part))
            rest, left[n] = rest - part, left[n] - part
            n += not left[n] and n < len(targets) - 1
    return pairs


def shown(values: Any) -> Any:  # noqa: ANN401 - whatever a row holds.
    """Make rows of a scene into what JSON can hold, so that they can be hashed."""
    if isinstance(values, Mapping):
        return {k: shown(v) for k, v in values.items()}
    if isinstance(values, list | tuple):
        return [shown(v) for v in values]
    return values if isinstance(values, str | int | bool | None) else str(values)
