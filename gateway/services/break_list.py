"""The list of breaks, oldest first: paged by key, so that its last page comes as fast as its first.

Reading only, and only one agency's rows.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import text

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.desk import page_rows_max
from gateway.services.working_calendar import vietnam
from gateway.store.tx import Row, Store, Tx

patience_working_days: Final = 3  # For a break that nobody was given a day for.
export_rows_step: Final = 1_000  # How many rows an export holds at a time.
_COLUMNS: Final = (
    "SELECT k.id, k.kind, k.state, k.subject, k.amount, k.payment_id, k.capture_id, k.line_id,"
    " k.proposal, k.why, k.owner_role, k.owner, k.due_on, k.waits_until, k.since_on, k.opened_at,"
    " k.resolved_at, k.resolution, k.action_count, (SELECT p.reference FROM payment p"
    " WHERE p.agency_id = k.agency_id AND p.id = k.payment_id) AS reference"
)
# Of an act ``c``: it proposes something, and nobody has agreed to it or refused it.
UNDECIDED: Final = (
    "c.kind = 'propose' AND NOT EXISTS (SELECT 1 FROM case_action d"
    " WHERE d.agency_id = c.agency_id AND d.about_id = c.id)"
)
_IS_WAITING: Final = (
    "EXISTS (SELECT 1 FROM case_action c WHERE c.agency_id = k.agency_id AND c.break_id = k.id"
    f" AND {UNDECIDED})"
)
# The few that wait are found first, however many breaks there are.
_WAITING: Final = (
    f"k.id IN (SELECT c.break_id FROM case_action c WHERE c.agency_id = :agency AND {UNDECIDED})"
)
_MATCHES: Final = text(
    "SELECT l.booked_on, l.source, l.account, l.reference, l.net, m.id, m.rule, m.why, m.amount,"
    " m.capture_id, (SELECT r.summary -> 'rules' ->> m.rule FROM recon_run r"
    " WHERE r.agency_id = m.agency_id AND r.id = m.run_id) AS rule_version,"
    " (SELECT min(a.payment_id) FROM allocation a WHERE a.agency_id = m.agency_id"
    " AND a.capture_id = m.capture_id) AS payment_id FROM statement_line l JOIN recon_match m"
    " ON m.agency_id = l.agency_id AND m.line_id = l.id WHERE l.agency_id = :agency"
    " AND l.booked_on = :on AND m.id > :after ORDER BY m.id LIMIT :rows"
)
RESOLVERS: Final = ("accountant", "approver")  # The roles that resolve breaks.
_OFFICERS: Final = text(
    "SELECT username FROM staff WHERE agency_id = :agency AND disabled_at IS NULL"
    " AND role = ANY(:roles) ORDER BY username"
)


def due_of(row: Row) -> date | None:
    """Say by when an open break should be dealt with: as somebody said, else by the calendar.

    None where it is resolved, or the calendar of its days is not known yet.
    """
    if row["due_on"] or row["state"] != "open":
        found: date | None = row["due_on"]
        return found
    try:
        return vietnam().add_working_days(hanoi_day(row["opened_at"]), patience_working_days)
    except Refusal:
        return None


@dataclass(frozen=True, slots=True)
class Wish:
    """Which breaks somebody wants: a state (open, waiting, resolved or any), a kind, a day."""

    state: str = "open"
    kind: str = ""
    after: str = ""  # The row after which a page goes on: its day and id.
    on: date | None = None  # Since when; any day if absent.


def query(wish: Wish, *, rows: int) -> tuple[str, dict[str, Any]]:
    """Write the query for one page; open ones by age, others by when they were found."""
    wanted: list[str] = []
    values: dict[str, Any] = {"rows": rows}
    by_age = wish.state in ("open", "waiting")
    if wish.state == "waiting":  # Of any state: an undo waits where all is resolved.
        wanted.append(_WAITING)
    elif by_age:
        wanted.append("k.state = 'open'")
    elif wish.state:
        wanted.append("k.state = :state")
        values["state"] = wish.state
    if wish.kind:
        wanted.append("k.kind = :kind")
        values["kind"] = wish.kind
    if wish.on:
        wanted.append("k.since_on = :on")
        values["on"] = wish.on
    since, _, last = wish.after.partition(".")
    if last and by_age:
        wanted.append("(k.since_on, k.id) > (:since, :last)")
        values |= {"since": _day(since), "last": last}
    elif last:
        wanted.append("k.id > :last")
        values["last"] = last
    order = "k.since_on, k.id" if by_age else "k.id"
    condition = "".join(f" AND {part}" for part in wanted)
    return (
        f"{_COLUMNS}, {_IS_WAITING} AS is_waiting FROM break k WHERE k.agency_id = :agency"
        f"{condition} ORDER BY {order} LIMIT :rows"
    ), values  # fmt: skip


def cursor(row: Row) -> str:
    """Name a row so that the next page begins after it."""
    return f"{row['since_on']}.{row['id']}"


async def officers_in(tx: Tx, agency_id: str) -> list[str]:
    """Name whom a break can be given to."""
    asked = {"agency": agency_id, "roles": list(RESOLVERS)}
    return [r["username"] for r in await tx.rows(_OFFICERS, asked)]


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        return date.min


@dataclass(frozen=True, slots=True)
class BreakList:
    """An agency's breaks and matches, as lists."""

    store: Store

    async def page(self, agency_id: str, wish: Wish) -> Sequence[Row]:
        """Give one page; one row more than a page says that there are more."""
        return await self._rows(agency_id, wish, page_rows_max + 1)

    async def all(self, agency_id: str, wish: Wish) -> AsyncIterator[Row]:
        """Give every break there is, however many, some at a time."""
        while True:
            rows = await self._rows(agency_id, wish, export_rows_step)
            for row in rows:
                yield {**row, "due_on": due_of(row)}
            if len(rows) < export_rows_step:
                return
            wish = replace(wish, after=cursor(rows[-1]))

    async def matches(self, agency_id: str, on: date) -> AsyncIterator[Row]:
        """Give every match of a day's lines, some at a time."""
        after = ""
        while True:
            asked = {"agency": agency_id, "on": on, "after": after, "rows": export_rows_step}
            async with self.store.begin() as tx:
                rows = await tx.rows(_MATCHES, asked)
            for row in rows:
                yield row
            if len(rows) < export_rows_step:
                return
            after = rows[-1]["id"]

    async def officers(self, agency_id: str) -> list[str]:
        """Name whom a break can be given to."""
        async with self.store.begin() as tx:
            return await officers_in(tx, agency_id)

    async def _rows(self, agency_id: str, wish: Wish, rows: int) -> Sequence[Row]:
        wanted, values = query(wish, rows=rows)
        async with self.store.begin() as tx:
            return await tx.rows(text(wanted), values | {"agency": agency_id})
