"""Measure a log and its receipts against a checkpoint that was exported before.

Whoever holds the database and every key can write a log anew and sign it; what they cannot do is
give it the root that somebody else has kept. With the leaves that were exported beside the root,
each receipt that was altered, dropped, inserted or signed again is named.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from gateway.store.tx import Row, Store
from receipts.log.check import digest_of
from receipts.log.note import Checkpoint, LogKey, UnreadableTextError, opened
from receipts.log.tree import Growth, hash_bytes, root_of
from receipts.verify import Verdict, verify

page: Final = 500
_GONE: Final = b""  # No hash has no bytes.
_LEAVES: Final = text(
    "SELECT l.leaf_index, l.receipt_id, l.digest, l.subtrees, r.form, r.series, r.number, r.amount,"
    " r.xml FROM log_leaf l LEFT JOIN receipt r ON r.agency_id = l.agency_id"
    " AND r.id = l.receipt_id WHERE l.agency_id = :agency AND l.leaf_index > :after"
    " ORDER BY l.leaf_index LIMIT :page"
)
_UNLOGGED: Final = text(
    "SELECT r.id, r.form, r.series, r.number FROM receipt r LEFT JOIN log_leaf l"
    " ON l.agency_id = r.agency_id AND l.receipt_id = r.id WHERE r.agency_id = :agency"
    " AND r.xml IS NOT NULL AND l.leaf_index IS NULL AND r.signed_at < :before ORDER BY r.id"
)
_SIGNED: Final = text("SELECT size, root FROM log_checkpoint WHERE agency_id = :agency")
_NAMED: Final = text(
    "SELECT l.digest, l.receipt_id, r.form, r.series, r.number FROM log_leaf l JOIN receipt r"
    " ON r.agency_id = l.agency_id AND r.id = l.receipt_id WHERE l.agency_id = :agency"
    " AND l.leaf_index < :size ORDER BY l.leaf_index"
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A receipt by its name (id, form, series, number), and the hash of its sealed file."""

    name: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong, and with which receipt or part of the log."""

    kind: str  # altered | re-signed | dropped | inserted | moved | rewritten | unsealed
    what: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What was exported before, checked against its own signature and root."""

    checkpoint: Checkpoint
    leaves: Sequence[Leaf] | None = None


def read_exported(note: str, key: LogKey, leaves: str | None) -> Exported:
    """Read an export. Raises what ``opened`` does, and UnreadableTextError for wrong leaves."""
    checkpoint = opened(note, key)
    if leaves is None:
        return Exported(checkpoint)
    found = read_leaves(leaves)
    if len(found) != checkpoint.size or root_of(x.digest for x in found) != checkpoint.root:
        raise UnreadableTextError("The exported leaves are not those of the checkpoint.")
    return Exported(checkpoint, found)


def read_leaves(text: str) -> list[Leaf]:
    """Read the file of leaves: a hash and a name in each line. Raises UnreadableTextError."""
    found = []
    for line in text.splitlines():
        digest, _, name = line.partition(" ")
        try:
            raw = bytes.fromhex(digest)
        except ValueError:
            raw = _GONE
        if len(raw) != hash_bytes or not name:
            raise UnreadableTextError("The file of exported leaves has a line that is none.")
        found.append(Leaf(name, raw))
    return found


def write_leaves(leaves: Sequence[Leaf]) -> str:
    """Write the file of leaves."""
    return "".join(f"{leaf.digest.hex()} {leaf.name}\n" for leaf in leaves)


def compare(exported: Exported, now: Sequence[Leaf]) -> list[Flaw]:
    """Measure the receipts as they are, in the order of the log, against what was exported."""
    size, numbers = exported.checkpoint.size, Counter(_number(x) for x in now)
    flaws = [
        Flaw("inserted", f"{x.name}: another has its number")
        for x in now
        if _number(x) and numbers[_number(x)] > 1
    ]
    if root_of(x.digest for x in now[:size]) == exported.checkpoint.root:
        return flaws
    if exported.leaves is None:
        what = f"the first {size} leaves of {exported.checkpoint.origin}"
        return [*flaws, Flaw("rewritten", what)]
    return [*flaws, *_differences(exported.leaves, now)]


def _differences(was: Sequence[Leaf], now: Sequence[Leaf]) -> list[Flaw]:
    """Name what differs between the leaves that were exported and those that are there."""
    before, after = ({_id(x): x.digest for x in leaves} for leaves in (was, now))
    flaws = [
        Flaw("altered" if after.get(_id(x)) else "dropped", x.name)
        for x in was
        if after.get(_id(x)) != x.digest
    ]
    # What stands before a leaf of the export, and was not exported; behind them all it is younger.
    last = max((n for n, x in enumerate(now) if _id(x) in before), default=0)
    flaws += [Flaw("inserted", x.name) for x in now[:last] if x.digest and _id(x) not in before]
    if not flaws:
        at = next(n for n, x in enumerate(was) if n >= len(now) or now[n].digest != x.digest)
        flaws.append(Flaw("moved", f"leaf {at}, which was {was[at].name}"))
    return flaws


