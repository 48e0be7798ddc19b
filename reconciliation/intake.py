"""Takes files in: stored sealed and queued at the door, read whole in one transaction later."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.domain.errors import Refusal
from gateway.ports.clock import Clock
from gateway.ports.vault import Vault
from gateway.services.agencies import TREASURY_CODE
from gateway.services.sweeps import SweepError, sweep
from gateway.store import tables as t
from reconciliation.holders import AtTreasury, Holders
from reconciliation.readers.line import StatementLine, file_bytes_max
from reconciliation.readers.profile import Profile, load_profile
from reconciliation.readers.reading import Reading
from reconciliation.retold import Retold

name_chars_max: Final = 255  # What file systems allow.
queued_page: Final = 100
_insert_batch: Final = 1_000  # 23 columns: below PostgreSQL's 32,767 bound values a statement.

_FILE: Final = text(
    "SELECT agency_id, id, profile, state, refusal, content_sealed FROM statement_file"
    " WHERE id = :id FOR UPDATE"
)

# Whoever brings a refused file again may only say so: the worker changes what became of it.
_AGAIN: Final = text(
    "UPDATE statement_file f SET state = 'queued', refusal = NULL, taken_at = NULL"
    " WHERE f.state = 'refused' AND EXISTS (SELECT 1 FROM audit a WHERE a.agency_id = f.agency_id"
    " AND a.object_id = f.id AND a.action = 'file.again' AND a.at > f.taken_at)"
)


# One that was refused and came again waits, though only the worker may say so in its row.
_SHOWN: Final = text(
    "SELECT id, agency_id AS agency, profile, name,"
    " CASE WHEN a.is_again THEN 'queued' ELSE state END AS state,"
    " CASE WHEN NOT a.is_again THEN refusal END AS refusal, line_count AS lines, totals,"
    " uploaded_at, taken_at FROM statement_file f CROSS JOIN LATERAL (SELECT f.state = 'refused'"
    " AND EXISTS (SELECT 1 FROM audit a WHERE a.agency_id = f.agency_id AND a.object_id = f.id"
    " AND a.action = 'file.again' AND a.at > f.taken_at) AS is_again) a"
    " WHERE agency_id = :agency AND id = :id"
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: ``taken`` or ``refused``, its figures, and how many lines were new."""

    file_id: str
    state: str
    lines: int = 0
    added: int = 0
    refusal: str | None = None
    totals: list[dict[str, Any]] = field(default_factory=list)  # Of each account.


