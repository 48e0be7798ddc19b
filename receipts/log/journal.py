"""One agency's log in the database: it grows behind the seals, and signs what it has become.

Leaves are added in batches, under the log's lock, and each batch ends with a signed checkpoint in
the same transaction. So no leaf is without a checkpoint, a PDF carries its whole proof when it is
drawn, and a crash leaves receipts that the next run adds. Before anything is added, the root of
what is there must be the one that was signed last: a log that was changed grows no further.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.domain.calendar import hanoi_day
from gateway.domain.errors import Refusal
from gateway.ports.vault import Vault
from gateway.store import locks
from gateway.store import tables as t
from gateway.store.tx import Row, Store, Tx
from receipts import records
from receipts.log.note import Checkpoint, Link, LogKey, Proof
from receipts.log.tree import (
    Growth,
    Place,
    Range,
    consistency,
    hash_of,
    inclusion,
    keeper,
    kept_hash,
    subtrees,
)
from receipts.outside import Outside

log: Final = logging.getLogger("thuphi.log")
leaves_batch: Final = 500  # One transaction, about a tenth of a second.
batches_max: Final = 40  # 20,000 leaves: a run ends well within its lease; the next one goes on.
listed_max: Final = 100

_WAITING: Final = text(
    "SELECT DISTINCT agency_id FROM receipt WHERE xml IS NOT NULL AND leaf_index IS NULL"
)
_UNLOGGED: Final = text(
    "SELECT id, sha256(xml) AS digest FROM receipt WHERE agency_id = :agency AND xml IS NOT NULL"
    " AND leaf_index IS NULL ORDER BY id LIMIT :batch"
)
_THESE: Final = text(
    "SELECT id, sha256(xml) AS digest FROM receipt WHERE agency_id = :agency AND id = ANY(:ids)"
    " AND xml IS NOT NULL AND leaf_index IS NULL"
)
_LEAVES: Final = text(
    "SELECT leaf_index, subtrees FROM log_leaf WHERE agency_id = :agency"
    " AND leaf_index = ANY(:leaves)"
)
_NEWEST: Final = text(
    "SELECT size, root, note FROM log_checkpoint WHERE agency_id = :agency"
    " ORDER BY size DESC LIMIT 1"
)
_PLACED: Final = text(
    "UPDATE receipt r SET leaf_index = x.leaf FROM unnest(CAST(:ids AS text[]),"
    " CAST(:leaves AS bigint[])) AS x (id, leaf) WHERE r.agency_id = :agency AND r.id = x.id"
)
# The first that covers a leaf: the one that was signed with it.
_COVERING: Final = text(
    "SELECT x.leaf, c.size, c.note FROM unnest(CAST(:leaves AS bigint[])) AS x (leaf)"
    " CROSS JOIN LATERAL (SELECT size, note FROM log_checkpoint WHERE agency_id = :agency"
    " AND size > x.leaf ORDER BY size LIMIT 1) c"
)
# From one to the last of an earlier hour, and so on: each step is a look into an index.
_HOURLY: Final = text(
    "WITH RECURSIVE x AS (SELECT size, root, note, signed_at FROM log_checkpoint"
    " WHERE agency_id = :agency AND size = :first UNION ALL SELECT n.* FROM x CROSS JOIN LATERAL"
    " (SELECT c.size, c.root, c.note, c.signed_at FROM log_checkpoint c WHERE c.agency_id = :agency"
    " AND c.signed_at < date_trunc('hour', x.signed_at) AND c.size < x.size"
    " ORDER BY c.signed_at DESC, c.size DESC LIMIT 1) n) SELECT * FROM x LIMIT :limit OFFSET :skip"
)


class RewrittenLogError(Exception):
    """The log is not any more what was signed: nothing may be added, and nobody may be told."""


@dataclass(frozen=True, slots=True)
class Journal:
    """The transparency logs of all agencies."""

    store: Store
    vault: Vault
    outside: Outside

    async def open(self, agency_id: str) -> str:
        """Give the name of an agency's log; the first who asks makes it, with its key."""
        c = t.receipt_log.c
        wanted = select(c.origin).where(c.agency_id == agency_id)
        async with self.store.begin() as tx:
            found = await tx.row(wanted)
            if found is None:
                await tx.run(locks.LOG, {"agency": agency_id})
                found = await tx.row(wanted) or await self._make(tx, agency_id)
        return str(found["origin"])

    async def _make(self, tx: Tx, agency_id: str) -> Row:
        key = Ed25519PrivateKey.generate()
        row = {
            "agency_id": agency_id, "created_at": self.store.clock.now(),
            "origin": f"{urlsplit(self.store.public_url).netloc}/log/{agency_id}",
            "public_key": key.public_key().public_bytes_raw(),
            "key_sealed": self.vault.seal(key_place(agency_id), key.private_bytes_raw()),
        }  # fmt: skip
        await tx.run(t.receipt_log.insert(), row)
        return row

    async def append(self, stopped: Collection[str] = ()) -> int:
        """Add every sealed receipt that is no leaf yet; give how many. Safe to call by many.

        A log that cannot grow is said in the log, and stops no other agency's.
        """
        async with self.store.begin() as tx:
            agencies = [r["agency_id"] for r in await tx.rows(_WAITING)]
        done = 0
        for agency_id in sorted({*agencies}.difference(stopped)):
            try:
                done += await self._append_all(agency_id)
            except Exception:
                log.exception("the log of %s does not grow", agency_id)
        return done

    async def _append_all(self, agency_id: str) -> int:
        await self.open(agency_id)
        done = 0
        for _ in range(batches_max):
            step = await self._append_some(agency_id)
            done += step
            if step < leaves_batch:
                break
        return done

    async def _append_some(self, agency_id: str) -> int:
        """Add a batch of leaves and sign what the log then is, in one transaction."""
        async with self.store.begin() as tx:
            await tx.run(locks.LOG, {"agency": agency_id})
            rows = await tx.rows(_UNLOGGED, {"agency": agency_id, "batch": leaves_batch})
            if not rows:
                return 0
            tree = await self._grown(tx, agency_id)
            now = self.store.clock.now()
            leaves = await _add(tx, agency_id, tree, rows, now)
            book, note = await self._sign(tx, agency_id, tree, now)
            kept = [records.logged(book, leaves, note)]
            await asyncio.to_thread(self.outside.keep, agency_id, hanoi_day(now), kept)
        return len(rows)

    async def size(self, agency_id: str) -> int:
        """Say how many leaves are signed for."""
        async with self.store.begin() as tx:
            newest = await tx.row(_NEWEST, {"agency": agency_id})
        return int(newest["size"]) if newest else 0

    async def take_back(self, agency_id: str, said: Mapping[str, Any]) -> int:
        """Add a batch again that was signed before a backup was restored, as it was signed then.

        Raises RewrittenLogError when that does not give the same checkpoint.
        """
        ids = said["leaves"]
        book = records.row_of(t.receipt_log, said["log"])
        async with self.store.begin() as tx:
            await tx.run(locks.LOG, {"agency": agency_id})
            await tx.run(insert(t.receipt_log).on_conflict_do_nothing(), book)
            found = await tx.rows(_THESE, {"agency": agency_id, "ids": ids})
            if len(found) != len(ids):
                raise RewrittenLogError(f"The log of {agency_id} had leaves of receipts that are"
                                        " not here.")  # fmt: skip
            tree = await self._grown(tx, agency_id)
            by_id = {row["id"]: row for row in found}
            rows = [by_id[receipt_id] for receipt_id in ids]
            at = datetime.fromisoformat(said["at"])
            await _add(tx, agency_id, tree, rows, at)
            _, note = await self._sign(tx, agency_id, tree, at)
            if note != said["note"]:
                raise RewrittenLogError(f"The log of {agency_id} does not become what it was.")
        return len(ids)

    async def _grown(self, tx: Tx, agency_id: str) -> Growth:
        """Give the tree as it was signed last. Raises RewrittenLogError when it is another."""
        newest = await tx.row(_NEWEST, {"agency": agency_id})
        if newest is None:
            return Growth()
        places = subtrees((0, newest["size"]))
        hashes = await _hashes(tx, agency_id, places)
        tree = Growth(newest["size"], [hashes[place] for place in places])
        if tree.root != bytes(newest["root"]):
            raise RewrittenLogError(f"The log of {agency_id} is not what was signed.")
        return tree

    async def _sign(self, tx: Tx, agency_id: str, tree: Growth, at: datetime) -> tuple[Row, str]:
        book = await tx.row(select(t.receipt_log).where(t.receipt_log.c.agency_id == agency_id))
        if book is None:
            raise LookupError(agency_id)
        raw = self.vault.open(key_place(agency_id), bytes(book["key_sealed"]))
        said = Checkpoint(book["origin"], tree.size, tree.root)
        note = said.signed(Ed25519PrivateKey.from_private_bytes(raw))
        await tx.run(
            t.log_checkpoint.insert(),
            {"agency_id": agency_id, "size": said.size, "root": said.root, "note": note,
             "signed_at": at},
        )  # fmt: skip
        return book, note

    async def key(self, agency_id: str) -> LogKey:
        """Give what checks a log's checkpoints. Raises Refusal when there is no such log."""
        c = t.receipt_log.c
        async with self.store.begin() as tx:
            row = await tx.row(select(c.origin, c.public_key).where(c.agency_id == agency_id))
        if row is None:
            raise Refusal("not-found", "There is no such log.")
        return LogKey(row["origin"], bytes(row["public_key"]))

    async def checkpoint(self, agency_id: str, size: int | None = None) -> str:
        """Give the newest signed checkpoint, or the one of a size. Raises Refusal."""
        async with self.store.begin() as tx:
            return await _note(tx, agency_id, size)

    async def hourly(self, agency_id: str, before: int | None = None) -> Sequence[Row]:
        """List the last checkpoint of each hour, newest first; go on before one that was listed."""
        async with self.store.begin() as tx:
            note = await _note(tx, agency_id, before)
            asked = {"first": size_in(note), "limit": listed_max, "skip": int(before is not None)}
            return await tx.rows(_HOURLY, {"agency": agency_id, **asked})

    async def proof(self, agency_id: str, index: int, size: int | None = None) -> Proof:
        """Prove a leaf, in the checkpoint that was signed with it or in a later one."""
        async with self.store.begin() as tx:
            if size is None:
                found = await proofs(tx, agency_id, [index])
                if index not in found:
                    raise Refusal("not-found", "There is no such leaf.")
                return found[index]
            note = await _note(tx, agency_id, size)
            if not 0 <= index < size:
                raise Refusal("not-found", "There is no such leaf in a log of this size.")
            return Proof(index, await _path(tx, agency_id, inclusion(index, size)), note)

    async def link(self, agency_id: str, old: int, size: int | None = None) -> Link:
        """Prove that a checkpoint, the newest if none is named, grew out of an older one."""
        async with self.store.begin() as tx:
            note = await _note(tx, agency_id, size)
            newer = size_in(note)
            if not 0 < old <= newer:
                raise Refusal("not-found", "The older checkpoint is of another size.")
            return Link(old, await _path(tx, agency_id, consistency(old, newer)), note)


