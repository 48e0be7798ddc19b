"""The transparency log of receipts: leaves, signed checkpoints, and where these were pushed to."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from gateway.store.columns import belongs, instant, metadata, of_agency, words

receipt_log: Final = Table(
    "receipt_log",
    metadata,
    words("agency_id"),
    words("origin"),  # Its name for ever, though the installation may move to another address.
    Column("public_key", LargeBinary, nullable=False),
    Column("key_sealed", LargeBinary, nullable=False),
    instant("created_at"),
    PrimaryKeyConstraint("agency_id"),
    of_agency(),
    UniqueConstraint("origin"),
)


def _of_log() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["agency_id"], ["receipt_log.agency_id"])


log_leaf: Final = Table(
    "log_leaf",
    metadata,
    words("agency_id"),
    Column("leaf_index", BigInteger, nullable=False),  # Dense, from 0.
    words("receipt_id"),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the sealed XML: the entry.
    # The leaf's own hash, then of each subtree that it completes, from the leaf up.
    Column("subtrees", LargeBinary, nullable=False),
    instant("logged_at"),
    PrimaryKeyConstraint("agency_id", "leaf_index"),
    _of_log(),
    belongs("receipt", "receipt_id"),
    UniqueConstraint("agency_id", "receipt_id"),
    CheckConstraint("leaf_index >= 0", name="leaf_index"),
    CheckConstraint("length(digest) = 32", name="digest"),
    CheckConstraint("length(subtrees) > 0 AND length(subtrees) % 32 = 0", name="subtrees"),
)

log_checkpoint: Final = Table(
    "log_checkpoint",
    metadata,
    words("agency_id"),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    words("note"),  # As it was signed: there is one for each size, and no second.
    instant("signed_at"),
    PrimaryKeyConstraint("agency_id", "size"),
    _of_log(),
    CheckConstraint("size > 0", name="size"),
    Index("ix_log_checkpoint_signed", "agency_id", "signed_at"),
    CheckConstraint("length(root) = 32", name="root"),
)

log_push: Final = Table(
    "log_push",
    metadata,
    words("agency_id"),
    words("place"),  # The folder or address; another one begins anew.
    Column("size", BigInteger, nullable=False),  # Of the last checkpoint that arrived there.
    instant("pushed_at", optional=True),
    instant("tried_at"),
    words("trouble", optional=True),  # Why the last try failed.
    PrimaryKeyConstraint("agency_id", "place"),
    _of_log(),
)
