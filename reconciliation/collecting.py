"""Brings in what lies at the sources, and says aloud what should lie there and does not.

A source owes one file by its hour of each day, or of each working day. What comes counts for the
oldest day that is still owed one; a day whose hour passed without one is a break of its own, which
a file resolves when it comes after all.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import HANOI, Calendar, hanoi_day
from gateway.domain.errors import Refusal
from gateway.services.sweeps import sweep
from gateway.services.working_calendar import vietnam
from gateway.store import tables as t
from gateway.store.tx import Row, Tx
from reconciliation.intake import Intake
from reconciliation.places import AwayError, Place, Seen
from reconciliation.readers.line import file_bytes_max
from reconciliation.sources import Sources

look_back: Final = timedelta(
    days=31
)  # Older days are closed, or somebody knows of them long since.
_OPEN: Final = select(t.source).where(t.source.c.state == "open").order_by(t.source.c.id)
_KNOWN: Final = text(
    "SELECT name, size, changed_at FROM source_file WHERE agency_id = :agency AND source_id = :id"
)
_BEFORE: Final = text(
    "SELECT min(due_on) AS due_on FROM source_file WHERE agency_id = :agency AND source_id = :id"
    " AND file_id = :file"
)
# Somebody brought a file of this kind by hand, or a program by the API.
_BROUGHT: Final = text(
    "SELECT f.id, f.name, f.uploaded_at, octet_length(f.content_sealed) AS size"
    " FROM statement_file f WHERE f.agency_id = :agency AND f.profile = :profile"
    " AND f.uploaded_at >= :since AND NOT EXISTS (SELECT 1 FROM source_file x"
    " WHERE x.agency_id = f.agency_id AND x.file_id = f.id) ORDER BY f.uploaded_at, f.id"
)
_CAME: Final = text(
    "SELECT x.due_on, bool_or(f.state IN ('queued','taken')) AS is_right,"
    " max(f.refusal) AS refusal, max(x.trouble) AS trouble"
    " FROM source_file x LEFT JOIN statement_file f"
    " ON f.agency_id = x.agency_id AND f.id = x.file_id WHERE x.agency_id = :agency"
    " AND x.source_id = :id AND x.due_on >= :since GROUP BY x.due_on"
)
_MISSED: Final = text(
    "INSERT INTO break (agency_id, id, kind, state, subject, amount, why, owner_role, opened_at,"
    " since_on) VALUES (:agency, :id, 'file_error', 'open', :subject, 0, :why, 'accountant', :now,"
    " :on) ON CONFLICT (agency_id, kind, subject) DO UPDATE SET state = 'open', why = :why,"
    " resolved_at = NULL, resolution = NULL WHERE break.state = 'resolved' OR break.why <> :why"
)
_CAME_AFTER_ALL: Final = text(
    "UPDATE break SET state = 'resolved', resolved_at = :now, resolution = 'the file came'"
    " WHERE agency_id = :agency AND kind = 'file_error' AND state = 'open'"
    " AND subject = ANY(:subjects)"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """When a source owes its files."""

    every: str
    due_at: time
    calendar: Calendar

    @classmethod
    def of(cls, row: Row) -> "Expected":
        """Read it from a source."""
        return cls(row["every"], time.fromisoformat(row["due_at"]), vietnam())

    def instant(self, day: date) -> datetime:
        """Give the instant by which the file of a day must be there."""
        return datetime.combine(day, self.due_at, HANOI)

    def days(self, since: datetime, now: datetime) -> list[date]:
        """List the days whose hour has come, oldest first. Raises Refusal without a calendar."""
        first = hanoi_day(max(since, now - look_back))
        span = (hanoi_day(now) - first).days + 1
        days = [first + timedelta(days=n) for n in range(span)]
        return [d for d in days if self._is_owed(d) and since < self.instant(d) <= now]

    def following(self, now: datetime) -> date:
        """Give the next day that is owed a file, whose hour has not come."""
        day = hanoi_day(now)
        while not self._is_owed(day) or self.instant(day) <= now:
            day += timedelta(days=1)
        return day

    def _is_owed(self, day: date) -> bool:
        return self.every == "day" or self.calendar.is_working(day)


@dataclass(frozen=True, slots=True)
class Collecting:
    """Brings in what lies at the sources, and says what should and does not."""

    sources: Sources
    intake: Intake
    # What was there at the last look: a file that still grows is not read half.
    _before: dict[str, frozenset[Seen]] = field(default_factory=dict, repr=False)

    async def run(self) -> str:
        """Look at every source. Raises SweepError at the end when one could not be looked at."""
        async with self.sources.store.begin() as tx:
            rows = await tx.rows(_OPEN)
        items = {row["id"]: row for row in rows}
        try:
            await sweep("collect files", items, self._look)
        finally:
            await sweep("judge sources", items, self.judge)
        return f"{len(rows)} sources"

    async def _look(self, row: Row) -> None:
        trouble: str | None = None
        try:
            await self._adopt(row) if row["kind"] == "upload" else await self._collect(row)
        except AwayError as error:
            trouble = str(error)
            raise
        except Exception:
            trouble = "looking at it failed: the worker's log says why"
            raise
        finally:
            c, now = t.source.c, self.sources.store.clock.now()
            async with self.sources.store.begin() as tx:
                await tx.run(
                    t.source.update()
                    .where(c.agency_id == row["agency_id"], c.id == row["id"])
                    .values(looked_at=now, trouble=trouble)
                )

    async def _collect(self, row: Row) -> None:
        """Take what is new and lies still."""
        async with self.sources.store.begin() as tx:
            found = await tx.rows(_KNOWN, {"agency": row["agency_id"], "id": row["id"]})
        known = {Seen(x["name"], x["size"], x["changed_at"]) for x in found}
        async with self.sources.reached(row) as place:
            seen = await place.listed()
            before = self._before.get(row["id"], frozenset())
            self._before[row["id"]] = frozenset(seen)
            still = {one.name: one for one in seen if one in before and one not in known}

            async def take(one: Seen) -> None:
                await self._take(row, place, one)

            await sweep(f"take files of {row['id']}", still, take)  # One bad file stops no other.

    async def _take(self, row: Row, place: Place, one: Seen) -> None:
        content = await place.read(one.name, file_bytes_max)
        file_id, trouble = None, None
        try:
            by = f"source:{row['name']}"
            agency_id, profile = row["agency_id"], row["profile"]
            file_id = await self.intake.store(agency_id, profile, one.name, content, by)
        except Refusal as refusal:
            trouble = refusal.detail
        await self._keep(row, one, file_id, trouble)

    async def _adopt(self, row: Row) -> None:
        async with self.sources.store.begin() as tx:
            brought = await tx.rows(_BROUGHT, {
                "agency": row["agency_id"], "profile": row["profile"], "since": row["opened_at"],
            })  # fmt: skip
        for one in brought:
            seen = Seen(one["name"], one["size"], one["uploaded_at"])
            await self._keep(row, seen, one["id"], None)

    async def _keep(self, row: Row, one: Seen, file_id: str | None, trouble: str | None) -> None:
        now = self.sources.store.clock.now()
        async with self.sources.store.begin() as tx:
            due_on = await _counts_for(tx, row, file_id, now)
            await tx.run(insert(t.source_file).on_conflict_do_nothing(), {
                "agency_id": row["agency_id"], "id": self.sources.store.clock.new_id("sfl"),
                "source_id": row["id"], "name": one.name, "size": one.size,
                "changed_at": one.changed_at, "due_on": due_on, "file_id": file_id,
                "trouble": trouble, "at": now,
            })  # fmt: skip

    async def judge(self, row: Row) -> None:
        """Open a break for each day that is owed a file, and resolve those whose file came."""
        agency_id, now = row["agency_id"], self.sources.store.clock.now()
        async with self.sources.store.begin() as tx:
            owed = await _owed(tx, row, now)
            still = {on for on, _ in owed}
            for on, why in owed:
                await tx.run(_MISSED, {
                    "agency": agency_id, "id": self.sources.store.clock.new_id("brk"),
                    "subject": _subject(row, on), "why": why, "now": now, "on": on,
                })  # fmt: skip
            came = [
                _subject(row, on)
                for on in Expected.of(row).days(row["opened_at"], now)
                if on not in still
            ]
            await tx.run(_CAME_AFTER_ALL, {"agency": agency_id, "now": now, "subjects": came})


async def _counts_for(tx: Tx, row: Row, file_id: str | None, now: datetime) -> date:
    """Give the day that a file counts for; one that came before, by any name, keeps its day."""
    asked = {"agency": row["agency_id"], "id": row["id"], "file": file_id}
    before = await tx.row(_BEFORE, asked)
    if before and before["due_on"]:
        found: date = before["due_on"]
        return found
    owed = await _owed(tx, row, now)
    return owed[0][0] if owed else Expected.of(row).following(now)


async def _owed(tx: Tx, row: Row, now: datetime) -> list[tuple[date, str]]:
    """List the days whose hour passed without a file that could be read, each with its reason."""
    days = Expected.of(row).days(row["opened_at"], now)
    if not days:
        return []
    asked = {"agency": row["agency_id"], "id": row["id"], "since": days[0]}
    came = {x["due_on"]: x for x in await tx.rows(_CAME, asked)}
    owed = []
    for day in days:
        found = came.get(day)
        if found is None:
            owed.append((day, f"no file came from {row['name']} by {row['due_at']}"))
        elif not found["is_right"]:
            why = found["refusal"] or found["trouble"]
            owed.append((day, f"the file from {row['name']} cannot be read: {why}"))
    return owed


def _subject(row: Row, on: date) -> str:
    return f"source:{row['id']}:{on}"
