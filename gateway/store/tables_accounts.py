"""Provider accounts that agencies open beside the one of the environment."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
)

from gateway.store.columns import instant, metadata, of_agency, words

provider_account: Final = Table(
    "provider_account",
    metadata,
    words("agency_id"),
    words("provider"),
    words("name"),  # Unique for its provider, because it stands in the address of its notices.
    Column("sealed", LargeBinary, nullable=False),  # The adapter's fields, as JSON.
    # The fields of before a rotation; what is signed with them is believed until then.
    Column("former_sealed", LargeBinary, nullable=True),
    instant("former_until", optional=True),
    Column("version", Integer, nullable=False),  # Each change counts one up.
    words("added_by"),
    instant("created_at"),
    instant("changed_at"),
    instant("closed_at", optional=True),
    PrimaryKeyConstraint("provider", "name"),
    of_agency(),
    CheckConstraint("name <> 'default'", name="not_default"),
    Index("ix_provider_account_agency", "agency_id"),
)
