"""A log made in memory of really sealed receipts, for tests that need no database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from receipt_samples import receipt, signer

from receipts.log.audit import Exported, Leaf, read_exported, write_leaves
from receipts.log.check import digest_of
from receipts.log.note import Checkpoint, Link, LogKey, Proof
from receipts.log.tree import (
    Growth,
    Place,
    consistency,
    hash_of,
    inclusion,
    kept_hash,
)
from receipts.xml import write

ORIGIN = "pay.example.vn/log/hn-tthcc"
SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = LogKey(ORIGIN, SECRET.public_key().public_bytes_raw())


@cache
def sealed(number: int, dossier: str = "H26.14-261118-0001") -> bytes:
    """Seal a receipt of this log by its number; once, for a signature takes a while."""
    return signer().seal(write(receipt(number=number, dossier_id=dossier, log=ORIGIN)))


def leaf_of(number: int, xml: bytes) -> Leaf:
    """Name a receipt as the log does."""
    return Leaf(f"rcp_{number} EBL01 26TAA {number}", digest_of(xml))


@dataclass(frozen=True)
class Log:
    """A log over some digests, and what it has to say of itself."""

    hashes: Mapping[Place, bytes]
    roots: Sequence[bytes]

    @classmethod
    def of(cls, digests: Sequence[bytes]) -> "Log":
        """Grow a log."""
        tree, hashes, roots = Growth(), dict[Place, bytes](), []
        for index, digest in enumerate(digests):
            row = tree.add(digest)
            places = [(level, index >> level) for level in range(len(row) // 32)]
            hashes |= {place: kept_hash(place, row) for place in places}
            roots.append(tree.root)
        return cls(hashes, roots)

    def note(self, size: int) -> str:
        """Sign a checkpoint."""
        return Checkpoint(ORIGIN, size, self.roots[size - 1]).signed(SECRET)

    def proof(self, index: int, size: int) -> Proof:
        """Prove a leaf."""
        path = tuple(hash_of(x, self.hashes) for x in inclusion(index, size))
        return Proof(index, path, self.note(size))

    def link(self, old: int, size: int) -> Link:
        """Prove how it grew."""
        path = tuple(hash_of(x, self.hashes) for x in consistency(old, size))
        return Link(old, path, self.note(size))


def exported_of(leaves: Sequence[Leaf]) -> Exported:
    """Export a log of these leaves the way the command does, by the same texts."""
    log = Log.of([leaf.digest for leaf in leaves])
    return read_exported(log.note(len(leaves)), KEY, write_leaves(leaves))
