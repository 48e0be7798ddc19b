"""The Merkle tree of RFC 6962: how it grows, its roots, and its two proofs, made and checked.

Only complete subtrees have a hash that never changes, so only these are kept, each with the leaf
that completed it: a leaf keeps two hashes on average. Every hash that a proof needs covers a range
of leaves, and is folded from at most log n of those.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Range = tuple[int, int]  # The first leaf, and the one after the last.
Place = tuple[int, int]  # A complete subtree: its level above the leaves, its number there.
Hashes = Mapping[Place, bytes]

hash_bytes: Final = 32
# Leaves and nodes are hashed apart, so that no node can be shown as a leaf.
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees as one."""
    return hashlib.sha256(_NODE + left + right).digest()


def root_of(entries: Iterable[bytes]) -> bytes:
    """Compute the root over all entries, level by level."""
    sha = hashlib.sha256
    level = [sha(_LEAF + entry).digest() for entry in entries]
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        # The last of an odd number waits for a neighbour on a higher level, as the RFC splits.
        rest = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha(_NODE + a + b).digest() for a, b in pairs] + rest
    return level[0]


def subtrees(of: Range) -> list[Place]:
    """Give the complete subtrees that make up a range of a proof, the largest first."""
    first, end = of
    found = []
    while first < end:
        level = (end - first).bit_length() - 1
        found.append((level, first >> level))
        first += 1 << level
    return found


def fold(hashes: Sequence[bytes]) -> bytes:
    """Join the subtrees of a range to one hash."""
    *left, joined = hashes
    for one in reversed(left):
        joined = node_hash(one, joined)
    return joined


def hash_of(of: Range, hashes: Hashes) -> bytes:
    """Give the hash of a range, from the complete subtrees that are kept."""
    return fold([hashes[place] for place in subtrees(of)])


def keeper(place: Place) -> int:
    """Say which leaf completed a subtree, and so keeps its hash."""
    level, number = place
    return ((number + 1) << level) - 1


def kept_hash(place: Place, of_keeper: bytes) -> bytes:
    """Take a subtree's hash out of what its keeper keeps: one hash a level, from the leaf up."""
    start = place[0] * hash_bytes
    return of_keeper[start : start + hash_bytes]


@dataclass(slots=True)
class Growth:
    """A tree that grows: its size, and its complete subtrees, the largest first."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    @property
    def root(self) -> bytes:
        """Give the root of what there is."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT

    def add(self, entry: bytes) -> bytes:
        """Add a leaf; give the hashes that it keeps: its own, and of each subtree it completes."""
        kept = [leaf_hash(entry)]
        number = self.size
        while number & 1:
            kept.append(node_hash(self.hashes.pop(), kept[-1]))
            number >>= 1
        self.hashes.append(kept[-1])
        self.size += 1
        return b"".join(kept)


def _split(first: int, end: int) -> int:
    """Say where a range of two or more leaves is split: after the largest power of two within."""
    return first + (1 << ((end - first - 1).bit_length() - 1))


def inclusion(index: int, size: int) -> list[Range]:
    """Say whose hashes prove a leaf to be in a tree: PATH of RFC 6962, 2.1.1."""
    if not 0 <= index < size:
        raise ValueError("There is no such leaf in a tree of this size.")
    path = []
    first, end = 0, size
    while end - first > 1:
        middle = _split(first, end)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def consistency(old: int, size: int) -> list[Range]:
    """Say whose hashes prove that a tree grew out of an older one: PROOF of RFC 6962, 2.1.2."""
    if not 0 < old <= size:
        raise ValueError("An older tree has at least one leaf, and no more than the newer.")
    path = []
    first, end = 0, size
    while old != end:
        middle = _split(first, end)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((first, middle))
            first = middle
    if first:
        path.append((first, end))  # Else it is the older root itself, which is known.
    return path[::-1]


def is_included(entry: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Check an inclusion proof, by the steps of RFC 9162, 2.1.3.2."""
    if not 0 <= index < size:
        return False
    number, last, seen = index, size - 1, leaf_hash(entry)
    for step in path:
        if last == 0:
            return False
        if number & 1 or number == last:
            seen = node_hash(step, seen)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            seen = node_hash(seen, step)
        number, last = number >> 1, last >> 1
    return last == 0 and seen == root


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Check a consistency proof, by the steps of RFC 9162, 2.1.4.2."""
    if old == size:
        return not path and old_root == root
    if not 0 < old < size or not path:
        return False
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    number, last = old - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    former = latter = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if number & 1 or number == last:
            former, latter = node_hash(step, former), node_hash(step, latter)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            latter = node_hash(latter, step)
        number, last = number >> 1, last >> 1
    return last == 0 and former == old_root and latter == root
