"""Keys that payers' data is sealed under, and what two people agree to erase."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, text
from sqlalchemy.schema import PrimaryKeyConstraint, UniqueConstraint

from gateway.store.columns import belongs, instant, metadata, of_agency, own, words

# One key for an agency's year: the master key seals it, and it seals each payment's own key.
year_key: Final = Table(
    "year_key",
    metadata,
    words("agency_id"),
    Column("year", Integer, nullable=False),
    Column("key_id", LargeBinary, nullable=False),  # What it seals carries this.
    Column("key_sealed", LargeBinary, nullable=True),
    instant("created_at"),
    instant("destroyed_at", optional=True),
    PrimaryKeyConstraint("agency_id", "year"),
    UniqueConstraint("agency_id", "key_id"),
    of_agency(),
    # Once it is destroyed it stays so: none is made again for a year that has a row.
    CheckConstraint("(key_sealed IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"),
)

erasure: Final = Table(
    "erasure",
    metadata,
    *own(
        words("payment_id"),
        words("state"),  # asked | agreed | refused
        words("reason"),
        words("asked_by"),
        words("decided_by", optional=True),
        instant("asked_at"),
        instant("decided_at", optional=True),
        instant("outside_at", optional=True),  # Since when a restored backup cannot forget it.
    ),
    belongs("payment", "payment_id"),
    CheckConstraint("state IN ('asked','agreed','refused')", name="state"),
    CheckConstraint("(decided_by IS NOT NULL) = (state <> 'asked')", name="decided"),
    CheckConstraint("decided_by <> asked_by", name="maker_is_not_checker"),
    # One that waits is enough.
    Index(
        "uq_erasure_asked", "agency_id", "payment_id", unique=True,
        postgresql_where=text("state = 'asked'"),
    ),
    Index(
        "ix_erasure_inside", "decided_at", "id",
        postgresql_where=text("state = 'agreed' AND outside_at IS NULL"),
    ),
    Index("ix_erasure_payment", "agency_id", "payment_id"),
)  # fmt: skip