def _id(leaf: Leaf) -> str:
    return leaf.name.partition(" ")[0]


def _number(leaf: Leaf) -> str:
    """Take form, series and number out of a receipt's name; one that is gone has none."""
    return leaf.name.partition(" ")[2]


def _named(row: Row, receipt_id: str) -> str:
    return f"{receipt_id} {row['form']} {row['series']} {row['number']}"


@dataclass(slots=True)
class _Reading:
    """What was seen of one log so far; ``sealed`` are receipts whose seal holds."""

    trusted: frozenset[str]
    signed: dict[int, bytes]
    tree: Growth
    leaves: list[Leaf]
    flaws: list[Flaw]
    sealed: set[str]

    def take(self, row: Row) -> None:
        """Look at one leaf and at its receipt, each by itself."""
        index, xml = row["leaf_index"], row["xml"]
        digest = digest_of(bytes(xml)) if xml is not None else _GONE
        gone = row["form"] is None
        name = row["receipt_id"] if gone else _named(row, row["receipt_id"])
        self.leaves.append(Leaf(name, digest))
        if index != len(self.leaves) - 1:
            self.flaws.append(Flaw("dropped", f"a leaf before leaf {index}"))
        if xml is None:
            self.flaws.append(Flaw("dropped", name))
        else:
            self._judge(name, row, bytes(xml), is_logged=digest == bytes(row["digest"]))
        if self.tree.add(bytes(row["digest"])) != bytes(row["subtrees"]):
            self.flaws.append(Flaw("rewritten", f"leaf {index} of the log, {name}"))
        root = self.signed.pop(self.tree.size, None)
        if root is not None and root != self.tree.root:
            self.flaws.append(Flaw("rewritten", f"the checkpoint of {self.tree.size} leaves"))

    def _judge(self, name: str, row: Row, xml: bytes, *, is_logged: bool) -> None:
        found = verify(xml, self.trusted)
        r = found.receipt
        says = (r.form, r.series, r.number, r.amount) if r else None
        if found.verdict is Verdict.VALID:
            self.sealed.add(name)
        if says != tuple(row[x] for x in ("form", "series", "number", "amount")):
            self.flaws.append(Flaw("altered", f"{name}: its row and its file disagree"))
        elif found.verdict is not Verdict.VALID:
            self.flaws.append(Flaw("unsealed", f"{name}: {found.why}"))
        if not is_logged:
            self.flaws.append(Flaw("altered", name))


@dataclass(frozen=True, slots=True)
class Audit:
    """Reads every leaf and every receipt of one agency."""

    store: Store
    trusted: Callable[[str], Any]  # Of an agency: its certificates' fingerprints.

    async def export(self, agency_id: str, size: int) -> list[Leaf]:
        """Give the leaves of a checkpoint, by the receipts' names."""
        async with self.store.begin() as tx:
            rows = await tx.rows(_NAMED, {"agency": agency_id, "size": size})
        return [Leaf(_named(r, r["receipt_id"]), bytes(r["digest"])) for r in rows]

    async def run(self, agency_id: str, exported: Exported, before: datetime) -> list[Flaw]:
        """Look at everything: an empty list is the proof.

        What was sealed after ``before`` may still be on its way into the log.
        """
        async with self.store.begin() as tx:
            signed = await tx.rows(_SIGNED, {"agency": agency_id})
            unlogged = await tx.rows(_UNLOGGED, {"agency": agency_id, "before": before})
        seen = _Reading(
            await self.trusted(agency_id), {r["size"]: bytes(r["root"]) for r in signed}, Growth(),
            [], [Flaw("inserted", _named(r, r["id"])) for r in unlogged], set(),
        )  # fmt: skip
        await self._read(agency_id, seen)
        seen.flaws += [
            Flaw("dropped", f"leaves up to {size}, which a checkpoint has") for size in seen.signed
        ]
        found = dict.fromkeys([*seen.flaws, *compare(exported, seen.leaves)])
        return [_told(flaw, seen.sealed) for flaw in found]

    async def _read(self, agency_id: str, seen: _Reading) -> None:
        after = -1
        while True:
            async with self.store.begin() as tx:
                rows = await tx.rows(_LEAVES, {"agency": agency_id, "after": after, "page": page})
            for row in rows:
                seen.take(row)
            if len(rows) < page:
                return
            after = rows[-1]["leaf_index"]


def _told(flaw: Flaw, sealed: set[str]) -> Flaw:
    """Say of what was altered whether somebody signed it again."""
    is_again = flaw.kind == "altered" and flaw.what in sealed
    return Flaw("re-signed", flaw.what) if is_again else flaw
