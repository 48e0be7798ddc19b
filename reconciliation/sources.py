"""Sources of statement files: looked at each minute, and missed aloud when a file is late.

A source owes one file by its hour of each day, or of each working day. What comes counts for the
oldest day that is still owed one; a day whose hour passed without one is a break of its own, which
a file resolves when it comes after all.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import HANOI, Calendar, hanoi_day
from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.services.sweeps import sweep
from gateway.services.working_calendar import vietnam
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from reconciliation.intake import Intake
from reconciliation.places import AwayError, Place, Seen, reached, require_reachable
from reconciliation.readers.line import file_bytes_max
from reconciliation.readers.profile import load_profile

KINDS: Final = ("folder", "sftp", "upload")
EVERY: Final = ("working_day", "day")
look_back: Final = timedelta(
    days=31
)  # Older days are closed, or somebody knows of them long since.
_HOUR: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_OPEN: Final = select(t.source).where(t.source.c.state == "open").order_by(t.source.c.id)
_KNOWN: Final = text(
    "SELECT name, size, changed_at FROM source_file WHERE agency_id = :agency AND source_id = :id"
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
_SHOWN: Final = text(
    "SELECT s.agency_id, s.id, s.name, s.kind, s.profile, s.every, s.due_at, s.trouble,"
    " (SELECT max(x.at) FROM source_file x WHERE x.agency_id = s.agency_id"
    " AND x.source_id = s.id) AS came_at, (SELECT min(b.since_on) FROM break b"
    " WHERE b.agency_id = s.agency_id AND b.kind = 'file_error' AND b.state = 'open'"
    " AND b.subject LIKE 'source:' || s.id || ':%') AS late_since FROM source s"
    " WHERE s.state = 'open' AND (:agency = '' OR s.agency_id = :agency)"
    " ORDER BY s.agency_id, s.name"
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
class Wanted:
    """A source that somebody asks to open."""

    name: str
    kind: str
    profile: str
    place: Mapping[str, Any]
    every: str
    due_at: str
    secret: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """The agencies' sources: opened, closed, and shown."""

    store: Store
    vault: Vault = field(repr=False)

    async def add(self, agency_id: str, wanted: Wanted, actor: str) -> None:
        """Open a source. Raises Refusal, which names what is wrong."""
        _require(wanted)
        source_id = self.store.clock.new_id("src")
        sealed = None
        if wanted.secret is not None:
            sealed = self.vault.seal(_place(source_id), wanted.secret)
        row = {
            "agency_id": agency_id, "id": source_id, "name": wanted.name, "kind": wanted.kind,
            "profile": wanted.profile, "place": dict(wanted.place), "secret_sealed": sealed,
            "every": wanted.every, "due_at": wanted.due_at, "state": "open",
            "opened_at": self.store.clock.now(),
        }  # fmt: skip
        async with self.store.begin() as tx:
            if not await tx.run(insert(t.source).on_conflict_do_nothing(), row):
                raise Refusal("invalid-request", "This agency has a source of that name already.")
            await tx.note(agency_id, actor, "source.add", source_id)

    async def close(self, agency_id: str, name: str, actor: str) -> None:
        """Look at a source no more; its name is free again. Raises Refusal."""
        c = t.source.c
        async with self.store.begin() as tx:
            row = await self._named(tx, agency_id, name)
            await tx.run(
                t.source.update()
                .where(c.agency_id == agency_id, c.id == row["id"])
                .values(state="closed", secret_sealed=None)
            )
            await tx.note(agency_id, actor, "source.close", row["id"])

    async def shown(self, agency_id: str = "") -> Sequence[Row]:
        """List open sources: when a file came last, since when one is late, what is in the way."""
        async with self.store.begin() as tx:
            return await tx.rows(_SHOWN, {"agency": agency_id})

    async def test(self, agency_id: str, name: str) -> list[Seen]:
        """List what lies at a source now, and take nothing. Raises Refusal and AwayError."""
        async with self.store.begin() as tx:
            row = await self._named(tx, agency_id, name)
        if row["kind"] == "upload":
            raise Refusal("invalid-request", "Its files are brought by hand: there is no place.")
        async with self.reached(row) as place:
            return await place.listed()

    def reached(self, row: Row) -> AbstractAsyncContextManager[Place]:
        """Open a source's place."""
        sealed = row["secret_sealed"]
        secret = self.vault.open(_place(row["id"]), bytes(sealed)) if sealed is not None else None
        return reached(row["kind"], row["place"], secret)

    async def _named(self, tx: Tx, agency_id: str, name: str) -> Row:
        c = t.source.c
        is_it = (c.agency_id == agency_id) & (c.name == name) & (c.state == "open")
        row = await tx.row(select(t.source).where(is_it))
        if row is None:
            raise Refusal("not-found", f"There is no source {name}; see thuphi sources list.")
        return row


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
        try:
            await sweep("collect files", {row["id"]: row for row in rows}, self._look)
        finally:
            for row in rows:
                await self.judge(row)
        return f"{len(rows)} sources"

    async def _look(self, row: Row) -> None:
        trouble: str | None = None
        try:
            await self._adopt(row) if row["kind"] == "upload" else await self._collect(row)
        except AwayError as error:
            trouble = str(error)
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
            for one in seen:
                if one in before and one not in known:
                    await self._take(row, place, one)
        self._before[row["id"]] = frozenset(seen)

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
            owed = await _owed(tx, row, now)
            due_on = owed[0][0] if owed else Expected.of(row).following(now)
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


def _place(source_id: str) -> str:
    return f"source|{source_id}|secret"


def _require(wanted: Wanted) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise Refusal("invalid-request", "A source's name is 1 to 40 of a to z, 0 to 9 and «-».")
    if wanted.kind not in KINDS or wanted.every not in EVERY:
        raise Refusal("invalid-request", f"A source is a {', '.join(KINDS)}; every"
                      f" {' or '.join(EVERY)}.")  # fmt: skip
    if not _HOUR.fullmatch(wanted.due_at):
        raise Refusal("invalid-request", "The hour is HH:MM in Hanoi, such as 08:30.")
    load_profile(wanted.profile)
    if wanted.kind == "sftp" and not wanted.secret:
        raise Refusal("invalid-request", "A server wants a password or a private key: name a file.")
    require_reachable(wanted.kind, wanted.place, wanted.secret)
