"""Check a receipt against its log, offline: in the log it names, and in the one log there is."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from receipts.log.note import (
    Checkpoint,
    ForgedNoteError,
    Link,
    LogKey,
    Proof,
    UnknownSignerError,
    UnreadableTextError,
    opened,
)
from receipts.log.tree import is_consistent, is_included, root_of
from receipts.receipt import Receipt
from receipts.verify import Finding, Verdict

_WRITTEN_ANEW: Final = "The two checkpoints are not of one log: one of them was written anew."


class NotLoggedError(Exception):
    """The log does not hold what it must; the sentence says how that was seen."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What whoever checks has in hand; the key is trusted, and so is an exported checkpoint."""

    key: LogKey
    checkpoint: str | None = None  # Exported before.
    entries: Sequence[bytes] | None = None  # The leaves that were exported with it.
    proof: str | None = None
    link: str | None = None  # Between the checkpoint of the proof and the exported one.


def digest_of(xml: bytes) -> bytes:
    """Give what stands for a sealed file in the log."""
    return hashlib.sha256(xml).digest()


def require_included(xml: bytes, proof: Proof, key: LogKey) -> Checkpoint:
    """Follow a proof from a file to its checkpoint. Raises NotLoggedError, and what opened does."""
    checkpoint = opened(proof.note, key)
    entry, size = digest_of(xml), checkpoint.size
    if not is_included(entry, proof.index, size, proof.path, checkpoint.root):
        raise NotLoggedError("The proof does not lead from this file to its checkpoint.")
    return checkpoint


def check_logged(found: Finding, xml: bytes, evidence: Evidence) -> Finding:
    """Say of a file that is whole whether it is in the log as well."""
    if found.receipt is None:
        return found
    try:
        index, size = _place(xml, found.receipt, evidence)
    except UnreadableTextError as error:
        return replace(found, verdict=Verdict.UNREADABLE, why=str(error))
    except UnknownSignerError as error:
        return replace(found, verdict=Verdict.NOT_TRUSTED, why=str(error))
    except (ForgedNoteError, NotLoggedError) as error:
        return replace(found, verdict=Verdict.NOT_VALID, why=str(error))
    return replace(
        found, why=f"{found.why} It is in its log.", log=evidence.key.name, leaf=index, size=size
    )


def _place(xml: bytes, receipt: Receipt, evidence: Evidence) -> tuple[int, int]:
    """Give the leaf, and the size of the checkpoint that it was found in."""
    if receipt.log not in (None, evidence.key.name):
        raise NotLoggedError("It names another log than the one whose key you gave.")
    exported = opened(evidence.checkpoint, evidence.key) if evidence.checkpoint else None
    if evidence.proof is None:
        return _among(xml, exported, evidence.entries)
    proof = Proof.of(evidence.proof)
    checkpoint = require_included(xml, proof, evidence.key)
    if exported is not None:
        _require_one_log(checkpoint, exported, evidence.link)
    return proof.index, checkpoint.size


def _among(
    xml: bytes, exported: Checkpoint | None, entries: Sequence[bytes] | None
) -> tuple[int, int]:
    """Look among all leaves that were exported with a checkpoint: then no proof is needed."""
    if exported is None or entries is None:
        raise UnreadableTextError(
            "Name a --proof, or as --checkpoint a folder that thuphi log export made."
        )
    require_entries(exported, entries)
    try:
        return entries.index(digest_of(xml)), exported.size
    except ValueError:
        raise NotLoggedError(
            f"It is none of the {exported.size} leaves of the checkpoint."
        ) from None


def require_entries(exported: Checkpoint, entries: Sequence[bytes]) -> None:
    """See that leaves are those of a checkpoint: then they need no trust of their own."""
    if len(entries) != exported.size or root_of(entries) != exported.root:
        raise UnreadableTextError("The exported leaves are not those of the checkpoint.")


def _require_one_log(a: Checkpoint, b: Checkpoint, link: str | None) -> None:
    """See that the older of two checkpoints is a beginning of the newer."""
    if a.size == b.size:
        if a.root != b.root:
            raise NotLoggedError(_WRITTEN_ANEW)
        return
    older, newer = sorted((a, b), key=lambda x: x.size)
    if link is None:
        raise UnreadableTextError(
            f"The proof's checkpoint has {a.size} leaves and yours {b.size}: name as --consistency"
            f" what {a.origin}/consistency?from={older.size}&to={newer.size} gives."
        )
    path = Link.of(link).path
    if not is_consistent(older.size, older.root, newer.size, newer.root, path):
        raise NotLoggedError(_WRITTEN_ANEW)
