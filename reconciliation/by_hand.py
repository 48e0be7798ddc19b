"""What people decided is kept by every later run: it is never matched again, nor reported again.

A run sees what was agreed to by its own instant, so that it gives the same answer when it is run
again. Where the rules find something else for the same money, that is a break of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.calendar import day_start
from gateway.store.tx import Tx
from reconciliation import acts
from reconciliation.engine import Difference, Match, Result
from reconciliation.inputs import DayRules, Inputs, day_no, dues_of
from reconciliation.planning import BACK, HOME

_AGREED: Final = text(
    "SELECT id, said, at FROM case_action WHERE agency_id = :agency AND kind = 'agree'"
    " AND at >= :since ORDER BY number"
)
_DUES: Final = dues_of(
    "c.result <> 'paid' AND c.id = ANY(:ids)"
)  # What has a home pays only later.
CONFLICT: Final = "the rules find this for a capture that two people linked otherwise"
MISSING: Final = "two people linked the credit that the rules find for it otherwise"


@dataclass(slots=True)
class ByHand:
    """What stood agreed at an instant."""

    lines: dict[str, set[str]] = field(default_factory=dict)  # Line -> what it brought.
    captures: set[str] = field(default_factory=set)  # Proved at the bank, or written off.
    homes: set[str] = field(default_factory=set)  # Captures that pay since.
    later: set[str] = field(default_factory=set)  # And those that paid only later.


async def agreed(tx: Tx, agency_id: str, since: date, as_of: datetime) -> ByHand:
    """Read what two people agreed to about money of a window; nobody agrees before it comes."""
    rows = await tx.rows(_AGREED, {"agency": agency_id, "since": day_start(since)})
    done = [(r["id"], r["at"], acts.read(r["said"])["done"]) for r in rows]
    undone = {work["of"] for _, at, work in done if work["how"] == BACK and at <= as_of}
    found = ByHand()
    for action_id, at, work in done:
        if work["how"] == HOME:
            homes = found.homes if at <= as_of else found.later
            homes.update(capture for capture, _, _ in work["homes"])
        if at > as_of or action_id in undone or work["how"] == BACK:
            continue
        for line, capture, _ in work["matches"]:
            found.lines.setdefault(line, set()).update({capture} if capture else ())
            found.captures.update({capture} if capture else ())
        found.captures.update(v for kind, v, _ in work["losses"] if kind == "capture")
        # A line that told of money twice stays with the word that it was first taken for.
        for capture, _ in work["twins"]:
            for line in (line for line, _, _ in work["matches"]):
                found.lines[line].add(capture)
    return found


async def seen(
    tx: Tx, agency_id: str, given: Inputs, hands: ByHand, as_of: datetime, rules: DayRules
) -> Inputs:
    """Give a run's inputs as they stood: what was given a home is due to the budget since then."""
    shares = [s for s in given.shares if s["capture_id"] not in hands.later]
    if not hands.homes:
        return replace(given, shares=shares) if hands.later else given
    days = {c["id"]: c["business_on"] for c in given.captures}
    asked = {"agency": agency_id, "ids": sorted(hands.homes & days.keys()), "as_of": as_of}
    more = [dict(d) | _day(days[d["capture_id"]], rules) for d in await tx.rows(_DUES, asked)]
    known = {(d["payment_id"], d["capture_id"]) for d in given.dues}
    dues = [*given.dues, *(d for d in more if (d["payment_id"], d["capture_id"]) not in known)]
    names = ("payment_id", "capture_id", "budget_line", "kind")
    return replace(given, shares=shares, dues=sorted(dues, key=lambda d: [d[n] for n in names]))


def _day(on: date, rules: DayRules) -> dict[str, Any]:
    by = day_no(rules.confirm_by(on))
    return {"booked_on": on, "day_no": day_no(on), "confirm_by_no": by}


def respected(given: Inputs, result: Result, hands: ByHand) -> Result:
    """Leave out what people decided, and make a break of what contradicts them."""
    if not hands.lines and not hands.captures:
        return result
    lines = {x["id"]: x for x in given.lines}
    captures = {x["id"]: x for x in given.captures}
    kept: list[Match] = []
    found: dict[tuple[str, str], Difference] = {
        (d.kind, d.subject): d for d in result.differences if not _is_decided(d, hands)
    }
    # A line that says otherwise about one capture proves none: it is booked whole or not at all.
    against = {
        m.line_id for m in result.matches
        if lines[m.line_id]["source"] == "statement" and not _agrees(m, hands)
    }  # fmt: skip
    for match in result.matches:
        if match.line_id not in against:
            kept.append(match)
        elif d := _contradiction(match, lines[match.line_id], captures, hands):
            found.setdefault((d.kind, d.subject), d)
    ordered = sorted(found.values(), key=lambda d: (d.kind, d.subject))
    return Result(tuple(kept), tuple(ordered))


def _is_decided(d: Difference, hands: ByHand) -> bool:
    if d.line_id:
        return d.line_id in hands.lines
    return d.kind == "missing_at_provider" and d.capture_id in hands.captures


def _agrees(match: Match, hands: ByHand) -> bool:
    """Tell whether a match of a bank's line leaves alone what people decided, or says the same."""
    if match.line_id in hands.lines:
        return match.capture_id in hands.lines[match.line_id]
    return match.capture_id not in hands.captures


def _contradiction(
    match: Match, line: Mapping[str, Any], captures: Mapping[str, Any], hands: ByHand
) -> Difference | None:
    """Say what is left over, where the rules find another partner than people did."""
    if match.line_id not in hands.lines:
        return Difference(
            "status_conflict", f"line:{match.line_id}", abs(line["net"]), match.line_id,
            match.capture_id, CONFLICT, line["booked_on"],
        )  # fmt: skip
    capture = captures.get(str(match.capture_id))
    if capture is None or capture["id"] in hands.captures:
        return None
    return Difference(
        "missing_at_provider", f"capture:{capture['id']}", capture["amount"], None, capture["id"],
        MISSING, capture["value_on"],
    )  # fmt: skip
