"""What the agency pays into the budget: prepared by one person, signed by another."""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Date, Index, Table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import UniqueConstraint

from gateway.store.columns import instant, metadata, money, of_agency, own, words

remittance: Final = Table(
    "remittance",
    metadata,
    *own(
        words("number"),  # The slip's reference, which the bank and the treasury carry on.
        words("state"),  # prepared | signed | confirmed | cancelled
        Column("upto", Date, nullable=False),
        money("amount"),
        Column("slip", JSONB, nullable=False),  # All that is signed: whose, to whom, each line.
        words("hash"),  # SHA-256 of the slip: what the second person saw.
        words("prepared_by"),
        instant("prepared_at"),
        words("decided_by", optional=True),
        instant("decided_at", optional=True),
        instant("confirmed_at", optional=True),
    ),
    of_agency(),
    UniqueConstraint("agency_id", "number"),
    CheckConstraint("state IN ('prepared','signed','confirmed','cancelled')", name="state"),
    CheckConstraint("(decided_by IS NULL) = (state = 'prepared')", name="decided"),
    CheckConstraint(
        "state NOT IN ('signed','confirmed') OR decided_by <> prepared_by",
        name="maker_is_not_checker",
    ),
    # What waits would be counted twice beside another that waits.
    Index(
        "uq_remittance_prepared", "agency_id", unique=True,
        postgresql_where=text("state = 'prepared'"),
    ),
    Index("ix_remittance_signed", "agency_id", "id", postgresql_where=text("state = 'signed'")),
)  # fmt: skip