@dataclass(frozen=True, slots=True)
class Intake:
    """The queue of statement files."""

    engine: AsyncEngine
    clock: Clock
    vault: Vault
    holders: Holders

    async def store(
        self, agency_id: str, profile: str, name: str, content: bytes, uploaded_by: str
    ) -> str:
        """Keep a file, sealed, and queue it; the same bytes again give the same id.

        One that was refused is read again: what refused it may be put right by now.
        """
        row = self._kept(agency_id, load_profile(profile), name, content, uploaded_by)
        async with self.engine.begin() as connection:
            return await self._put(connection, row)

    def _kept(
        self, agency_id: str, profile: Profile, name: str, content: bytes, uploaded_by: str
    ) -> dict[str, Any]:
        """Give a file's row."""
        if len(content) > file_bytes_max:
            raise Refusal("file-refused", f"The file is longer than {file_bytes_max} bytes.")
        sha256, file_id = hashlib.sha256(content).hexdigest(), self.clock.new_id("fil")
        sealed = self.vault.seal(f"statement_file|{file_id}|content", content)
        return {
            "agency_id": agency_id, "id": file_id, "profile": profile.kept_as,
            "name": name[:name_chars_max], "sha256": sha256, "content_sealed": sealed,
            "state": "queued", "uploaded_by": uploaded_by, "uploaded_at": self.clock.now(),
        }  # fmt: skip

    async def _put(
        self, connection: AsyncConnection, row: dict[str, Any], profile: str = ""
    ) -> str:
        """Keep a file's row, and an own profile; or say that the one there is came again."""
        c = t.statement_file.c
        added = insert(t.statement_file).on_conflict_do_nothing().returning(c.id)
        if file_id := (await connection.execute(added, row)).scalar_one_or_none():
            details = {"profile": profile} if profile else {}
            await self._note(connection, row, "file.add", file_id, details)
            return str(file_id)
        kept = select(c.id, c.state).where(
            *(c[key] == row[key] for key in ("agency_id", "profile", "sha256"))
        )
        there = (await connection.execute(kept)).one()
        if there.state == "refused":
            await self._note(connection, row, "file.again", there.id, {})
        return str(there.id)

    async def _note(
        self, connection: AsyncConnection, row: dict[str, Any], action: str, file_id: str,
        details: dict[str, str],
    ) -> None:  # fmt: skip
        """Say who brought a file, for the audit trail."""
        await connection.execute(insert(t.audit), {
            "id": self.clock.new_id("aud"), "at": self.clock.now(), "agency_id": row["agency_id"],
            "actor": row["uploaded_by"], "action": action, "object_id": file_id,
            "details": details,
        })  # fmt: skip

    async def shown(self, agency_id: str, file_id: str) -> Mapping[str, Any]:
        """Say what became of a file of an agency's."""
        async with self.engine.connect() as connection:
            asked = {"agency": agency_id, "id": file_id}
            row = (await connection.execute(_SHOWN, asked)).mappings().one_or_none()
        if row is None:
            raise Refusal("not-found", "There is no such file.")
        return dict(row)

    async def queued(self, agency_id: str | None = None, after: str = "") -> Sequence[str]:
        """List some of the files that wait, oldest first; ids are in the order of time."""
        c = t.statement_file.c
        waiting = select(c.id).where(c.state == "queued", c.id > after).order_by(c.id)
        if agency_id:
            waiting = waiting.where(c.agency_id == agency_id)
        async with self.engine.connect() as connection:
            return [str(r[0]) for r in await connection.execute(waiting.limit(queued_page))]

    async def take_all(self, agency_id: str | None = None) -> int:
        """Read every file that waits; a refused one says why and stops nobody.

        Raises SweepError at the end when one could not even be opened.
        """
        async with self.engine.begin() as connection:
            await connection.execute(_AGAIN)
        count, last, failed = 0, "", list[str]()
        while waiting := await self.queued(agency_id, last):
            try:
                await sweep("read files", {file_id: file_id for file_id in waiting}, self.take)
            except SweepError as error:  # However many such lie in front, those behind are read.
                failed += error.failed
            count, last = count + len(waiting), waiting[-1]
        if failed:
            raise SweepError(failed)
        return count

    async def read_waiting(self, agency_id: str) -> list[str]:
        """Read an agency's files that wait, and name those that could not even be opened."""
        try:
            await self.take_all(agency_id)
        except SweepError as error:
            return error.failed
        return []

    async def take(self, file_id: str) -> Taken:
        """Read a queued file: all of its lines, or none and the reason. Twice has no effect."""
        async with self.engine.begin() as connection:
            return await self._take(connection, file_id)

    async def _take(
        self, connection: AsyncConnection, file_id: str, profile: Profile | None = None
    ) -> Taken:
        """Read a file that waits; with its profile at hand, one that was refused as well."""
        row = (await connection.execute(_FILE, {"id": file_id})).mappings().one_or_none()
        if row is None:
            raise Refusal("not-found", "There is no such file.")
        if row["state"] == "taken" or (row["state"] == "refused" and profile is None):
            return Taken(file_id, row["state"], refusal=row["refusal"])
        agency_id = row["agency_id"]
        content = self.vault.open(f"statement_file|{file_id}|content", bytes(row["content_sealed"]))
        treasury = await _at_treasury(connection, agency_id)
        try:
            known = self.holders.at_providers(agency_id)
            reading = Reading(profile or load_profile(row["profile"]), content, known)
            lines = self.holders.owned(agency_id, reading, treasury)
            async with connection.begin_nested():  # Of a refused file no line stays.
                added = await self._insert(connection, agency_id, file_id, lines)
        except Refusal as refusal:
            await self._mark(connection, file_id, state="refused", refusal=refusal.detail)
            return Taken(file_id, "refused", refusal=refusal.detail)
        totals = reading.totals.as_json()
        count = sum(x["count"] for x in totals)
        await self._mark(
            connection, file_id, state="taken", refusal=None, line_count=count,
            line_sum=sum(x["sum"] for x in totals), totals=totals,
        )  # fmt: skip
        return Taken(file_id, "taken", count, added, totals=totals)

    async def import_file(
        self, agency_id: str, profile: str | Profile, name: str, content: bytes, uploaded_by: str
    ) -> Taken:
        """Store and take at once, as the command line does; a refused file raises its refusal.

        The profile may be an operator's own, which nobody knows later: so all is one transaction.
        """
        reads = load_profile(profile) if isinstance(profile, str) else profile
        async with self.engine.connect() as connection:
            treasury = await _at_treasury(connection, agency_id)
        await asyncio.to_thread(self._prove, agency_id, reads, content, treasury)
        row = self._kept(agency_id, reads, name, content, uploaded_by)
        async with self.engine.begin() as connection:
            file_id = await self._put(connection, row, reads.text)
            taken = await self._take(connection, file_id, reads)
        if taken.refusal:
            raise Refusal("file-refused", taken.refusal)
        return taken

    def _prove(
        self, agency_id: str, profile: Profile, content: bytes, treasury: AtTreasury
    ) -> None:
        """Read a file to its end and keep nothing; raises Refusal at the first wrong line."""
        reading = Reading(profile, content, self.holders.at_providers(agency_id))
        for _ in self.holders.owned(agency_id, reading, treasury):
            pass

    async def _insert(
        self, connection: AsyncConnection, agency_id: str, file_id: str,
        lines: Iterator[StatementLine],
    ) -> int:  # fmt: skip
        """Book lines as they are read, some at a time, so that a long file needs little memory."""
        added, retold = 0, Retold(connection, self.clock, agency_id)
        # Reading is CPU work; the loop must stay free to answer others.
        while some := await asyncio.to_thread(lambda: list(islice(lines, _insert_batch))):
            rows = [self._row(line) | {"agency_id": agency_id, "file_id": file_id} for line in some]
            wanted = insert(t.statement_line).values(rows).on_conflict_do_nothing()
            done = await connection.execute(wanted.returning(t.statement_line.c.id))
            fresh = {found[0] for found in done}
            if len(fresh) < len(rows):
                await retold.compare([row for row in rows if row["id"] not in fresh])
            added += len(fresh)
        return added

    def _row(self, line: StatementLine) -> dict[str, Any]:
        """Give a line's row; what the bank wrote beside it is sealed."""
        row, line_id = line._asdict(), self.clock.new_id("lin")
        memo, _ = row.pop("memo"), row.pop("chapter")
        sealed = self.vault.seal(f"statement_line|{line_id}|memo", memo.encode()) if memo else None
        kept = {"marks": list(line.marks), "candidates": list(line.candidates)}
        return row | kept | {"id": line_id, "memo_sealed": sealed}

    async def _mark(self, connection: AsyncConnection, file_id: str, **values: object) -> None:
        await connection.execute(
            update(t.statement_file)
            .where(t.statement_file.c.id == bindparam("the_file"))
            .values(taken_at=self.clock.now(), **values),
            {"the_file": file_id},
        )


async def _at_treasury(connection: AsyncConnection, agency_id: str) -> AtTreasury:
    """Say how the treasury names an agency, by what the agency says of itself."""
    c = t.agency.c
    asked = select(c.settings, c.budget_chapter).where(c.id == agency_id)
    row = (await connection.execute(asked)).one_or_none()
    return AtTreasury(row[0].get(TREASURY_CODE, ""), row[1]) if row else AtTreasury()
