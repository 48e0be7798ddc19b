"""What an agency says under its log's key that is no checkpoint: who checks has the key already.

A checkpoint begins with the log's name and its size; what is signed here begins with what it is, so
neither can be taken for the other.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from gateway.store import tables as t
from receipts.log.journal import Journal, key_place
from receipts.log.note import LogKey, signed, text_of


async def vouch(journal: Journal, agency_id: str, said: str) -> str:
    """Sign what an agency says; an agency that has no log yet gets one."""
    name = await journal.open(agency_id)
    wanted = select(t.receipt_log.c.key_sealed).where(t.receipt_log.c.agency_id == agency_id)
    async with journal.store.begin() as tx:
        book = await tx.row(wanted)
    if book is None:
        raise LookupError(agency_id)
    raw = journal.vault.open(key_place(agency_id), bytes(book["key_sealed"]))
    return signed(said, name, Ed25519PrivateKey.from_private_bytes(raw))


def vouched(note: str, key: LogKey) -> str:
    """Give what was signed. Raises UnreadableTextError, UnknownSignerError or ForgedNoteError."""
    return text_of(note, key)
