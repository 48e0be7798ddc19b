"""Whoever holds every key tampers with any receipt, and is found: in ``make proof`` 100,000 times.

The forger writes the whole log anew behind the tampering, signs it with the log's own key, and has
proofs for everything; what they cannot change is the checkpoint that somebody exported before.
"""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from log_samples import KEY, ORIGIN, SECRET, Log, exported_of, leaf_of, sealed
from receipt_samples import receipt, signer

from receipts.log.audit import Exported, Leaf, compare
from receipts.log.check import Evidence, check_logged, digest_of
from receipts.log.note import Checkpoint
from receipts.log.tree import is_consistent, root_of
from receipts.verify import Verdict, verify
from receipts.xml import write

TAMPERINGS = int(os.environ.get("PROOF_TAMPERINGS", "400"))
COUNT = 40  # Receipts in a log; an export is of any number of them.
KINDS = ("alter", "re-sign", "drop", "insert", "move")
NAMED = {"alter": "altered", "re-sign": "altered", "drop": "dropped", "insert": "inserted",
         "move": "moved"}  # fmt: skip
TRUSTED = {signer().fingerprint}


@dataclass(frozen=True)
class Tampered:
    """A log after somebody was at it: who was meant, and the file they would show for it."""

    leaves: list[Leaf]
    victim: Leaf
    xml: bytes | None = None


def tampered(kind: str, leaves: list[Leaf], at: int, size: int, chance: Random) -> Tampered:
    """Do one thing to the receipt at one leaf."""
    victim, rest = leaves[at], [*leaves[:at], *leaves[at + 1 :]]
    if kind == "drop":
        return Tampered(rest, victim)
    if kind == "move":
        to = chance.choice([n for n in range(size) if n != at])
        return Tampered([*rest[:to], victim, *rest[to:]], victim)
    dossier = f"H26.14-{chance.getrandbits(64):020}"
    number = COUNT + 1 if kind == "insert" else at + 1
    if kind == "alter":
        xml = bytearray(sealed(number))
        xml[chance.randrange(len(xml))] ^= 1 << chance.randrange(8)
        made = Leaf(victim.name, digest_of(bytes(xml)))
        return Tampered([*leaves[:at], made, *leaves[at + 1 :]], victim, bytes(xml))
    again = signer().seal(write(receipt(number=number, dossier_id=dossier, log=ORIGIN)))
    made = leaf_of(number, again)
    if kind == "insert":
        return Tampered([*leaves[:at], made, *leaves[at:]], made, again)
    return Tampered([*leaves[:at], made, *leaves[at + 1 :]], victim, again)


def is_found(kind: str, exported: Exported, after: Tampered, digests: list[bytes]) -> bool:
    """Tell whether the audit says what was done and to whom, by leaves and by the root alone."""
    told = compare(exported, after.leaves)
    by_name = {flaw.what for flaw in told if flaw.kind == NAMED[kind]}
    is_named = after.victim.name in by_name or (kind == "move" and len(by_name) == 1)
    assert not (kind != "move" and len(told) > 1), "nobody else is accused"
    root = exported.checkpoint.root
    return (
        is_named
        and bool(compare(Exported(exported.checkpoint), after.leaves))
        and root_of(digests[: exported.checkpoint.size]) != root
    )


def is_shown(after: Tampered, exported: Exported, note: str) -> bool:
    """Tell whether a forged file gets past ``thuphi verify``, with all that the forger can give."""
    assert after.xml is not None
    log = Log.of([leaf.digest for leaf in after.leaves])
    size = len(after.leaves)
    index = [leaf.digest for leaf in after.leaves].index(digest_of(after.xml))
    old = exported.checkpoint.size
    found = verify(after.xml, TRUSTED)
    assert exported.leaves is not None
    tries = (
        Evidence(KEY, note, proof=log.proof(index, size).text(), link=log.link(old, size).text()),
        Evidence(KEY, note, entries=[x.digest for x in exported.leaves]),
    )
    return any(check_logged(found, after.xml, t).verdict is Verdict.VALID for t in tries)


def report(done: Counter[str]) -> None:
    """Hand the numbers to the proof that is being written, if one is."""
    where = os.environ.get("PROOF_REPORT")
    if where:
        kinds = ", ".join(f"{n} times {kind}" for kind, n in sorted(done.items()))
        line = f"- {done.total()} of {done.total()} found and named: {kinds}.\n"
        with Path(where).open("a", encoding="utf-8") as out:
            out.write(line)


@pytest.mark.timeout(60 + TAMPERINGS // 50)
def test_no_tampering_with_any_receipt_gets_past_a_checkpoint_that_was_exported() -> None:
    """The victims, the sizes and the bits are drawn; the seed makes a failure come again."""
    chance, done = Random(20_261_118), Counter[str]()  # noqa: S311 - a draw, not a secret.
    leaves = [leaf_of(n, sealed(n)) for n in range(1, COUNT + 1)]
    exports = {size: exported_of(leaves[:size]) for size in range(2, COUNT + 1)}
    notes = {
        size: Checkpoint(ORIGIN, size, x.checkpoint.root).signed(SECRET)
        for size, x in exports.items()
    }
    assert all(compare(x, leaves) == [] for x in exports.values()), "an honest log has no flaw"

    for n in range(TAMPERINGS):
        kind, size = KINDS[n % len(KINDS)], chance.randint(2, COUNT)
        exported, at = exports[size], chance.randrange(size)
        after = tampered(kind, leaves, at, size, chance)
        digests = [leaf.digest for leaf in after.leaves]

        assert is_found(kind, exported, after, digests), (n, kind, at, size)
        forged = Log.of(digests)
        if size <= len(digests):
            link = forged.link(size, len(digests))
            old = exported.checkpoint
            assert not is_consistent(size, old.root, len(digests), forged.roots[-1], link.path)
        assert after.xml is None or not is_shown(after, exported, notes[size]), (n, kind, at, size)
        done[kind] += 1

    assert done.total() == TAMPERINGS
    report(done)
