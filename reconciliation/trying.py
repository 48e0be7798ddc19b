"""What changed rules would have matched: every line that ever came, by both, and what differs.

All of an agency's history is matched at once, by the rules in force and by the others, so that a
difference is the rules' own. Nothing is booked, and nothing is kept.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.store.tx import Store
from reconciliation.engine import Result, RuleError, rules, run
from reconciliation.holders import Holders
from reconciliation.inputs import DayRules, Inputs, load

WON, LOST, CHANGED, MOVED = "won", "lost", "changed", "another_pass"
shown_max: Final = 20
_NAME: Final = re.compile(r"[0-9]{2}-[a-z-]{1,40}\.sql")
_FIRST: Final = text(
    "SELECT least((SELECT min(value_on) FROM capture WHERE agency_id = :agency),"
    " (SELECT min(booked_on) FROM statement_line WHERE agency_id = :agency)) AS on"
)
Sides = frozenset[tuple[str | None, int]]  # What a line proves: captures, each with its amount.


@dataclass(frozen=True, slots=True)
class Change:
    """A line that the two sets of rules read otherwise."""

    kind: str
    line: Mapping[str, Any]
    now: tuple[str, Sides]  # The pass, and what the line proves by it.
    then: tuple[str, Sides]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came out."""

    since: date
    upto: date
    lines: int
    now: Result
    then: Result
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values; of each kind of change the first few."""
        kinds = Counter(c.kind for c in self.changes)
        money = {k: sum(abs(c.line["net"]) for c in self.changes if c.kind == k) for k in kinds}
        shown = [
            c for kind in (LOST, CHANGED, WON, MOVED)
            for c in [c for c in self.changes if c.kind == kind][:shown_max]
        ]  # fmt: skip
        return {
            "since": self.since.isoformat(), "upto": self.upto.isoformat(), "lines": self.lines,
            "matched": {"now": _lines(self.now), "then": _lines(self.then)},
            "breaks": {"now": _breaks(self.now), "then": _breaks(self.then)},
            "passes": {"now": _passes(self.now), "then": _passes(self.then)},
            "changes": {
                kind: {"lines": kinds.get(kind, 0), "amount": money.get(kind, 0)}
                for kind in (WON, LOST, CHANGED, MOVED)
            },
            "shown": [_said(c) for c in shown],
        }  # fmt: skip


def rules_in(folder: Path) -> dict[str, str]:
    """Give the rules in force with those of a folder in their place, or beside them.

    Raises Refusal when it holds none that differs.
    """
    if not folder.is_dir():
        raise Refusal("file-refused", f"{folder} is no folder.")
    given = {}
    for path in sorted(folder.glob("*.sql")):
        if not _NAME.fullmatch(path.name):
            raise Refusal("file-refused", f"{path.name} is not named like 05-batch.sql.")
        try:
            given[path.name] = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise Refusal("file-refused", f"{path} cannot be read as UTF-8 text.") from None
    if all(rules().get(name) == words for name, words in given.items()):
        raise Refusal("file-refused", f"No rule in {folder} differs from those in force.")
    return dict(sorted({**rules(), **given}.items()))


@dataclass(frozen=True, slots=True)
class Trying:
    """Matches an agency's history by other rules."""

    store: Store
    holders: Holders
    days: DayRules

    async def run(self, agency_id: str, texts: Mapping[str, str]) -> Tried:
        """Match everything twice. Raises Refusal for rules that do not run."""
        now = self.store.clock.now()
        upto = hanoi_day(now)
        async with self.store.begin() as tx:
            first = await tx.row(_FIRST, {"agency": agency_id})
            since = first["on"] if first and first["on"] else upto
            span = (upto - since).days
            given = await load(tx, agency_id, upto, now, span, self.holders, self.days)
        # Of a night what was booked stays so; here nothing was decided yet.
        given = replace(given, kept=[])
        try:
            by_now = await asyncio.to_thread(run, given)
            by_then = await asyncio.to_thread(run, given, texts)
        except RuleError as error:
            why = error.why.strip().splitlines()[0]
            raise Refusal("file-refused", f"{error.rule} does not run: {why}") from None
        return Tried(since, upto, len(given.lines), by_now, by_then,
                     tuple(_changes(given, by_now, by_then)))  # fmt: skip


def _by_line(result: Result) -> dict[str, tuple[str, Sides]]:
    found: dict[str, list[tuple[str | None, int]]] = defaultdict(list)
    passes: dict[str, str] = {}
    for m in result.matches:
        found[m.line_id].append((m.capture_id, m.amount))
        passes.setdefault(m.line_id, m.rule)
    return {line: (passes[line], frozenset(sides)) for line, sides in found.items()}


def _changes(given: Inputs, now: Result, then: Result) -> list[Change]:
    before, after = _by_line(now), _by_line(then)
    none: tuple[str, Sides] = ("", frozenset())
    found = []
    for line in given.lines:
        one, other = before.get(line["id"], none), after.get(line["id"], none)
        if one != other:
            if not one[0]:
                kind = WON
            elif not other[0]:
                kind = LOST
            else:
                kind = MOVED if one[1] == other[1] else CHANGED
            found.append(Change(kind, line, one, other))
    return found


def _said(change: Change) -> dict[str, Any]:
    def side(given: tuple[str, Sides]) -> dict[str, Any] | None:
        captures = sorted(c or "" for c, _ in given[1])
        return {"pass": given[0], "captures": captures[:shown_max]} if given[0] else None

    line = change.line
    return {
        "kind": change.kind, "line": line["id"], "source": line["source"],
        "booked_on": line["booked_on"].isoformat(), "amount": line["net"],
        "now": side(change.now), "then": side(change.then),
    }  # fmt: skip


def _lines(result: Result) -> int:
    return len({m.line_id for m in result.matches})


def _passes(result: Result) -> dict[str, int]:
    return dict(sorted(Counter(m.rule for m in result.matches).items()))


def _breaks(result: Result) -> dict[str, int]:
    return dict(sorted(Counter(d.kind for d in result.differences).items()))