async def _add(
    tx: Tx, agency_id: str, tree: Growth, rows: Sequence[Row], now: datetime
) -> list[dict[str, Any]]:
    """Write leaves in this order, behind those that are there."""
    first = tree.size
    leaves = [
        {"agency_id": agency_id, "leaf_index": index, "receipt_id": row["id"],
         "digest": bytes(row["digest"]), "subtrees": tree.add(bytes(row["digest"])),
         "logged_at": now}
        for index, row in enumerate(rows, first)
    ]  # fmt: skip
    await tx.run(t.log_leaf.insert(), leaves)
    placed = {"ids": [r["id"] for r in rows], "leaves": list(range(first, tree.size))}
    await tx.run(_PLACED, placed | {"agency": agency_id})
    return leaves


async def proofs(tx: Tx, agency_id: str, leaves: Collection[int]) -> dict[int, Proof]:
    """Prove many leaves at once, each in the checkpoint that was signed with it."""
    covering = await tx.rows(_COVERING, {"agency": agency_id, "leaves": list(leaves)})
    ranges = {r["leaf"]: inclusion(r["leaf"], r["size"]) for r in covering}
    hashes = await _hashes(
        tx, agency_id, (p for of in ranges.values() for x in of for p in subtrees(x))
    )
    return {
        r["leaf"]: Proof(
            r["leaf"], tuple(hash_of(x, hashes) for x in ranges[r["leaf"]]), r["note"]
        )
        for r in covering
    }  # fmt: skip


