"""The transparency log: a root over a million leaves, and one leaf's proof in a log of that size.

The bare work of a root is that many hashes by hashlib alone: one for each leaf, and one for each
node over them. A proof is made from the hashes that the leaves keep, and checked. Both are work of
one core, so the time of the processor counts: what else the machine does is no part of it.
"""

import hashlib
from collections.abc import Callable
from random import Random
from time import process_time
from typing import Final

from bench.result import Result, at_most, machine
from receipts.log.tree import (
    Growth,
    Range,
    fold,
    inclusion,
    is_included,
    keeper,
    kept_hash,
    root_of,
    subtrees,
)

leaves: Final = 1_000_000
root_s_max: Final = 3.0
proof_us_max: Final = 1_000.0
rounds: Final = 3
proofs: Final = 200
ratio_max: Final = 3.0


def measure() -> list[Result]:
    """Measure, and see that root and proofs agree."""
    ran_on = machine("transparency log: one thread, a million leaves, the best of 3 rounds")
    entries = [hashlib.sha256(n.to_bytes(8, "big")).digest() for n in range(leaves)]
    tree = Growth()
    kept = [tree.add(entry) for entry in entries]
    ours = [_timed(lambda: root_of(entries)) for _ in range(rounds)]
    bare = [_timed(lambda: _hashes(leaves)) for _ in range(rounds)]
    assert root_of(entries) == tree.root
    root_s = min(ours)

    def hash_of(of: Range) -> bytes:
        return fold([kept_hash(place, kept[keeper(place)]) for place in subtrees(of)])

    chance = Random(7)  # noqa: S311 - a draw, not a secret.
    asked = [chance.randrange(leaves) for _ in range(proofs)]

    def prove() -> None:
        for index in asked:
            path = [hash_of(of) for of in inclusion(index, leaves)]
            assert is_included(entries[index], index, leaves, path, tree.root)

    proof_us = min(_timed(prove) for _ in range(rounds)) / proofs * 1e6
    return [
        at_most("root over a million leaves", ran_on, root_s, min(bare), "s", ratio_max),
        at_most("root over a million leaves, limit", ran_on, root_s, root_s_max, "s", 1.0),
        at_most("inclusion proof, made and checked", ran_on, proof_us, proof_us_max, "µs", 1.0),
    ]


def _timed(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def _hashes(count: int) -> None:
    """Hash as many leaves, and as many nodes over them, and keep nothing."""
    sha, leaf, node = hashlib.sha256, b"\x00" + bytes(32), b"\x01" + bytes(64)
    for _ in range(count):
        sha(leaf).digest()
        sha(node).digest()
