"""Checkpoints handed to another body: each hour's, until they arrive, and none that breaks a line.

A folder (which may be another machine's) or an https address: ``{place}/{agency}/{size}``, put once
and never changed. What does not arrive is tried again at the next tick, by its newer successor.
"""

import asyncio
import logging
import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import text

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.wire import Wire
from gateway.store.tx import Row, Store
from receipts.log.journal import Journal, size_in
from receipts.log.note import ForgedNoteError, UnknownSignerError, UnreadableTextError, opened
from receipts.log.tree import is_consistent

log: Final = logging.getLogger("thuphi.log")
push_every: Final = timedelta(hours=1)
timeout_s: Final = 15.0
size_digits: Final = 12  # So that names sort by size.
_DUE: Final = text(
    "SELECT g.agency_id, c.size, p.pushed_at, p.trouble FROM receipt_log g"
    " JOIN LATERAL (SELECT size FROM log_checkpoint c WHERE c.agency_id = g.agency_id"
    " ORDER BY size DESC LIMIT 1) c ON true"
    " LEFT JOIN log_push p ON p.agency_id = g.agency_id AND p.place = :place"
    " WHERE p.size IS NULL OR c.size > p.size ORDER BY g.agency_id"
)
_KEEP: Final = text(
    "INSERT INTO log_push (agency_id, place, size, pushed_at, tried_at, trouble)"
    " VALUES (:agency, :place, :size, :pushed, :now, :trouble)"
    " ON CONFLICT (agency_id, place) DO UPDATE SET tried_at = excluded.tried_at,"
    " trouble = excluded.trouble, size = greatest(log_push.size, excluded.size),"
    " pushed_at = coalesce(excluded.pushed_at, log_push.pushed_at)"
)


class NotPushedError(Exception):
    """A checkpoint did not arrive; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Push:
    """Puts checkpoints where the setting says."""

    store: Store
    journal: Journal
    wire: Wire = field(repr=False)
    place: str

    async def run(self) -> str:
        """Put what is due; raises NotPushedError when something did not arrive."""
        if not self.place:
            return "nowhere to push to"
        async with self.store.begin() as tx:
            rows = await tx.rows(_DUE, {"place": self.place})
        due = [row for row in rows if self._is_due(row)]
        failed = [row["agency_id"] for row in due if not await self._one(row["agency_id"])]
        if failed:
            raise NotPushedError(f"checkpoints of {', '.join(failed)} did not arrive")
        return f"{len(due)} pushed"

    def _is_due(self, row: Row) -> bool:
        """Tell whether an hour is over since the last one arrived; a failed one is due at once."""
        last = row["pushed_at"]
        is_over = last is None or self.store.clock.now() - last >= push_every
        return bool(is_over or row["trouble"])

    async def _one(self, agency_id: str) -> bool:
        note = await self.journal.checkpoint(agency_id)
        try:
            await self._put(agency_id, note)
            trouble = None
        except (NotPushedError, DeclinedError, InDoubtError, OSError) as error:
            trouble = str(error)
            log.error("a checkpoint of %s did not arrive: %s", agency_id, trouble)  # noqa: TRY400 - its sentence says all.
        now = self.store.clock.now()
        async with self.store.begin() as tx:
            await tx.run(_KEEP, {
                "agency": agency_id, "place": self.place, "now": now, "trouble": trouble,
                "size": 0 if trouble else size_in(note), "pushed": None if trouble else now,
            })  # fmt: skip
        return trouble is None

    async def _put(self, agency_id: str, note: str) -> None:
        name = f"{size_in(note):0{size_digits}}"
        if not self.place.startswith("/"):
            sent = await self.wire.send(
                "PUT", f"{self.place}/{agency_id}/{name}", body=note.encode(), timeout_s=timeout_s,
                headers={"content-type": "text/plain; charset=utf-8"},
            )  # fmt: skip
            if sent.status // 100 != 2:  # noqa: PLR2004 - the class of success.
                raise NotPushedError(f"The other side answered {sent.status}.")
            return
        folder = Path(self.place) / agency_id
        former = await asyncio.to_thread(_last_in, folder)
        if former is not None:
            await self._require_grown(agency_id, former, note)
        await asyncio.to_thread(_write, folder, name, note)

    async def _require_grown(self, agency_id: str, former: str, note: str) -> None:
        """See that a checkpoint grew out of the last one there: after a restore it may not have."""
        key = await self.journal.key(agency_id)
        try:
            old, new = opened(former, key), opened(note, key)
        except (UnreadableTextError, UnknownSignerError, ForgedNoteError):
            raise NotPushedError("The last checkpoint there is none of this log.") from None
        if old.size > new.size:
            raise NotPushedError(f"The last checkpoint there has more leaves, {old.size}: this"
                                 " database is older than it was.")  # fmt: skip
        link = await self.journal.link(agency_id, old.size, new.size)
        if not is_consistent(old.size, old.root, new.size, new.root, link.path):
            raise NotPushedError("The log did not grow out of the last checkpoint there: it was"
                                 " written anew.")  # fmt: skip


def _last_in(folder: Path) -> str | None:
    names = sorted(p.name for p in folder.iterdir() if p.name.isdigit()) if folder.exists() else ()
    return (folder / names[-1]).read_text("utf-8") if names else None


def _write(folder: Path, name: str, note: str) -> None:
    """Write a file whole or not at all; one that is there stays as it is."""
    if (folder / name).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f".{name}.{os.getpid()}"
    with made.open("w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    made.rename(folder / name)