async def _path(tx: Tx, agency_id: str, ranges: Sequence[Range]) -> tuple[bytes, ...]:
    hashes = await _hashes(tx, agency_id, (p for of in ranges for p in subtrees(of)))
    return tuple(hash_of(of, hashes) for of in ranges)


async def _hashes(tx: Tx, agency_id: str, places: Iterable[Place]) -> Mapping[Place, bytes]:
    """Read subtrees' hashes, all in one statement; each is kept by the leaf that completed it."""
    wanted = list(dict.fromkeys(places))
    leaves = sorted({keeper(place) for place in wanted})
    rows = await tx.rows(_LEAVES, {"agency": agency_id, "leaves": leaves}) if leaves else ()
    kept = {r["leaf_index"]: bytes(r["subtrees"]) for r in rows}
    if kept.keys() != set(leaves):
        raise RewrittenLogError(f"The log of {agency_id} has lost leaves.")
    return {place: kept_hash(place, kept[keeper(place)]) for place in wanted}


async def _note(tx: Tx, agency_id: str, size: int | None) -> str:
    c = t.log_checkpoint.c
    if size is None:
        row = await tx.row(_NEWEST, {"agency": agency_id})
    else:
        row = await tx.row(select(c.note).where(c.agency_id == agency_id, c.size == size))
    if row is None:
        raise Refusal("not-found", "There is no such checkpoint.")
    return str(row["note"])


def size_in(note: str) -> int:
    """Read the size out of a checkpoint of our own."""
    return int(note.split("\n")[1])


def key_place(agency_id: str) -> str:
    """Say where a log's key is sealed."""
    return f"receipt_log|{agency_id}|key"
