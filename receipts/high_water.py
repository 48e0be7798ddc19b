"""How far each series came, outside and inside: who must wait, and what is to be kept outside."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text

from gateway.domain.calendar import hanoi_day
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts import records
from receipts.numbering import forgotten
from receipts.outside import Outside, Record, Series

log: Final = logging.getLogger("thuphi.receipts")
page: Final = 500
_SERIES: Final = text("SELECT agency_id, form, series, last_number FROM series")
_FARTHEST: Final = text(
    "SELECT agency_id, form, series, max(number) AS number FROM receipt WHERE xml IS NOT NULL"
    " AND numbered_at >= :since AND signed_at < :before GROUP BY agency_id, form, series"
)
_SEALED: Final = text(
    "SELECT agency_id, id, payment_id, kind, form, series, number, amount, issued_on, numbered_at,"
    " signed_at, verify_code, token, salts_sealed, content, xml, proof_due_at, replaces_id"
    " FROM receipt WHERE agency_id = :agency AND xml IS NOT NULL AND id > :after"
    " AND numbered_at >= :since ORDER BY id LIMIT :page"
)
_CHECKPOINTS: Final = text(
    "SELECT size, note FROM log_checkpoint WHERE agency_id = :agency AND signed_at >= :since"
    " ORDER BY size"
)
_LEAVES: Final = text(
    "SELECT leaf_index, receipt_id, logged_at FROM log_leaf WHERE agency_id = :agency"
    " AND leaf_index >= coalesce((SELECT max(size) FROM log_checkpoint WHERE agency_id = :agency"
    " AND size < :size), 0) AND leaf_index < :size ORDER BY leaf_index"
)
_YEARS: Final = text(
    "SELECT * FROM year_key WHERE agency_id = :agency AND key_sealed IS NOT NULL AND key_id IN"
    " (SELECT substring(key_sealed FROM 2 FOR 8) FROM payment"
    " WHERE agency_id = :agency AND id = ANY(:ids)) ORDER BY year"
)
_ERASED: Final = text(
    "SELECT * FROM erasure WHERE state = 'agreed' AND outside_at IS NULL ORDER BY decided_at, id"
    " LIMIT :page FOR UPDATE SKIP LOCKED"
)
_ERASED_SINCE: Final = text(
    "SELECT * FROM erasure WHERE agency_id = :agency AND state = 'agreed' AND decided_at >= :since"
    " ORDER BY decided_at, id"
)
_ARE_OUTSIDE: Final = text(
    "UPDATE erasure SET outside_at = :now WHERE agency_id = :agency AND id = ANY(:ids)"
)
_BESIDE: Final = ("signed_at", "xml", "proof_due_at")  # Not there yet when it is numbered.


@dataclass(frozen=True, slots=True)
class HighWater:
    """Compares what is kept outside the database with the database."""

    store: Store
    outside: Outside

    async def look(self) -> frozenset[str]:
        """Name agencies whose database has forgotten receipts; where nothing is kept, keep it.

        Raises OSError where the folder cannot be used: what cannot be kept is not issued.
        """
        known = await self._known()
        found = await self._forgotten(known)
        for agency_id, said in found.items():
            log.error("receipts: %s issues none: %s", agency_id, said[0])
        for agency_id in sorted(a for a, series in known.items() if any(series.values())):
            if not await asyncio.to_thread(self.outside.marks, agency_id):
                await self.fill(agency_id)
        return frozenset(found)

    async def keep_erasures(self) -> int:
        """Say outside whose data was erased, so that a restore erases it again; count them."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_ERASED, {"page": page})
            for agency_id in sorted({row["agency_id"] for row in rows}):
                mine = [row for row in rows if row["agency_id"] == agency_id]
                await self.keep(agency_id, [records.erased(row) for row in mine])
                values = {"agency": agency_id, "ids": [row["id"] for row in mine]}
                await tx.run(_ARE_OUTSIDE, values | {"now": self.store.clock.now()})
        return len(rows)

    async def thin(self) -> str:
        """Let go of days that no backup goes back to; say how many files that were."""
        before = hanoi_day(self.store.clock.now()) - timedelta(days=self.outside.days)
        done = 0
        for agency_id in await asyncio.to_thread(self.outside.agencies):
            done += await asyncio.to_thread(self.outside.thin, agency_id, before)
        return f"{done} files"

    async def forgotten(self) -> dict[str, list[str]]:
        """Say of each agency which series came further than the database knows."""
        return await self._forgotten(await self._known())

    async def _forgotten(self, known: dict[str, dict[Series, int]]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for agency_id in await asyncio.to_thread(self.outside.agencies):
            marks = await asyncio.to_thread(self.outside.marks, agency_id)
            for series, given in sorted(marks.items()):
                last = known.get(agency_id, {}).get(series, 0)
                if given > last:
                    said = forgotten(*series, given, last)
                    found.setdefault(agency_id, []).append(said)
        return found

    async def unkept(self, before: datetime) -> list[str]:
        """Name agencies with receipts of this year, sealed before then, that are not outside."""
        year = datetime(hanoi_day(before).year, 1, 1, tzinfo=UTC)
        async with self.store.begin() as tx:
            rows = await tx.rows(_FARTHEST, {"since": year, "before": before})
        found = set()
        for row in rows:
            marks = await asyncio.to_thread(self.outside.marks, row["agency_id"])
            if marks.get((row["form"], row["series"]), 0) < row["number"]:
                found.add(row["agency_id"])
        return sorted(found)

    async def fill(self, agency_id: str) -> int:
        """Keep what the database holds of this year, where nothing is kept yet."""
        now = self.store.clock.now()
        name, done = f".filling.{self.store.clock.new_id('fil')}", 0
        since, after = datetime(hanoi_day(now).year - 1, 12, 31, tzinfo=UTC), ""
        while True:
            async with self.store.begin() as tx:
                values = {"agency": agency_id, "since": since, "after": after, "page": page}
                rows = await tx.rows(_SEALED, values)
                made = await _receipts(tx, agency_id, rows)
            if not rows:
                break
            after, done = rows[-1]["id"], done + len(rows)
            await self.keep(agency_id, made, name)
        if done:
            async with self.store.begin() as tx:
                gone = await tx.rows(_ERASED_SINCE, {"agency": agency_id, "since": since})
            beside = [records.erased(row) for row in gone]
            beside += await self._leaves(agency_id, since)
            await self.keep(agency_id, beside, name)
            self.outside.begin(agency_id, name, hanoi_day(now))
        return done

    async def keep(self, agency_id: str, made: Sequence[Record], name: str = "") -> None:
        """Keep lines outside, and come back when they are on the disk. Raises OSError."""
        if made:
            on = hanoi_day(self.store.clock.now())
            await asyncio.to_thread(self.outside.keep, agency_id, on, made, name)

    async def _leaves(self, agency_id: str, since: datetime) -> list[Record]:
        async with self.store.begin() as tx:
            c = t.receipt_log.c
            book = await tx.row(select(t.receipt_log).where(c.agency_id == agency_id))
            signed = await tx.rows(_CHECKPOINTS, {"agency": agency_id, "since": since})
            batches = [
                (await tx.rows(_LEAVES, {"agency": agency_id, "size": x["size"]}), x["note"])
                for x in signed
            ]
        return [records.logged(book, leaves, note) for leaves, note in batches] if book else []

    async def _known(self) -> dict[str, dict[Series, int]]:
        async with self.store.begin() as tx:
            rows = await tx.rows(_SERIES)
        known: dict[str, dict[Series, int]] = {}
        for row in rows:
            series = (row["form"], row["series"])
            known.setdefault(row["agency_id"], {})[series] = row["last_number"]
        return known


async def year_keys(tx: Tx, agency_id: str, payment_ids: Iterable[str]) -> list[Record]:
    """Give the years' keys that some payments' own are sealed by, to be kept beside them."""
    rows = await tx.rows(_YEARS, {"agency": agency_id, "ids": list(payment_ids)})
    return [records.year(row) for row in rows]


async def _receipts(tx: Tx, agency_id: str, rows: Sequence[Row]) -> list[Record]:
    p, c = t.payment.c, t.correction.c
    ids = {r["payment_id"] for r in rows}
    found = await tx.rows(select(t.payment).where(p.agency_id == agency_id, p.id.in_(ids)))
    payments = {x.id: x for x in await tx.payments_of(found)}
    agreed = await tx.rows(
        select(t.correction).where(
            c.agency_id == agency_id, c.successor_id.in_([r["id"] for r in rows])
        )
    )
    corrections: dict[str, Any] = {x["successor_id"]: x for x in agreed}
    made = await year_keys(tx, agency_id, ids)
    for row in rows:
        plain = {k: v for k, v in row.items() if k not in _BESIDE}
        made.append(
            records.numbered(plain, payments[row["payment_id"]], corrections.get(row["id"]))
        )
        made.append(
            records.sealed(row, bytes(row["xml"]), row["signed_at"],
                           is_proved=row["proof_due_at"] is not None)
        )  # fmt: skip
    return made
