"""Goes through the nights once more: each run explains what was there at its moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from reconciliation.proving.cells import rules

_BEGINNING: Final = (-(10**15), date(2000, 1, 1))  # Before anything was closed.
_NIGHT: Final = ("70-night", "71-payouts", "72-bank", "73-treasury")
# What the agency has to make good at a run, and what asks to have made it good.
_BILL: Final = (
    "SELECT coalesce(sum(CASE WHEN debit = '1383' THEN amount WHEN credit = '1383' THEN -amount"
    " END), 0) FROM entry WHERE '1383' IN (debit, credit) AND noted_at <= getvariable('as_of')"
)
_ASKED: Final = (
    "SELECT p.id, p.net, p.booked_on FROM pending p JOIN marked m ON m.line_id = p.id"
    " AND m.kind = 'top_up' WHERE p.net > 0 AND p.id NOT IN (SELECT line_id FROM posted)"
    " AND p.id NOT IN (SELECT line_id FROM referring)"
    " ORDER BY p.booked_on, p.line_no, p.id"
)


# A line is looked at as long as it is in a run's window.
_WAIT: Final = (
    "CREATE OR REPLACE TABLE waiting AS SELECT * FROM there WHERE booked_on >="
    " getvariable('business_on') - getvariable('window_days')"
    " AND NOT EXISTS (SELECT 1 FROM posted p WHERE p.line_id = there.id)"
)


@dataclass(frozen=True, slots=True)
class Closings:
    """Which day was the last closed one, from which moment on."""

    since: Sequence[tuple[int, date]]

    def last(self, at: int) -> date:
        """Give the last closed day at a moment."""
        return max((moment, day) for moment, day in self.since if moment <= at)[1]


def closings(base: Any) -> Closings:  # noqa: ANN401 - duckdb ships no types.
    """Tell the story of closing and reopening, of which only the last day can be reopened."""
    closed: list[date] = []
    since = {_BEGINNING[0]: _BEGINNING[1]}
    told = base.execute(
        "SELECT noted_at, on_day, is_close FROM closing_word ORDER BY noted_at, is_close, 2"
    )
    for at, on_day, is_close in told.fetchall():
        closed = [*closed, on_day] if is_close else [day for day in closed if day != on_day]
        # What was booked at that moment, was before.
        since[at + 1] = max(closed, default=_BEGINNING[1])
    base.execute("CREATE TABLE closing (noted_at BIGINT, last_on DATE)")
    base.executemany("INSERT INTO closing VALUES (?, ?)", [list(x) for x in since.items()])
    return Closings(sorted(since.items()))


def replay(base: Any, known: Closings, window_days: int) -> int:  # noqa: ANN401 - the same.
    """Go through every run in order; gives how many."""
    base.execute(rules("65-books"))
    text = "".join(map(rules, _NIGHT))
    runs = base.execute("SELECT n, business_on, as_of FROM night ORDER BY n").fetchall()
    for n, business_on, as_of in runs:
        values = {
            "night": n, "business_on": business_on, "as_of": as_of, "window_days": window_days,
            "last_on": known.last(as_of),
        }  # fmt: skip
        for name, value in values.items():
            base.execute(f"SET VARIABLE {name} = ?", [value])
        base.execute(text)
        _make_good(base, as_of)
        base.execute(_WAIT)
    return len(runs)


def _make_good(base: Any, as_of: int) -> None:  # noqa: ANN401 - the same.
    """Take credits of the agency as charges made good, while there is something to make good."""
    (bill,) = base.execute(_BILL).fetchone()
    so_far = 0
    for line_id, net, booked_on in base.execute(_ASKED).fetchall():
        if net > bill:
            continue
        so_far += net
        if so_far > bill:
            continue
        base.execute(
            "INSERT INTO entry VALUES ('statement_line', ?, '1120', '1383', ?, ?, ?)",
            [line_id, net, booked_on, as_of],
        )
        base.execute("INSERT INTO posted VALUES (?)", [line_id])
